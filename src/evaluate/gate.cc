// Gates, one line after another.
//
// A line without champion or slice compares a number with the point estimate (or a named bound) on
// all judging rows. A line with champion compares both versions on the rows both have honest scores
// for. A line with a slice is judged for every value of the column that has enough rows
// (gate_slices.cc).
#include "evaluate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "evaluate/gate_line.h"
#include "evaluate/gate_rows.h"
#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

using sql::GateCompare;
using sql::GateMetric;
using sql::GateTerm;

void CollectMetrics(const GateTerm& term, std::vector<GateTerm>& out) {
  if (term.kind == GateTerm::Kind::kMetric) out.push_back(term);
  for (const GateTerm& operand : term.terms) CollectMetrics(operand, out);
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
      input.best_promoted->version, GateNumber(best.value), GateNumber(ours.value), *tolerance);
}

GateLine NoChampion(const sql::Gate& gate) {
  GateLine line = NewGateLine(gate);
  line.judged = false;
  line.message = fmt::format("{} pass: there is no champion yet", gate.text);
  return line;
}

Result<GateLine> JudgeAll(const sql::Gate& gate, const GateInput& input) {
  GateLine line = NewGateLine(gate);
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
  HR_ASSIGN(const bool measured, MeasureLine(gate, rows, line));
  if (!measured) {
    line.verdict = Verdict::kUndecided;
    return line;
  }
  HR_ASSIGN(const std::string ratchet, Ratchet(gate, input));
  const bool holds = sql::Holds(gate.compare, line.value, *line.limit);
  line.verdict = holds && ratchet.empty() ? Verdict::kPass : Verdict::kFail;
  line.message = fmt::format("{} {} {}", ComparedText(gate, line), VerdictName(line.verdict),
                             EvidenceText(line, input.bootstrap.level));
  if (!ratchet.empty()) line.message += "; " + ratchet;
  return line;
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

namespace {

std::string RangeText(const Metric& metric) {
  if (std::isinf(metric.least)) return fmt::format("never above {:g}", metric.most);
  if (std::isinf(metric.most)) return fmt::format("never below {:g}", metric.least);
  return fmt::format("between {:g} and {:g}", metric.least, metric.most);
}

/// A gate that no model can pass, or that compares a metric with itself.
std::optional<Error> Senseless(const sql::Gate& gate, const Metric& metric, Task task) {
  using sql::GateCompare;
  const bool above =
      gate.compare == GateCompare::kGreater || gate.compare == GateCompare::kGreaterEqual;
  const bool equal_will_do =
      gate.compare == GateCompare::kGreaterEqual || gate.compare == GateCompare::kLessEqual;
  if (gate.right.kind == GateTerm::Kind::kNumber) {
    const double bound = above ? metric.most : metric.least, asked = gate.right.number;
    const bool beyond = above ? asked > bound : asked < bound;
    if (!beyond && (equal_will_do || asked != bound)) return std::nullopt;
    return UserError("bad_gate", fmt::format("no model can pass '{}': {} is {}", gate.text,
                                             metric.name, RangeText(metric)))
        .At(gate.right.place);
  }
  const sql::GateMetric& right = gate.right.metric;
  if (gate.right.kind != GateTerm::Kind::kMetric || right.subject != gate.left.subject ||
      right.value != gate.left.value || right.slice != gate.left.slice) {
    return std::nullopt;
  }
  const auto other = FindMetric(right.metric, task);  // it may go by another of its names
  if (!other.ok() || *other != &metric) return std::nullopt;
  return UserError("bad_gate", fmt::format("'{}' compares {} with itself", gate.text, metric.name))
      .At(gate.right.place)
      .Hint(fmt::format("the champion's is champion.{}", metric.name));
}

}  // namespace

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
    if (const auto left = FindMetric(gate.left.metric, task); left.ok()) {
      if (auto error = Senseless(gate, **left, task)) errors.push_back(std::move(*error));
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
