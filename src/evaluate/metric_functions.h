#pragma once
// The functions behind the table of metrics.cc; rows have passed CheckRows.
#include "evaluate/metrics.h"

namespace headrace::evaluate {

// Ranking (binary; the multiclass ones as their names say).
MetricValue RocAuc(const ScoredRows& rows);  ///< multiclass: one against the rest, macro mean
MetricValue RocAucOvrWeighted(const ScoredRows& rows);
MetricValue RocAucOvo(const ScoredRows& rows);
MetricValue RocAucOvoWeighted(const ScoredRows& rows);
MetricValue AveragePrecisionScore(const ScoredRows& rows);  ///< multiclass: macro mean
MetricValue KolmogorovSmirnov(const ScoredRows& rows);

// Probabilities.
MetricValue LogLoss(const ScoredRows& rows);
MetricValue Brier(const ScoredRows& rows);
MetricValue D2LogLoss(const ScoredRows& rows);

// Decisions.
MetricValue Accuracy(const ScoredRows& rows);
MetricValue Cost(const ScoredRows& rows);
MetricValue BalancedAccuracy(const ScoredRows& rows);
MetricValue Matthews(const ScoredRows& rows);
MetricValue CohenKappa(const ScoredRows& rows);
/// kPlain: of the positive class (binary), macro mean (multiclass).
enum class Average { kPlain, kMacro, kWeighted, kMicro };
enum class PerClass { kPrecision, kRecall, kF1, kF2 };
MetricValue ClassScore(const ScoredRows& rows, PerClass kind, Average average);
MetricValue Specificity(const ScoredRows& rows);

// Numbers.
MetricValue MeanSquaredError(const ScoredRows& rows);
MetricValue RootMeanSquaredError(const ScoredRows& rows);
MetricValue MeanAbsoluteError(const ScoredRows& rows);
MetricValue MedianAbsoluteError(const ScoredRows& rows);
MetricValue MeanAbsolutePercentageError(const ScoredRows& rows);
MetricValue SymmetricPercentageError(const ScoredRows& rows);
MetricValue MaxError(const ScoredRows& rows);
MetricValue R2(const ScoredRows& rows);
MetricValue ExplainedVariance(const ScoredRows& rows);
MetricValue RootMeanSquaredLogError(const ScoredRows& rows);
MetricValue D2AbsoluteError(const ScoredRows& rows);
MetricValue MeanError(const ScoredRows& rows);

}  // namespace headrace::evaluate
