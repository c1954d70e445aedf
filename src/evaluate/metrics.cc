#include "evaluate/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/suggest.h"
#include "evaluate/curves.h"
#include "evaluate/metric_functions.h"

namespace headrace::evaluate {
namespace {

constexpr unsigned kB = 1, kM = 2, kR = 4;           // tasks
constexpr unsigned kUp = 1, kProb = 2, kDecide = 4;  // higher is better, probabilities, decisions
constexpr unsigned kShare = 8;                       // 0 to 1; without one of these: 0 and more
constexpr unsigned kSigned = 16;                     // -1 to 1
constexpr unsigned kBelow1 = 32;                     // 1 at most

using Compute = MetricValue (*)(const ScoredRows&);

constexpr Metric Row(std::string_view name, std::string_view aliases, unsigned tasks,
                     unsigned flags, Compute compute, std::string_view doc) {
  Metric metric;
  metric.name = name;
  metric.aliases = aliases;
  metric.binary = (tasks & kB) != 0;
  metric.multiclass = (tasks & kM) != 0;
  metric.regression = (tasks & kR) != 0;
  metric.higher_is_better = (flags & kUp) != 0;
  metric.needs_probability = (flags & kProb) != 0;
  metric.uses_decision = (flags & kDecide) != 0;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  metric.least = (flags & kBelow1) != 0 ? -kInfinity : (flags & kSigned) != 0 ? -1 : 0;
  metric.most = (flags & (kShare | kSigned | kBelow1)) != 0 ? 1 : kInfinity;
  metric.doc = doc;
  metric.compute = compute;
  return metric;
}

template <PerClass kind, Average average>
MetricValue Score(const ScoredRows& rows) {
  return ClassScore(rows, kind, average);
}
template <int k>
MetricValue Top(const ScoredRows& rows) {
  return TopKAccuracy(rows, k);
}
template <int percent>
MetricValue PinballAt(const ScoredRows& rows) {
  return Pinball(rows, percent / 100.0);
}
template <int tenths>
MetricValue Deviance(const ScoredRows& rows) {
  return TweedieDeviance(rows, tenths / 10.0);
}
template <bool equal_counts>
MetricValue CalibrationError10(const ScoredRows& rows) {
  return CalibrationError(rows, 10, equal_counts);
}
MetricValue RocAucFpr10(const ScoredRows& rows) { return PartialRocAuc(rows, 0.1); }
MetricValue Lift10(const ScoredRows& rows) {
  const double lift = Lift(rows, 0.1);
  return lift == lift ? Defined(lift) : Undefined("no row is positive");
}

using enum PerClass;
using enum Average;

constexpr auto kMetrics = std::to_array<Metric>({
    Row("roc_auc", "auc roc_auc_ovr roc_auc_score", kB | kM, kUp | kShare, RocAuc,
        "Area under the ROC curve: the chance that a positive row is ranked above a negative one; "
        "several classes: mean of each class against the rest."),
    Row("roc_auc_ovr_weighted", "", kM, kUp | kShare, RocAucOvrWeighted,
        "ROC AUC of each class against the rest, weighted by the classes' shares."),
    Row("roc_auc_ovo", "", kM, kUp | kShare, RocAucOvo,
        "ROC AUC of every pair of classes, plain mean (Hand and Till)."),
    Row("roc_auc_ovo_weighted", "", kM, kUp | kShare, RocAucOvoWeighted,
        "ROC AUC of every pair of classes, weighted by the pairs' shares."),
    Row("average_precision", "pr_auc average_precision_score", kB | kM, kUp | kShare,
        AveragePrecisionScore,
        "Precision averaged over recall: area under the precision-recall steps; several classes: "
        "mean of each class against the rest."),
    Row("log_loss", "logloss cross_entropy", kB | kM, kProb, LogLoss,
        "Mean negative log-likelihood of the true class, in nats."),
    Row("brier_score", "brier brier_score_loss", kB | kM, kProb, Brier,
        "Mean squared error of the probability; several classes: summed over the classes."),
    Row("accuracy", "accuracy_score", kB | kM, kUp | kDecide | kShare, Accuracy,
        "Share of rows decided rightly."),
    Row("cost", "", kB | kM, kDecide, Cost, "Mean cost of a decision by the model's `costs:`."),
    Row("balanced_accuracy", "balanced_accuracy_score", kB | kM, kUp | kDecide | kShare,
        BalancedAccuracy, "Mean of the classes' recalls."),
    Row("precision", "precision_score", kB | kM, kUp | kDecide | kShare,
        (Score<kPrecision, kPlain>),
        "Share of rows called positive that are; several classes: plain mean."),
    Row("recall", "recall_score sensitivity tpr", kB | kM, kUp | kDecide | kShare,
        (Score<kRecall, kPlain>),
        "Share of positive rows that are found; several classes: plain mean."),
    Row("specificity", "tnr", kB, kUp | kDecide | kShare, Specificity,
        "Share of negative rows called negative."),
    Row("f1", "f1_score", kB | kM, kUp | kDecide | kShare, (Score<kF1, kPlain>),
        "Harmonic mean of precision and recall; several classes: plain mean."),
    Row("f2", "", kB | kM, kUp | kDecide | kShare, (Score<kF2, kPlain>),
        "Like f1, with recall counting twice as much as precision."),
    Row("precision_macro", "", kB | kM, kUp | kDecide | kShare, (Score<kPrecision, kMacro>),
        "Plain mean of the classes' precisions."),
    Row("precision_weighted", "", kB | kM, kUp | kDecide | kShare, (Score<kPrecision, kWeighted>),
        "Mean of the classes' precisions, weighted by the classes' shares."),
    Row("precision_micro", "", kB | kM, kUp | kDecide | kShare, (Score<kPrecision, kMicro>),
        "Precision over all decisions: equals accuracy."),
    Row("recall_macro", "", kB | kM, kUp | kDecide | kShare, (Score<kRecall, kMacro>),
        "Plain mean of the classes' recalls."),
    Row("recall_weighted", "", kB | kM, kUp | kDecide | kShare, (Score<kRecall, kWeighted>),
        "Mean of the classes' recalls, weighted by the classes' shares."),
    Row("recall_micro", "", kB | kM, kUp | kDecide | kShare, (Score<kRecall, kMicro>),
        "Recall over all decisions: equals accuracy."),
    Row("f1_macro", "", kB | kM, kUp | kDecide | kShare, (Score<kF1, kMacro>),
        "Plain mean of the classes' f1."),
    Row("f1_weighted", "", kB | kM, kUp | kDecide | kShare, (Score<kF1, kWeighted>),
        "Mean of the classes' f1, weighted by the classes' shares."),
    Row("f1_micro", "", kB | kM, kUp | kDecide | kShare, (Score<kF1, kMicro>),
        "f1 over all decisions: equals accuracy."),
    Row("matthews_corrcoef", "mcc", kB | kM, kUp | kDecide | kSigned, Matthews,
        "Matthews correlation of decision and truth, -1 to 1; 0 when one of them is constant."),
    Row("cohen_kappa", "kappa cohen_kappa_score", kB | kM, kUp | kDecide | kSigned, CohenKappa,
        "Agreement of decision and truth beyond chance."),
    Row("ece", "expected_calibration_error", kB | kM, kProb | kShare, CalibrationError10<false>,
        "Expected calibration error over 10 bins of equal width; several classes: of the most "
        "probable class."),
    Row("ece_equal_count", "", kB | kM, kProb | kShare, CalibrationError10<true>,
        "Expected calibration error over 10 bins of equal numbers of rows."),
    Row("ks", "kolmogorov_smirnov", kB, kUp | kShare, KolmogorovSmirnov,
        "Largest distance between the true and the false positive rate."),
    Row("roc_auc_fpr_10", "", kB, kUp | kShare, RocAucFpr10,
        "ROC AUC up to a false positive rate of 10 %, standardised (McClish)."),
    Row("lift_10", "", kB, kUp, Lift10,
        "Share of positives among the 10 % highest scores over the share of all."),
    Row("d2_log_loss", "d2_log_loss_score", kB | kM, kUp | kProb | kBelow1, D2LogLoss,
        "Share of log loss explained against predicting the classes' shares."),
    Row("top_2_accuracy", "top_2", kM, kUp | kShare, Top<2>,
        "Share of rows whose class is among the 2 most probable."),
    Row("top_3_accuracy", "top_3", kM, kUp | kShare, Top<3>,
        "Share of rows whose class is among the 3 most probable."),
    Row("top_5_accuracy", "top_5", kM, kUp | kShare, Top<5>,
        "Share of rows whose class is among the 5 most probable."),
    Row("rmse", "root_mean_squared_error", kR, 0, RootMeanSquaredError,
        "Root of the mean squared error, in the target's unit."),
    Row("mse", "mean_squared_error", kR, 0, MeanSquaredError, "Mean squared error."),
    Row("mae", "mean_absolute_error", kR, 0, MeanAbsoluteError,
        "Mean absolute error, in the target's unit."),
    Row("median_absolute_error", "medae", kR, 0, MedianAbsoluteError,
        "Median absolute error: half of the rows are nearer."),
    Row("mape", "mean_absolute_percentage_error", kR, 0, MeanAbsolutePercentageError,
        "Mean of |error| / |target| as a share (0.1 = 10 %); explodes when targets are 0."),
    Row("smape", "", kR, 0, SymmetricPercentageError,
        "Mean of 200 |error| / (|target| + |prediction|), in percent (M4's rule)."),
    Row("r2", "r2_score", kR, kUp | kBelow1, R2,
        "Share of the target's variance explained; 0 = no better than the mean."),
    Row("explained_variance", "explained_variance_score", kR, kUp | kBelow1, ExplainedVariance,
        "Like r2, but a constant offset of the predictions does not count."),
    Row("max_error", "", kR, 0, MaxError, "Largest absolute error; weights do not count."),
    Row("mean_error", "bias", kR, 0, MeanError,
        "Absolute value of the mean error: how far predictions are off on average."),
    Row("rmsle", "root_mean_squared_log_error", kR, 0, RootMeanSquaredLogError,
        "Root of the mean squared difference of log(1 + value)."),
    Row("pinball_5", "", kR, 0, PinballAt<5>, "Mean pinball loss of the 5 % quantile."),
    Row("pinball_10", "", kR, 0, PinballAt<10>, "Mean pinball loss of the 10 % quantile."),
    Row("pinball_25", "", kR, 0, PinballAt<25>, "Mean pinball loss of the 25 % quantile."),
    Row("pinball_50", "mean_pinball_loss pinball", kR, 0, PinballAt<50>,
        "Mean pinball loss of the median: half the mean absolute error."),
    Row("pinball_75", "", kR, 0, PinballAt<75>, "Mean pinball loss of the 75 % quantile."),
    Row("pinball_90", "", kR, 0, PinballAt<90>, "Mean pinball loss of the 90 % quantile."),
    Row("pinball_95", "", kR, 0, PinballAt<95>, "Mean pinball loss of the 95 % quantile."),
    Row("poisson_deviance", "mean_poisson_deviance", kR, 0, Deviance<10>,
        "Mean Poisson deviance, for counts."),
    Row("gamma_deviance", "mean_gamma_deviance", kR, 0, Deviance<20>,
        "Mean gamma deviance, for positive amounts."),
    Row("tweedie_deviance", "mean_tweedie_deviance tweedie_1_5", kR, 0, Deviance<15>,
        "Mean Tweedie deviance of power 1.5, for amounts with many zeros."),
    Row("d2_absolute_error", "d2_pinball d2_absolute_error_score", kR, kUp | kBelow1,
        D2AbsoluteError, "Share of absolute error explained against predicting the median."),
});

bool HasWord(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    if (end == std::string_view::npos) break;
    words.remove_prefix(end + 1);
  }
  return false;
}

const Metric* FindByName(std::string_view name) {
  for (const Metric& metric : kMetrics) {
    if (metric.name == name || HasWord(metric.aliases, name)) return &metric;
  }
  return nullptr;
}

std::vector<std::string> NamesFor(Task task) {
  std::vector<std::string> names;
  for (const Metric& metric : kMetrics) {
    if (metric.Supports(task)) names.emplace_back(metric.name);
  }
  return names;
}

}  // namespace

MetricValue Defined(double value) { return {value, {}}; }
MetricValue Undefined(std::string reason) {
  return {std::numeric_limits<double>::quiet_NaN(), std::move(reason)};
}

bool Metric::Supports(Task task) const {
  switch (task) {
    case Task::kBinary:
      return binary;
    case Task::kMulticlass:
      return multiclass;
    case Task::kRegression:
      return regression;
  }
  return false;
}

std::span<const Metric> AllMetrics() { return kMetrics; }

std::string_view DefaultMetric(Task task) {
  switch (task) {
    case Task::kBinary:
      return "roc_auc";
    case Task::kMulticlass:
      return "log_loss";
    case Task::kRegression:
      return "rmse";
  }
  return "";
}

Result<const Metric*> FindMetric(std::string_view name, Task task) {
  const Metric* metric = FindByName(name);
  if (metric == nullptr && name.starts_with("neg_")) metric = FindByName(name.substr(4));
  if (metric == nullptr) {
    const std::vector<std::string> names = NamesFor(task);
    return UserError("unknown_metric", fmt::format("there is no metric '{}'", name))
        .Subject(std::string(name))
        .Candidates(Suggest(name, names))
        .Hint(fmt::format("metrics of {}: {}", TaskName(task), fmt::join(names, ", ")));
  }
  if (!metric->Supports(task)) {
    return UserError("metric_for_other_task",
                     fmt::format("metric '{}' is not for {}", name, TaskName(task)))
        .Subject(std::string(name))
        .Hint(fmt::format("metrics of {}: {}", TaskName(task), fmt::join(NamesFor(task), ", ")));
  }
  return metric;
}

Result<MetricValue> Evaluate(std::string_view name, const ScoredRows& rows) {
  HR_ASSIGN(const Metric* metric, FindMetric(name, rows.task));
  HR_TRY(CheckRows(rows));
  return metric->compute(rows);
}

Result<std::vector<NamedValue>> EvaluateAll(const ScoredRows& rows) {
  HR_TRY(CheckRows(rows));
  ScoredRows ranked = rows;
  std::vector<uint32_t> order;
  if (rows.task != Task::kRegression && rows.order.empty()) {
    order = RankAll(rows);
    ranked.order = order;
  }
  std::vector<int32_t> decisions;
  if (rows.task != Task::kRegression && rows.decision.empty()) {
    decisions = Decisions(rows);
    ranked.decision = decisions;
  }
  std::vector<NamedValue> values;
  for (const Metric& metric : kMetrics) {
    if (!metric.Supports(rows.task)) continue;
    values.push_back({std::string(metric.name), metric.compute(ranked)});
  }
  return values;
}

}  // namespace headrace::evaluate
