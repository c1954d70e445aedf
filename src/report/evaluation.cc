#include "report/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace headrace::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const Json kNone;

const Json& At(const Json& json, const char* key) {
  if (!json.is_object()) return kNone;
  const auto found = json.find(key);
  return found == json.end() ? kNone : *found;
}
std::string Word(const Json& json, const char* key) {
  const Json& value = At(json, key);
  return value.is_string() ? value.get<std::string>() : "";
}
double Number(const Json& value) { return value.is_number() ? value.get<double>() : kNan; }
double Number(const Json& json, const char* key) { return Number(At(json, key)); }
int64_t Whole(const Json& json, const char* key) {
  const Json& value = At(json, key);
  return value.is_number() ? value.get<int64_t>() : 0;
}
bool Flag(const Json& json, const char* key, bool otherwise) {
  const Json& value = At(json, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}
/// Elements of a list; nothing when it is none.
const Json& List(const Json& json, const char* key) {
  static const Json kEmpty = Json::array();
  const Json& value = At(json, key);
  return value.is_array() ? value : kEmpty;
}

void ReadMetrics(const Json& model, ModelFacts* out) {
  const Json& metrics = At(model, "metrics");
  const Json& baseline = At(At(model, "report"), "baseline");
  if (!metrics.is_object()) return;
  for (const auto& [name, value] : metrics.items()) {
    out->metrics.push_back({name, Number(value, "value"), Number(value, "low"),
                            Number(value, "high"), Number(baseline, name.c_str())});
  }
  std::stable_partition(out->metrics.begin(), out->metrics.end(),
                        [&](const MetricLine& line) { return line.name == out->metric; });
}

void ReadGates(const Json& report, ModelFacts* out) {
  for (const Json& gate : List(report, "gates")) {
    out->gates.push_back({Word(gate, "gate"), Word(gate, "slice"), Word(gate, "verdict"),
                          Word(gate, "message"), Flag(gate, "judged", true)});
    const Json& difference = At(gate, "difference");
    if (!difference.is_object() || !Word(gate, "slice").empty() || out->difference) continue;
    // The difference is in the gate's metric: it must be the one the page speaks of.
    if (!out->gates.back().gate.starts_with(out->metric)) continue;
    if (std::isnan(Number(difference, "value"))) continue;
    out->difference = {Number(difference, "value"), Number(difference, "low"),
                       Number(difference, "high"), Whole(difference, "rows")};
  }
}

void ReadReport(const Json& model, ModelFacts* out) {
  const Json& report = At(model, "report");
  const Json& split = At(report, "split");
  out->judged_rows = Whole(split, "judged_rows");
  out->rows_without_target = Whole(split, "rows_without_target");
  out->trials = Whole(report, "trials");
  out->verdict = Word(report, "verdict");
  for (const Json& row : List(report, "leaderboard")) {
    const Json& config = At(row, "config");
    std::string text;
    if (config.is_object()) {
      for (const auto& [key, value] : config.items()) {
        text += (text.empty() ? "" : ", ") + key + " " + DumpJson(value);
      }
    }
    out->leaderboard.push_back({Word(row, "name"), Word(row, "learner"), text, Word(row, "note"),
                                Number(row, "score"), Number(row, "weight")});
  }
  for (const Json& finding : List(report, "findings")) {
    out->findings.push_back({Word(finding, "code"), Word(finding, "level"),
                             Word(finding, "subject"), Word(finding, "message")});
  }
  ReadGates(report, out);
}

std::vector<CurvePoint> Curve(const Json& list) {
  std::vector<CurvePoint> out;
  for (const Json& point : list) {
    if (!point.is_array() || point.size() != 2) continue;
    const double x = Number(point[0]), y = Number(point[1]);
    if (std::isfinite(x) && std::isfinite(y)) out.push_back({x, y});
  }
  return out;
}

std::vector<Bin> Bins(const Json& list) {
  std::vector<Bin> out;
  for (const Json& bin : list) {
    out.push_back({Number(bin, "predicted"), Number(bin, "actual"), Number(bin, "low"),
                   Number(bin, "high"), Whole(bin, "rows")});
  }
  return out;
}

Histogram ReadHistogram(const Json& json, const char* counts, const char* others) {
  Histogram out;
  for (const Json& edge : List(json, "edges")) out.edges.push_back(Number(edge));
  for (const Json& n : List(json, counts)) out.counts.push_back(static_cast<int64_t>(Number(n)));
  for (const Json& n : List(json, others)) out.others.push_back(static_cast<int64_t>(Number(n)));
  out.below = Whole(json, "below");
  out.above = Whole(json, "above");
  const bool fits = out.edges.size() == out.counts.size() + 1 &&
                    (out.others.empty() || out.others.size() == out.counts.size());
  return fits ? out : Histogram{};
}

void ReadEvaluation(const Json& json, ModelFacts* out) {
  out->higher_is_better = Flag(json, "higher_is_better", true);
  out->base_rate = Number(json, "base_rate");
  out->roc = Curve(List(json, "roc"));
  out->pr = Curve(List(json, "pr"));
  out->calibration = Bins(List(json, "calibration"));
  out->fit = Bins(List(json, "fit"));
  out->scores = ReadHistogram(At(json, "scores"), "negative", "positive");
  out->residuals = ReadHistogram(At(json, "residuals"), "counts", "");
  for (const Json& line : List(json, "thresholds")) {
    out->thresholds.push_back({Number(line, "threshold"), Number(line, "flagged"),
                               Number(line, "precision"), Number(line, "recall")});
  }
  for (const Json& name : List(json, "classes")) {
    out->classes.push_back(name.is_string() ? name.get<std::string>() : "");
  }
  for (const Json& row : List(json, "confusion")) {
    out->confusion.emplace_back();
    if (!row.is_array()) continue;
    for (const Json& cell : row) out->confusion.back().push_back(Number(cell));
  }
  const size_t n = out->classes.size();
  for (const auto& row : out->confusion) {
    if (row.size() != n || out->confusion.size() != n) return out->confusion.clear();
  }
}

void ReadGroups(const Json& json, ModelFacts* out) {
  const Json& error = At(json, "error");
  out->error_mean = Number(error, "mean");
  out->error_median = Number(error, "median");
  out->error_p90 = Number(error, "p90");
  const Json& influence = At(json, "influence");
  out->influence_unit = Word(influence, "unit");
  out->influence_rows = Whole(influence, "rows");
  for (const Json& line : List(influence, "columns")) {
    out->influence.push_back(
        {Word(line, "column"), Number(line, "value"), Number(line, "low"), Number(line, "high")});
  }
  for (const Json& slice : List(json, "slices")) {
    Slice& groups = out->slices.emplace_back();
    groups.column = Word(slice, "column");
    for (const Json& group : List(slice, "groups")) {
      groups.groups.push_back({Word(group, "value"), Whole(group, "rows"), Number(group, "metric"),
                               Number(group, "low"), Number(group, "high"), Number(group, "actual"),
                               Number(group, "predicted")});
    }
  }
}

}  // namespace

const MetricLine* ModelFacts::Find(const std::string& name) const {
  for (const MetricLine& line : metrics) {
    if (line.name == name) return &line;
  }
  return nullptr;
}

ModelFacts ReadModelFacts(const std::string& model_json, const std::string& evaluation_json) {
  ModelFacts out;
  out.error_mean = out.error_median = out.error_p90 = out.base_rate = kNan;
  auto model = ParseJson(model_json, "model.json");
  if (model.ok()) {
    out.task = Word(*model, "task");
    out.target = Word(*model, "target");
    out.metric = Word(*model, "metric");
    out.split = Word(*model, "split");
    out.training_rows = Whole(*model, "training_rows");
    out.threshold = Number(*model, "threshold");
    const Json& classes = List(*model, "classes");
    if (classes.size() == 2 && classes[1].is_string()) out.positive = classes[1];
    ReadMetrics(*model, &out);
    ReadReport(*model, &out);
  }
  auto evaluation = ParseJson(evaluation_json.empty() ? "{}" : evaluation_json, "evaluation.json");
  if (!evaluation.ok()) return out;
  ReadEvaluation(*evaluation, &out);
  ReadGroups(*evaluation, &out);
  return out;
}

}  // namespace headrace::report
