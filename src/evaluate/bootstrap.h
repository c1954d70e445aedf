#pragma once
// How sure a metric is: percentile intervals of a Poisson bootstrap. Resampled are rows, or whole
// groups or time blocks when rows within them are alike.
#include <cstdint>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "evaluate/metrics.h"

namespace headrace::evaluate {

struct BootstrapOptions {
  int rounds = 400;
  uint64_t seed = 0;
  double level = 0.95;
  /// Unit of each row (SplitPlan::unit, picked for these rows); empty = every row by itself.
  std::span<const uint32_t> unit;
  /// Threads to use; the result does not depend on it.
  int threads = 1;
  const CancelToken* cancel = nullptr;  ///< may be null
};

struct Interval {
  double low = 0, high = 0;
  double standard_error = 0;  ///< standard deviation over the rounds
  int rounds = 0;             ///< rounds in which the metric was defined
};

struct Estimate {
  MetricValue value;  ///< on the rows themselves
  Interval interval;  ///< NaN bounds when fewer than half of the rounds were defined
  size_t rows = 0;
};

/// Value and bounds. Rows must pass CheckRows (done here). Error "cancelled" when cancelled.
Result<Estimate> EstimateMetric(const Metric& metric, const ScoredRows& rows,
                                const BootstrapOptions& options);

struct PairedEstimate {
  MetricValue difference;  ///< metric(a) − metric(b) on the same rows
  Interval interval;
  double share_a_better = 0;  ///< of the rounds in which both were defined
  size_t rows = 0;
};

/// `a` and `b` hold the same rows (labels, weights, order) and different scores.
Result<PairedEstimate> EstimateDifference(const Metric& metric, const ScoredRows& a,
                                          const ScoredRows& b, const BootstrapOptions& options);

struct CorrectedEstimate {
  MetricValue naive;      ///< best candidate's out-of-fold metric: too good, it was chosen by it
  MetricValue corrected;  ///< mean over rounds: chosen on the drawn rows, scored on the others
  Interval interval;      ///< of the corrected value
  size_t best = 0;        ///< index of the best candidate on all rows
};

/// Bootstrap bias corrected cross-validation (Tsamardinos, Greasidou, Borboudakis 2018): what the
/// choice among candidates by out-of-fold scores is worth on rows it did not see. `candidates` hold
/// the same rows and each candidate's out-of-fold scores; at least one.
Result<CorrectedEstimate> CorrectForSelection(const Metric& metric,
                                              std::span<const ScoredRows> candidates,
                                              const BootstrapOptions& options);

}  // namespace headrace::evaluate
