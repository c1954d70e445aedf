#include "evaluate/gate_line.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/number_text.h"
#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

using sql::GateCompare;
using sql::GateMetric;
using sql::GateTerm;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string Signed(double v) { return (v >= 0 ? "+" : "") + GateNumber(v); }

std::string MetricText(const GateMetric& metric) {
  std::string text = metric.metric;
  if (metric.value == GateMetric::Value::kLow) text += ".low";
  if (metric.value == GateMetric::Value::kHigh) text += ".high";
  return text;
}

std::string Percent(double level) { return fmt::format("{:g} %", 100 * level); }

}  // namespace

LineRows::LineRows(const GateInput& input, const sql::Gate& gate, std::span<const uint32_t> wanted)
    : input_(input), corrected_(!gate.relative && gate.slice.empty()) {
  if (gate.relative) {
    CommonRows common = TakeCommon(input.candidate, *input.champion, wanted, input.bootstrap.unit);
    candidate_.emplace(std::move(common.candidate));
    champion_.emplace(std::move(common.other));
  } else {
    candidate_.emplace(input.candidate, wanted, input.bootstrap.unit);
  }
}

BootstrapOptions LineRows::bootstrap() const {
  BootstrapOptions options = input_.bootstrap;
  options.unit = candidate_->unit();
  return options;
}

Result<Estimate> LineRows::EstimateOf(const GateMetric& metric) {
  const bool champion = metric.subject == GateMetric::Subject::kChampion;
  HR_ASSIGN(const Metric* found, FindMetric(metric.metric, input_.candidate.task));
  const auto key = std::pair(champion, std::string(found->name));
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  HR_ASSIGN(Estimate estimate,
            EstimateMetric(*found, champion ? this->champion() : candidate(), bootstrap()));
  if (!estimate.value.defined()) {
    return DataError("undefined_metric", fmt::format("{} is undefined on these rows: {}",
                                                     found->name, estimate.value.undefined));
  }
  if (!champion && corrected_) Correct(found->name, estimate);
  known_[key] = estimate;
  return estimate;
}

Result<double> LineRows::ValueOf(const GateMetric& metric) {
  HR_ASSIGN(const Estimate estimate, EstimateOf(metric));
  double value = estimate.value.value;
  if (metric.value == GateMetric::Value::kLow) value = estimate.interval.low;
  if (metric.value == GateMetric::Value::kHigh) value = estimate.interval.high;
  if (value == value) return value;
  return DataError("undefined_metric",
                   fmt::format("{} has no bounds on these rows", MetricText(metric)));
}

void LineRows::Correct(std::string_view name, Estimate& estimate) const {
  for (const NamedValue& value : input_.corrected) {
    if (value.name != name || !value.value.defined()) continue;
    const double shift = value.value.value - estimate.value.value;
    estimate.value = value.value;
    estimate.interval.low += shift;
    estimate.interval.high += shift;
  }
}

GateLine NewGateLine(const sql::Gate& gate) {
  GateLine line;
  line.gate = gate.text;
  line.value = line.low = line.high = kNaN;
  return line;
}

Result<bool> MeasureLine(const sql::Gate& gate, LineRows& rows, GateLine& line) {
  line.rows = rows.candidate().size();
  const auto value_of = [&](const GateMetric& metric) { return rows.ValueOf(metric); };
  const Result<double> value = rows.ValueOf(gate.left);
  const Result<double> limit =
      value.ok() ? sql::EvaluateTerm(gate.right, value_of) : Result<double>(0.0);
  for (const Result<double>* result : {&value, &limit}) {
    if (result->ok()) continue;
    if (result->error().blame != Blame::kData) return result->error();
    line.message = fmt::format("{} undecided: {}", gate.text, result->error().message);
    return false;
  }
  HR_ASSIGN(const Estimate estimate, rows.EstimateOf(gate.left));
  line.value = *value;
  line.limit = *limit;
  line.low = estimate.interval.low;
  line.high = estimate.interval.high;
  if (gate.relative) {
    HR_ASSIGN(const Metric* metric, FindMetric(gate.left.metric, rows.candidate().task));
    HR_ASSIGN(line.difference,
              EstimateDifference(*metric, rows.candidate(), rows.champion(), rows.bootstrap()));
  }
  return true;
}

bool WantsLarger(GateCompare compare) {
  return compare == GateCompare::kGreater || compare == GateCompare::kGreaterEqual;
}

std::string GateNumber(double v) {
  if (v != v) return "unknown";
  return std::fabs(v) < 10 ? fmt::format("{:.4f}", v) : Compact(v, 6);
}

std::string ComparedText(const sql::Gate& gate, const GateLine& line) {
  std::string text = MetricText(gate.left);
  if (!line.slice.empty()) text += fmt::format(" ({})", line.slice);
  text += fmt::format(" {} {} ", GateNumber(line.value), sql::CompareText(gate.compare));
  const double limit = line.limit.value_or(kNaN);
  // Numbers of the project are shown as they are, computed ones rounded.
  text += gate.right.kind == GateTerm::Kind::kNumber ? fmt::format("{}", limit) : GateNumber(limit);
  return text;
}

std::string EvidenceText(const GateLine& line, double level) {
  if (line.difference) {
    const PairedEstimate& d = *line.difference;
    return fmt::format("(difference {}, {} {} to {}, {} rows)", Signed(d.difference.value),
                       Percent(level), Signed(d.interval.low), Signed(d.interval.high),
                       Thousands(line.rows));
  }
  return fmt::format("({} {} to {}, {} rows)", Percent(level), GateNumber(line.low),
                     GateNumber(line.high), Thousands(line.rows));
}

}  // namespace headrace::evaluate
