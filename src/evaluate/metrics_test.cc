#include "evaluate/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "evaluate/golden_fixture.h"
#include "evaluate/random.h"
#include "source_dir.h"

namespace headrace::evaluate {
namespace {

struct OwnedRows {
  std::vector<int32_t> label;
  std::vector<double> actual, score, weight;
  Task task = Task::kBinary;
  int classes = 2;
  bool with_costs = false;

  ScoredRows View(bool weighted) const {
    const std::span<const double> w =
        weighted ? std::span<const double>(weight) : std::span<const double>();
    if (task == Task::kRegression) return RegressionRows(actual, score, w);
    ScoredRows rows = task == Task::kMulticlass ? MulticlassRows(label, classes, score, w)
                                                : BinaryRows(label, score, w);
    if (with_costs) rows.costs = Costs(classes);
    return rows;
  }
  /// Different for every pair; 0 where the class is right.
  static std::span<const double> Costs(int classes) {
    static std::map<int, std::vector<double>> known;
    std::vector<double>& costs = known[classes];
    for (int i = static_cast<int>(costs.size()); i < classes * classes; ++i) {
      costs.push_back(i % (classes + 1) == 0 ? 0 : 1 + 0.25 * i);
    }
    return costs;
  }
};

OwnedRows FromJson(const Json& set) {
  OwnedRows rows;
  const std::string task = set["task"];
  rows.task = task == "binary"       ? Task::kBinary
              : task == "multiclass" ? Task::kMulticlass
                                     : Task::kRegression;
  rows.score = Doubles(set["p"]);
  rows.weight = Doubles(set["w"]);
  if (rows.task == Task::kRegression) {
    rows.actual = Doubles(set["y"]);
  } else {
    rows.label = Ints(set["y"]);
    rows.classes =
        static_cast<int>(rows.task == Task::kBinary ? 2 : rows.score.size() / rows.label.size());
  }
  return rows;
}

TEST(Metrics, EqualScikitLearn) {
  const Json fixture = EvaluateFixture();
  ASSERT_FALSE(fixture.is_null());
  std::set<std::string> covered;
  for (const auto& [name, set] : fixture["metrics"].items()) {
    const OwnedRows rows = FromJson(set);
    for (const bool weighted : {false, true}) {
      const auto& wanted = set[weighted ? "weighted" : "plain"];
      for (const auto& [metric, value] : wanted.items()) {
        const auto got = Evaluate(metric, rows.View(weighted));
        ASSERT_TRUE(got.ok()) << got.error().message;
        const double scale = std::max(1.0, std::fabs(value.get<double>()));
        EXPECT_NEAR(got->value, value.get<double>(), 1e-11 * scale)
            << name << " " << metric << (weighted ? " weighted" : "");
        covered.insert(metric);
      }
    }
  }
  for (const Metric& metric : AllMetrics()) {
    if (metric.name == "cost") continue;            // of the model's own costs
    if (metric.name == "top_5_accuracy") continue;  // the fixture has four classes
    EXPECT_TRUE(covered.count(std::string(metric.name))) << metric.name << " has no golden value";
  }
}

TEST(Metrics, EvaluateAllGivesTheSameAsOneByOne) {
  const Json fixture = EvaluateFixture();
  for (const auto& [name, set] : fixture["metrics"].items()) {
    OwnedRows rows = FromJson(set);
    rows.with_costs = true;
    const auto all = EvaluateAll(rows.View(true));
    ASSERT_TRUE(all.ok());
    for (const NamedValue& value : *all) {
      EXPECT_EQ(value.value.value, Evaluate(value.name, rows.View(true))->value) << value.name;
    }
  }
}

/// Saved predictions and what scikit-learn says of them; `compared` counts the values.
void CompareGoldens(const std::string& folder, int* compared) {
  const Json golden = ReadGolden(folder + "metrics_golden.json");
  ASSERT_FALSE(golden.is_null()) << folder;
  const std::map<std::string, std::string> names = {{"brier", "brier_score"},
                                                    {"mcc", "matthews_corrcoef"},
                                                    {"kappa", "cohen_kappa"},
                                                    {"roc_auc_max_fpr_0.1", "roc_auc_fpr_10"},
                                                    {"ece_equal_width_10", "ece"},
                                                    {"ece_equal_count_10", "ece_equal_count"},
                                                    {"lift_top_10pct", "lift_10"},
                                                    {"medae", "median_absolute_error"},
                                                    {"mape_sklearn_fraction", "mape"},
                                                    {"pinball_0.1", "pinball_10"},
                                                    {"pinball_0.5", "pinball_50"},
                                                    {"pinball_0.9", "pinball_90"},
                                                    {"tweedie_1_5", "tweedie_deviance"},
                                                    {"d2_pinball", "d2_absolute_error"},
                                                    {"smape_m4", "smape"},
                                                    {"auc_ovr_macro", "roc_auc"},
                                                    {"auc_ovr_weighted", "roc_auc_ovr_weighted"},
                                                    {"auc_ovo_macro", "roc_auc_ovo"},
                                                    {"brier_sum", "brier_score"}};
  for (const auto& [name, set] : golden["sets"].items()) {
    std::ifstream csv(folder + "preds_" + name + ".csv");
    std::string line;
    std::getline(csv, line);
    std::vector<std::vector<double>> table;
    while (std::getline(csv, line)) {
      std::vector<double> cells;
      std::stringstream stream(line);
      for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(std::stod(cell));
      table.push_back(cells);
    }
    const std::string task = set["task"];
    OwnedRows rows;
    rows.task = task == "binary"       ? Task::kBinary
                : task == "multiclass" ? Task::kMulticlass
                                       : Task::kRegression;
    rows.classes = rows.task == Task::kMulticlass ? static_cast<int>(table[0].size()) - 2 : 2;
    std::vector<double> ties;
    for (const auto& cells : table) {
      rows.label.push_back(static_cast<int32_t>(cells[0]));
      rows.actual.push_back(cells[0]);
      rows.weight.push_back(cells.back());
      for (int k = 0; k < (rows.task == Task::kMulticlass ? rows.classes : 1); ++k) {
        rows.score.push_back(cells[static_cast<size_t>(1 + k)]);
      }
      ties.push_back(cells[2]);
    }
    for (const std::string variant : {"plain", "weighted", "ties", "ties_weighted"}) {
      if (!set.contains(variant)) continue;
      OwnedRows used = rows;
      if (variant.starts_with("ties")) used.score = ties;
      const bool weighted = variant.ends_with("weighted");
      for (const auto& [metric, value] : set[variant].items()) {
        // The file has these two without weights in both places.
        const bool unweighted =
            rows.task == Task::kMulticlass &&
            (metric.starts_with("auc_") || metric == "brier_sum" || metric == "kappa");
        const std::string ours = names.count(metric) ? names.at(metric) : metric;
        if (!FindMetric(ours, rows.task).ok()) continue;
        const auto got = Evaluate(ours, used.View(weighted && !unweighted));
        ASSERT_TRUE(got.ok()) << got.error().message;
        if (!value.is_number()) {
          EXPECT_FALSE(got->defined()) << name << " " << metric;
          continue;
        }
        const double scale = std::max(1.0, std::fabs(value.get<double>()));
        EXPECT_NEAR(got->value, value.get<double>(), 1e-10 * scale) << name << variant << metric;
        ++*compared;
      }
    }
  }
  for (const std::string edges : {"edge_binary", "edge_regression"}) {
    for (const auto& [name, set] : golden[edges].items()) {
      OwnedRows rows;
      rows.task = edges == "edge_binary" ? Task::kBinary : Task::kRegression;
      rows.actual = Doubles(set["y"]);
      for (const double y : rows.actual) rows.label.push_back(static_cast<int32_t>(y));
      rows.score = Doubles(set[edges == "edge_binary" ? "p" : "f"]);
      for (const auto& [metric, value] : set.items()) {
        const std::string ours = names.count(metric) ? names.at(metric) : metric;
        if (!FindMetric(ours, rows.task).ok()) continue;
        const auto got = Evaluate(ours, rows.View(false));
        ASSERT_TRUE(got.ok()) << got.error().message;
        if (!got->defined()) continue;  // stated by name in UndefinedSaysWhy
        ASSERT_TRUE(value.is_number()) << name << metric << value;
        const double scale = std::max(1.0, std::fabs(value.get<double>()));
        EXPECT_NEAR(got->value, value.get<double>(), 1e-10 * scale) << name << " " << metric;
        ++*compared;
      }
    }
  }
}

TEST(Metrics, EqualSavedPredictions) {
  int compared = 0;
  CompareGoldens(SourceDir() + "/tests/golden/metrics/", &compared);
  EXPECT_GT(compared, 100);
}

// More of them, if they lie beside the checkout.
TEST(Metrics, EqualSharedGoldens) {
  const std::string folder = SourceDir() + "/../shared/golden/metrics/";
  if (ReadGolden(folder + "metrics_golden.json").is_null()) GTEST_SKIP() << "no shared goldens";
  int compared = 0;
  CompareGoldens(folder, &compared);
  EXPECT_GT(compared, 300);
}

TEST(Metrics, UndefinedSaysWhy) {
  const std::vector<int32_t> ones = {1, 1, 1}, zeros = {0, 0, 0};
  const std::vector<double> p = {0.2, 0.6, 0.9};
  EXPECT_EQ(Evaluate("roc_auc", BinaryRows(ones, p))->undefined, "all rows are of one class");
  EXPECT_EQ(Evaluate("ks", BinaryRows(ones, p))->undefined, "all rows are of one class");
  EXPECT_EQ(Evaluate("roc_auc_fpr_10", BinaryRows(zeros, p))->undefined,
            "all rows are of one class");
  EXPECT_EQ(Evaluate("average_precision", BinaryRows(zeros, p))->undefined, "no row is positive");
  EXPECT_EQ(Evaluate("lift_10", BinaryRows(zeros, p))->undefined, "no row is positive");
  EXPECT_EQ(Evaluate("specificity", BinaryRows(ones, p))->undefined, "no row is negative");
  const std::vector<double> low = {0.1, 0.2, 0.3};
  EXPECT_EQ(Evaluate("cohen_kappa", BinaryRows(zeros, low))->undefined,
            "truth and decision are the same single class");
  const std::vector<double> one = {3}, half = {2.5};
  EXPECT_EQ(Evaluate("r2", RegressionRows(one, half))->undefined, "r2 needs at least two rows");
  const std::vector<double> y = {0, 1}, f = {-2, 1};
  EXPECT_EQ(Evaluate("rmsle", RegressionRows(y, f))->undefined,
            "targets and predictions must be above -1");
  EXPECT_EQ(Evaluate("poisson_deviance", RegressionRows(y, f))->undefined,
            "predictions must be positive");
  const std::vector<double> good = {1, 1};
  EXPECT_EQ(Evaluate("gamma_deviance", RegressionRows(y, good))->undefined,
            "targets must be positive");
  const std::vector<int32_t> two = {0, 1, 1};
  const std::vector<double> three = {.5, .3, .2, .2, .5, .3, .1, .6, .3};
  EXPECT_EQ(Evaluate("roc_auc", MulticlassRows(two, 3, three))->undefined, "a class has no row");
}

TEST(Metrics, UndefinedDegenerateDecisionsAreZeroAsInScikitLearn) {
  const std::vector<int32_t> y = {0, 1};
  const std::vector<double> p = {0.3, 0.4};
  for (const char* metric : {"precision", "recall", "f1", "f2", "matthews_corrcoef"}) {
    EXPECT_EQ(Evaluate(metric, BinaryRows(y, p))->value, 0) << metric;
  }
}

TEST(Metrics, BadRowsAreNamed) {
  const std::vector<int32_t> y = {0, 1};
  const std::vector<double> p = {0.3, NAN}, w = {1, -1}, zero = {0, 0}, good = {0.1, 0.2};
  EXPECT_EQ(Evaluate("roc_auc", BinaryRows(y, p)).error().message,
            "score of row 2 is nan; metrics need finite numbers");
  EXPECT_EQ(Evaluate("roc_auc", BinaryRows(y, good, w)).error().message,
            "weight of row 2 is -1; weights are finite and not negative");
  EXPECT_EQ(Evaluate("roc_auc", BinaryRows(y, good, zero)).error().message,
            "all weights are 0; at least one row must count");
  EXPECT_EQ(Evaluate("rmse", RegressionRows({}, {})).error().message,
            "there are no rows to evaluate");
  const std::vector<int32_t> bad = {0, 2};
  EXPECT_EQ(Evaluate("roc_auc", BinaryRows(bad, good)).error().blame, Blame::kInternal);
}

TEST(Metrics, UnknownNamesGetCandidates) {
  const auto typo = FindMetric("roc_acu", Task::kBinary);
  ASSERT_FALSE(typo.ok());
  EXPECT_EQ(typo.error().code, "unknown_metric");
  EXPECT_EQ(typo.error().message, "there is no metric 'roc_acu'");
  ASSERT_FALSE(typo.error().candidates.empty());
  EXPECT_EQ(typo.error().candidates[0], "roc_auc");
  const auto other = FindMetric("rmse", Task::kBinary);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, "metric_for_other_task");
  EXPECT_EQ(other.error().message, "metric 'rmse' is not for binary classification");
  EXPECT_EQ((*FindMetric("neg_log_loss", Task::kBinary))->name, "log_loss");
  EXPECT_EQ((*FindMetric("mcc", Task::kMulticlass))->name, "matthews_corrcoef");
  for (const Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    EXPECT_TRUE(FindMetric(DefaultMetric(task), task).ok());
  }
}

TEST(Metrics, NamesAndAliasesAreUnique) {
  std::set<std::string> seen;
  for (const Metric& metric : AllMetrics()) {
    EXPECT_TRUE(seen.insert(std::string(metric.name)).second) << metric.name;
    std::stringstream aliases{std::string(metric.aliases)};
    for (std::string alias; aliases >> alias;) EXPECT_TRUE(seen.insert(alias).second) << alias;
    EXPECT_FALSE(metric.doc.empty());
    EXPECT_NE(metric.compute, nullptr);
  }
}

// Properties, on random rows with ties and weights.
class MetricProperties : public testing::TestWithParam<int> {};

TEST_P(MetricProperties, Hold) {
  Random random(static_cast<uint64_t>(GetParam()));
  OwnedRows rows;
  rows.with_costs = true;
  const auto n = 20 + random.Below(80);
  for (size_t i = 0; i < n; ++i) {
    rows.label.push_back(i < 2 ? static_cast<int32_t>(i) : static_cast<int32_t>(random.Below(2)));
    rows.score.push_back(0.05 * static_cast<double>(1 + random.Below(19)));
    rows.weight.push_back(static_cast<double>(1 + random.Below(3)));
  }
  // A whole weight counts like repeated rows.
  OwnedRows repeated;
  repeated.with_costs = true;
  for (size_t i = 0; i < n; ++i) {
    for (int k = 0; k < static_cast<int>(rows.weight[i]); ++k) {
      repeated.label.push_back(rows.label[i]);
      repeated.score.push_back(rows.score[i]);
    }
  }
  // Rows of weight 0 don't count.
  OwnedRows padded = rows;
  padded.label.push_back(1);
  padded.score.push_back(0.99);
  padded.weight.push_back(0);
  for (const Metric& metric : AllMetrics()) {
    if (!metric.binary || metric.name == "lift_10" || metric.name == "ece_equal_count") continue;
    const double weighted = metric.compute(rows.View(true)).value;
    EXPECT_NEAR(weighted, metric.compute(repeated.View(false)).value, 1e-12) << metric.name;
    EXPECT_NEAR(weighted, metric.compute(padded.View(true)).value, 1e-12) << metric.name;
  }
  // Ranking metrics don't change under a growing map; the area turns over when scores do.
  OwnedRows mapped = rows, turned = rows;
  for (double& p : mapped.score) p = p * p;
  for (double& p : turned.score) p = 1 - p;
  EXPECT_DOUBLE_EQ(Evaluate("roc_auc", mapped.View(true))->value,
                   Evaluate("roc_auc", rows.View(true))->value);
  EXPECT_NEAR(Evaluate("roc_auc", turned.View(true))->value,
              1 - Evaluate("roc_auc", rows.View(true))->value, 1e-12);
  // The area is the chance that a positive is above a negative.
  double above = 0, pairs = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      if (rows.label[i] != 1 || rows.label[j] != 0) continue;
      const double w = rows.weight[i] * rows.weight[j];
      pairs += w;
      above += rows.score[i] > rows.score[j] ? w : rows.score[i] == rows.score[j] ? 0.5 * w : 0;
    }
  }
  EXPECT_NEAR(Evaluate("roc_auc", rows.View(true))->value, above / pairs, 1e-12);
}
INSTANTIATE_TEST_SUITE_P(Seeds, MetricProperties, testing::Range(0, 20));

TEST(RankByScore, SortsLikeAStableSort) {
  Random random(4);
  for (const size_t n : {size_t{0}, size_t{1}, size_t{50}, size_t{5000}}) {
    std::vector<double> score(n);
    for (double& s : score) {
      s = std::ldexp(static_cast<double>(random.Below(21)) - 10,
                     static_cast<int>(random.Below(9)) - 4);
      if (s == 0 && random.Below(2) == 0) s = -0.0;
    }
    std::vector<uint32_t> wanted(n);
    for (size_t i = 0; i < n; ++i) wanted[i] = static_cast<uint32_t>(i);
    std::stable_sort(wanted.begin(), wanted.end(),
                     [&](uint32_t a, uint32_t b) { return score[a] > score[b]; });
    EXPECT_EQ(RankByScore(score), wanted) << n;
  }
}

}  // namespace
}  // namespace headrace::evaluate
