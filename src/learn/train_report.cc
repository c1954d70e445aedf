#include "learn/train_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/number_text.h"

namespace headrace::learn {
namespace {

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json Parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

Json Values(const std::map<std::string, model::MetricValue>& metrics) {
  Json out = Json::object();
  for (const auto& [name, metric] : metrics) {
    out[name] = {{"value", Number(metric.value)}, {"rows", metric.rows}};
  }
  return out;
}

Json LeaderboardJson(const std::vector<LeaderboardRow>& rows) {
  Json out = Json::array();
  for (const LeaderboardRow& row : rows) {
    out.push_back({{"name", row.name},
                   {"learner", row.learner},
                   {"config", Parsed(row.config)},
                   {"score", Number(row.score)},
                   {"weight", row.weight},
                   {"note", row.note}});
  }
  return out;
}

}  // namespace

const char* Name(FindingLevel level) { return level == FindingLevel::kHint ? "hint" : "note"; }

std::vector<LeaderboardRow> MakeLeaderboard(const Race& race, const Ensemble& ensemble,
                                            const evaluate::Metric& metric) {
  std::vector<double> weight(race.candidates.size(), 0.0);
  for (const auto& part : ensemble.parts) weight[part.candidate] = part.weight;
  std::vector<LeaderboardRow> out;
  for (size_t i = 0; i < race.candidates.size(); ++i) {
    const Candidate& candidate = race.candidates[i];
    out.push_back({candidate.name, std::string(candidate.learner->name()),
                   ConfigText(candidate.trial->chosen()), candidate.score, weight[i],
                   candidate.note});
  }
  if (ensemble.parts.size() > 1) {
    out.push_back({"ensemble", "ensemble", "{}", ensemble.score, 1.0, ""});
  }
  std::stable_sort(out.begin(), out.end(), [&](const LeaderboardRow& a, const LeaderboardRow& b) {
    if (a.note.empty() != b.note.empty()) return a.note.empty();
    return metric.Better(a.score, b.score);
  });
  return out;
}

std::string SummaryText(const ReportInput& input) {
  const TrainOutcome& outcome = *input.outcome;
  const std::string name(input.metric->name);
  const auto value = outcome.package.metrics.find(name);
  if (value == outcome.package.metrics.end()) {
    return fmt::format("{} is undefined on {} rows", name, input.judged_rows);
  }
  std::string text = name + " " + Compact(value->second.value);
  if (!std::isnan(value->second.low)) {
    text += fmt::format(" [{}, {}]", Compact(value->second.low), Compact(value->second.high));
  }
  text += fmt::format(" on {} {} rows", input.judged_rows,
                      input.plan->test.empty() ? "cross-validated" : "test");
  const auto baseline = outcome.baseline.find(name);
  if (baseline != outcome.baseline.end()) {
    text += ", baseline " + Compact(baseline->second.value);
  }
  const auto champion = outcome.champion.find(name);
  if (champion != outcome.champion.end()) {
    text += ", champion " + Compact(champion->second.value);
  }
  return text;
}

std::string FindingsJson(const std::vector<Finding>& findings) {
  Json out = Json::array();
  for (const Finding& finding : findings) {
    out.push_back({{"code", finding.code},
                   {"level", Name(finding.level)},
                   {"subject", finding.subject},
                   {"field", finding.field},
                   {"message", finding.message},
                   {"evidence", Parsed(finding.evidence)}});
  }
  return DumpJson(out);
}

std::string GatesJson(const evaluate::GateResult& gate) {
  Json out = Json::array();
  for (const evaluate::GateLine& line : gate.lines) {
    Json entry = {{"gate", line.gate},
                  {"slice", line.slice},
                  {"verdict", evaluate::VerdictName(line.verdict)},
                  {"judged", line.judged},
                  {"value", Number(line.value)},
                  {"low", Number(line.low)},
                  {"high", Number(line.high)},
                  {"limit", line.limit ? Number(*line.limit) : Json(nullptr)},
                  {"rows", line.rows},
                  {"message", line.message}};
    if (line.difference && line.difference->difference.defined()) {
      entry["difference"] = {{"value", Number(line.difference->difference.value)},
                             {"low", Number(line.difference->interval.low)},
                             {"high", Number(line.difference->interval.high)},
                             {"rows", line.difference->rows}};
    }
    out.push_back(std::move(entry));
  }
  return DumpJson(out);
}

std::string ReportText(const ReportInput& input) {
  const TrainOutcome& outcome = *input.outcome;
  Json confusion = nullptr;
  if (!outcome.confusion.cells.empty()) {
    confusion = {{"classes", outcome.package.classes},
                 {"threshold", Number(outcome.package.threshold)},
                 {"cells", outcome.confusion.cells}};
  }
  Json baseline = Json::object();
  for (const auto& [name, metric] : outcome.baseline) baseline[name] = Number(metric.value);
  const Json report = {{"summary", outcome.summary},
                       {"split",
                        {{"kind", evaluate::SplitKindName(input.plan->kind)},
                         {"description", input.plan->description},
                         {"judged_rows", input.judged_rows},
                         {"judged_by_versions", input.judged_by_versions},
                         {"rows", outcome.rows},
                         {"rows_without_target", outcome.rows_without_target}}},
                       {"trials", outcome.trials},
                       {"optimism", input.optimism},
                       {"baseline", std::move(baseline)},
                       {"confusion", std::move(confusion)},
                       {"seen_groups", Values(outcome.seen_groups)},
                       {"new_groups", Values(outcome.new_groups)},
                       {"leaderboard", LeaderboardJson(outcome.leaderboard)},
                       {"gates", Parsed(GatesJson(outcome.gate))},
                       {"verdict", evaluate::VerdictName(outcome.gate.verdict)},
                       {"findings", Parsed(FindingsJson(outcome.findings))}};
  return DumpJson(report);
}

}  // namespace headrace::learn
