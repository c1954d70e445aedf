// Slices of a gate. Because many slices are looked at, a slice fails only when its bound is on the
// wrong side at a level corrected by Holm's method, so a twentieth slice can't fail by luck alone.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "evaluate/deterministic_math.h"
#include "evaluate/gate_line.h"
#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

using sql::GateMetric;

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
    line.message = fmt::format("{} {} ({} bound {} after Holm over {} slices, {} rows)",
                               ComparedText(gate, line), VerdictName(line.verdict),
                               WantsLarger(gate.compare) ? "upper" : "lower", GateNumber(bound),
                               judged.size(), Thousands(line.rows));
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

}  // namespace

Result<std::vector<GateLine>> JudgeSlices(const sql::Gate& gate, const GateInput& input) {
  HR_ASSIGN(const SliceColumn* column, FindSlice(gate, input));
  std::map<int32_t, std::vector<uint32_t>> slices;
  for (uint32_t row = 0; row < column->code.size(); ++row) {
    slices[column->code[row]].push_back(row);
  }
  std::vector<GateLine> lines;
  std::vector<Judged> judged;
  for (const auto& [code, wanted] : slices) {
    GateLine& line = lines.emplace_back(NewGateLine(gate));
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
    HR_ASSIGN(const bool measured, MeasureLine(gate, rows, line));
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

}  // namespace headrace::evaluate
