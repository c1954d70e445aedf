#pragma once
// What gate.cc and gate_slices.cc share: the measuring of one line and its words.
#include <map>
#include <string>
#include <utility>

#include "evaluate/gate.h"
#include "evaluate/gate_rows.h"

namespace headrace::evaluate {

/// The rows of one line and what has been computed on them.
class LineRows {
 public:
  /// `wanted`: row numbers of the candidate. A relative gate needs input.champion.
  LineRows(const GateInput& input, const sql::Gate& gate, std::span<const uint32_t> wanted);

  ScoredRows candidate() const { return candidate_->View(); }
  ScoredRows champion() const { return champion_->View(); }
  BootstrapOptions bootstrap() const;

  /// Error "undefined_metric" (data) when the metric has no value on these rows.
  Result<Estimate> EstimateOf(const sql::GateMetric& metric);
  Result<double> ValueOf(const sql::GateMetric& metric);

 private:
  void Correct(std::string_view name, Estimate& estimate) const;

  const GateInput& input_;
  bool corrected_;
  std::optional<RowSubset> candidate_, champion_;
  std::map<std::pair<bool, std::string>, Estimate> known_;
};

GateLine NewGateLine(const sql::Gate& gate);

/// Fills value, bounds, limit and difference. False: a metric is undefined; the message says so.
Result<bool> MeasureLine(const sql::Gate& gate, LineRows& rows, GateLine& line);

/// Every value of the gate's column, judged.
Result<std::vector<GateLine>> JudgeSlices(const sql::Gate& gate, const GateInput& input);

bool WantsLarger(sql::GateCompare compare);
/// Four decimals for small numbers, six digits for large ones.
std::string GateNumber(double value);
/// "roc_auc (region = north) 0.8412 >= 0.8".
std::string ComparedText(const sql::Gate& gate, const GateLine& line);
/// "(95 % 0.829 to 0.853, 6,512 rows)", with the paired difference where there is one.
std::string EvidenceText(const GateLine& line, double level);

}  // namespace headrace::evaluate
