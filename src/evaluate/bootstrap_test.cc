#include "evaluate/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"

namespace headrace::evaluate {
namespace {

const Metric& MetricOf(const char* name, Task task = Task::kBinary) {
  return **FindMetric(name, task);
}

struct Scores {
  std::vector<int32_t> y;
  std::vector<double> p, worse;
};

/// `noise` blurs the second version's margins.
Scores MakeScores(size_t n, double noise, uint64_t seed = 1) {
  Random random(seed);
  Scores scores;
  for (size_t i = 0; i < n; ++i) {
    const double margin = 1.5 * random.Normal();
    scores.y.push_back(random.Uniform() < Sigmoid(margin) ? 1 : 0);
    scores.p.push_back(Sigmoid(margin));
    scores.worse.push_back(Sigmoid(margin + noise * random.Normal()));
  }
  return scores;
}

TEST(EstimateMetric, IntervalMatchesTheory) {
  // Accuracy of n rows: standard error √(a (1 − a) / n).
  const Scores scores = MakeScores(2000, 0);
  BootstrapOptions options;
  options.rounds = 1000;
  const auto e = EstimateMetric(MetricOf("accuracy"), BinaryRows(scores.y, scores.p), options);
  ASSERT_TRUE(e.ok());
  const double a = e->value.value, error = std::sqrt(a * (1 - a) / 2000);
  EXPECT_NEAR(e->interval.standard_error / error, 1, 0.1);
  EXPECT_NEAR(e->interval.low, a - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(e->interval.high, a + 1.96 * error, 0.25 * error);
  EXPECT_EQ(e->interval.rounds, 1000);
  EXPECT_EQ(e->rows, 2000u);
}

TEST(EstimateMetric, CoversTheTruthAboutAsOftenAsItSays) {
  // Mean error of standard normal residuals against the known rmse of 1.
  int covered = 0;
  for (uint64_t trial = 0; trial < 200; ++trial) {
    Random random(trial, 5);
    std::vector<double> y(200), f(200, 0.0);
    for (double& v : y) v = random.Normal();
    BootstrapOptions options;
    options.rounds = 200;
    options.seed = trial;
    const auto e =
        EstimateMetric(MetricOf("rmse", Task::kRegression), RegressionRows(y, f), options);
    covered += e->interval.low <= 1 && 1 <= e->interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 180);
  EXPECT_LE(covered, 198);
}

TEST(EstimateMetric, RocAreaCountsDrawsAsTheMetricDoes) {
  // Rows without weights go the short way: it must give what weights of 1 give, ties included.
  Scores scores = MakeScores(3000, 0);
  for (size_t i = 0; i < scores.p.size(); ++i) {
    if (i % 3 != 0) scores.p[i] = std::round(scores.p[i] * 20) / 20;
  }
  const std::vector<double> ones(scores.p.size(), 1.0);
  std::vector<uint32_t> unit;
  for (uint32_t i = 0; i < 3000; ++i) unit.push_back(i / 2);
  for (const std::span<const uint32_t> units : {std::span<const uint32_t>(), {unit}}) {
    BootstrapOptions options;
    options.rounds = 50;
    options.unit = units;
    const auto counted =
        EstimateMetric(MetricOf("roc_auc"), BinaryRows(scores.y, scores.p), options);
    const auto weighed =
        EstimateMetric(MetricOf("roc_auc"), BinaryRows(scores.y, scores.p, ones), options);
    EXPECT_DOUBLE_EQ(counted->interval.low, weighed->interval.low);
    EXPECT_DOUBLE_EQ(counted->interval.high, weighed->interval.high);
    EXPECT_NEAR(counted->interval.standard_error, weighed->interval.standard_error, 1e-14);
    EXPECT_EQ(counted->interval.rounds, 50);
  }
}

TEST(EstimateMetric, DoesNotDependOnThreads) {
  const Scores scores = MakeScores(500, 0);
  BootstrapOptions one, four;
  four.threads = 4;
  for (const char* name : {"roc_auc", "log_loss", "f1"}) {
    const auto a = EstimateMetric(MetricOf(name), BinaryRows(scores.y, scores.p), one);
    const auto b = EstimateMetric(MetricOf(name), BinaryRows(scores.y, scores.p), four);
    EXPECT_EQ(a->interval.low, b->interval.low);
    EXPECT_EQ(a->interval.high, b->interval.high);
  }
  four.seed = 1;
  EXPECT_NE(EstimateMetric(MetricOf("f1"), BinaryRows(scores.y, scores.p), four)->interval.low,
            EstimateMetric(MetricOf("f1"), BinaryRows(scores.y, scores.p), one)->interval.low);
}

TEST(EstimateMetric, GroupsAreDrawnTogether) {
  // Ten copies of every row look ten times surer unless the copies are one unit.
  const Scores scores = MakeScores(200, 0);
  std::vector<int32_t> y;
  std::vector<double> p;
  std::vector<uint32_t> unit;
  for (uint32_t i = 0; i < 200; ++i) {
    for (int copy = 0; copy < 10; ++copy) {
      y.push_back(scores.y[i]);
      p.push_back(scores.p[i]);
      unit.push_back(i);
    }
  }
  BootstrapOptions options;
  const double single =
      EstimateMetric(MetricOf("log_loss"), BinaryRows(scores.y, scores.p), options)
          ->interval.standard_error;
  const double naive =
      EstimateMetric(MetricOf("log_loss"), BinaryRows(y, p), options)->interval.standard_error;
  options.unit = unit;
  const double grouped =
      EstimateMetric(MetricOf("log_loss"), BinaryRows(y, p), options)->interval.standard_error;
  EXPECT_NEAR(grouped / single, 1, 1e-9);  // same draws of the same units
  EXPECT_NEAR(naive / single, std::sqrt(0.1), 0.06);
}

TEST(EstimateMetric, UndefinedValuesAndRounds) {
  const std::vector<int32_t> ones(50, 1);
  const std::vector<double> p(50, 0.3);
  const auto e = EstimateMetric(MetricOf("roc_auc"), BinaryRows(ones, p), {});
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->value.undefined, "all rows are of one class");
  EXPECT_TRUE(std::isnan(e->interval.low));
  // One positive: it is absent from more than a third of the rounds.
  std::vector<int32_t> rare(50, 0);
  rare[7] = 1;
  const auto r = EstimateMetric(MetricOf("roc_auc"), BinaryRows(rare, p), {});
  EXPECT_NEAR(r->interval.rounds, 400 * (1 - std::exp(-1.0)), 40);
  CancelToken cancel;
  cancel.Cancel();
  BootstrapOptions options;
  options.cancel = &cancel;
  const Scores scores = MakeScores(100, 0);
  EXPECT_EQ(EstimateMetric(MetricOf("f1"), BinaryRows(scores.y, scores.p), options).error().code,
            "cancelled");
}

TEST(EstimateMetric, EveryMetricOfEveryTask) {
  Random random(3);
  std::vector<int32_t> y, z;
  std::vector<double> p, three, actual, w;
  for (int i = 0; i < 120; ++i) {
    y.push_back(static_cast<int32_t>(random.Below(2)));
    z.push_back(static_cast<int32_t>(random.Below(3)));
    p.push_back(0.05 + 0.9 * random.Uniform());
    const double a = random.Uniform(), b = random.Uniform(), c = random.Uniform();
    for (const double v : {a, b, c}) three.push_back(v / (a + b + c));
    actual.push_back(1 + random.Uniform());
    w.push_back(0.1 + random.Uniform());
  }
  BootstrapOptions options;
  options.rounds = 50;
  for (const ScoredRows& rows :
       {BinaryRows(y, p, w), MulticlassRows(z, 3, three, w), RegressionRows(actual, p, w)}) {
    for (const Metric& metric : AllMetrics()) {
      if (!metric.Supports(rows.task) || metric.name == "cost") continue;  // none without costs
      const auto e = EstimateMetric(metric, rows, options);
      ASSERT_TRUE(e.ok());
      EXPECT_TRUE(e->value.defined()) << metric.name;
      EXPECT_EQ(e->interval.rounds, 50) << metric.name;
      EXPECT_LE(e->interval.low, e->interval.high) << metric.name;
    }
  }
}

TEST(EstimateDifference, IsSurerThanTwoIntervals) {
  const Scores scores = MakeScores(1000, 1);
  const ScoredRows a = BinaryRows(scores.y, scores.p), b = BinaryRows(scores.y, scores.worse);
  const auto d = EstimateDifference(MetricOf("roc_auc"), a, b, {});
  ASSERT_TRUE(d.ok());
  EXPECT_GT(d->interval.low, 0);
  EXPECT_EQ(d->share_a_better, 1);
  EXPECT_NEAR(d->difference.value, Evaluate("roc_auc", a)->value - Evaluate("roc_auc", b)->value,
              1e-15);
  const auto single = EstimateMetric(MetricOf("roc_auc"), a, {});
  EXPECT_LT(d->interval.standard_error, single->interval.standard_error);
  const auto none = EstimateDifference(MetricOf("roc_auc"), a, a, {});
  EXPECT_EQ(none->interval.low, 0);
  EXPECT_EQ(none->interval.high, 0);
  const Scores other = MakeScores(1000, 0, 9);
  EXPECT_EQ(
      EstimateDifference(MetricOf("roc_auc"), a, BinaryRows(other.y, other.p), {}).error().code,
      "internal");
}

TEST(CorrectForSelection, TakesAwayTheOptimismOfChoosing) {
  // Fifty candidates that know nothing: the best of them looks good on 100 rows, and is worth 0.5.
  Random random(4);
  std::vector<int32_t> y(100);
  for (int32_t& v : y) v = static_cast<int32_t>(random.Below(2));
  std::vector<std::vector<double>> scores(50, std::vector<double>(100));
  std::vector<ScoredRows> candidates;
  for (auto& s : scores) {
    for (double& v : s) v = random.Uniform();
    candidates.push_back(BinaryRows(y, s));
  }
  const auto c = CorrectForSelection(MetricOf("roc_auc"), candidates, {});
  ASSERT_TRUE(c.ok());
  EXPECT_GT(c->naive.value, 0.6);
  EXPECT_LT(c->corrected.value, c->naive.value - 0.05);
  EXPECT_LT(c->interval.low, 0.5);
  // One candidate: nothing was chosen.
  const auto one = CorrectForSelection(MetricOf("roc_auc"), std::span(candidates).first(1), {});
  EXPECT_NEAR(one->corrected.value, one->naive.value, 0.02);
}

}  // namespace
}  // namespace headrace::evaluate
