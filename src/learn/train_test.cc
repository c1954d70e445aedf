#include "learn/train.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"
#include "model/scorer.h"
#include "model/test_rows.h"

namespace headrace::learn {
namespace {

using model::TestCell;
using model::TestRows;

enum class Kind { kBinary, kMulticlass, kRegression };

/// Rows whose target follows two numbers and a category, with noise.
TestRows MakeRows(Kind kind, int64_t count, uint64_t seed = 1, double noise = 1) {
  const std::string type = kind == Kind::kRegression ? "DOUBLE" : "VARCHAR";
  TestRows rows({{"id", "BIGINT"},
                 {"a", "DOUBLE"},
                 {"b", "BIGINT"},
                 {"plan", "VARCHAR"},
                 {"noise", "DOUBLE"},
                 {"at", "DATE"},
                 {"y", type}});
  evaluate::Random random(seed);
  const std::vector<std::string> plans = {"basic", "pro", "max"};
  for (int64_t i = 0; i < count; ++i) {
    const double a = random.Uniform(-2, 2);
    const auto b = static_cast<int64_t>(random.Below(10));
    const auto plan = random.Below(3);
    const double level =
        2 * a + 0.3 * static_cast<double>(b) + (plan == 2 ? 1.5 : 0) - 2 + noise * random.Normal();
    TestCell y = level;
    if (kind == Kind::kBinary) y = std::string(level > 0 ? "yes" : "no");
    if (kind == Kind::kMulticlass) {
      y = std::string(level > 1.5 ? "high" : level > -1.5 ? "mid" : "low");
    }
    rows.Add({i * 7 + static_cast<int64_t>(seed) * 100'000,
              i % 11 == 0 ? TestCell(nullptr) : TestCell(a), b, plans[plan], random.Uniform(),
              i / 4, y});
  }
  return rows;
}

ModelSpec Spec(Kind kind) {
  ModelSpec spec;
  spec.name = "churn";
  spec.task = kind == Kind::kRegression ? "regression" : "classification";
  spec.target = "y";
  spec.key = {"id"};
  spec.features.exclude = {"at"};
  spec.seed = 7;
  // Small and quick; the portfolio is tried on real data.
  spec.learners = {{"lightgbm", R"({"num_leaves": 5, "learning_rate": 0.2})"},
                   {"linear", R"({"knots": 2})"}};
  return spec;
}

Result<TrainOutcome> RunTraining(const TestRows& rows, const ModelSpec& spec, int threads = 1,
                                 const model::Package* champion = nullptr,
                                 const model::Package* best = nullptr) {
  TrainRequest request;
  request.spec = spec;
  request.rows = rows.Reader(64);
  request.threads = threads;
  request.champion = champion;
  request.best = best;
  return Train(std::move(request));
}

std::vector<double> Scores(const model::Package& package, const TestRows& rows) {
  const auto scorer = model::Scorer::Make(package);
  EXPECT_TRUE(scorer.ok());
  return (*scorer)->ScoreBatch(rows.schema(), rows.MakeBatch())->margins;
}

class TrainEveryTask : public testing::TestWithParam<Kind> {};

TEST_P(TrainEveryTask, ThreadsDoNotMatterAndTheBaselineIsBeaten) {
  const TestRows rows = MakeRows(GetParam(), 300);
  const auto one = RunTraining(rows, Spec(GetParam()), 1);
  ASSERT_TRUE(one.ok()) << Render(one.error());
  const std::string metric = one->package.metric;
  const double value = one->package.metrics.at(metric).value;
  const double baseline = one->baseline.at(metric).value;
  if (metric == "roc_auc") {
    EXPECT_GT(value, 0.85);
    EXPECT_NEAR(baseline, 0.5, 1e-12);
  } else {
    EXPECT_LT(value, 0.8 * baseline);
  }
  EXPECT_LE(one->package.metrics.at(metric).low, value);
  EXPECT_GE(one->package.metrics.at(metric).high, value);
  for (const int threads : {2, 4}) {
    const auto other = RunTraining(rows, Spec(GetParam()), threads);
    ASSERT_TRUE(other.ok()) << Render(other.error());
    EXPECT_EQ(ContentHash(other->package), ContentHash(one->package)) << threads;
    EXPECT_EQ(other->package.report, one->package.report) << threads;
    EXPECT_EQ(model::PackageFiles(other->package), model::PackageFiles(one->package)) << threads;
    EXPECT_EQ(Scores(other->package, rows), Scores(one->package, rows)) << threads;
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, TrainEveryTask,
                         testing::Values(Kind::kBinary, Kind::kMulticlass, Kind::kRegression));

TEST(Train, LeaderboardShowsAllAndScoresAreHonest) {
  const auto out = RunTraining(MakeRows(Kind::kBinary, 300), Spec(Kind::kBinary));
  ASSERT_TRUE(out.ok()) << Render(out.error());
  EXPECT_EQ(out->trials, 2);
  ASSERT_GE(out->leaderboard.size(), 3u);
  EXPECT_EQ(out->leaderboard.back().name, "baseline");
  EXPECT_EQ(out->test_rows.ids.size(), 300u);
  EXPECT_EQ(out->test_rows.margins.size(), 300u);
  EXPECT_EQ(out->package.seen.rows.size(), 300u);
  EXPECT_EQ(out->package.training_rows, 300);
  EXPECT_FALSE(out->refused());
  const Json report = Json::parse(out->package.report);
  EXPECT_EQ(report["split"]["kind"], "cross_validation");
  EXPECT_EQ(report["verdict"], "pass");
}

TEST(Train, OneFixedConfigurationOnATestSetTrainsOnceOrTwice) {
  ModelSpec spec = Spec(Kind::kBinary);
  spec.learners = {{"lightgbm", R"({"num_leaves": 5, "rounds": 20})"}};
  spec.budget.trials = 1;
  spec.test = "20%";
  const TestRows rows = MakeRows(Kind::kBinary, 400);
  const auto refitted = RunTraining(rows, spec);
  ASSERT_TRUE(refitted.ok()) << Render(refitted.error());
  EXPECT_EQ(refitted->package.training_rows, 400);
  spec.refit = false;
  const auto kept = RunTraining(rows, spec);
  ASSERT_TRUE(kept.ok()) << Render(kept.error());
  EXPECT_LT(kept->package.training_rows, 400);
  EXPECT_EQ(kept->package.metrics.at("roc_auc").value,
            refitted->package.metrics.at("roc_auc").value);
  EXPECT_EQ(kept->package.calibration.scale, 1);
  // Not refitted: what was judged is what scores.
  const std::vector<double> scores = Scores(kept->package, rows);
  for (size_t i = 0; i < kept->test_rows.input_rows.size(); ++i) {
    EXPECT_EQ(scores[static_cast<size_t>(kept->test_rows.input_rows[i])],
              kept->test_rows.margins[i]);
  }
}

TEST(Train, TimeJudgesTheLatestRows) {
  ModelSpec spec = Spec(Kind::kBinary);
  spec.time = "at";
  spec.features.exclude = {};
  const auto out = RunTraining(MakeRows(Kind::kBinary, 400), spec);
  ASSERT_TRUE(out.ok()) << Render(out.error());
  EXPECT_EQ(Json::parse(out->package.report)["split"]["kind"], "time");
  for (const int64_t row : out->test_rows.input_rows) EXPECT_GT(row, 250);
}

TEST(Train, GatesDecide) {
  const TestRows rows = MakeRows(Kind::kBinary, 400);
  ModelSpec spec = Spec(Kind::kBinary);
  spec.gates = {"roc_auc >= 0.7", "roc_auc >= champion.roc_auc - 0.01"};
  const auto first = RunTraining(rows, spec);
  ASSERT_TRUE(first.ok()) << Render(first.error());
  EXPECT_FALSE(first->refused()) << first->gate.reason;

  // The champion is compared by its stored out-of-fold scores: it has seen all of these rows.
  const auto second = RunTraining(rows, spec, 1, &first->package, &first->package);
  ASSERT_TRUE(second.ok()) << Render(second.error());
  EXPECT_FALSE(second->refused()) << second->gate.reason;
  EXPECT_NEAR(second->champion.at("log_loss").value, first->package.metrics.at("log_loss").value,
              1e-9);

  // A weaker candidate: without its best column.
  ModelSpec weak = spec;
  weak.features.exclude = {"at", "a"};
  const auto third = RunTraining(rows, weak, 1, &first->package);
  ASSERT_TRUE(third.ok()) << Render(third.error());
  EXPECT_TRUE(third->refused());
  EXPECT_EQ(third->gate.verdict, evaluate::Verdict::kFail);

  // New rows: the champion scores them now.
  const TestRows fresh = MakeRows(Kind::kBinary, 400, 99);
  const auto fourth = RunTraining(fresh, spec, 1, &first->package);
  ASSERT_TRUE(fourth.ok()) << Render(fourth.error());
  EXPECT_GT(fourth->champion.at("roc_auc").value, 0.8);
}

TEST(Train, AColumnAddedSinceLeavesTheChampionComparable) {
  const TestRows rows = MakeRows(Kind::kBinary, 400);
  for (const bool keyed : {true, false}) {
    ModelSpec spec = Spec(Kind::kBinary);
    if (!keyed) spec.key = {};
    spec.gates = {"roc_auc >= champion.roc_auc - 0.01"};
    ModelSpec narrow = spec;
    narrow.features.exclude = {"at", "plan"};
    const auto first = RunTraining(rows, narrow);
    ASSERT_TRUE(first.ok()) << Render(first.error());
    const auto second = RunTraining(rows, spec, 1, &first->package, &first->package);
    ASSERT_TRUE(second.ok()) << Render(second.error());
    // By its stored scores, not by those of a model that knows the answers.
    EXPECT_NEAR(second->champion.at("log_loss").value, first->package.metrics.at("log_loss").value,
                1e-9)
        << keyed;
    EXPECT_EQ(second->champion.at("log_loss").rows, 400) << keyed;
    EXPECT_EQ(second->gate.verdict, evaluate::Verdict::kPass) << second->gate.reason;
  }
}

TEST(Train, AChampionThatCannotReadTheRowsLeavesGatesUndecided) {
  ModelSpec spec = Spec(Kind::kBinary);
  spec.gates = {"roc_auc >= champion.roc_auc - 0.01"};
  const auto first = RunTraining(MakeRows(Kind::kBinary, 300), spec);
  ASSERT_TRUE(first.ok());
  TestRows other({{"id", "BIGINT"}, {"a", "DOUBLE"}, {"y", "VARCHAR"}});
  evaluate::Random random(5);
  for (int64_t i = 0; i < 300; ++i) {
    const double a = random.Normal();
    other.Add({i, a, std::string(a + random.Normal() > 0 ? "yes" : "no")});
  }
  spec.features.exclude = {};
  const auto second = RunTraining(other, spec, 1, &first->package);
  ASSERT_TRUE(second.ok()) << Render(second.error());
  EXPECT_EQ(second->gate.verdict, evaluate::Verdict::kUndecided);
}

TEST(Train, RowsWithoutTargetAreCounted) {
  TestRows rows({{"id", "BIGINT"}, {"a", "DOUBLE"}, {"y", "BOOLEAN"}});
  evaluate::Random random(5);
  for (int64_t i = 0; i < 200; ++i) {
    const double a = random.Normal();
    rows.Add({i, a, i % 10 == 0 ? TestCell(nullptr) : TestCell(int64_t{a > 0 ? 1 : 0})});
  }
  ModelSpec spec = Spec(Kind::kBinary);
  spec.features.exclude = {};
  const auto out = RunTraining(rows, spec);
  ASSERT_TRUE(out.ok()) << Render(out.error());
  EXPECT_EQ(out->rows, 200);
  EXPECT_EQ(out->rows_without_target, 20);
  EXPECT_EQ(out->package.target_type, "BOOLEAN");
}

TEST(Train, CancelsAndNamesTooFewRows) {
  TrainRequest request;
  request.spec = Spec(Kind::kBinary);
  request.rows = MakeRows(Kind::kBinary, 100).Reader();
  request.cancel.Cancel();
  const auto cancelled = Train(std::move(request));
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, "cancelled");

  const auto few = RunTraining(MakeRows(Kind::kBinary, 12), Spec(Kind::kBinary));
  ASSERT_FALSE(few.ok());
  EXPECT_EQ(few.error().code, "too_few_rows");
}

TEST(CheckSpec, NamesAllFaults) {
  ModelSpec spec;
  spec.name = "churn";
  spec.task = "clasification";
  auto faults = CheckSpec(spec);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].code, "unknown_task");
  EXPECT_EQ(faults[0].candidates, std::vector<std::string>{"classification"});
  spec.task = "regression";
  spec.metric = "roc_auc";
  spec.threshold = 2;
  spec.gates = {"rmse <= 3", "rmsee <= 3"};
  spec.learners = {{"lightgmb", "{}"}};
  faults = CheckSpec(spec);
  std::vector<std::string> codes;
  for (const Error& fault : faults) codes.push_back(fault.code);
  EXPECT_EQ(codes,
            (std::vector<std::string>{"missing_target", "metric_for_other_task", "unknown_metric",
                                      "unknown_learner", "out_of_range", "not_for_regression"}));
}

}  // namespace
}  // namespace headrace::learn
