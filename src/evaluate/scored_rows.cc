#include "evaluate/scored_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace headrace::evaluate {
namespace {

Error BadShape(const char* what, size_t got, size_t wanted) {
  return InternalError(
      fmt::format("rows to evaluate: {} has {} values, expected {}", what, got, wanted));
}

Status CheckFinite(std::span<const double> values, size_t per_row, const char* what) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return DataError("bad_rows", fmt::format("{} of row {} is {}; metrics need finite numbers",
                                             what, i / per_row + 1, values[i]))
        .Rows(fmt::format("row {}", i / per_row + 1));
  }
  return Ok();
}

Status CheckWeights(std::span<const double> weight) {
  bool any = weight.empty();
  for (size_t i = 0; i < weight.size(); ++i) {
    if (!(weight[i] >= 0) || !std::isfinite(weight[i])) {
      return DataError("bad_rows", fmt::format("weight of row {} is {}; weights are finite and not "
                                               "negative",
                                               i + 1, weight[i]))
          .Rows(fmt::format("row {}", i + 1));
    }
    any = any || weight[i] > 0;
  }
  if (!any) return DataError("bad_rows", "all weights are 0; at least one row must count");
  return Ok();
}

Status CheckLabels(std::span<const int32_t> label, int classes, const char* what) {
  for (size_t i = 0; i < label.size(); ++i) {
    if (label[i] >= 0 && label[i] < classes) continue;
    return InternalError(fmt::format("{} of row {} is class {}; classes are 0 to {}", what, i + 1,
                                     label[i], classes - 1));
  }
  return Ok();
}

/// Order-preserving map of doubles to unsigned numbers, turned round: larger scores first. −0 and 0
/// are equal.
uint64_t FallingKey(double score) {
  const uint64_t bits = std::bit_cast<uint64_t>(score + 0.0);
  return (bits >> 63) != 0 ? bits : ~bits & 0x7fffffffffffffffULL;
}

struct Ranked {
  uint64_t key;
  uint32_t row;
};

/// Least significant digit radix sort: stable, so equal keys stay in row order. Digits that all
/// rows share are skipped. Four times faster than a comparison sort at a million rows.
void RadixSort(std::vector<Ranked>& items) {
  constexpr int kBits = 11, kDigits = 6;
  constexpr uint64_t kMask = (1u << kBits) - 1;
  std::vector<uint32_t> counts(kDigits << kBits);
  for (const Ranked& item : items) {
    for (int d = 0; d < kDigits; ++d) ++counts[(d << kBits) + ((item.key >> (d * kBits)) & kMask)];
  }
  std::vector<Ranked> other(items.size());
  for (int d = 0; d < kDigits; ++d) {
    uint32_t* count = counts.data() + (d << kBits);
    const auto digit = [d](const Ranked& item) { return (item.key >> (d * kBits)) & kMask; };
    if (count[digit(items[0])] == items.size()) continue;
    uint32_t next = 0;
    for (uint64_t v = 0; v <= kMask; ++v) {
      const uint32_t here = count[v];
      count[v] = next;
      next += here;
    }
    for (const Ranked& item : items) other[count[digit(item)]++] = item;
    items.swap(other);
  }
}

}  // namespace

const char* TaskName(Task task) {
  switch (task) {
    case Task::kBinary:
      return "binary classification";
    case Task::kMulticlass:
      return "multiclass classification";
    case Task::kRegression:
      return "regression";
  }
  return "";
}

ScoredRows BinaryRows(std::span<const int32_t> label, std::span<const double> probability,
                      std::span<const double> weight) {
  ScoredRows rows;
  rows.label = label;
  rows.score = probability;
  rows.weight = weight;
  return rows;
}

ScoredRows MulticlassRows(std::span<const int32_t> label, int classes,
                          std::span<const double> probabilities, std::span<const double> weight) {
  ScoredRows rows;
  rows.task = Task::kMulticlass;
  rows.label = label;
  rows.classes = classes;
  rows.score = probabilities;
  rows.weight = weight;
  return rows;
}

ScoredRows RegressionRows(std::span<const double> actual, std::span<const double> predicted,
                          std::span<const double> weight) {
  ScoredRows rows;
  rows.task = Task::kRegression;
  rows.actual = actual;
  rows.score = predicted;
  rows.weight = weight;
  return rows;
}

std::vector<uint32_t> RankByScore(std::span<const double> score) {
  std::vector<Ranked> items(score.size());
  for (size_t i = 0; i < score.size(); ++i) {
    items[i] = {FallingKey(score[i]), static_cast<uint32_t>(i)};
  }
  if (items.size() < 2000) {
    std::sort(items.begin(), items.end(), [](const Ranked& a, const Ranked& b) {
      return a.key != b.key ? a.key < b.key : a.row < b.row;
    });
  } else {
    RadixSort(items);
  }
  std::vector<uint32_t> order(items.size());
  for (size_t i = 0; i < items.size(); ++i) order[i] = items[i].row;
  return order;
}

std::vector<uint32_t> RankAll(const ScoredRows& rows) {
  if (rows.task != Task::kMulticlass) return RankByScore(rows.score);
  std::vector<uint32_t> all;
  std::vector<double> column(rows.size());
  const auto classes = static_cast<size_t>(rows.classes);
  for (size_t k = 0; k < classes; ++k) {
    for (size_t i = 0; i < column.size(); ++i) column[i] = rows.score[i * classes + k];
    const std::vector<uint32_t> order = RankByScore(column);
    all.insert(all.end(), order.begin(), order.end());
  }
  return all;
}

Status CheckRows(const ScoredRows& rows) {
  const size_t n = rows.size();
  if (n == 0) return DataError("bad_rows", "there are no rows to evaluate");
  if (n > UINT32_MAX) return InternalError("metrics take at most 4,294,967,295 rows");
  const bool classification = rows.task != Task::kRegression;
  const size_t per_row = rows.task == Task::kMulticlass ? static_cast<size_t>(rows.classes) : 1;
  if (classification && rows.classes < 2) return InternalError("classification needs two classes");
  if (rows.score.size() != n * per_row) {
    return BadShape("score", rows.score.size(), n * per_row);
  }
  if (!rows.weight.empty() && rows.weight.size() != n) {
    return BadShape("weight", rows.weight.size(), n);
  }
  if (!rows.decision.empty() && rows.decision.size() != n) {
    return BadShape("decision", rows.decision.size(), n);
  }
  if (!rows.order.empty() && rows.order.size() != n * per_row) {
    return BadShape("order", rows.order.size(), n * per_row);
  }
  if (classification) {
    HR_TRY(CheckLabels(rows.label, rows.classes, "label"));
    HR_TRY(CheckLabels(rows.decision, rows.classes, "decision"));
  } else {
    HR_TRY(CheckFinite(rows.actual, 1, "target"));
  }
  HR_TRY(CheckFinite(rows.score, per_row, classification ? "score" : "prediction"));
  return CheckWeights(rows.weight);
}

}  // namespace headrace::evaluate
