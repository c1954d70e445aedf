#include "cli/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/number_text.h"
#include "base/text_table.h"
#include "cli/console.h"

namespace headrace::cli {
namespace {

using pipeline::NodeResult;
using pipeline::RunReport;

/// A number of an object as people read it; "-" when it isn't there.
std::string Number(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return "-";
  return Compact(object[key].get<double>());
}

std::string Word(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return "";
  return object[key].get<std::string>();
}

int64_t Whole(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return 0;
  return object[key].get<int64_t>();
}

class Summary {
 public:
  Summary(const RunReport& report, const SummaryOptions& options)
      : report_(report), options_(options) {
    for (const auto& node : report.nodes) {
      ++actions_[ActionOf(node)];
      auto details = ParseJson(node.details, "details");
      details_.push_back(details.ok() ? std::move(*details) : Json::object());
    }
  }

  std::string Text() {
    if (NothingDone()) {
      out_ = fmt::format("nothing to do: {} up to date ({})\n", AreUpToDate(),
                         FormatSeconds(report_.seconds));
      for (size_t i = 0; i < report_.nodes.size(); ++i) {
        if (!details_[i].contains("kept")) continue;  // a model that was judged, and stays
        out_ += fmt::format("{}: {}\n", report_.nodes[i].node, report_.nodes[i].reason);
      }
      Notes();
      return out_;
    }
    Nodes();
    Checks();
    for (size_t i = 0; i < report_.nodes.size(); ++i) {
      if (details_[i].contains("model")) Model(details_[i]["model"]);
    }
    Sends();
    Notes();
    Errors();
    Headline();
    Next();
    return out_;
  }

 private:
  /// A node that was under way when the run was stopped did not fail.
  static std::string ActionOf(const NodeResult& node) {
    return node.error && node.error->code == "cancelled" ? "stop" : node.action;
  }

  bool NothingDone() const {
    return std::all_of(report_.nodes.begin(), report_.nodes.end(), [](const NodeResult& node) {
      return node.action == "reuse" && !node.error;
    });
  }

  std::string AreUpToDate() const {
    return Tally(static_cast<int64_t>(report_.nodes.size()), "node") +
           (report_.nodes.size() == 1 ? " is" : " are");
  }

  std::string Bold(std::string_view text) const {
    return options_.color ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
  }

  void Nodes() {
    const bool few = report_.nodes.size() <= options_.many;
    TextTable table({"NODE", "ACTION", "ROWS", "TIME", "REASON"});
    for (const auto& node : report_.nodes) {
      if (!few && node.action == "reuse") continue;
      table.AddRow({node.node, ActionOf(node), node.rows < 0 ? "-" : Grouped(node.rows),
                    fmt::format("{:<7}", FormatSeconds(node.seconds)), node.reason});
    }
    out_ += "\n" + table.Render({options_.columns, options_.color});
    if (!few && actions_["reuse"] > 0) {
      out_ += fmt::format("and {} that are up to date\n", Tally(actions_["reuse"], "node"));
    }
  }

  void Checks() {
    int64_t passed = 0, warned = 0, failed = 0;
    std::string lines, aside;
    for (const auto& node : report_.nodes) {
      if (node.action == "reuse") continue;
      for (const auto& verdict : node.verdicts) {
        if (verdict.status == store::VerdictStatus::kPass) ++passed;
        if (verdict.status == store::VerdictStatus::kFail) ++failed;
        if (verdict.status != store::VerdictStatus::kWarn) continue;
        ++warned;
        if (verdict.severity == "quarantine") {
          lines += fmt::format("  quarantine: {}: {}\n", verdict.check, verdict.message);
          continue;
        }
        lines += fmt::format("  warning: {}: {}\n", verdict.check, verdict.message);
      }
    }
    for (const auto& node : report_.nodes) {
      if (node.quarantined <= 0) continue;
      aside += fmt::format(
          "{}: {} aside in {}__quarantine\n", Bold(node.node),
          node.quarantined == 1 ? "1 row stands" : Grouped(node.quarantined) + " rows stand",
          node.node);
    }
    if (passed + warned + failed == 0) return;
    lines += aside.empty() ? "" : "\n" + aside;
    out_ += fmt::format("\n{}: {} passed, {} warned, {} failed\n{}", Bold("checks"), passed, warned,
                        failed, lines);
  }

  /// What most people ask for; the card has all of them.
  static bool IsUsual(const std::string& name) {
    static const std::vector<std::string> kUsual = {
        "accuracy", "average_precision", "brier_score", "cost", "f1",
        "f1_macro", "log_loss",          "mae",         "r2",   "rmse",
        "roc_auc"};
    return std::find(kUsual.begin(), kUsual.end(), name) != kUsual.end();
  }

  /// One version against the baseline and the champion before it, on the same rows.
  void Model(const Json& model) {
    out_ += fmt::format("\n{}, version {}: {}\n", Bold("model " + Word(model, "node")),
                        Whole(model, "version"), Word(model, "status"));
    const Json none = Json::object();
    const Json& baseline = model.contains("baseline") ? model["baseline"] : none;
    const Json& champion = model.contains("champion") ? model["champion"] : none;
    std::vector<std::string> header = {"  METRIC", "VALUE", "95 % FROM", "TO", "BASELINE"};
    if (!champion.empty()) header.push_back("CHAMPION BEFORE");
    TextTable table(header);
    const std::string main = Word(model, "metric");
    const auto add = [&](const std::string& name, const Json& value) {
      const auto at = [&](const Json& other) {
        return other.contains(name) ? Number(other[name], "value") : std::string("-");
      };
      table.AddRow({"  " + name, Number(value, "value"), Number(value, "low"),
                    Number(value, "high"), at(baseline), at(champion)});
    };
    const Json& metrics = model.contains("metrics") ? model["metrics"] : none;
    if (metrics.contains(main)) add(main, metrics[main]);  // what decides stands first
    const std::string gates = model.contains("gates") ? model["gates"].dump() : "";
    size_t left_out = 0;
    for (const auto& [name, value] : metrics.items()) {
      if (name == main) continue;
      if (IsUsual(name) || gates.find(name) != std::string::npos) {
        add(name, value);
      } else {
        ++left_out;
      }
    }
    out_ += table.Render({options_.columns, options_.color});
    if (left_out > 0) {
      out_ +=
          fmt::format("  {}: headrace model show {}\n",
                      left_out == 1 ? "1 more metric" : fmt::format("{} more metrics", left_out),
                      Word(model, "node"));
    }
    if (!Word(model, "split").empty()) out_ += "  judged on: " + Word(model, "split") + "\n";
    if (!model.contains("gates")) return;
    for (const auto& gate : model["gates"]) {
      const std::string slice = Word(gate, "slice");
      out_ += fmt::format("  gate {}{}: {}\n", Word(gate, "gate"),
                          slice.empty() ? "" : " (" + slice + ")", Word(gate, "message"));
    }
  }

  void Sends() {
    for (size_t i = 0; i < report_.nodes.size(); ++i) {
      const NodeResult& node = report_.nodes[i];
      const Json& details = details_[i];
      if (node.kind != "action" || !details.contains("sent")) continue;
      const std::string name = Bold("action " + node.node);
      if (details.contains("would_send")) {
        const int64_t would = Whole(details, "would_send");
        out_ += fmt::format("\n{}: would send {}; this target sends nothing\n", name, would);
        dry_ = dry_ || would > 0;
        continue;
      }
      out_ += fmt::format("\n{}: {} sent", name, Whole(details, "sent"));
      if (Whole(details, "failed") > 0)
        out_ += fmt::format(", {} failed", details["failed"].dump());
      if (Whole(details, "already_sent") > 0) {
        out_ += fmt::format(", {} sent earlier", details["already_sent"].dump());
      }
      out_ += "\n";
    }
  }

  /// Warnings of the run and what nodes have to say. Hints come last.
  void Notes() {
    std::vector<Error> notes = report_.warnings;
    for (const auto& node : report_.nodes) {
      notes.insert(notes.end(), node.notes.begin(), node.notes.end());
    }
    std::stable_sort(notes.begin(), notes.end(),
                     [](const Error& a, const Error& b) { return a.severity < b.severity; });
    if (!notes.empty()) out_ += "\n";
    for (const Error& note : notes) out_ += Render(note, {options_.color}) + "\n";
  }

  void Errors() {
    for (const auto& node : report_.nodes) {
      if (!node.error || ActionOf(node) == "stop") continue;
      out_ += "\n" + Render(*node.error, {options_.color}) + "\n";
    }
  }

  void Headline() {
    static const std::vector<std::pair<const char*, const char*>> kWords = {
        {"build", "built"},      {"intervals", "built in part"},
        {"retrain", "trained"},  {"check", "checked"},
        {"reuse", "up to date"}, {"skip", "skipped"},
        {"stop", "stopped"},     {"fail", "failed"}};
    std::string counts;
    for (const auto& [action, word] : kWords) {
      if (actions_[action] == 0) continue;
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", actions_[action], word);
    }
    out_ += fmt::format("\n{} {} in {}: {}\n", Bold("run " + report_.run),
                        store::Text(report_.status), FormatSeconds(report_.seconds), counts);
    if (!options_.sample.empty()) {
      out_ += fmt::format("a sample: {} of the rows of sources; the target itself is untouched\n",
                          options_.sample);
    }
    if (!options_.page.empty()) out_ += "report: " + options_.page + "\n";
  }

  void Next() {
    std::vector<std::string> commands;
    std::string flag = options_.target.empty() ? "" : " --target " + options_.target;
    if (!options_.sample.empty()) flag += " --sample " + options_.sample;
    for (const auto& node : report_.nodes) {
      if (ActionOf(node) == "fail") commands.push_back("headrace show " + node.node + flag);
    }
    if (commands.size() > 3) commands.resize(3);
    if (commands.empty() && report_.status == store::RunStatus::kDone) {
      const NodeResult* table = nullptr;
      for (const auto& node : report_.nodes) {
        const bool rows = node.rows >= 0 && (node.kind == "predict" || node.kind == "sql");
        if (rows && (table == nullptr || node.kind == "predict" || table->kind != "predict")) {
          table = &node;
        }
        if (node.kind == "model") commands.push_back("headrace model show " + node.node + flag);
      }
      if (commands.size() > 2) commands.resize(2);
      if (table != nullptr) {
        commands.push_back(fmt::format("headrace query{} \"FROM {} LIMIT 5\"", flag, table->node));
      }
      if (dry_ && options_.sample.empty()) commands.push_back("headrace run --target prod");
    } else {
      commands.push_back("headrace run" + flag);
    }
    if (commands.empty()) return;
    out_ += "what next:\n";
    for (const auto& command : commands) out_ += "  " + command + "\n";
  }

  const RunReport& report_;
  const SummaryOptions& options_;
  std::map<std::string, int> actions_;
  std::vector<Json> details_;  // by node
  bool dry_ = false;           // an action would have sent something
  std::string out_;
};

}  // namespace

std::string SummaryOf(const RunReport& report, const SummaryOptions& options) {
  return Summary(report, options).Text();
}

}  // namespace headrace::cli
