// Gates, one line after another.
//
// A line without champion or slice compares a number with the point estimate (or a named bound) on
// all judging rows. A line with champion compares both versions on the rows both have honest scores
// for. A line with a slice is judged for every value of the column that has enough rows; because
// many slices are looked at, a slice fails only when its bound is on the wrong side at a level
// corrected by Holm's method, so a twentieth slice can't fail by luck alone.
#include "evaluate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "evaluate/deterministic_math.h"
#include "evaluate/gate_rows.h"
#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

using sql::GateCompare;
using sql::GateMetric;
using sql::GateTerm;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool WantsLarger(GateCompare compare) {
  return compare == GateCompare::kGreater || compare == GateCompare::kGreaterEqual;
}

std::string Number(double v) {
  if (v != v) return "unknown";
  return std::fabs(v) < 10 ? fmt::format("{:.4f}", v) : fmt::format("{:.6g}", v);
}

std::string Signed(double v) { return (v >= 0 ? "+" : "") + Number(v); }

std::string MetricText(const GateMetric& metric) {
  std::string text = metric.metric;
  if (metric.value == GateMetric::Value::kLow) text += ".low";
  if (metric.value == GateMetric::Value::kHigh) text += ".high";
  return text;
}

std::string Percent(double level) { return fmt::format("{:g} %", 100 * level); }

void CollectMetrics(const GateTerm& term, std::vector<GateTerm>& out) {
  if (term.kind == GateTerm::Kind::kMetric) out.push_back(term);
  for (const GateTerm& operand : term.terms) CollectMetrics(operand, out);
}

/// The rows of one line and what has been computed on them.
class LineRows {
 public:
  LineRows(const GateInput& input, const sql::Gate& gate, std::span<const uint32_t> wanted)
      : input_(input), corrected_(!gate.relative && gate.slice.empty()) {
    if (gate.relative) {
      CommonRows common =
          TakeCommon(input.candidate, *input.champion, wanted, input.bootstrap.unit);
      candidate_.emplace(std::move(common.candidate));
      champion_.emplace(std::move(common.other));
    } else {
      candidate_.emplace(input.candidate, wanted, input.bootstrap.unit);
    }
  }

  ScoredRows candidate() const { return candidate_->View(); }
  ScoredRows champion() const { return champion_->View(); }
  BootstrapOptions bootstrap() const {
    BootstrapOptions options = input_.bootstrap;
    options.unit = candidate_->unit();
    return options;
  }

  /// Error "undefined_metric" (data) when the metric has no value on these rows.
  Result<Estimate> EstimateOf(const GateMetric& metric) {
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

  Result<double> ValueOf(const GateMetric& metric) {
    HR_ASSIGN(const Estimate estimate, EstimateOf(metric));
    double value = estimate.value.value;
    if (metric.value == GateMetric::Value::kLow) value = estimate.interval.low;
    if (metric.value == GateMetric::Value::kHigh) value = estimate.interval.high;
    if (value == value) return value;
    return DataError("undefined_metric",
                     fmt::format("{} has no bounds on these rows", MetricText(metric)));
  }

 private:
  void Correct(std::string_view name, Estimate& estimate) const {
    for (const NamedValue& value : input_.corrected) {
      if (value.name != name || !value.value.defined()) continue;
      const double shift = value.value.value - estimate.value.value;
      estimate.value = value.value;
      estimate.interval.low += shift;
      estimate.interval.high += shift;
    }
  }

  const GateInput& input_;
  bool corrected_;
  std::optional<RowSubset> candidate_, champion_;
  std::map<std::pair<bool, std::string>, Estimate> known_;
};

/// "(95 % 0.829 to 0.853, 6,512 rows)", with the paired difference where there is one.
std::string Evidence(const GateLine& line, const BootstrapOptions& bootstrap) {
  const double level = bootstrap.level;
  if (line.difference) {
    const PairedEstimate& d = *line.difference;
    return fmt::format("(difference {}, {} {} to {}, {} rows)", Signed(d.difference.value),
                       Percent(level), Signed(d.interval.low), Signed(d.interval.high),
                       Thousands(line.rows));
  }
  return fmt::format("({} {} to {}, {} rows)", Percent(level), Number(line.low), Number(line.high),
                     Thousands(line.rows));
}

std::string Compared(const sql::Gate& gate, const GateLine& line) {
  std::string text = MetricText(gate.left);
  if (!line.slice.empty()) text += fmt::format(" ({})", line.slice);
  text += fmt::format(" {} {} ", Number(line.value), sql::CompareText(gate.compare));
  const double limit = line.limit.value_or(kNaN);
  // Numbers of the project are shown as they are, computed ones rounded.
  text += gate.right.kind == GateTerm::Kind::kNumber ? fmt::format("{}", limit) : Number(limit);
  return text;
}

/// Fills value, bounds, limit and difference. An undefined metric leaves a message and false.
Result<bool> Measure(const sql::Gate& gate, LineRows& rows, GateLine& line) {
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

/// Within twice the tolerance of the best version ever promoted; a sentence when not.
Result<std::string> Ratchet(const sql::Gate& gate, const GateInput& input) {
  const std::optional<double> tolerance = ToleranceOf(gate);
  if (!tolerance || *tolerance <= 0 || !input.best_promoted) return std::string();
  std::vector<uint32_t> all(input.candidate.size());
  std::iota(all.begin(), all.end(), 0u);
  const CommonRows common = TakeCommon(input.candidate, *input.best_promoted, all, {});
  if (!TooFew(common.candidate.View(), input.fewest_rows, input.fewest_of_class).empty()) {
    return std::string();  // nothing to compare on; the champion's line stands
  }
  HR_ASSIGN(const MetricValue ours, Evaluate(gate.left.metric, common.candidate.View()));
  HR_ASSIGN(const MetricValue best, Evaluate(gate.left.metric, common.other.View()));
  if (!ours.defined() || !best.defined()) return std::string();
  const double slack = 2 * *tolerance;
  const bool larger = WantsLarger(gate.compare);
  const double limit = larger ? best.value - slack : best.value + slack;
  if (larger ? ours.value >= limit : ours.value <= limit) return std::string();
  return fmt::format(
      "version {} once reached {} on the same rows: {} is more than twice the "
      "tolerance {} away",
      input.best_promoted->version, Number(best.value), Number(ours.value), *tolerance);
}

GateLine NewLine(const sql::Gate& gate) {
  GateLine line;
  line.gate = gate.text;
  line.value = line.low = line.high = kNaN;
  return line;
}

GateLine NoChampion(const sql::Gate& gate) {
  GateLine line = NewLine(gate);
  line.judged = false;
  line.message = fmt::format("{} pass: there is no champion yet", gate.text);
  return line;
}

Result<GateLine> JudgeAll(const sql::Gate& gate, const GateInput& input) {
  GateLine line = NewLine(gate);
  std::vector<uint32_t> all(input.candidate.size());
  std::iota(all.begin(), all.end(), 0u);
  LineRows rows(input, gate, all);
  line.rows = rows.candidate().size();
  const std::string too_few = TooFew(rows.candidate(), input.fewest_rows, input.fewest_of_class);
  if (!too_few.empty()) {
    line.verdict = Verdict::kUndecided;
    line.message = fmt::format("{} undecided: {}{}", gate.text, too_few,
                               gate.relative ? " that the champion has not learned from" : "");
    return line;
  }
  HR_ASSIGN(const bool measured, Measure(gate, rows, line));
  if (!measured) {
    line.verdict = Verdict::kUndecided;
    return line;
  }
  HR_ASSIGN(const std::string ratchet, Ratchet(gate, input));
  const bool holds = sql::Holds(gate.compare, line.value, *line.limit);
  line.verdict = holds && ratchet.empty() ? Verdict::kPass : Verdict::kFail;
  line.message = fmt::format("{} {} {}", Compared(gate, line), VerdictName(line.verdict),
                             Evidence(line, input.bootstrap));
  if (!ratchet.empty()) line.message += "; " + ratchet;
  return line;
}

/// A slice that has been measured: how likely a value this bad is when the truth meets the limit.
struct Judged {
  size_t line;
  double chance;
  double error;
};

/// One-sided chance from the bootstrap's standard error (of the difference in relative lines).
Judged ChanceOf(const sql::Gate& gate, const GateLine& line, size_t index, double error) {
  const double away =
      WantsLarger(gate.compare) ? line.value - *line.limit : *line.limit - line.value;
  double chance = away >= 0 ? 1.0 : 0.0;
  if (error > 0) chance = NormalCdf(away / error);
  return {index, chance, error};
}

/// Holm: the smallest chance is held against alpha / m, the next against alpha / (m − 1) …; after
/// the first that holds, all others hold.
void ApplyHolm(const sql::Gate& gate, const BootstrapOptions& bootstrap, std::vector<Judged> judged,
               std::vector<GateLine>& lines) {
  std::sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) {
    return a.chance != b.chance ? a.chance < b.chance : a.line < b.line;
  });
  const double alpha = 0.5 * (1.0 - bootstrap.level);
  bool failing = true;
  for (size_t i = 0; i < judged.size(); ++i) {
    const double level = alpha / static_cast<double>(judged.size() - i);
    GateLine& line = lines[judged[i].line];
    failing = failing && judged[i].chance < level;
    line.verdict = failing ? Verdict::kFail : Verdict::kPass;
    const double width = NormalQuantile(1.0 - level) * judged[i].error;
    const double bound = WantsLarger(gate.compare) ? line.value + width : line.value - width;
    line.message =
        fmt::format("{} {} ({} bound {} after Holm over {} slices, {} rows)", Compared(gate, line),
                    VerdictName(line.verdict), WantsLarger(gate.compare) ? "upper" : "lower",
                    Number(bound), judged.size(), Thousands(line.rows));
  }
}

Result<const SliceColumn*> FindSlice(const sql::Gate& gate, const GateInput& input) {
  for (const SliceColumn& column : input.slices) {
    if (column.name != gate.slice) continue;
    if (column.code.size() != input.candidate.size()) {
      return InternalError(fmt::format("slice column '{}' has {} rows, expected {}", column.name,
                                       column.code.size(), input.candidate.size()));
    }
    return &column;
  }
  std::vector<std::string> names;
  for (const SliceColumn& column : input.slices) names.push_back(column.name);
  return UserError("unknown_column",
                   fmt::format("gate '{}' slices by column '{}', which the model's input does not "
                               "have",
                               gate.text, gate.slice))
      .At(gate.left_place)
      .Subject(gate.slice)
      .Candidates(names);
}

Result<std::vector<GateLine>> JudgeSlices(const sql::Gate& gate, const GateInput& input) {
  HR_ASSIGN(const SliceColumn* column, FindSlice(gate, input));
  std::map<int32_t, std::vector<uint32_t>> slices;
  for (uint32_t row = 0; row < column->code.size(); ++row) {
    slices[column->code[row]].push_back(row);
  }
  std::vector<GateLine> lines;
  std::vector<Judged> judged;
  for (const auto& [code, wanted] : slices) {
    GateLine& line = lines.emplace_back(NewLine(gate));
    const auto value = static_cast<size_t>(code);
    line.slice =
        fmt::format("{} = {}", gate.slice,
                    code < 0 || value >= column->values.size() ? "NULL" : column->values[value]);
    LineRows rows(input, gate, wanted);
    line.rows = rows.candidate().size();
    const std::string too_few =
        TooFew(rows.candidate(), input.slice_fewest_rows, input.slice_fewest_of_class);
    if (!too_few.empty()) {
      line.judged = false;
      line.message = fmt::format("{} ({}) not judged: {}", gate.text, line.slice, too_few);
      continue;
    }
    HR_ASSIGN(const bool measured, Measure(gate, rows, line));
    if (!measured) {
      line.judged = false;
      continue;
    }
    HR_ASSIGN(const Estimate estimate, rows.EstimateOf(gate.left));
    const double error = gate.left.value != GateMetric::Value::kPoint ? 0
                         : line.difference ? line.difference->interval.standard_error
                                           : estimate.interval.standard_error;
    judged.push_back(ChanceOf(gate, line, lines.size() - 1, error));
  }
  ApplyHolm(gate, input.bootstrap, std::move(judged), lines);
  return lines;
}

std::string ReasonOf(const GateResult& result) {
  if (result.verdict == Verdict::kPass) return "";
  std::vector<std::string> messages;
  for (const GateLine& line : result.lines) {
    if (line.verdict == result.verdict) messages.push_back(line.message);
  }
  return fmt::format("{}", fmt::join(messages, "; "));
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kUndecided:
      return "undecided";
  }
  return "";
}

std::optional<double> ToleranceOf(const sql::Gate& gate) {
  const auto is_champion = [&](const GateTerm& term) {
    return term.kind == GateTerm::Kind::kMetric &&
           term.metric.subject == GateMetric::Subject::kChampion &&
           term.metric.metric == gate.left.metric && term.metric.slice.empty() &&
           term.metric.value == GateMetric::Value::kPoint;
  };
  if (gate.left.value != GateMetric::Value::kPoint || !gate.left.slice.empty()) return {};
  if (is_champion(gate.right)) return 0.0;
  const auto wanted = WantsLarger(gate.compare) ? GateTerm::Kind::kSubtract : GateTerm::Kind::kAdd;
  if (gate.right.kind != wanted || gate.right.terms.size() != 2) return {};
  const GateTerm& number = gate.right.terms[1];
  if (!is_champion(gate.right.terms[0]) || number.kind != GateTerm::Kind::kNumber) return {};
  return number.number;
}

std::vector<Error> CheckGates(std::span<const sql::Gate> gates, Task task) {
  std::vector<Error> errors;
  for (const sql::Gate& gate : gates) {
    std::vector<GateTerm> metrics(1);
    metrics[0].metric = gate.left;
    metrics[0].place = gate.left_place;
    CollectMetrics(gate.right, metrics);
    for (const GateTerm& term : metrics) {
      const Result<const Metric*> found = FindMetric(term.metric.metric, task);
      if (!found.ok()) errors.push_back(Error(found.error()).At(term.place));
    }
  }
  return errors;
}

Result<GateResult> EvaluateGates(std::span<const sql::Gate> gates, const GateInput& input) {
  std::vector<Error> errors = CheckGates(gates, input.candidate.task);
  if (!errors.empty()) return errors.front();
  HR_TRY(CheckRows(input.candidate));
  if (input.champion) HR_TRY(CheckRows(input.champion->rows));
  GateResult result;
  for (const sql::Gate& gate : gates) {
    if (gate.relative && !input.champion) {
      result.lines.push_back(NoChampion(gate));
    } else if (!gate.slice.empty()) {
      HR_ASSIGN(std::vector<GateLine> lines, JudgeSlices(gate, input));
      for (GateLine& line : lines) result.lines.push_back(std::move(line));
    } else {
      HR_ASSIGN(GateLine line, JudgeAll(gate, input));
      result.lines.push_back(std::move(line));
    }
  }
  for (const GateLine& line : result.lines) {
    if (line.verdict == Verdict::kFail) result.verdict = Verdict::kFail;
    if (line.verdict == Verdict::kUndecided && result.verdict == Verdict::kPass) {
      result.verdict = Verdict::kUndecided;
    }
  }
  result.reason = ReasonOf(result);
  return result;
}

}  // namespace headrace::evaluate
