// Metrics that only look at the order of scores.
#include <cmath>
#include <limits>

#include "evaluate/deterministic_math.h"
#include "evaluate/metric_functions.h"
#include "evaluate/ranking.h"

namespace headrace::evaluate {
namespace {

constexpr const char* kOneClass = "all rows are of one class";

double Weight(const ScoredRows& rows, size_t i) {
  return rows.weight.empty() ? 1.0 : rows.weight[i];
}

std::vector<double> Column(const ScoredRows& rows, int k) {
  std::vector<double> column(rows.size());
  for (size_t i = 0; i < column.size(); ++i) {
    column[i] = rows.score[i * static_cast<size_t>(rows.classes) + static_cast<size_t>(k)];
  }
  return column;
}

std::vector<double> ClassWeights(const ScoredRows& rows) {
  std::vector<double> totals(static_cast<size_t>(rows.classes));
  for (size_t i = 0; i < rows.size(); ++i)
    totals[static_cast<size_t>(rows.label[i])] += Weight(rows, i);
  return totals;
}

/// Score columns of all classes and their rankings.
struct Columns {
  std::vector<std::vector<double>> score;
  std::vector<uint32_t> ranked;  // filled when the rows bring no order
  std::span<const uint32_t> order;
  std::span<const uint32_t> OrderOf(size_t k) const {
    const size_t n = score[k].size();
    return order.subspan(k * n, n);
  }
};

void ColumnsOf(const ScoredRows& rows, Columns& columns) {
  for (int k = 0; k < rows.classes; ++k) columns.score.push_back(Column(rows, k));
  if (rows.order.empty()) columns.ranked = RankAll(rows);
  columns.order = rows.order.empty() ? std::span<const uint32_t>(columns.ranked) : rows.order;
}

/// Mean of a metric of each class against the rest; undefined when it is for any class.
MetricValue OneAgainstRest(const ScoredRows& rows, bool weighted, double (*area)(const RankCounts&),
                           const char* undefined) {
  const std::vector<double> totals = ClassWeights(rows);
  Columns columns;
  ColumnsOf(rows, columns);
  CompensatedSum sum, weights;
  for (int k = 0; k < rows.classes; ++k) {
    const auto c = static_cast<size_t>(k);
    const double value =
        area(CountByRank(rows.label, columns.score[c], rows.weight, columns.OrderOf(c), k));
    if (value != value) return Undefined(undefined);
    const double weight = weighted ? totals[static_cast<size_t>(k)] : 1.0;
    sum.Add(weight * value);
    weights.Add(weight);
  }
  return Defined(sum.Value() / weights.Value());
}

/// Area of class `a` against class `b`, ranked by the probability of `a`.
double PairArea(const ScoredRows& rows, int32_t a, int32_t b, std::span<const double> score,
                std::span<const uint32_t> order) {
  std::vector<uint32_t> kept;
  for (const uint32_t row : order) {
    if (rows.label[row] == a || rows.label[row] == b) kept.push_back(row);
  }
  return RocArea(CountByRank(rows.label, score, rows.weight, kept, a));
}

MetricValue OneAgainstOne(const ScoredRows& rows, bool weighted) {
  const std::vector<double> totals = ClassWeights(rows);
  Columns columns;
  ColumnsOf(rows, columns);
  CompensatedSum sum, weights;
  for (int a = 0; a < rows.classes; ++a) {
    for (int b = a + 1; b < rows.classes; ++b) {
      const auto i = static_cast<size_t>(a), j = static_cast<size_t>(b);
      if (totals[i] == 0 || totals[j] == 0) continue;  // pairs of classes that occur
      const double value = 0.5 * (PairArea(rows, a, b, columns.score[i], columns.OrderOf(i)) +
                                  PairArea(rows, b, a, columns.score[j], columns.OrderOf(j)));
      const double weight = weighted ? totals[i] + totals[j] : 1.0;
      sum.Add(weight * value);
      weights.Add(weight);
    }
  }
  if (weights.Value() == 0) return Undefined(kOneClass);
  return Defined(sum.Value() / weights.Value());
}

}  // namespace

MetricValue RocAuc(const ScoredRows& rows) {
  if (rows.task == Task::kMulticlass) {
    return OneAgainstRest(rows, false, RocArea, "a class has no row");
  }
  const double area = RocArea(CountByRank(rows));
  return area == area ? Defined(area) : Undefined(kOneClass);
}

MetricValue RocAucOvrWeighted(const ScoredRows& rows) {
  return OneAgainstRest(rows, true, RocArea, "a class has no row");
}

MetricValue RocAucOvo(const ScoredRows& rows) { return OneAgainstOne(rows, false); }
MetricValue RocAucOvoWeighted(const ScoredRows& rows) { return OneAgainstOne(rows, true); }

MetricValue AveragePrecisionScore(const ScoredRows& rows) {
  if (rows.task == Task::kMulticlass) {
    return OneAgainstRest(rows, false, AveragePrecision, "a class has no row");
  }
  const double area = AveragePrecision(CountByRank(rows));
  return area == area ? Defined(area) : Undefined("no row is positive");
}

MetricValue KolmogorovSmirnov(const ScoredRows& rows) {
  const RankCounts counts = CountByRank(rows);
  if (counts.threshold.empty()) return Undefined(kOneClass);
  const double p = counts.positives.back(), n = counts.negatives.back();
  if (p <= 0 || n <= 0) return Undefined(kOneClass);
  double largest = 0;
  for (size_t i = 0; i < counts.threshold.size(); ++i) {
    const double distance = counts.positives[i] / p - counts.negatives[i] / n;
    largest = distance > largest ? distance : largest;
  }
  return Defined(largest);
}

MetricValue PartialRocAuc(const ScoredRows& rows, double max_fpr) {
  const RankCounts counts = CountByRank(rows);
  if (counts.threshold.empty()) return Undefined(kOneClass);
  const double p = counts.positives.back(), n = counts.negatives.back();
  if (p <= 0 || n <= 0) return Undefined(kOneClass);
  CompensatedSum area;
  double x = 0, y = 0;
  for (size_t i = 0; i < counts.threshold.size() && x < max_fpr; ++i) {
    double next_x = counts.negatives[i] / n, next_y = counts.positives[i] / p;
    if (next_x > max_fpr) {  // cut the last trapezoid
      next_y = y + (next_y - y) * (max_fpr - x) / (next_x - x);
      next_x = max_fpr;
    }
    area.Add((next_x - x) * (y + next_y) * 0.5);
    x = next_x;
    y = next_y;
  }
  // McClish 1989: chance becomes 0.5, perfection 1.
  const double least = 0.5 * max_fpr * max_fpr;
  return Defined(0.5 * (1.0 + (area.Value() - least) / (max_fpr - least)));
}

}  // namespace headrace::evaluate
