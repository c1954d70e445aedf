#include "learn/decision.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/cheapest.h"
#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"
#include "learn/score_view.h"

namespace headrace::learn {
namespace {

Frame BinaryFrame(std::vector<int32_t> label, std::vector<double> costs) {
  Frame frame;
  frame.classes = {"no", "yes"};
  frame.label = std::move(label);
  frame.id.resize(frame.label.size());
  frame.costs = std::move(costs);
  return frame;
}

std::vector<uint32_t> All(const Frame& frame) {
  std::vector<uint32_t> rows(frame.label.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint32_t>(i);
  return rows;
}

double Margin(double p) { return std::log(p / (1 - p)); }

CostSpec Costs(double false_positive, double false_negative) {
  CostSpec spec;
  spec.false_positive = false_positive;
  spec.false_negative = false_negative;
  return spec;
}

TEST(Decision, CostsByActualThenPredictedClass) {
  EXPECT_EQ(*CostsOf(Costs(1, 5), {"no", "yes"}, "m"), (std::vector<double>{0, 1, 5, 0}));
  CostSpec matrix;
  matrix.matrix = {{"b", {{"a", 7}, {"b", -0.0}}}};
  EXPECT_EQ(*CostsOf(matrix, {"a", "b", "c"}, "m"),
            (std::vector<double>{0, 1, 1, 7, 0, 1, 1, 1, 0}));
  matrix.matrix = {{"bb", {{"a", 7}}}};
  const auto unknown = CostsOf(matrix, {"a", "b", "c"}, "m");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, "unknown_class");
  EXPECT_EQ(CostsOf(Costs(1, 5), {"a", "b", "c"}, "m").error().code, "bad_costs");
}

TEST(Decision, TheThresholdIsTheCheapestOnTheRows) {
  Frame frame = BinaryFrame({0, 0, 0, 1, 0, 1, 1, 1}, {0, 1, 5, 0});
  const std::vector<double> p = {.05, .1, .2, .3, .4, .6, .7, .9};
  std::vector<double> margins;
  for (const double x : p) margins.push_back(Margin(x));
  Finding finding;
  const double threshold = ChooseThreshold(frame, All(frame), margins, &finding);
  EXPECT_GT(threshold, .2);  // one false positive for no miss
  EXPECT_LE(threshold, .3);
  EXPECT_EQ(finding.code, "threshold");
  // Every other threshold costs as much or more.
  const auto cost = [&](double t) {
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      sum += frame.costs[static_cast<size_t>(frame.label[i]) * 2 + (p[i] >= t ? 1 : 0)];
    }
    return sum;
  };
  for (double t = 0.01; t < 1; t += 0.01) EXPECT_GE(cost(t), cost(threshold)) << t;
  // A row that weighs much moves it.
  frame.weight = {1, 1, 1, 1, 20, 1, 1, 1};
  const double heavy = ChooseThreshold(frame, All(frame), margins, &finding);
  EXPECT_GT(heavy, .4);
}

TEST(Decision, OfEquallyCheapThresholdsTheNearestToTheory) {
  const Frame frame = BinaryFrame({0, 0, 1, 1}, {0, 1, 1, 0});
  const std::vector<double> margins = {Margin(.1), Margin(.2), Margin(.8), Margin(.9)};
  Finding finding;
  EXPECT_EQ(ChooseThreshold(frame, All(frame), margins, &finding), 0.5);
  EXPECT_NEAR(ThresholdByTheory(std::vector<double>{0, 1, 4, 0}), 0.2, 1e-15);
  EXPECT_EQ(ThresholdByTheory({}), 0.5);
}

TEST(Decision, ManyRandomRowsAgainstTryingAll) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    evaluate::Random random(seed);
    std::vector<int32_t> label;
    std::vector<double> margins, p;
    for (int i = 0; i < 40; ++i) {
      margins.push_back(std::round(4 * random.Normal()) / 2);  // with ties
      label.push_back(random.Uniform() < 1 / (1 + std::exp(-margins.back())) ? 1 : 0);
    }
    label[0] = 0;
    label[1] = 1;
    const Frame frame =
        BinaryFrame(label, {0, 1 + double(random.Below(4)), 1 + double(random.Below(9)), 0});
    p = margins;
    evaluate::SigmoidEach(p, p);
    Finding finding;
    const double threshold = ChooseThreshold(frame, All(frame), margins, &finding);
    const auto cost = [&](double t) {
      double sum = 0;
      for (size_t i = 0; i < p.size(); ++i) {
        sum += frame.costs[static_cast<size_t>(label[i]) * 2 + (p[i] >= t ? 1 : 0)];
      }
      return sum;
    };
    for (double t = 0.001; t < 1; t += 0.001)
      ASSERT_GE(cost(t), cost(threshold)) << seed << " " << t;
  }
}

TEST(Decision, SeveralClassesByExpectedCost) {
  const std::vector<double> costs = {0, 1, 1, 9, 0, 9, 1, 1, 0};
  EXPECT_EQ(evaluate::CheapestClass(std::vector<double>{.6, .3, .1}, costs), 1);
  EXPECT_EQ(evaluate::CheapestClass(std::vector<double>{.95, .02, .03}, costs), 0);
  Frame frame;
  frame.task = model::Task::kMulticlass;
  frame.classes = {"a", "b", "c"};
  frame.label = {0, 1};
  frame.id.resize(2);
  frame.costs = costs;
  const std::vector<double> margins = {std::log(.6), std::log(.3), std::log(.1),
                                       std::log(.6), std::log(.3), std::log(.1)};
  const ScoreView view(frame, All(frame), margins);
  EXPECT_EQ(evaluate::Decisions(view.View()), (std::vector<int32_t>{1, 1}));
  EXPECT_NEAR(evaluate::Evaluate("cost", view.View())->value, 0.5, 1e-15);
}

TEST(Decision, BalancedClassesWeighTheSame) {
  Frame frame = BinaryFrame({0, 0, 0, 1}, {});
  ClassWeightSpec spec;
  EXPECT_TRUE(LearningWeights(spec, frame, "m")->empty());
  spec.balanced = true;
  const std::vector<double> weights = *LearningWeights(spec, frame, "m");
  EXPECT_NEAR(weights[0] * 3, weights[3], 1e-15);
  EXPECT_NEAR(weights[0] * 3 + weights[3], 4, 1e-15);
  frame.weight = {2, 1, 1, 8};
  spec.balanced = false;
  spec.weights = {{"yes", 3}};
  EXPECT_EQ(*LearningWeights(spec, frame, "m"), (std::vector<double>{2, 1, 1, 24}));
  spec.weights = {{"yess", 3}};
  EXPECT_EQ(LearningWeights(spec, frame, "m").error().code, "unknown_class");
}

}  // namespace
}  // namespace headrace::learn
