#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "base/text_table.h"
#include "cli/commands.h"
#include "cli/model_text.h"

namespace headrace::cli {
namespace {

Json ParsedOrNull(const std::string& text) {
  auto json = ParseJson(text, "");
  return json.ok() ? std::move(*json) : Json();
}

Json VersionJson(const store::ModelVersion& version, const std::vector<std::string>& aliases) {
  return {{"event", "model_version"},
          {"model", version.model},
          {"version", version.version},
          {"status", std::string(store::Text(version.status))},
          {"aliases", aliases},
          {"created", FormatTimestamp(version.created)},
          {"run", version.run},
          {"rows", version.rows},
          {"training_snapshot", version.training_snapshot},
          {"content_hash", version.content_hash},
          {"metrics", ParsedOrNull(version.metrics)},
          {"gates", ParsedOrNull(version.gate)}};
}

std::string Text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || object[key].is_null()) return "";
  return object[key].is_string() ? object[key].get<std::string>() : object[key].dump();
}

std::string Short(const Json& value) {
  return value.is_number() ? Compact(value.get<double>()) : "-";
}

void PrintLeaderboard(const Json& report, Console& console) {
  if (!report.contains("leaderboard") || report["leaderboard"].empty()) return;
  TextTable table({"CONFIGURATION", "LEARNER", "SCORE", "WEIGHT", "NOTE"});
  for (const auto& row : report["leaderboard"]) {
    table.AddRow({Text(row, "name"), Text(row, "learner"),
                  row.contains("score") ? Short(row["score"]) : "-",
                  row.contains("weight") ? Short(row["weight"]) : "-", Text(row, "note")});
  }
  console.Text("\n" + console.OutBold("Leaderboard") + "\n" +
               table.Render({console.columns(), console.out_color()}));
}

void PrintGates(const Json& report, Console& console) {
  if (!report.contains("gates") || report["gates"].empty()) return;
  console.Text("\n" + console.OutBold("Gates") + "\n");
  for (const auto& gate : report["gates"]) {
    const std::string slice = Text(gate, "slice");
    console.Text(fmt::format("{}: {}{}: {}\n", Text(gate, "verdict"), Text(gate, "gate"),
                             slice.empty() ? "" : " (" + slice + ")", Text(gate, "message")));
  }
}

/// Rows of a class by what was decided; weights count.
void PrintConfusion(const Json& report, Console& console) {
  if (!report.contains("confusion") || !report["confusion"].is_object()) return;
  const Json& confusion = report["confusion"];
  const Json& classes = confusion["classes"];
  const Json& cells = confusion["cells"];
  if (!classes.is_array() || !cells.is_array() || classes.size() > 20 ||
      cells.size() != classes.size() * classes.size()) {
    return;
  }
  std::vector<std::string> header = {"ACTUAL"};
  for (const auto& name : classes) header.push_back("CALLED " + name.get<std::string>());
  TextTable table(header);
  for (size_t a = 0; a < classes.size(); ++a) {
    std::vector<std::string> row = {classes[a].get<std::string>()};
    for (size_t p = 0; p < classes.size(); ++p) {
      row.push_back(fmt::format("{:g}", cells[a * classes.size() + p].get<double>()));
    }
    table.AddRow(row);
  }
  std::string title = "Confusion";
  if (classes.size() == 2) {
    title += fmt::format(" ('{}' from {} on)", classes[1].get<std::string>(),
                         Short(confusion["threshold"]));
  }
  console.Text("\n" + console.OutBold(title) + "\n" +
               table.Render({console.columns(), console.out_color()}));
}

/// Models with time and group: rows of known groups and of new ones apart.
void PrintGroups(const Json& report, Console& console) {
  for (const auto& [key, title] :
       {std::pair("seen_groups", "groups learned from"), std::pair("new_groups", "new groups")}) {
    if (!report.contains(key) || !report[key].is_object() || report[key].empty()) continue;
    std::string line;
    for (const char* name : {"roc_auc", "log_loss", "accuracy", "rmse", "mae", "r2"}) {
      if (!report[key].contains(name)) continue;
      line +=
          fmt::format("{}{} {}", line.empty() ? "" : ", ", name, Short(report[key][name]["value"]));
    }
    const Json& first = report[key].begin().value();
    console.Text(fmt::format("Test rows of {} ({}): {}\n", title, Text(first, "rows"), line));
  }
}

void PrintFindings(const Json& report, Console& console) {
  if (!report.contains("findings") || report["findings"].empty()) return;
  console.Text("\n" + console.OutBold("Findings") + "\n");
  for (const char* level : {"hint", "note"}) {
    for (const auto& finding : report["findings"]) {
      const std::string own = Text(finding, "level");
      if ((own.empty() ? "note" : own) != level) continue;
      console.Text(own == "hint"
                       ? fmt::format("- [{}] {}\n", Text(finding, "code"), Text(finding, "message"))
                       : "- " + Text(finding, "message") + "\n");
    }
  }
}

void PrintMoves(const std::vector<store::ModelMove>& moves, Console& console) {
  if (moves.empty()) return;
  TextTable table({"WHEN", "ALIAS", "FROM", "TO", "WHO", "WHY"});
  for (const auto& move : moves) {
    table.AddRow({FormatTimestamp(move.when), move.alias,
                  move.from == 0 ? "-" : std::to_string(move.from),
                  move.to == 0 ? "-" : std::to_string(move.to), move.who, move.why});
  }
  console.Text("\n" + console.OutBold("Moves") + "\n" +
               table.Render({console.columns(), console.out_color()}));
}

}  // namespace

std::map<int, std::vector<std::string>> AliasesByVersion(
    const std::vector<store::ModelAlias>& aliases, const std::string& model) {
  std::map<int, std::vector<std::string>> by_version;
  for (const auto& alias : aliases) {
    if (alias.model == model) {
      by_version[alias.version].push_back(alias.alias + (alias.pinned ? " (pinned)" : ""));
    }
  }
  return by_version;
}

std::string MainMetric(const store::ModelVersion& version) {
  const Json metrics = ParsedOrNull(version.metrics);
  if (!metrics.is_object() || metrics.empty()) return "-";
  // The default metric of each task, in the order in which they exclude each other.
  for (const char* name : {"roc_auc", "log_loss", "rmse"}) {
    if (metrics.contains(name)) return MetricText(name, metrics[name]);
  }
  return MetricText(metrics.begin().key(), metrics.begin().value());
}

std::string MetricText(const std::string& name, const Json& metric) {
  if (!metric.is_object() || !metric.contains("value")) return name;
  std::string text = name + " " + Short(metric["value"]);
  if (metric.contains("low") && metric["low"].is_number()) {
    text += fmt::format(" [{}, {}]", Short(metric["low"]), Short(metric["high"]));
  }
  return text;
}

std::string VersionsTable(const std::vector<store::ModelVersion>& versions,
                          const std::vector<store::ModelAlias>& aliases, int columns, bool color) {
  TextTable table({"MODEL", "VERSION", "STATE", "METRIC", "ROWS", "CREATED"});
  for (const auto& version : versions) {
    auto names = AliasesByVersion(aliases, version.model)[version.version];
    std::string state(store::Text(version.status));
    for (const auto& name : names) {
      if (name == state) continue;
      state = name.starts_with(state) ? name : state + ", " + name;
    }
    table.AddRow({version.model, std::to_string(version.version), state, MainMetric(version),
                  Grouped(version.rows), FormatTimestamp(version.created).substr(0, 19) + "Z"});
  }
  return table.Render({columns, color});
}

int Models(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto versions = session.engine().Models(arguments.subject);
  if (!versions.ok()) return session.Fail(versions.error());
  auto aliases = session.engine().Aliases(arguments.subject);
  if (!aliases.ok()) return session.Fail(aliases.error());
  if (console.json()) {
    for (const auto& version : *versions) {
      console.JsonLine(
          VersionJson(version, AliasesByVersion(*aliases, version.model)[version.version]));
    }
    return 0;
  }
  if (versions->empty()) {
    console.Progress("no model was trained yet; headrace run trains them\n");
    return 0;
  }
  console.Text(VersionsTable(*versions, *aliases, console.columns(), console.out_color()));
  return 0;
}

int ModelShow(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto details = session.engine().ShowModel(arguments.subject);
  if (!details.ok()) return session.Fail(details.error());
  const store::ModelVersion& version = details->version;
  const Json report = ParsedOrNull(details->report);
  if (console.json()) {
    Json line = VersionJson(version, details->aliases);
    line["event"] = "model";
    line["pinned"] = details->pinned;
    line["report"] = report;
    line["card"] = details->card;
    console.JsonLine(line);
    return 0;
  }
  std::string state(store::Text(version.status));
  if (details->pinned) state += " (pinned)";
  console.Text(
      fmt::format("{}: {}, trained {} on {}\n",
                  console.OutBold(fmt::format("{} version {}", version.model, version.version)),
                  state, FormatTimestamp(version.created), Tally(version.rows, "row")));
  if (!Text(report, "summary").empty()) console.Text(Text(report, "summary") + "\n");
  PrintGroups(report, console);
  PrintLeaderboard(report, console);
  PrintConfusion(report, console);
  PrintGates(report, console);
  PrintFindings(report, console);
  PrintMoves(details->moves, console);
  if (!details->card.empty()) console.Text("\n" + details->card);
  return 0;
}

int ModelPromote(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  Status done = session.engine().Promote(arguments.subject, arguments.why);
  if (!done.ok()) return session.Fail(done.error());
  if (console.json()) {
    console.JsonLine({{"event", "promoted"}, {"model", arguments.subject}});
  } else {
    console.Progress(arguments.subject + " is champion; headrace run scores with it\n");
  }
  return 0;
}

int ModelRollback(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto version = session.engine().Rollback(arguments.subject, arguments.version, arguments.why);
  if (!version.ok()) return session.Fail(version.error());
  if (console.json()) {
    console.JsonLine(
        {{"event", "rolled_back"}, {"model", arguments.subject}, {"version", *version}});
  } else {
    console.Progress(fmt::format(
        "{0}@{1} is champion again and stays until a newer version passes its gate; headrace run "
        "scores with it\n",
        arguments.subject, *version));
  }
  return 0;
}

}  // namespace headrace::cli
