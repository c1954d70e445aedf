#include "learn/linear/linear_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"
#include "source_dir.h"

namespace headrace::learn {
namespace {

using evaluate::Random;

/// Columns and their view.
struct Data {
  std::vector<std::vector<double>> numeric;
  std::vector<std::vector<int32_t>> level;
  std::vector<int32_t> levels;
  size_t rows = 0;

  DesignMatrix View() const {
    DesignMatrix x;
    x.rows = rows;
    for (const auto& column : numeric) x.numeric.push_back(column);
    for (size_t j = 0; j < level.size(); ++j) x.categories.push_back({level[j], levels[j]});
    return x;
  }
};

Data RandomData(uint64_t seed, size_t rows, size_t numeric, std::vector<int32_t> levels) {
  Random random(seed);
  Data data;
  data.rows = rows;
  data.levels = std::move(levels);
  for (size_t j = 0; j < numeric; ++j) {
    auto& column = data.numeric.emplace_back(rows);
    for (double& v : column) v = 3.0 * static_cast<double>(j) + random.Normal();
  }
  for (const int32_t count : data.levels) {
    auto& column = data.level.emplace_back(rows);
    for (int32_t& v : column) v = static_cast<int32_t>(random.Below(static_cast<uint64_t>(count)));
  }
  return data;
}

/// True coefficients grow with the column; every fifth level of a category has an effect.
std::vector<double> TrueMargins(const Data& data) {
  std::vector<double> margins(data.rows);
  for (size_t j = 0; j < data.numeric.size(); ++j) {
    for (size_t i = 0; i < data.rows; ++i) {
      margins[i] +=
          0.1 * static_cast<double>(j + 1) * (data.numeric[j][i] - 3.0 * static_cast<double>(j));
    }
  }
  for (const auto& column : data.level) {
    for (size_t i = 0; i < data.rows; ++i) margins[i] += column[i] % 5 == 0 ? 1.0 : 0.0;
  }
  return margins;
}

std::vector<int32_t> RandomLabels(uint64_t seed, const std::vector<double>& margins) {
  Random random(seed);
  std::vector<int32_t> label;
  for (const double m : margins) label.push_back(random.Uniform() < evaluate::Sigmoid(m) ? 1 : 0);
  return label;
}

TEST(LinearFit, EqualsScikitLearn) {
  std::ifstream file(SourceDir() + "/tests/golden/evaluate/fixture.json");
  const nlohmann::json golden = nlohmann::json::parse(file)["linear"];
  Data data;
  data.numeric = golden["x"].get<std::vector<std::vector<double>>>();
  data.level = {golden["c"].get<std::vector<int32_t>>()};
  data.levels = {5};
  data.rows = data.level[0].size();
  const auto weights = golden["w"].get<std::vector<double>>();
  const auto y = golden["y_regression"].get<std::vector<double>>();
  const auto binary = golden["y_binary"].get<std::vector<int32_t>>();
  const auto multinomial = golden["y_multinomial"].get<std::vector<int32_t>>();
  ASSERT_EQ(golden["fits"].size(), 36u);
  for (const auto& fit : golden["fits"]) {
    LinearOptions options;
    options.l2 = fit["l2"];
    options.standardise = fit["standardise"];
    const std::span<const double> weight =
        fit["weighted"].get<bool>() ? std::span<const double>(weights) : std::span<const double>();
    const std::string kind = fit["kind"];
    const auto model = kind == "ridge" ? FitRidge(data.View(), y, weight, options)
                       : kind == "binary"
                           ? FitLogistic(data.View(), binary, 2, weight, options)
                           : FitLogistic(data.View(), multinomial, 3, weight, options);
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_TRUE(model->converged) << fit.dump().substr(0, 80) << model->note;
    const auto coefficient = fit["coefficient"].get<std::vector<double>>();
    const auto intercept = fit["intercept"].get<std::vector<double>>();
    ASSERT_EQ(model->coefficient.size(), coefficient.size());
    for (size_t j = 0; j < coefficient.size(); ++j) {
      EXPECT_NEAR(model->coefficient[j], coefficient[j], 1e-6)
          << kind << " " << fit["l2"] << " " << j;
    }
    for (size_t k = 0; k < intercept.size(); ++k) {
      EXPECT_NEAR(model->intercept[k], intercept[k], 1e-6) << kind << " " << fit["l2"];
    }
  }
}

TEST(LinearFit, ManyLevelsAgreeWithFew) {
  // 700 coefficients: conjugate gradients instead of the factorised Hessian. Padding levels that
  // never occur must not change the others.
  Data small = RandomData(1, 3000, 3, {40});
  const std::vector<int32_t> label = RandomLabels(2, TrueMargins(small));
  Data large = small;
  large.levels = {700};
  LinearOptions options;
  const auto a = FitLogistic(small.View(), label, 2, {}, options);
  const auto b = FitLogistic(large.View(), label, 2, {}, options);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(b->converged) << b->note;
  for (size_t j = 0; j < 43; ++j) EXPECT_NEAR(a->coefficient[j], b->coefficient[j], 1e-6) << j;
  for (size_t j = 43; j < 703; ++j) EXPECT_EQ(b->coefficient[j], 0);
  const std::vector<double> y = TrueMargins(small);
  large.levels = {2100};
  const auto c = FitRidge(small.View(), y, {}, options);
  const auto d = FitRidge(large.View(), y, {}, options);
  ASSERT_TRUE(c.ok() && d.ok());
  for (size_t j = 0; j < 43; ++j) EXPECT_NEAR(c->coefficient[j], d->coefficient[j], 1e-7) << j;
}

TEST(LinearFit, PathEqualsSingleFits) {
  const Data data = RandomData(3, 500, 4, {6});
  const std::vector<double> truth = TrueMargins(data);
  const std::vector<int32_t> label = RandomLabels(4, truth);
  const std::vector<double> strengths = {0.1, 100, 1};
  LinearOptions options;
  const auto path = LogisticPath(data.View(), label, 2, {}, options, strengths);
  const auto ridge = RidgePath(data.View(), truth, {}, options, strengths);
  ASSERT_TRUE(path.ok() && ridge.ok());
  for (size_t i = 0; i < strengths.size(); ++i) {
    options.l2 = strengths[i];
    const auto one = FitLogistic(data.View(), label, 2, {}, options);
    const auto line = FitRidge(data.View(), truth, {}, options);
    for (size_t j = 0; j < 10; ++j) {
      EXPECT_NEAR((*path)[i].coefficient[j], one->coefficient[j], 1e-7);
      EXPECT_EQ((*ridge)[i].coefficient[j], line->coefficient[j]);
    }
  }
  const auto warm = FitLogistic(data.View(), label, 2, {}, options, &(*path)[2]);
  ASSERT_TRUE(warm.ok());
  EXPECT_EQ(warm->iterations, 0);
}

TEST(LinearFit, WholeWeightsEqualRepeatedRows) {
  const Data data = RandomData(5, 200, 2, {3});
  const std::vector<int32_t> label = RandomLabels(6, TrueMargins(data));
  Random random(7);
  std::vector<double> weight;
  Data repeated;
  repeated.numeric.resize(2);
  repeated.level.resize(1);
  repeated.levels = {3};
  std::vector<int32_t> repeated_label;
  for (size_t i = 0; i < data.rows; ++i) {
    weight.push_back(static_cast<double>(random.Below(4)));
    for (int k = 0; k < static_cast<int>(weight[i]); ++k) {
      for (size_t j = 0; j < 2; ++j) repeated.numeric[j].push_back(data.numeric[j][i]);
      repeated.level[0].push_back(data.level[0][i]);
      repeated_label.push_back(label[i]);
    }
  }
  repeated.rows = repeated_label.size();
  const auto a = FitLogistic(data.View(), label, 2, weight, {});
  const auto b = FitLogistic(repeated.View(), repeated_label, 2, {}, {});
  ASSERT_TRUE(a.ok() && b.ok());
  for (size_t j = 0; j < 5; ++j) EXPECT_NEAR(a->coefficient[j], b->coefficient[j], 1e-8);
}

TEST(LinearFit, ScaleOfAColumnDoesNotMatter) {
  Data data = RandomData(8, 400, 3, {});
  const std::vector<int32_t> label = RandomLabels(9, TrueMargins(data));
  const auto a = FitLogistic(data.View(), label, 2, {}, {});
  for (double& v : data.numeric[1]) v = 1.7e9 + 1e6 * v;  // seconds since 1970
  const auto b = FitLogistic(data.View(), label, 2, {}, {});
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(b->converged);
  EXPECT_NEAR(a->coefficient[0], b->coefficient[0], 1e-7);
  EXPECT_NEAR(a->coefficient[1], 1e6 * b->coefficient[1], 1e-7);
}

TEST(LinearFit, ConstantAndCollinearColumns) {
  Data data = RandomData(10, 300, 2, {4});
  data.numeric.push_back(std::vector<double>(300, 0.1));
  data.numeric.push_back(data.numeric[0]);
  const std::vector<double> truth = TrueMargins(RandomData(10, 300, 2, {4}));
  const std::vector<int32_t> label = RandomLabels(11, truth);
  for (const double l2 : {0.0, 1.0}) {
    LinearOptions options;
    options.l2 = l2;
    const auto ridge = FitRidge(data.View(), truth, {}, options);
    const auto logistic = FitLogistic(data.View(), label, 2, {}, options);
    ASSERT_TRUE(ridge.ok() && logistic.ok());
    EXPECT_EQ(ridge->note.empty(), l2 > 0);
    EXPECT_TRUE(logistic->converged) << logistic->note;
    for (const auto* model : {&*ridge, &*logistic}) {
      EXPECT_EQ(model->coefficient[2], 0);                              // constant
      EXPECT_NEAR(model->coefficient[0], model->coefficient[3], 1e-4);  // twins share
      for (const double c : model->coefficient) EXPECT_TRUE(std::isfinite(c));
    }
    std::vector<double> margins(300);
    ASSERT_TRUE(LinearMargins(*ridge, data.View(), margins).ok());
    if (l2 > 0) continue;
    for (size_t i = 0; i < 300; ++i) EXPECT_NEAR(margins[i], truth[i], 1e-8);
  }
}

TEST(LinearFit, SeparableClasses) {
  Data data;
  data.rows = 40;
  data.numeric.resize(1);
  std::vector<int32_t> label;
  for (int i = 0; i < 40; ++i) {
    data.numeric[0].push_back(i);
    label.push_back(i >= 20 ? 1 : 0);
  }
  LinearOptions options;
  EXPECT_TRUE(FitLogistic(data.View(), label, 2, {}, options)->converged);
  options.l2 = 0;
  const auto model = FitLogistic(data.View(), label, 2, {}, options);
  ASSERT_TRUE(model.ok());
  EXPECT_FALSE(model->converged);
  EXPECT_EQ(model->note,
            "the classes can be separated, so without a penalty coefficients grow without limit; "
            "they were stopped");
  EXPECT_TRUE(std::isfinite(model->coefficient[0]));
  options.l2 = 1e-12;  // nearly no penalty must still end
  EXPECT_TRUE(std::isfinite(FitLogistic(data.View(), label, 2, {}, options)->coefficient[0]));
}

TEST(LinearFit, WideCasesAndExtremeValuesStayFinite) {
  // More coefficients than rows, huge and tiny numbers, a class with one row.
  Data data = RandomData(12, 30, 40, {10});
  for (double& v : data.numeric[3]) v *= 1e150;
  for (double& v : data.numeric[4]) v *= 1e-200;
  std::vector<int32_t> label(30);
  for (size_t i = 0; i < 30; ++i) label[i] = static_cast<int32_t>(i % 3);
  label[29] = 3;
  const auto model = FitLogistic(data.View(), label, 5, {}, {});  // class 4 has no row
  ASSERT_TRUE(model.ok());
  for (const double c : model->coefficient) EXPECT_TRUE(std::isfinite(c));
  for (const double c : model->intercept) EXPECT_TRUE(std::isfinite(c));
  const std::vector<double> y(30, 7.0);
  const auto constant = FitRidge(data.View(), y, {}, {});
  ASSERT_TRUE(constant.ok());
  EXPECT_NEAR(constant->intercept[0], 7, 1e-9);
}

TEST(LinearFit, Refusals) {
  Data data = RandomData(13, 20, 1, {});
  std::vector<int32_t> label(20, 1);
  EXPECT_EQ(FitLogistic(data.View(), label, 2, {}, {}).error().code, "one_class");
  label[0] = 0;
  std::vector<double> y(20, 1.0);
  y[4] = NAN;
  EXPECT_EQ(FitRidge(data.View(), y, {}, {}).error().message, "the target of row 5 is nan");
  const std::vector<double> zero(20, 0.0);
  EXPECT_EQ(FitLogistic(data.View(), label, 2, zero, {}).error().code, "too_few_rows");
  data.numeric[0][6] = NAN;
  EXPECT_EQ(FitLogistic(data.View(), label, 2, {}, {}).error().message,
            "numeric column 0 holds nan in row 7; a linear model needs finite numbers, so missing "
            "values must be filled before");
  EXPECT_EQ(FitRidge({}, {}, {}, {}).error().code, "too_few_rows");
  data.numeric[0][6] = 0;
  CancelToken cancel;
  cancel.Cancel();
  LinearOptions options;
  options.cancel = &cancel;
  EXPECT_EQ(FitLogistic(data.View(), label, 2, {}, options).error().code, "cancelled");
}

TEST(LinearFit, LevelMinusOneIsARowOfZeros) {
  Data data = RandomData(14, 100, 1, {3});
  for (size_t i = 0; i < 100; i += 7) data.level[0][i] = -1;
  const std::vector<double> y = TrueMargins(data);
  const auto model = FitRidge(data.View(), y, {}, {});
  ASSERT_TRUE(model.ok());
  std::vector<double> margins(100);
  ASSERT_TRUE(LinearMargins(*model, data.View(), margins).ok());
  EXPECT_NEAR(margins[0], model->intercept[0] + model->coefficient[0] * data.numeric[0][0], 1e-12);
}

}  // namespace
}  // namespace headrace::learn
