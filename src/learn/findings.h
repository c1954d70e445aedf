#pragma once
// Faults of data that make a model look better than it is, or worse than it could be. Each is a
// hint with its evidence; nothing is changed or left out because of one. Columns that are of no use
// by themselves (constant, empty, identifiers) are found while they are read (feature_builder.cc).
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "evaluate/split.h"
#include "learn/finding.h"
#include "learn/frame.h"
#include "learn/model_spec.h"

namespace headrace::learn {

/// How much of the target a raw column tells alone, 0 to 1 (find_leaks.cc).
struct ColumnPower {
  std::string column;
  double power = 0;
};

struct FindingInput {
  const Frame* frame = nullptr;
  const ModelSpec* spec = nullptr;
  const evaluate::SplitPlan* plan = nullptr;  ///< its own folds are not read
  std::span<const evaluate::Fold> folds;
  CancelToken cancel;
};

/// All that can be found before a model is there. Deterministic. Error "cancelled" only.
Result<std::vector<Finding>> FindFaults(const FindingInput& input,
                                        std::vector<ColumnPower>* powers);

/// Columns that tell the target nearly alone, or whose presence does: "leak_suspect".
/// `powers` gets every column, the strongest first. Error "cancelled".
Result<std::vector<Finding>> FindLeaks(const FindingInput& input, std::vector<ColumnPower>* powers);
/// A model that is as good as perfect though no column is so alone: columns that together know the
/// target. `metrics`: of the judged rows, by name. Nullopt: it is not, or a leak was found already.
std::optional<Finding> FindTooGood(const std::map<std::string, model::MetricValue>& metrics,
                                   std::span<const ColumnPower> powers,
                                   std::span<const Finding> found);
/// Columns and target that differ between training and test rows: "shift", "target_shift".
std::vector<Finding> FindShift(const FindingInput& input);
/// The same rows on both sides, groups on both sides: "split_duplicates", "group_in_both".
std::vector<Finding> FindSharedRows(const FindingInput& input);
/// "later_than_time", "reversed_time".
std::vector<Finding> FindTimeFaults(const FindingInput& input);
/// "few_rows", "rare_class".
std::vector<Finding> FindFewRows(const FindingInput& input);

/// At most `most` of the rows [0, rows), evenly spread.
std::vector<uint32_t> SomeRows(int64_t rows, int64_t most);
/// The raw column a step of the encoder reads.
const std::string& ColumnOf(const Frame& frame, size_t step);

}  // namespace headrace::learn
