#include "model/linear_scorer.h"

#include <gtest/gtest.h>

#include <limits>

namespace headrace::model {
namespace {

LinearModel Model() {
  LinearModel model;
  model.outputs = 2;
  model.intercept = {1, 2};
  model.numbers.push_back({0, {0, 10, 20}, {0, 0, 5, -5, 5, -10}, {7, 8}});
  model.categories.push_back({1, {0.5, 0.25, 1.5, 1.25}, {-1, -2}, {-3, -4}});
  return model;
}

std::vector<double> Score(double x, double code) {
  const auto scorer = LinearScorer::Make(Model(), 2);
  EXPECT_TRUE(scorer.ok());
  const double row[] = {x, code};
  std::vector<double> margins(2);
  scorer->Margins(row, 1, 2, margins.data());
  return margins;
}

TEST(LinearScorer, InterpolatesClipsAndLooksUp) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Score(5, 0), (std::vector<double>{1 + 2.5 + 0.5, 2 - 2.5 + 0.25}));
  EXPECT_EQ(Score(-100, 1), (std::vector<double>{1 + 0 + 1.5, 2 + 0 + 1.25}));
  EXPECT_EQ(Score(1e300, 1), (std::vector<double>{1 + 5 + 1.5, 2 - 10 + 1.25}));
  EXPECT_EQ(Score(10, 2), (std::vector<double>{1 + 5 - 1, 2 - 5 - 2}));
  EXPECT_EQ(Score(nan, nan), (std::vector<double>{1 + 7 - 3, 2 + 8 - 4}));
  EXPECT_EQ(Score(0, -1), (std::vector<double>{1 - 1, 2 - 2}));  // no such code
}

TEST(LinearScorer, TextRoundTrip) {
  const std::string text = LinearText(Model());
  const auto scorer = LinearScorer::Parse(text, 2);
  ASSERT_TRUE(scorer.ok()) << scorer.error().message;
  EXPECT_EQ(LinearText(scorer->model()), text);
}

TEST(LinearScorer, RefusesWhatDoesNotFit) {
  const auto refused = [](LinearModel model, int features = 2) {
    const auto scorer = LinearScorer::Make(std::move(model), features);
    return !scorer.ok() && scorer.error().code == "damaged_model";
  };
  EXPECT_TRUE(refused(Model(), 1));
  LinearModel model = Model();
  model.intercept.pop_back();
  EXPECT_TRUE(refused(model));
  model = Model();
  model.numbers[0].x = {0, 0, 20};
  EXPECT_TRUE(refused(model));
  model = Model();
  model.numbers[0].y.pop_back();
  EXPECT_TRUE(refused(model));
  model = Model();
  model.categories[0].unseen[0] = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(refused(model));
  EXPECT_FALSE(LinearScorer::Parse("{}", 2).ok());
  EXPECT_FALSE(LinearScorer::Parse("[1", 2).ok());
}

}  // namespace
}  // namespace headrace::model
