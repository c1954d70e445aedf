#include "evaluate/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "evaluate/deterministic_math.h"
#include "evaluate/golden_fixture.h"
#include "evaluate/random.h"
#include "source_dir.h"

namespace headrace::evaluate {
namespace {

TEST(Calibration, EqualsScikitLearn) {
  const Json golden = EvaluateFixture()["calibration"];
  const std::vector<int32_t> y = Ints(golden["y"]);
  const std::vector<double> margin = Doubles(golden["margin"]), w = Doubles(golden["w"]),
                            probe = Doubles(golden["probe"]);
  for (const bool weighted : {false, true}) {
    const auto& wanted = golden[weighted ? "weighted" : "plain"];
    const std::span<const double> weight =
        weighted ? std::span<const double>(w) : std::span<const double>();
    const auto affine = FitAffine(y, margin, weight);
    ASSERT_TRUE(affine.ok());
    EXPECT_NEAR(affine->slope, wanted["slope"].get<double>(), 1e-7);
    EXPECT_NEAR(affine->intercept, wanted["intercept"].get<double>(), 1e-7);
    const auto isotonic = FitIsotonic(y, margin, weight);
    ASSERT_TRUE(isotonic.ok());
    const auto x = Doubles(wanted["x"]), steps = Doubles(wanted["y"]);
    ASSERT_EQ(isotonic->x, x);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(isotonic->y[i], steps[i], 1e-12);
    const auto applied = Doubles(wanted["probe"]);
    for (size_t i = 0; i < probe.size(); ++i) {
      EXPECT_NEAR(isotonic->Apply(probe[i]), applied[i], 1e-12);
    }
  }
}

TEST(Calibration, EqualsSharedGoldens) {
  const std::string folder = SourceDir() + "/../shared/golden/calibration/";
  const Json golden = ReadGolden(folder + "calibration_golden.json");
  if (golden.is_null()) GTEST_SKIP() << "no shared goldens";
  for (const std::string name : {"adult", "bank_marketing"}) {
    std::ifstream csv(folder + "scores_" + name + ".csv");
    std::string line;
    std::getline(csv, line);
    std::vector<int32_t> y;
    std::vector<double> score, weight, apply, margins;
    while (std::getline(csv, line)) {
      std::stringstream cells(line);
      std::string a, b, c, d;
      std::getline(cells, a, ',');
      std::getline(cells, b, ',');
      std::getline(cells, c, ',');
      std::getline(cells, d, ',');
      if (d.starts_with("apply")) {
        apply.push_back(std::stod(b));
        continue;
      }
      y.push_back(std::stoi(a));
      score.push_back(std::stod(b));
      weight.push_back(std::stod(c));
      margins.push_back(0);
      margins.push_back(Logit(std::clamp(score.back(), 1e-6, 1 - 1e-6)));
    }
    const auto temperature = FitTemperature(y, 2, margins);
    ASSERT_TRUE(temperature.ok());
    EXPECT_NEAR(temperature->temperature, golden["temperature"][name]["T"].get<double>(), 1e-6);
    for (const std::string kind : {"plain", "weighted"}) {
      const std::span<const double> w =
          kind == "plain" ? std::span<const double>() : std::span<const double>(weight);
      const auto& platt = golden["platt"][name + "_" + kind];
      const auto affine = FitAffine(y, score, w);
      EXPECT_NEAR(affine->slope, -platt["a"].get<double>(), 1e-4 * affine->slope);
      EXPECT_NEAR(affine->intercept, -platt["b"].get<double>(), 1e-3);
      const auto& steps = golden["isotonic"][name + "_" + kind];
      const auto isotonic = FitIsotonic(y, score, w);
      ASSERT_EQ(isotonic->x, Doubles(steps["x_thresholds"]));
      const auto applied = Doubles(steps["applied_first_200"]);
      for (size_t i = 0; i < 200; ++i) EXPECT_NEAR(isotonic->Apply(apply[i]), applied[i], 1e-9);
    }
  }
}

TEST(FitAffine, FindsTheTrueMap) {
  Random random(1);
  std::vector<int32_t> y;
  std::vector<double> margin;
  for (int i = 0; i < 20000; ++i) {
    const double truth = 2 * random.Normal();
    y.push_back(random.Uniform() < Sigmoid(truth) ? 1 : 0);
    margin.push_back((truth - 0.5) / 3);  // truth = 3 margin + 0.5
  }
  const auto fit = FitAffine(y, margin);
  ASSERT_TRUE(fit.ok());
  EXPECT_NEAR(fit->slope, 3, 0.1);
  EXPECT_NEAR(fit->intercept, 0.5, 0.1);
  EXPECT_NEAR(fit->Apply(0), Sigmoid(fit->intercept), 1e-15);
}

TEST(FitAffine, DegenerateMargins) {
  const std::vector<int32_t> y = {0, 1, 0, 1, 1};
  const std::vector<double> same(5, 3.0), separable = {-1, 1, -1, 1, 1},
                                          huge = {-1e200, 1e200, 0, 1, 2};
  const auto flat = FitAffine(y, same);
  ASSERT_TRUE(flat.ok());
  EXPECT_NEAR(flat->Apply(3), 0.58, 1e-9);     // (3 · 0.8 + 2 · 0.25) / 5 = 0.58
  const auto apart = FitAffine(y, separable);  // Platt's targets keep it finite
  ASSERT_TRUE(apart.ok());
  EXPECT_NEAR(apart->Apply(1), 4.0 / 5, 1e-9);
  EXPECT_NEAR(apart->Apply(-1), 1.0 / 4, 1e-9);
  EXPECT_TRUE(std::isfinite(FitAffine(y, huge)->slope));
}

TEST(Calibration, Refusals) {
  const std::vector<int32_t> ones = {1, 1}, y = {0, 1};
  const std::vector<double> m = {1, 2}, bad = {1, NAN};
  EXPECT_EQ(FitAffine(ones, m).error().code, "one_class");
  EXPECT_EQ(FitAffine({}, {}).error().code, "no_rows");
  EXPECT_EQ(FitAffine(y, bad).error().message,
            "the score of row 2 is nan; calibration needs finite scores");
  EXPECT_EQ(FitIsotonic(y, bad).error().code, "bad_margin");
  EXPECT_EQ(FitTemperature(y, 2, m).error().blame, Blame::kInternal);
}

TEST(FitTemperature, UndoesAScale) {
  Random random(2);
  std::vector<int32_t> y;
  std::vector<double> margins, p(3);
  for (int i = 0; i < 20000; ++i) {
    std::vector<double> truth = {random.Normal(), random.Normal(), random.Normal()};
    Softmax(truth, p);
    const double u = random.Uniform();
    y.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
    for (const double t : truth) margins.push_back(2.5 * t);
  }
  EXPECT_NEAR(FitTemperature(y, 3, margins)->temperature, 2.5, 0.1);
}

TEST(FitIsotonic, NeverFallsAndKeepsTheMean) {
  Random random(3);
  std::vector<double> score, target, weight;
  for (int i = 0; i < 300; ++i) {
    score.push_back(static_cast<double>(random.Below(60)));
    target.push_back(score.back() / 60 + random.Normal());
    weight.push_back(static_cast<double>(random.Below(3)));
  }
  const auto fit = FitIsotonicValues(target, score, weight);
  ASSERT_TRUE(fit.ok());
  for (size_t i = 1; i < fit->x.size(); ++i) {
    EXPECT_LT(fit->x[i - 1], fit->x[i]);
    EXPECT_LE(fit->y[i - 1], fit->y[i]);
  }
  double before = 0, after = 0;
  for (size_t i = 0; i < score.size(); ++i) {
    before += weight[i] * target[i];
    after += weight[i] * fit->Apply(score[i]);
  }
  EXPECT_NEAR(before, after, 1e-9);
  EXPECT_EQ(fit->Apply(-1), fit->y.front());
  EXPECT_EQ(fit->Apply(1e9), fit->y.back());
  EXPECT_TRUE(std::isnan(fit->Apply(NAN)));
}

TEST(ConformalQuantile, IsAnOrderStatistic) {
  const std::vector<double> scores = {5, 1, 4, 2, 3, 9, 8, 7, 6};
  EXPECT_EQ(ConformalQuantile(scores, 0.1), 9);  // k = ⌈10 · 0.9⌉ = 9
  EXPECT_EQ(ConformalQuantile(scores, 0.5), 5);
  EXPECT_EQ(ConformalQuantile(scores, 0.05), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ConformalQuantile({}, 0.1), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace headrace::evaluate
