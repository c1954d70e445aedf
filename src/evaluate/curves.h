#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/scored_rows.h"

namespace headrace::evaluate {

/// Binary rows only. All functions sort once, O(n log n), and are pure and thread-safe.

struct RocPoint {
  double threshold;  ///< rows with score ≥ threshold are called positive; +inf in the first point
  double false_positive_rate, true_positive_rate;
};
/// From (0, 0) to (1, 1). Points on a straight line are dropped unless `keep_all`. Rates of a class
/// without rows are NaN.
std::vector<RocPoint> RocCurve(const ScoredRows& rows, bool keep_all = false);

struct PrPoint {
  double threshold;  ///< increasing; +inf in the last point
  double precision, recall;
};
/// scikit-learn's order: recall falls, the last point is (precision 1, recall 0).
std::vector<PrPoint> PrecisionRecallCurve(const ScoredRows& rows);

/// At most `most` points of a curve, first and last kept, spread evenly: for charts.
std::vector<RocPoint> Thin(std::vector<RocPoint> curve, size_t most);
std::vector<PrPoint> Thin(std::vector<PrPoint> curve, size_t most);

struct ReliabilityBin {
  double low, high;  ///< bounds of the predicted probability
  double mean_predicted, mean_actual;
  double weight;  ///< sum of weights
  size_t rows;
};
/// Bins that hold rows only. equal_counts: cut at the quantiles of the probability (linear
/// interpolation, as scikit-learn's strategy "quantile"), else at i / bins.
std::vector<ReliabilityBin> ReliabilityBins(const ScoredRows& rows, int bins, bool equal_counts);

/// Cost of one decision; benefits are negative. Right decisions are free by default.
struct Costs {
  double false_positive = 1, false_negative = 1, true_positive = 0, true_negative = 0;
};
struct ThresholdChoice {
  double threshold = 0.5;  ///< decide positive when probability ≥ threshold
  double mean_cost = 0;    ///< per unit of weight on these rows; for metrics: the metric's value
  double at_half = 0;      ///< the same at threshold 0.5
  double share_positive = 0;
};
/// The threshold of least mean cost; thresholds lie half-way between neighbouring scores, of equal
/// costs the one nearest to 0.5 is taken. Error when rows are empty or not binary.
Result<ThresholdChoice> ThresholdByCosts(const ScoredRows& rows, const Costs& costs);
/// The threshold of the best f1, f2, balanced_accuracy, matthews_corrcoef, accuracy (metric name).
Result<ThresholdChoice> ThresholdByMetric(const ScoredRows& rows, const std::string& metric);

/// Share of positives among the `share` best scored rows over the share of all (ties by row order).
double Lift(const ScoredRows& rows, double share);

}  // namespace headrace::evaluate
