// A worse challenger never becomes champion, a clearly better one always does. HEADRACE_TRIALS sets
// the number of seeded trials (tests/long: 100).
#include <gtest/gtest.h>

#include <cstdlib>

#include "evaluate/random.h"
#include "learn/compare_versions.h"
#include "learn/row_changes.h"
#include "learn/train.h"
#include "model/test_rows.h"

namespace headrace::learn {
namespace {

using model::TestCell;
using model::TestRows;

uint64_t Trials() {
  const char* wish = std::getenv("HEADRACE_TRIALS");
  return wish == nullptr ? 8 : std::strtoull(wish, nullptr, 10);
}

/// The target follows a and b; rows [0, count) are the same for every count.
TestRows MakeRows(uint64_t seed, int64_t count, double other_b = 0) {
  TestRows rows({{"id", "BIGINT"}, {"a", "DOUBLE"}, {"b", "DOUBLE"}, {"y", "BOOLEAN"}});
  for (int64_t i = 0; i < count; ++i) {
    evaluate::Random random(seed, static_cast<uint64_t>(i) + 1);
    const double a = random.Normal(), b = random.Normal();
    const double level = 1.2 * a + b + random.Normal();
    rows.Add({i, a, b + (i == 0 ? other_b : 0), int64_t{level > 0 ? 1 : 0}});
  }
  return rows;
}

ModelSpec Spec(bool all) {
  ModelSpec spec;
  spec.name = "churn";
  spec.task = "classification";
  spec.target = "y";
  spec.positive = "true";
  spec.key = {"id"};
  spec.learners = {{"linear", R"({"l2": 1})"}};
  if (!all) spec.features.exclude = {"a"};
  return spec;
}

Result<TrainOutcome> RunTraining(const TestRows& rows, const ModelSpec& spec,
                                 const model::Package* champion = nullptr) {
  TrainRequest request;
  request.spec = spec;
  request.rows = rows.Reader(500);
  request.champion = champion;
  request.best = champion;
  return Train(std::move(request));
}

TEST(Challenger, WorseNeverBetterAlways) {
  for (uint64_t seed = 1; seed <= Trials(); ++seed) {
    // Some rows are new to the champion, most it has learned from.
    const TestRows before = MakeRows(seed, 500), now = MakeRows(seed, 560);
    const auto strong = RunTraining(before, Spec(true)), weak = RunTraining(before, Spec(false));
    ASSERT_TRUE(strong.ok() && weak.ok());

    ModelSpec worse = Spec(false);
    worse.gates = {"roc_auc >= champion.roc_auc - 0.005"};
    const auto refused = RunTraining(now, worse, &strong->package);
    ASSERT_TRUE(refused.ok()) << Render(refused.error());
    EXPECT_EQ(refused->gate.verdict, evaluate::Verdict::kFail) << seed << refused->gate.reason;

    ModelSpec better = Spec(true);
    better.gates = {"roc_auc >= champion.roc_auc + 0.005", "log_loss <= champion.log_loss"};
    const auto promoted = RunTraining(now, better, &weak->package);
    ASSERT_TRUE(promoted.ok()) << Render(promoted.error());
    EXPECT_EQ(promoted->gate.verdict, evaluate::Verdict::kPass) << seed << promoted->gate.reason;
    ASSERT_TRUE(promoted->gate.lines[0].difference.has_value());
    EXPECT_GT(promoted->gate.lines[0].difference->interval.low, 0) << seed;
    EXPECT_EQ(promoted->gate.lines[0].rows, 560u) << "all rows: new ones scored now, others stored";
  }
}

TEST(Challenger, ComparedOnRowsNeitherLearnedFrom) {
  const TestRows rows = MakeRows(3, 500);
  const auto strong = RunTraining(rows, Spec(true)), weak = RunTraining(rows, Spec(false));
  ASSERT_TRUE(strong.ok() && weak.ok());
  const auto compared =
      CompareVersions(*rows.Reader(), Spec(true), weak->package, strong->package, 1, {});
  ASSERT_TRUE(compared.ok()) << Render(compared.error());
  EXPECT_EQ(compared->rows, 500);
  EXPECT_EQ(compared->verdict, "better");
  EXPECT_EQ(compared->metrics[0].name, "roc_auc");
  EXPECT_NEAR(compared->metrics[0].b, strong->package.metrics.at("roc_auc").value, 1e-9);
  EXPECT_NEAR(compared->metrics[0].difference, compared->metrics[0].b - compared->metrics[0].a,
              1e-12);
  const auto back =
      CompareVersions(*rows.Reader(), Spec(true), strong->package, weak->package, 1, {});
  EXPECT_EQ(back->verdict, "worse");
  const auto same =
      CompareVersions(*rows.Reader(), Spec(true), weak->package, weak->package, 1, {});
  EXPECT_EQ(same->verdict, "no clear difference");
}

TEST(RowChanges, NewAndChangedKeysCountOnce) {
  const ModelSpec spec = Spec(true);
  const auto trained = RunTraining(MakeRows(3, 500), spec);
  ASSERT_TRUE(trained.ok());
  FrameOptions options;
  options.spec = &spec;
  const auto count = [&](const TestRows& rows) {
    const auto changes = CountChanges(*rows.Reader(), options, trained->package.seen);
    EXPECT_TRUE(changes.ok()) << Render(changes.error());
    return changes.ok() ? *changes : RowChanges();
  };
  const RowChanges none = count(MakeRows(3, 500));
  EXPECT_EQ(none.moved(), 0);
  EXPECT_EQ(none.trained, 500);
  const RowChanges fewer = count(MakeRows(3, 400));
  EXPECT_EQ(fewer.moved(), 0);
  const RowChanges more = count(MakeRows(3, 530, 0.25));
  EXPECT_EQ(more.added, 30);
  EXPECT_EQ(more.changed, 1);
  EXPECT_EQ(more.rows, 530);
  TestRows other({{"id", "BIGINT"}, {"a", "DOUBLE"}, {"y", "BOOLEAN"}});  // b is gone
  for (int64_t i = 0; i < 50; ++i) other.Add({i, static_cast<double>(i * i) / 7, i % 2});
  EXPECT_EQ(count(other).moved(), 50);
}

}  // namespace
}  // namespace headrace::learn
