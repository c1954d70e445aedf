// Metrics of regression.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "evaluate/deterministic_math.h"
#include "evaluate/metric_functions.h"

namespace headrace::evaluate {
namespace {

constexpr double kEpsilon = 0x1p-52;

double Weight(const ScoredRows& rows, size_t i) {
  return rows.weight.empty() ? 1.0 : rows.weight[i];
}

double TotalWeight(const ScoredRows& rows) {
  return rows.weight.empty() ? static_cast<double>(rows.size()) : Sum(rows.weight);
}

template <class Loss>
double Mean(const ScoredRows& rows, Loss loss) {
  CompensatedSum sum;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double w = Weight(rows, i);
    if (w > 0) sum.Add(w * loss(rows.actual[i], rows.score[i]));
  }
  return sum.Value() / TotalWeight(rows);
}

size_t RowsThatCount(const ScoredRows& rows) {
  if (rows.weight.empty()) return rows.size();
  return static_cast<size_t>(
      std::count_if(rows.weight.begin(), rows.weight.end(), [](double w) { return w > 0; }));
}

/// The value at which half of the weight lies below; the mean of two neighbours when the weight is
/// split exactly ("averaged inverted cdf", as scikit-learn).
double WeightedMedian(std::span<const double> values, std::span<const double> weight) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  if (!weight.empty()) std::erase_if(order, [&](uint32_t i) { return weight[i] == 0; });
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return values[a] != values[b] ? values[a] < values[b] : a < b;
  });
  if (weight.empty()) {
    const size_t middle = order.size() / 2;
    if (order.size() % 2 == 1) return values[order[middle]];
    return (values[order[middle - 1]] + values[order[middle]]) * 0.5;
  }
  std::vector<double> cumulative(order.size());
  double sum = 0;
  for (size_t i = 0; i < order.size(); ++i) cumulative[i] = sum += weight[order[i]];
  const double half = 0.5 * sum;
  const auto found = std::lower_bound(cumulative.begin(), cumulative.end(), half);
  const auto i = static_cast<size_t>(found - cumulative.begin());
  if (cumulative[i] - half > kEpsilon || i + 1 == order.size()) return values[order[i]];
  return (values[order[i]] + values[order[i + 1]]) * 0.5;
}

double PinballLoss(double actual, double predicted, double quantile) {
  const double error = actual - predicted;
  return error >= 0 ? quantile * error : (quantile - 1.0) * error;
}

/// 1 − numerator / denominator with scikit-learn's rule for constant targets: 1 when there is no
/// error, else 0.
MetricValue ShareExplained(double numerator, double denominator) {
  if (numerator == 0) return Defined(1);
  if (denominator == 0) return Defined(0);
  return Defined(1.0 - numerator / denominator);
}

double MeanActual(const ScoredRows& rows) {
  return Mean(rows, [](double y, double) { return y; });
}

}  // namespace

MetricValue MeanSquaredError(const ScoredRows& rows) {
  return Defined(Mean(rows, [](double y, double f) { return (y - f) * (y - f); }));
}
MetricValue RootMeanSquaredError(const ScoredRows& rows) {
  return Defined(std::sqrt(MeanSquaredError(rows).value));
}
MetricValue MeanAbsoluteError(const ScoredRows& rows) {
  return Defined(Mean(rows, [](double y, double f) { return std::fabs(y - f); }));
}
MetricValue MeanError(const ScoredRows& rows) {
  return Defined(std::fabs(Mean(rows, [](double y, double f) { return y - f; })));
}

MetricValue MedianAbsoluteError(const ScoredRows& rows) {
  std::vector<double> errors(rows.size());
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = std::fabs(rows.actual[i] - rows.score[i]);
  return Defined(WeightedMedian(errors, rows.weight));
}

MetricValue MeanAbsolutePercentageError(const ScoredRows& rows) {
  return Defined(Mean(rows, [](double y, double f) {
    return std::fabs(y - f) / std::max(std::fabs(y), kEpsilon);
  }));
}

MetricValue SymmetricPercentageError(const ScoredRows& rows) {
  return Defined(Mean(rows, [](double y, double f) {
    const double size = std::fabs(y) + std::fabs(f);
    return size > 0 ? 200.0 * std::fabs(y - f) / size : 0.0;
  }));
}

MetricValue MaxError(const ScoredRows& rows) {
  double largest = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (Weight(rows, i) > 0) largest = std::max(largest, std::fabs(rows.actual[i] - rows.score[i]));
  }
  return Defined(largest);
}

MetricValue R2(const ScoredRows& rows) {
  if (RowsThatCount(rows) < 2) return Undefined("r2 needs at least two rows");
  const double mean = MeanActual(rows);
  const double error = MeanSquaredError(rows).value;
  const double spread = Mean(rows, [&](double y, double) { return (y - mean) * (y - mean); });
  return ShareExplained(error, spread);
}

MetricValue ExplainedVariance(const ScoredRows& rows) {
  const double mean = MeanActual(rows);
  const double bias = Mean(rows, [](double y, double f) { return y - f; });
  const double error =
      Mean(rows, [&](double y, double f) { return (y - f - bias) * (y - f - bias); });
  const double spread = Mean(rows, [&](double y, double) { return (y - mean) * (y - mean); });
  return ShareExplained(error, spread);
}

MetricValue RootMeanSquaredLogError(const ScoredRows& rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows.actual[i] <= -1 || rows.score[i] <= -1) {
      return Undefined("targets and predictions must be above -1");
    }
  }
  return Defined(std::sqrt(Mean(rows, [](double y, double f) {
    const double error = Log1p(y) - Log1p(f);
    return error * error;
  })));
}

MetricValue Pinball(const ScoredRows& rows, double quantile) {
  return Defined(Mean(rows, [&](double y, double f) { return PinballLoss(y, f, quantile); }));
}

MetricValue D2AbsoluteError(const ScoredRows& rows) {
  if (RowsThatCount(rows) < 2) return Undefined("d2_absolute_error needs at least two rows");
  const double median = WeightedMedian(rows.actual, rows.weight);
  return ShareExplained(Pinball(rows, 0.5).value,
                        Mean(rows, [&](double y, double) { return PinballLoss(y, median, 0.5); }));
}

MetricValue TweedieDeviance(const ScoredRows& rows, double power) {
  if (power == 0) return MeanSquaredError(rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows.score[i] <= 0) return Undefined("predictions must be positive");
    if (power >= 2 && rows.actual[i] <= 0) return Undefined("targets must be positive");
    if (rows.actual[i] < 0) return Undefined("targets must not be negative");
  }
  if (power == 1) {
    return Defined(2.0 * Mean(rows, [](double y, double f) {
                     return (y > 0 ? y * Log(y / f) : 0.0) - y + f;
                   }));
  }
  if (power == 2) {
    return Defined(2.0 * Mean(rows, [](double y, double f) { return Log(f / y) + y / f - 1.0; }));
  }
  const double a = 1.0 - power, b = 2.0 - power;
  return Defined(2.0 * Mean(rows, [&](double y, double f) {
                   return Pow(y, b) / (a * b) - y * Pow(f, a) / a + Pow(f, b) / b;
                 }));
}

}  // namespace headrace::evaluate
