#pragma once
// The metrics a project, a gate or a report can name. Values equal scikit-learn's (1e-10); where
// scikit-learn raises, warns or returns a number without meaning, the value is undefined and says
// why.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evaluate/scored_rows.h"

namespace headrace::evaluate {

/// A number, or the reason why there is none.
struct MetricValue {
  double value = 0;       ///< NaN when undefined
  std::string undefined;  ///< empty = defined; else e.g. "all rows are of one class"
  bool defined() const { return undefined.empty(); }
};
MetricValue Defined(double value);
MetricValue Undefined(std::string reason);

/// One row of the table of metrics. Immutable.
struct Metric {
  std::string_view name;  ///< e.g. "roc_auc"
  /// Other names it is found by, separated by spaces (scikit-learn's long names among them).
  std::string_view aliases;
  bool binary = false, multiclass = false, regression = false;  ///< tasks it is defined for
  bool higher_is_better = true;
  bool needs_probability = false;  ///< scores must be probabilities, not only a ranking
  bool uses_decision = false;      ///< judges decisions: depends on the threshold
  double least = 0, most = 0;      ///< what it can be; infinite where there is no bound
  std::string_view doc;            ///< one sentence
  MetricValue (*compute)(const ScoredRows& rows) = nullptr;

  bool Supports(Task task) const;
  /// True when `a` is strictly better than `b`.
  bool Better(double a, double b) const { return higher_is_better ? a > b : a < b; }
};

/// All metrics in a fixed order (the reference page's).
std::span<const Metric> AllMetrics();

/// Finds a metric by name or alias for a task. Errors (user): "unknown_metric" with candidates,
/// "metric_for_other_task" that lists the task's own metrics. The pointer lives for ever.
Result<const Metric*> FindMetric(std::string_view name, Task task);

/// roc_auc | log_loss | rmse.
std::string_view DefaultMetric(Task task);

/// FindMetric + CheckRows + compute. A metric that is undefined on these rows is a value, no error.
Result<MetricValue> Evaluate(std::string_view metric, const ScoredRows& rows);

struct NamedValue {
  std::string name;
  MetricValue value;
};
/// Every metric that suits the task, in table order (for reports). Runs CheckRows.
Result<std::vector<NamedValue>> EvaluateAll(const ScoredRows& rows);

/// Counts (sums of weights): cell (actual, predicted) at actual × classes + predicted.
struct ConfusionMatrix {
  int classes = 2;
  std::vector<double> cells;
  double At(int actual, int predicted) const { return cells[size_t(actual) * classes + predicted]; }
};
ConfusionMatrix Confusion(const ScoredRows& rows);

/// Predicted class of every row: `decision` when given, else threshold or largest probability.
std::vector<int32_t> Decisions(const ScoredRows& rows);

/// Share of rows whose class is among the k most probable; a tie counts against the row's class
/// when the tied class has a higher number (scikit-learn's rule).
MetricValue TopKAccuracy(const ScoredRows& rows, int k);
/// Mean pinball loss at quantile in (0, 1).
MetricValue Pinball(const ScoredRows& rows, double quantile);
/// Mean Tweedie deviance; power 0 normal, 1 Poisson, 2 gamma, between compound.
MetricValue TweedieDeviance(const ScoredRows& rows, double power);
/// Area under the ROC curve up to a false positive rate, standardised to [0, 1] (McClish).
MetricValue PartialRocAuc(const ScoredRows& rows, double max_fpr);
/// Expected calibration error; bins of equal width, or of equal counts. Unweighted as published
/// when no weights are given.
MetricValue CalibrationError(const ScoredRows& rows, int bins, bool equal_counts);

}  // namespace headrace::evaluate
