#pragma once
// What the charts of a model show: curves, calibration, scores, confusion, residuals, what the
// model goes by, and how good it is in parts of the rows. Aggregates only: a group of fewer than
// kFewestInGroup rows is never shown by itself, keys and free texts never are.
#include <span>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "evaluate/metrics.h"
#include "learn/frame.h"
#include "model/package.h"

namespace headrace::learn {

constexpr int64_t kFewestInGroup = 20;

struct EvaluationInput {
  const Frame* frame = nullptr;
  const evaluate::Metric* metric = nullptr;
  std::span<const uint32_t> rows;           ///< that give the numbers
  std::span<const double> margins;          ///< of these, calibrated; rows × outputs
  std::span<const uint32_t> unit;           ///< resampling unit of every row of the frame
  const model::Package* package = nullptr;  ///< members, threshold, seed
  int threads = 1;
  CancelToken cancel;
};

/// JSON object for Package::evaluation (evaluation.json); the fields stand at the top of
/// evaluation_summary.cc. Deterministic, whatever the thread count.
Result<std::string> EvaluationSummary(const EvaluationInput& input);

/// "influence": how far the model's answer moves when a column's values are shuffled between rows.
Result<Json> Influence(const EvaluationInput& input);
/// "slices": the metric and its bounds in groups of rows, columns of most influence first.
Result<Json> Slices(const EvaluationInput& input, const Json& influence);

/// Six digits: charts need no more.
Json ShortNumber(double value);

}  // namespace headrace::learn
