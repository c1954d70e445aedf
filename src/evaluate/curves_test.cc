#include "evaluate/curves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "evaluate/golden_fixture.h"
#include "evaluate/metrics.h"
#include "evaluate/random.h"

namespace headrace::evaluate {
namespace {

TEST(Curves, EqualScikitLearn) {
  const Json fixture = EvaluateFixture();
  const auto& set = fixture["metrics"]["ties"];
  const std::vector<int32_t> y = Ints(set["y"]);
  const std::vector<double> p = Doubles(set["p"]);
  const auto& golden = fixture["curves"];
  const auto roc = RocCurve(BinaryRows(y, p));
  const auto fpr = Doubles(golden["roc"]["fpr"]), tpr = Doubles(golden["roc"]["tpr"]),
             roc_at = Doubles(golden["roc"]["threshold"]);
  ASSERT_EQ(roc.size(), fpr.size());
  for (size_t i = 0; i < roc.size(); ++i) {
    EXPECT_DOUBLE_EQ(roc[i].false_positive_rate, fpr[i]);
    EXPECT_DOUBLE_EQ(roc[i].true_positive_rate, tpr[i]);
    EXPECT_EQ(roc[i].threshold, roc_at[i]);
  }
  const auto pr = PrecisionRecallCurve(BinaryRows(y, p));
  const auto precision = Doubles(golden["pr"]["precision"]),
             recall = Doubles(golden["pr"]["recall"]), pr_at = Doubles(golden["pr"]["threshold"]);
  ASSERT_EQ(pr.size(), precision.size());
  for (size_t i = 0; i < pr.size(); ++i) {
    EXPECT_DOUBLE_EQ(pr[i].precision, precision[i]);
    EXPECT_DOUBLE_EQ(pr[i].recall, recall[i]);
    if (i < pr_at.size()) {
      EXPECT_EQ(pr[i].threshold, pr_at[i]);
    }
  }
  EXPECT_EQ(RocCurve(BinaryRows(y, p), true).size(), 12u);  // 11 scores and the corner
}

TEST(Curves, ReliabilityEqualsScikitLearn) {
  const Json fixture = EvaluateFixture();
  const auto& set = fixture["metrics"]["binary"];
  const std::vector<int32_t> y = Ints(set["y"]);
  const std::vector<double> p = Doubles(set["p"]);
  for (const bool equal_counts : {false, true}) {
    const auto& golden = fixture["curves"][equal_counts ? "quantile" : "uniform"];
    const auto bins = ReliabilityBins(BinaryRows(y, p), 10, equal_counts);
    const auto actual = Doubles(golden[0]), predicted = Doubles(golden[1]);
    ASSERT_EQ(bins.size(), actual.size());
    size_t rows = 0;
    for (size_t b = 0; b < bins.size(); ++b) {
      EXPECT_NEAR(bins[b].mean_actual, actual[b], 1e-12);
      EXPECT_NEAR(bins[b].mean_predicted, predicted[b], 1e-12);
      EXPECT_LE(bins[b].low, bins[b].mean_predicted);
      EXPECT_GE(bins[b].high, bins[b].mean_predicted);
      rows += bins[b].rows;
    }
    EXPECT_EQ(rows, y.size());
  }
}

TEST(Curves, ThinKeepsTheEnds) {
  std::vector<RocPoint> curve;
  for (int i = 0; i <= 1000; ++i) curve.push_back({1 - i / 1000.0, i / 1000.0, i / 1000.0});
  const auto thin = Thin(curve, 11);
  ASSERT_EQ(thin.size(), 11u);
  EXPECT_EQ(thin.front().threshold, 1);
  EXPECT_EQ(thin.back().threshold, 0);
  EXPECT_EQ(thin[5].false_positive_rate, 0.5);
  EXPECT_EQ(Thin(curve, 2000).size(), curve.size());
}

TEST(Threshold, FollowsTheCosts) {
  const std::vector<int32_t> y = {0, 0, 0, 1, 0, 1, 1, 1};
  const std::vector<double> p = {.1, .2, .3, .35, .5, .6, .8, .9};
  Costs costs;
  auto choice = ThresholdByCosts(BinaryRows(y, p), costs);
  ASSERT_TRUE(choice.ok());
  EXPECT_DOUBLE_EQ(choice->threshold, 0.55);  // one missed positive, between .5 and .6
  EXPECT_DOUBLE_EQ(choice->mean_cost, 1.0 / 8);
  EXPECT_DOUBLE_EQ(choice->at_half, 2.0 / 8);
  costs.false_negative = 10;
  choice = ThresholdByCosts(BinaryRows(y, p), costs);
  EXPECT_DOUBLE_EQ(choice->threshold, 0.325);
  EXPECT_DOUBLE_EQ(choice->share_positive, 5.0 / 8);
  costs = {1, 0, 0, 0};  // nothing to gain by calling anyone
  choice = ThresholdByCosts(BinaryRows(y, p), costs);
  EXPECT_EQ(choice->mean_cost, 0);
  EXPECT_DOUBLE_EQ(choice->threshold, 0.55);  // the nearest to 0.5 of all that cost nothing
  costs = {0, 1, 0, 0};
  choice = ThresholdByCosts(BinaryRows(y, p), costs);
  EXPECT_EQ(choice->mean_cost, 0);
  EXPECT_LT(choice->threshold, 0.35);
}

TEST(Threshold, ReachesTheBestOfAMetric) {
  Random random(1);
  std::vector<int32_t> y;
  std::vector<double> p, w;
  for (int i = 0; i < 200; ++i) {
    y.push_back(static_cast<int32_t>(random.Below(2)));
    p.push_back(std::round(100 * (0.3 * y.back() + 0.7 * random.Uniform())) / 100);
    w.push_back(random.Uniform());
  }
  for (const std::string metric : {"f1", "f2", "accuracy", "balanced_accuracy", "mcc"}) {
    const auto choice = ThresholdByMetric(BinaryRows(y, p, w), metric);
    ASSERT_TRUE(choice.ok());
    ScoredRows rows = BinaryRows(y, p, w);
    EXPECT_NEAR(Evaluate(metric, rows)->value, choice->at_half, 1e-12);
    rows.threshold = choice->threshold;
    EXPECT_NEAR(Evaluate(metric, rows)->value, choice->mean_cost, 1e-12);
    for (double t = 0; t <= 1.01; t += 0.005) {
      rows.threshold = t;
      EXPECT_LE(Evaluate(metric, rows)->value, choice->mean_cost + 1e-12) << metric << t;
    }
  }
  EXPECT_EQ(ThresholdByMetric(BinaryRows(y, p), "roc_auc").error().code, "unknown_metric");
}

}  // namespace
}  // namespace headrace::evaluate
