#include "report/headline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/number_text.h"

namespace headrace::report {
namespace {

size_t CountOf(const RunReport& report, std::initializer_list<NodeState> states) {
  return static_cast<size_t>(
      std::count_if(report.nodes.begin(), report.nodes.end(), [&](const NodeLine& node) {
        return std::find(states.begin(), states.end(), node.state) != states.end();
      }));
}

std::vector<std::string> NamesOf(const RunReport& report, NodeState state) {
  std::vector<std::string> out;
  for (const NodeLine& node : report.nodes) {
    if (node.state == state) out.push_back(node.name);
  }
  return out;
}

/// Models are refused, not broken: they are spoken of as models.
bool IsRefusal(const NodeLine& node) { return node.error_code == "gate_failed"; }

struct CheckCount {
  int64_t passed = 0, warned = 0, failed = 0;
};
CheckCount CountChecks(const RunReport& report) {
  CheckCount out;
  for (const NodeLine& node : report.nodes) {
    for (const CheckLine& check : node.checks) {
      ++(check.status == "fail" ? out.failed : check.status == "warn" ? out.warned : out.passed);
    }
  }
  return out;
}

std::string Score(const ModelSection& model) {
  const MetricLine* main = model.facts.Main();
  if (main == nullptr) return "";
  std::string text = MetricTitle(main->name) + " " + Short(main->value);
  if (std::isfinite(main->low)) text += fmt::format(" (95 % {})", Range(main->low, main->high));
  return text;
}

std::string ModelTitle(const ModelSection& model) {
  if (!model.trained_now) return "";
  if (model.status == "refused") {
    return model.champion_now > 0
               ? fmt::format("The new {} model was refused; version {} stays in use", model.model,
                             model.champion_now)
               : fmt::format("The {} model did not pass its gate; none is in use yet", model.model);
  }
  if (model.champion_now != model.version) {
    return fmt::format("Version {} of the {} model is trained, not in use", model.version,
                       model.model);
  }
  if (model.champion_before == 0) {
    return fmt::format("The first {} model is in use", model.model);
  }
  const auto& difference = model.facts.difference;
  const bool higher = model.facts.higher_is_better;
  if (difference && (higher ? difference->low > 0 : difference->high < 0)) {
    return fmt::format("A better {} model is in use", model.model);
  }
  return fmt::format("A new {} model is in use, about as good as the last", model.model);
}

std::string TitleOf(const RunReport& report) {
  std::vector<std::string> failed;
  for (const NodeLine& node : report.nodes) {
    if (node.state == NodeState::kFailed && !IsRefusal(node)) failed.push_back(node.name);
  }
  if (report.status == "interrupted") {
    return "The run was stopped; what had finished is kept";
  }
  std::string model;
  for (const ModelSection& section : report.models) {
    if (model.empty()) model = ModelTitle(section);
  }
  if (!failed.empty()) {
    const size_t skipped = CountOf(report, {NodeState::kSkipped});
    std::string title = Listed(failed, 2) + " failed";
    if (skipped > 0) {
      title += fmt::format(
          ", so {} not brought up to date",
          skipped == 1 ? "one more node was" : fmt::format("{} more nodes were", skipped));
    }
    return title;
  }
  const CheckCount checks = CountChecks(report);
  if (!model.empty()) {
    if (checks.warned > 0) {
      return model + fmt::format("; {} for a look",
                                 checks.warned == 1 ? "one check asks"
                                                    : fmt::format("{} checks ask", checks.warned));
    }
    return model;
  }
  const size_t built = CountOf(report, {NodeState::kBuilt, NodeState::kChecked});
  std::string title =
      built == 0 ? "Nothing had to be built"
                 : fmt::format("{} brought up to date",
                               built == 1 ? "One node was" : fmt::format("{} nodes were", built));
  if (checks.warned > 0) title += "; " + Tally(checks.warned, "check") + " warned";
  return title;
}

Answer WhatRan(const RunReport& report) {
  Answer out;
  out.question = "What ran";
  const size_t done =
      CountOf(report, {NodeState::kBuilt, NodeState::kTrained, NodeState::kChecked});
  const size_t selected = report.nodes.size() - CountOf(report, {NodeState::kUnselected});
  const size_t failed = CountOf(report, {NodeState::kFailed});
  out.answer = fmt::format("{} of {} nodes built", done, selected);
  if (failed > 0) {
    out.answer += fmt::format(", {} failed", failed);
    out.tone = "failed";
  }
  int64_t sources = 0, rows = 0;
  for (const NodeLine& node : report.nodes) {
    if (node.kind != "source" || node.rows < 0) continue;
    ++sources;
    rows += node.rows;
  }
  if (sources > 0) {
    out.text = fmt::format("{} hold {}. ", Tally(sources, "source"), Tally(rows, "row"));
    if (sources == 1) out.text = fmt::format("The source holds {}. ", Tally(rows, "row"));
  }
  const size_t reused = CountOf(report, {NodeState::kReused});
  if (reused > 0)
    out.text += fmt::format("{} up to date already. ",
                            reused == 1 ? "One node was" : fmt::format("{} nodes were", reused));
  const CheckCount checks = CountChecks(report);
  if (checks.passed + checks.warned + checks.failed > 0) {
    out.text += fmt::format("{} of {} checks passed", checks.passed,
                            checks.passed + checks.warned + checks.failed);
    if (checks.warned > 0) out.text += fmt::format(", {} warned", checks.warned);
    if (checks.failed > 0) out.text += fmt::format(", {} failed", checks.failed);
    out.text += ". ";
  }
  out.text += fmt::format("It took {}.", FormatSeconds(report.seconds));
  return out;
}

Answer IsItBetter(const ModelSection& model) {
  Answer out;
  out.question = "Is the " + model.model + " model better?";
  if (!model.trained_now) {
    out.tone = "quiet";
    out.answer = fmt::format("No new one; version {} stays", model.version);
    out.text =
        (model.why_not.empty() ? "" : "Not trained: " + model.why_not + ". ") + Score(model) + ".";
    return out;
  }
  const auto& difference = model.facts.difference;
  const bool higher = model.facts.higher_is_better;
  if (model.status == "refused") {
    out.tone = "warn";
    out.answer = "No: it was refused";
  } else if (model.champion_before == 0) {
    out.answer = "It is the first, and better than guessing";
    const MetricLine* main = model.facts.Main();
    const bool better = main != nullptr && std::isfinite(main->baseline) &&
                        (higher ? main->low > main->baseline : main->high < main->baseline);
    if (!better) {
      out.answer = "It is the first, no better than guessing";
      out.tone = "warn";
    }
  } else if (difference && (higher ? difference->low > 0 : difference->high < 0)) {
    out.answer = "Yes";
  } else if (difference && (higher ? difference->high < 0 : difference->low > 0)) {
    out.answer = "A little worse, within what the gate allows";
    out.tone = "warn";
  } else {
    out.answer = "About the same";
  }
  const std::string champion = AgainstChampion(model);
  const MetricLine* main = model.facts.Main();
  out.text = Score(model);
  if (main != nullptr && std::isfinite(main->baseline) && model.champion_before == 0) {
    out.text += fmt::format("; guessing gives {}", Short(main->baseline));
  }
  if (!out.text.empty()) out.text += ". ";
  if (!champion.empty()) out.text += champion + " ";
  return out;
}

void AddActs(const RunReport& report, Answer* out, bool* urgent) {
  for (const NodeLine& node : report.nodes) {
    if (node.state != NodeState::kFailed) continue;
    if (IsRefusal(node)) {
      out->points.push_back(
          fmt::format("Decide on the refused model {}: see its gate below.", node.name));
      continue;
    }
    *urgent = true;
    out->points.push_back(node.error.empty()
                              ? "Mend " + node.name + "."
                              : fmt::format("Mend {}: {}.", node.name, CutText(node.error, 140)));
  }
  for (const NodeLine& node : report.nodes) {
    for (const CheckLine& check : node.checks) {
      if (check.status == "warn") {
        out->points.push_back(
            fmt::format("Look at {}: {}.", node.name, CutText(check.message, 140)));
      }
    }
    const auto failed = node.counts.find("failed");
    if (failed != node.counts.end() && failed->second > 0 && node.state != NodeState::kFailed) {
      out->points.push_back(fmt::format("{} of {} failed; the next run tries again.",
                                        Tally(failed->second, "send"), node.name));
    }
  }
  for (const ModelSection& model : report.models) {
    for (const FindingLine& finding : model.facts.findings) {
      if (finding.level == "hint") out->points.push_back(model.model + ": " + finding.message);
    }
  }
}

Answer ShouldIAct(const RunReport& report) {
  Answer out;
  out.question = "Do you need to act?";
  bool urgent = false;
  AddActs(report, &out, &urgent);
  constexpr size_t kMost = 5;
  const size_t all = out.points.size();
  if (all > kMost) {
    out.points.resize(kMost);
    out.points.push_back(fmt::format("and {} more, below", all - kMost));
  }
  if (urgent) {
    out.answer = "Yes";
    out.tone = "failed";
  } else if (all > 0) {
    out.answer = all == 1 ? "One thing to look at" : fmt::format("{} things to look at", all);
    out.tone = "warn";
  } else {
    out.answer = "No";
    out.text = "Nothing failed, nothing warned.";
  }
  for (const NodeLine& node : report.nodes) {
    const auto would = node.counts.find("would_send");
    if (would != node.counts.end() && would->second > 0) {
      out.text = fmt::format("{} would send {}; target {} only records it.", node.name,
                             Grouped(would->second), report.target);
    }
  }
  return out;
}

std::string LeadOf(const RunReport& report) {
  std::string lead;
  for (const ModelSection& model : report.models) {
    if (!model.trained_now) continue;
    const std::string natural = InNaturalNumbers(model.facts);
    if (!natural.empty()) lead = natural;
    break;
  }
  for (const NodeLine& node : report.nodes) {
    if (node.kind == "predict" && node.state == NodeState::kBuilt && node.rows >= 0) {
      lead +=
          fmt::format("{}{} now scored in {}.", lead.empty() ? "" : " ",
                      node.rows == 1 ? "1 row is" : Grouped(node.rows) + " rows are", node.name);
      break;
    }
  }
  if (lead.empty()) {
    const std::vector<std::string> built = NamesOf(report, NodeState::kBuilt);
    if (!built.empty()) lead = "Built: " + Listed(built, 5) + ".";
  }
  return lead;
}

}  // namespace

std::string InNaturalNumbers(const ModelFacts& model) {
  if (model.task == "regression") {
    if (!std::isfinite(model.error_median)) return "";
    return fmt::format(
        "Half of its predictions of {} are within {} of the truth, nine in ten within {}.",
        model.target, Short(model.error_median), Short(model.error_p90));
  }
  const size_t n = model.confusion.size();
  double right = 0, all = 0;
  for (size_t a = 0; a < n; ++a) {
    for (size_t p = 0; p < n; ++p) {
      all += model.confusion[a][p];
      right += a == p ? model.confusion[a][p] : 0;
    }
  }
  if (!(all > 0)) return "";
  if (model.task != "binary" || n != 2) {
    return fmt::format("Of 100 rows it names the right {} for {}.", model.target,
                       std::lround(100 * right / all));
  }
  const double flagged = model.confusion[0][1] + model.confusion[1][1];
  const double positive = model.confusion[1][0] + model.confusion[1][1];
  if (!(flagged > 0) || !(positive > 0)) return "";
  return fmt::format(
      "Of 100 rows that it flags as {} = {}, {} really are (picked blindly, {} would be); it finds "
      "{} "
      "of every 100 there are.",
      model.target, CutText(model.positive, 30), std::lround(100 * model.confusion[1][1] / flagged),
      std::lround(100 * positive / all), std::lround(100 * model.confusion[1][1] / positive));
}

std::string AgainstChampion(const ModelSection& model) {
  const auto& difference = model.facts.difference;
  if (!difference || model.champion_before == 0) return "";
  return fmt::format("Against version {} on the same {} rows: {} {} (95 % {} to {}).",
                     model.champion_before, Grouped(difference->rows),
                     MetricTitle(model.facts.metric), Signed(difference->value),
                     Signed(difference->low), Signed(difference->high));
}

Headline MakeHeadline(const RunReport& report) {
  Headline out;
  out.title = TitleOf(report);
  if (!out.title.ends_with('.')) out.title += ".";
  out.lead = LeadOf(report);
  out.answers.push_back(WhatRan(report));
  size_t models = 0;
  for (const ModelSection& model : report.models) {
    if (!model.trained_now || models++ >= 2) continue;
    out.answers.push_back(IsItBetter(model));
    // The lead speaks of the first one.
    if (models > 1) out.answers.back().text += InNaturalNumbers(model.facts);
  }
  if (models == 0 && !report.models.empty())
    out.answers.push_back(IsItBetter(report.models.front()));
  out.answers.push_back(ShouldIAct(report));
  return out;
}

}  // namespace headrace::report
