#include "evaluate/ranking.h"

#include <limits>

#include "evaluate/deterministic_math.h"

namespace headrace::evaluate {

RankCounts CountByRank(std::span<const int32_t> label, std::span<const double> score,
                       std::span<const double> weight, std::span<const uint32_t> order,
                       int32_t positive) {
  RankCounts counts;
  for (auto* column : {&counts.threshold, &counts.positives, &counts.negatives}) {
    column->reserve(order.size());
  }
  double positives = 0, negatives = 0;
  bool open = false;  // a score whose rows are being counted
  double current = 0;
  const auto close = [&] {
    counts.threshold.push_back(current);
    counts.positives.push_back(positives);
    counts.negatives.push_back(negatives);
  };
  for (const uint32_t row : order) {
    const double w = weight.empty() ? 1.0 : weight[row];
    if (w == 0) continue;
    if (open && score[row] != current) close();
    open = true;
    current = score[row];
    (label[row] == positive ? positives : negatives) += w;
  }
  if (open) close();
  return counts;
}

RankCounts CountByRank(const ScoredRows& rows) {
  if (!rows.order.empty()) {
    return CountByRank(rows.label, rows.score, rows.weight, rows.order, 1);
  }
  return CountByRank(rows.label, rows.score, rows.weight, RankByScore(rows.score), 1);
}

double RocArea(const RankCounts& counts) {
  if (counts.threshold.empty() || counts.positives.back() <= 0 || counts.negatives.back() <= 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  CompensatedSum area;
  double positives = 0, negatives = 0;
  for (size_t i = 0; i < counts.threshold.size(); ++i) {
    area.Add((counts.negatives[i] - negatives) * (counts.positives[i] + positives) * 0.5);
    positives = counts.positives[i];
    negatives = counts.negatives[i];
  }
  return area.Value() / positives / negatives;
}

double AveragePrecision(const RankCounts& counts) {
  if (counts.threshold.empty() || counts.positives.back() <= 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  CompensatedSum sum;
  double positives = 0;
  for (size_t i = 0; i < counts.threshold.size(); ++i) {
    const double gained = counts.positives[i] - positives;
    positives = counts.positives[i];
    if (gained > 0) sum.Add(gained * positives / (positives + counts.negatives[i]));
  }
  return sum.Value() / counts.positives.back();
}

}  // namespace headrace::evaluate
