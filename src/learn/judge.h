#pragma once
// Judging a candidate: its metrics with bounds, the baseline and earlier versions on the same rows,
// the gates.
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/gate.h"
#include "learn/frame.h"
#include "learn/honest_rows.h"
#include "learn/model_spec.h"
#include "model/package.h"

namespace headrace::learn {

/// Gates of a spec, parsed; errors carry the places of the spec. `parser` null: opens one (20–40
/// ms).
Result<std::vector<sql::Gate>> ParseGates(const ModelSpec& spec, sql::SqlParser* parser = nullptr);
/// Columns the gates slice by, each once.
std::vector<std::string> SliceColumns(const std::vector<sql::Gate>& gates);

struct JudgeInput {
  const Frame* frame = nullptr;
  const evaluate::Metric* metric = nullptr;
  std::span<const uint32_t> rows;    ///< that give the numbers
  std::span<const double> margins;   ///< of these, calibrated; rows × outputs
  std::span<const double> baseline;  ///< the same of the baseline
  /// time + group: whether the group of each of `rows` was learned from; else empty.
  std::span<const uint8_t> group_seen;
  std::span<const uint32_t> unit;  ///< resampling unit of every row of the frame
  double threshold = 0.5;
  uint64_t seed = 0;
  int threads = 1;
  CancelToken cancel;
  EarlierVersion champion, best;  ///< package null = none
  const std::vector<sql::Gate>* gates = nullptr;
  /// How much better the choice by these rows makes the metric look; taken off (0 = nothing).
  double optimism = 0;
};

struct Judgement {
  std::map<std::string, model::MetricValue> metrics, baseline, champion;
  std::map<std::string, model::MetricValue> seen_groups, new_groups;  ///< with group_seen
  evaluate::ConfusionMatrix confusion;  ///< classification; else no cells
  evaluate::GateResult gate;
  std::vector<Finding> findings;
};

/// Bounds are computed for the metric that chose the model, those of the gates and (up to 200,000
/// rows) the best known ones; other metrics have NaN bounds.
Result<Judgement> Judge(const JudgeInput& input);

}  // namespace headrace::learn
