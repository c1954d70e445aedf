#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace headrace::evaluate {

enum class Task { kBinary, kMulticlass, kRegression };

/// "binary classification", "multiclass classification", "regression".
const char* TaskName(Task task);

/// Rows with what came true and what a model said about them: the input of every metric. A view: it
/// owns nothing and the spans must outlive it.
struct ScoredRows {
  Task task = Task::kBinary;
  /// Classification: class of each row, 0 … classes − 1. Binary: 1 = the positive class.
  std::span<const int32_t> label;
  /// Regression: the target.
  std::span<const double> actual;
  /// Binary: probability of the positive class (or any score, for metrics that only rank).
  /// Multiclass: rows × classes, row by row. Regression: the prediction.
  std::span<const double> score;
  /// Optional: predicted class of each row. Empty: probability ≥ threshold (binary) or the class of
  /// the largest probability, the first of equals (multiclass).
  std::span<const int32_t> decision;
  /// Optional: weight of each row, ≥ 0; empty = 1 each.
  std::span<const double> weight;
  int classes = 2;
  double threshold = 0.5;
  /// Optional: what it costs to call a row of class a class p: at a × classes + p. Decisions of
  /// several classes follow from it, and the metric `cost`.
  std::span<const double> costs;
  /// Optional: RankAll of these rows; saves metrics that rank a sort.
  std::span<const uint32_t> order;

  size_t size() const { return task == Task::kRegression ? actual.size() : label.size(); }
};

ScoredRows BinaryRows(std::span<const int32_t> label, std::span<const double> probability,
                      std::span<const double> weight = {});
ScoredRows MulticlassRows(std::span<const int32_t> label, int classes,
                          std::span<const double> probabilities,
                          std::span<const double> weight = {});
ScoredRows RegressionRows(std::span<const double> actual, std::span<const double> predicted,
                          std::span<const double> weight = {});

/// Row numbers by falling score, equal scores by row number. O(n log n).
std::vector<uint32_t> RankByScore(std::span<const double> score);

/// RankByScore of each score column, one after another: rows (binary) or classes × rows values.
std::vector<uint32_t> RankAll(const ScoredRows& rows);

/// Sizes agree, labels lie in range, scores and targets are finite, weights are finite, ≥ 0 and not
/// all zero. Errors name the first bad row ("bad_rows", blame internal for sizes and labels, data
/// for values).
Status CheckRows(const ScoredRows& rows);

}  // namespace headrace::evaluate
