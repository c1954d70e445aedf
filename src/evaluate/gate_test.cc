#include "evaluate/gate.h"

#include <gtest/gtest.h>

#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"

namespace headrace::evaluate {
namespace {

using sql::GateCompare;
using sql::GateMetric;
using sql::GateTerm;

GateTerm Number(double value) {
  GateTerm term;
  term.number = value;
  return term;
}

GateTerm Champion(const std::string& metric, const std::string& slice = "") {
  GateTerm term;
  term.kind = GateTerm::Kind::kMetric;
  term.metric.subject = GateMetric::Subject::kChampion;
  term.metric.metric = metric;
  term.metric.slice = slice;
  return term;
}

GateTerm Minus(GateTerm a, GateTerm b) {
  GateTerm term;
  term.kind = GateTerm::Kind::kSubtract;
  term.terms = {std::move(a), std::move(b)};
  return term;
}

sql::Gate Make(const std::string& text, const std::string& metric, GateCompare compare,
               GateTerm right) {
  sql::Gate gate;
  gate.text = text;
  gate.left.metric = metric;
  gate.compare = compare;
  gate.relative = right.kind != GateTerm::Kind::kNumber;
  gate.right = std::move(right);
  return gate;
}

sql::Gate AtLeast(double limit) {
  return Make("roc_auc >= 0.7", "roc_auc", GateCompare::kGreaterEqual, Number(limit));
}

sql::Gate Relative(double tolerance) {
  return Make("roc_auc >= champion.roc_auc - 0.005", "roc_auc", GateCompare::kGreaterEqual,
              Minus(Champion("roc_auc"), Number(tolerance)));
}

struct Versions {
  std::vector<int32_t> y;
  std::vector<double> good, poor;
  ScoredRows Good() const { return BinaryRows(y, good); }
  ScoredRows Poor() const { return BinaryRows(y, poor); }
};

Versions MakeVersions(size_t n) {
  Random random(1);
  Versions v;
  for (size_t i = 0; i < n; ++i) {
    const double margin = 1.5 * random.Normal();
    v.y.push_back(random.Uniform() < Sigmoid(margin) ? 1 : 0);
    v.good.push_back(Sigmoid(margin));
    v.poor.push_back(Sigmoid(margin + 1.5 * random.Normal()));
  }
  return v;
}

GateResult Judge(std::vector<sql::Gate> gates, const GateInput& input) {
  auto result = EvaluateGates(gates, input);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result.ok() ? *result : GateResult();
}

TEST(Gate, NoGatesPass) {
  const Versions v = MakeVersions(10);
  GateInput input;
  input.candidate = v.Good();
  EXPECT_EQ(Judge({}, input).verdict, Verdict::kPass);
}

TEST(Gate, AbsoluteLimits) {
  const Versions v = MakeVersions(1000);
  GateInput input;
  input.candidate = v.Good();
  const GateResult pass = Judge({AtLeast(0.7)}, input);
  EXPECT_EQ(pass.verdict, Verdict::kPass);
  EXPECT_EQ(pass.lines[0].message,
            "roc_auc 0.7997 >= 0.7 pass (95 % 0.7716 to 0.8259, 1,000 rows)");
  EXPECT_EQ(pass.reason, "");
  const GateResult fail = Judge({AtLeast(0.7), AtLeast(0.9)}, input);
  EXPECT_EQ(fail.verdict, Verdict::kFail);
  EXPECT_EQ(fail.lines[0].verdict, Verdict::kPass);
  EXPECT_EQ(fail.reason, fail.lines[1].message);
  EXPECT_EQ(fail.lines[1].message,
            "roc_auc 0.7997 >= 0.9 fail (95 % 0.7716 to 0.8259, 1,000 rows)");
  sql::Gate low = AtLeast(0.79);
  low.left.value = GateMetric::Value::kLow;
  EXPECT_EQ(Judge({low}, input).verdict, Verdict::kFail);
}

TEST(Gate, TooFewRowsAreUndecided) {
  const Versions v = MakeVersions(199);
  GateInput input;
  input.candidate = v.Good();
  const GateResult few = Judge({AtLeast(0.7)}, input);
  EXPECT_EQ(few.verdict, Verdict::kUndecided);
  EXPECT_EQ(few.reason, "roc_auc >= 0.7 undecided: 199 rows, at least 200 are needed");
  Versions rare = MakeVersions(1000);
  for (size_t i = 0; i < 1000; ++i) rare.y[i] = i < 29 ? 1 : 0;
  input.candidate = rare.Good();
  EXPECT_EQ(Judge({AtLeast(0.1)}, input).reason,
            "roc_auc >= 0.7 undecided: 29 rows of the rarer class, at least 30 are needed");
}

TEST(Gate, RelativeToTheChampion) {
  const Versions v = MakeVersions(1000);
  GateInput input;
  input.candidate = v.Poor();
  const GateResult first = Judge({Relative(0.005)}, input);
  EXPECT_EQ(first.verdict, Verdict::kPass);
  EXPECT_FALSE(first.lines[0].judged);
  EXPECT_EQ(first.lines[0].message,
            "roc_auc >= champion.roc_auc - 0.005 pass: there is no champion yet");
  input.champion = OtherVersion{v.Good(), {}, 3};
  const GateResult worse = Judge({Relative(0.005)}, input);
  EXPECT_EQ(worse.verdict, Verdict::kFail);
  EXPECT_EQ(worse.lines[0].message,
            "roc_auc 0.7247 >= 0.7947 fail (difference -0.0750, 95 % -0.1004 to -0.0518, 1,000 "
            "rows)");
  EXPECT_LT(worse.lines[0].difference->interval.high, 0);
  input.candidate = v.Good();
  input.champion = OtherVersion{v.Poor(), {}, 3};
  EXPECT_EQ(Judge({Relative(0.005)}, input).verdict, Verdict::kPass);
}

TEST(Gate, RelativeOnlyOnRowsTheChampionHasNotLearned) {
  const Versions v = MakeVersions(1000);
  std::vector<uint32_t> some;
  std::vector<int32_t> y;
  std::vector<double> p;
  for (uint32_t i = 0; i < 1000; i += 2) {
    some.push_back(i);
    y.push_back(v.y[i]);
    p.push_back(v.good[i]);
  }
  GateInput input;
  input.candidate = v.Good();
  input.champion = OtherVersion{BinaryRows(y, p), some, 3};
  const GateResult result = Judge({Relative(0.005)}, input);
  EXPECT_EQ(result.lines[0].rows, 500u);
  EXPECT_EQ(result.lines[0].difference->difference.value, 0);
  some.resize(100);
  y.resize(100);
  p.resize(100);
  input.champion = OtherVersion{BinaryRows(y, p), some, 3};
  EXPECT_EQ(Judge({Relative(0.005)}, input).reason,
            "roc_auc >= champion.roc_auc - 0.005 undecided: 100 rows, at least 200 are needed that "
            "the champion has not learned from");
}

TEST(Gate, ToleranceDoesNotRatchet) {
  // The champion has drifted down to the candidate's level; the best version is far above.
  const Versions v = MakeVersions(1000);
  GateInput input;
  input.candidate = v.Poor();
  input.champion = OtherVersion{v.Poor(), {}, 5};
  EXPECT_EQ(Judge({Relative(0.005)}, input).verdict, Verdict::kPass);
  input.best_promoted = OtherVersion{v.Good(), {}, 2};
  const GateResult result = Judge({Relative(0.005)}, input);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_TRUE(result.reason.ends_with(
      "; version 2 once reached 0.7997 on the same rows: 0.7247 is more than twice the tolerance "
      "0.005 away"))
      << result.reason;
  EXPECT_EQ(Judge({Relative(0.06)}, input).verdict, Verdict::kPass);
}

TEST(Gate, ToleranceOfForms) {
  EXPECT_EQ(ToleranceOf(Relative(0.005)), 0.005);
  EXPECT_EQ(ToleranceOf(AtLeast(0.7)), std::nullopt);
  EXPECT_EQ(ToleranceOf(Make("", "rmse", GateCompare::kLessEqual, Champion("rmse"))), 0.0);
  EXPECT_EQ(ToleranceOf(Make("", "rmse", GateCompare::kLessEqual, Champion("mae"))), std::nullopt);
  EXPECT_EQ(
      ToleranceOf(Make("", "rmse", GateCompare::kLessEqual, Minus(Champion("rmse"), Number(1)))),
      std::nullopt);  // demands progress
}

TEST(Gate, CorrectedValuesReplaceOutOfFoldOnes) {
  const Versions v = MakeVersions(1000);
  GateInput input;
  input.candidate = v.Good();
  input.corrected = {{"roc_auc", Defined(0.65)}};
  const GateResult result = Judge({AtLeast(0.7)}, input);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.lines[0].value, 0.65);
  EXPECT_LT(result.lines[0].low, 0.65);
}

TEST(Gate, SlicesFailOnlyWhenClearlyBelow) {
  Versions v = MakeVersions(2000);
  std::vector<int32_t> region;
  for (size_t i = 0; i < 2000; ++i) {
    region.push_back(i < 50 ? -1 : static_cast<int32_t>(i % 4));
    if (region.back() == 2) v.good[i] = 1 - v.good[i];  // backwards in the west
  }
  GateInput input;
  input.candidate = v.Good();
  input.slices = {{"region", {"north", "south", "west", "east"}, region}};
  sql::Gate gate = AtLeast(0.75);
  gate.text = "roc_auc[region] >= 0.75";
  gate.slice = gate.left.slice = "region";
  const GateResult result = Judge({gate}, input);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  ASSERT_EQ(result.lines.size(), 5u);
  EXPECT_EQ(result.lines[0].slice, "region = NULL");
  EXPECT_FALSE(result.lines[0].judged);
  EXPECT_EQ(result.lines[0].message,
            "roc_auc[region] >= 0.75 (region = NULL) not judged: 50 rows, at least 100 are "
            "needed");
  for (const size_t good : {1, 2, 4}) EXPECT_EQ(result.lines[good].verdict, Verdict::kPass);
  EXPECT_EQ(result.lines[3].verdict, Verdict::kFail);
  EXPECT_EQ(result.lines[3].message,
            "roc_auc (region = west) 0.1988 >= 0.75 fail (upper bound 0.2468 after Holm over 4 "
            "slices, 488 rows)");
  // Point estimates a little below the limit pass: they may be luck.
  gate.right = Number(0.83);
  const GateResult close = Judge({gate}, input);
  EXPECT_LT(close.lines[1].value, 0.83);
  EXPECT_EQ(close.lines[1].verdict, Verdict::kPass);
  input.slices.clear();
  const std::vector<sql::Gate> gates = {gate};
  EXPECT_EQ(EvaluateGates(gates, input).error().code, "unknown_column");
}

TEST(Gate, UnknownMetricsAreErrorsWithPlaces) {
  sql::Gate gate =
      Make("roc_acu >= champion.rmse", "roc_acu", GateCompare::kGreaterEqual, Champion("rmse"));
  gate.left_place.line = 7;
  const std::vector<sql::Gate> gates = {gate};
  const std::vector<Error> errors = CheckGates(gates, Task::kBinary);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].code, "unknown_metric");
  EXPECT_EQ(errors[0].place.line, 7);
  EXPECT_EQ(errors[1].code, "metric_for_other_task");
  const Versions v = MakeVersions(10);
  GateInput input;
  input.candidate = v.Good();
  EXPECT_FALSE(EvaluateGates(gates, input).ok());
}

TEST(Gate, UndefinedMetricsAreUndecided) {
  const std::vector<double> y(300, 5.0), f(300, -3.0);
  GateInput input;
  input.candidate = RegressionRows(y, f);
  const GateResult result =
      Judge({Make("rmsle <= 1", "rmsle", GateCompare::kLessEqual, Number(1))}, input);
  EXPECT_EQ(result.verdict, Verdict::kUndecided);
  EXPECT_EQ(result.reason,
            "rmsle <= 1 undecided: rmsle is undefined on these rows: targets and predictions must "
            "be above -1");
}

}  // namespace
}  // namespace headrace::evaluate
