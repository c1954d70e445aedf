#pragma once
// Counts of positives and negatives above each threshold, the root of all ranking metrics.
#include <vector>

#include "evaluate/scored_rows.h"

namespace headrace::evaluate {

/// Cumulative sums of weights after each distinct score, from the highest score down. `threshold`
/// i: rows with score ≥ threshold[i] hold positives[i] and negatives[i]. Rows of weight 0 make no
/// entry of their own.
struct RankCounts {
  std::vector<double> threshold, positives, negatives;
};

/// `label` == `positive` counts as positive. `order` holds the rows that count, by falling score.
RankCounts CountByRank(std::span<const int32_t> label, std::span<const double> score,
                       std::span<const double> weight, std::span<const uint32_t> order,
                       int32_t positive);
/// Of binary rows; uses rows.order or ranks.
RankCounts CountByRank(const ScoredRows& rows);

/// Area under the ROC curve; NaN when one side has no weight.
double RocArea(const RankCounts& counts);
/// Average precision; NaN without positives.
double AveragePrecision(const RankCounts& counts);

}  // namespace headrace::evaluate
