#include "sql/gate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sql/testing.h"

namespace headrace::sql {
namespace {

const std::vector<std::string> kMetrics{"roc_auc", "rmse", "log_loss"};

const Golden kErrors[] = {
    {R"sql(roc_auk >= 0.8)sql",
     R"(
churn.yml:1:1: error[unknown_metric]: there is no metric 'roc_auk'
  1 | roc_auk >= 0.8
    | ^^^^^^^ did you mean 'roc_auc'?)"},
    {R"sql(f2 >= 0.8)sql",
     R"(
churn.yml:1:1: error[unknown_metric]: there is no metric 'f2'
  1 | f2 >= 0.8
    | ^^ metrics here: roc_auc, rmse, log_loss)"},
    {R"sql(champion.rmse <= 1)sql",
     R"(
churn.yml:1:1: error[bad_gate]: the left side must be one metric of the candidate
  1 | champion.rmse <= 1
    | ^^^^^^^^^^^^^ put the metric on the left: roc_auc >= champion.roc_auc - 0.005)"},
    {R"sql(0.8 <= roc_auc)sql",
     R"(
churn.yml:1:1: error[bad_gate]: the left side must be one metric of the candidate
  1 | 0.8 <= roc_auc
    | ^^^ put the metric on the left: roc_auc >= champion.roc_auc - 0.005)"},
    {R"sql(roc_auc >= 0.8 AND rmse <= 2)sql",
     R"(
churn.yml:1:16: error[bad_gate]: a gate is one comparison
  1 | roc_auc >= 0.8 AND rmse <= 2
    |                ^^^ make each comparison a line of its own)"},
    {R"sql(roc_auc = 1)sql",
     R"(
churn.yml:1:9: error[bad_gate]: a gate compares by >=, >, <= or <
  1 | roc_auc = 1
    |         ^ write a comparison such as roc_auc >= 0.80, rmse <= 1.1 * champion.rmse)"},
    {R"sql(roc_auc)sql",
     R"(
churn.yml:1:1: error[bad_gate]: this is no comparison
  1 | roc_auc
    | ^^^^^^^ write a comparison such as roc_auc >= 0.80, rmse <= 1.1 * champion.rmse)"},
    {R"sql(roc_auc >=)sql",
     R"(
churn.yml:1:10: error[syntax]: the SQL ends too early
  1 | roc_auc >=
    |          ^ something is missing at the end: a name, a closing bracket or quote?)"},
    {R"sql(roc_auc.mid >= 0.8)sql",
     R"(
churn.yml:1:1: error[bad_gate]: 'mid' is no bound of a metric
  1 | roc_auc.mid >= 0.8
    | ^^^^^^^^^^^ the 95 % bounds are .low and .high; the champion's metric is champion.roc_auc)"},
    {R"sql(roc_auc[region] >= champion.roc_auc[plan])sql",
     R"(
churn.yml:1:20: error[bad_gate]: the right side is sliced by 'plan', the left side by 'region'
  1 | roc_auc[region] >= champion.roc_auc[plan]
    |                    ^^^^^^^^^^^^^^^^ write roc_auc[plan] on the left)"},
    {R"sql(roc_auc >= champion.roc_auc[plan])sql",
     R"(
churn.yml:1:12: error[bad_gate]: the right side is sliced by 'plan', the left side is not
  1 | roc_auc >= champion.roc_auc[plan]
    |            ^^^^^^^^^^^^^^^^ write roc_auc[plan] on the left)"},
    {R"sql(roc_auc >= sqrt(2))sql",
     R"(
churn.yml:1:12: error[bad_gate]: a gate knows + - * /, but not sqrt
  1 | roc_auc >= sqrt(2)
    |            ^^^^ write a comparison such as roc_auc >= 0.80, rmse <= 1.1 * champion.rmse)"},
    {R"sql(roc_auc BETWEEN 1 AND 2)sql",
     R"(
churn.yml:1:9: error[bad_gate]: a gate is one comparison
  1 | roc_auc BETWEEN 1 AND 2
    |         ^^^^^^^ make each comparison a line of its own)"},
    {R"sql(roc_auc >= 'x')sql",
     R"(
churn.yml:1:12: error[bad_gate]: a number is expected here
  1 | roc_auc >= 'x'
    |            ^^^ write a comparison such as roc_auc >= 0.80, rmse <= 1.1 * champion.rmse)"},
    {R"sql(roc_auc >= champion)sql",
     R"(
churn.yml:1:12: error[bad_gate]: a metric of the champion is expected here
  1 | roc_auc >= champion
    |            ^^^^^^^^ for instance: champion.roc_auc)"},
    {R"sql(a.b.c.d >= 1)sql",
     R"(
churn.yml:1:1: error[bad_gate]: 'b' is no bound of a metric
  1 | a.b.c.d >= 1
    | ^^^^^^^ the 95 % bounds are .low and .high; the champion's metric is champion.roc_auc)"},
    {R"sql(roc_auc[1] >= 1)sql",
     R"(
churn.yml:1:9: error[bad_gate]: a slice is the name of one column
  1 | roc_auc[1] >= 1
    |         ^ for instance: roc_auc[region])"},
    {R"sql(roc_auc >= 0.8 FROM x)sql",
     R"(
churn.yml:1:1: error[not_an_expression]: one expression over the columns of a row is expected, not a query
  1 | roc_auc >= 0.8 FROM x
    | ^^^^^^^ write a comparison such as roc_auc >= 0.80, rmse <= 1.1 * champion.rmse)"},
};

TEST(Gate, ErrorTexts) {
  for (const Golden& golden : kErrors) {
    const Result<Gate> gate = ParseGate(TestParser(), TextIn(golden.sql, "churn.yml"), kMetrics);
    ASSERT_FALSE(gate.ok()) << golden.sql;
    EXPECT_EQ("\n" + Render(gate.error()), golden.texts) << golden.sql;
  }
}

std::string Show(const GateMetric& metric) {
  std::string text = metric.subject == GateMetric::Subject::kChampion ? "champion." : "";
  text += metric.metric;
  if (!metric.slice.empty()) text += "[" + metric.slice + "]";
  if (metric.value == GateMetric::Value::kLow) text += ".low";
  if (metric.value == GateMetric::Value::kHigh) text += ".high";
  return text;
}

std::string Show(const GateTerm& term) {
  switch (term.kind) {
    case GateTerm::Kind::kNumber:
      return fmt::format("{}", term.number);
    case GateTerm::Kind::kMetric:
      return Show(term.metric);
    case GateTerm::Kind::kNegate:
      return "-" + Show(term.terms[0]);
    case GateTerm::Kind::kAdd:
      return "(" + Show(term.terms[0]) + " + " + Show(term.terms[1]) + ")";
    case GateTerm::Kind::kSubtract:
      return "(" + Show(term.terms[0]) + " - " + Show(term.terms[1]) + ")";
    case GateTerm::Kind::kMultiply:
      return "(" + Show(term.terms[0]) + " * " + Show(term.terms[1]) + ")";
    case GateTerm::Kind::kDivide:
      return "(" + Show(term.terms[0]) + " / " + Show(term.terms[1]) + ")";
  }
  return "?";
}

TEST(Gate, Trees) {
  const auto show = [](const char* sql) {
    const Result<Gate> gate = ParseGate(TestParser(), TextIn(sql), kMetrics);
    if (!gate.ok()) return Render(gate.error());
    return Show(gate->left) + " " + CompareText(gate->compare) + " " + Show(gate->right) +
           (gate->relative ? " relative" : "") +
           (gate->slice.empty() ? "" : " slice " + gate->slice);
  };
  EXPECT_EQ(show("roc_auc >= 0.80"), "roc_auc >= 0.8");
  EXPECT_EQ(show("ROC_AUC>=champion.roc_auc - 0.005"),
            "roc_auc >= (champion.roc_auc - 0.005) relative");
  EXPECT_EQ(show("roc_auc[region] >= 0.70"), "roc_auc[region] >= 0.7 slice region");
  EXPECT_EQ(show("rmse <= 1.1 * champion.rmse"), "rmse <= (1.1 * champion.rmse) relative");
  EXPECT_EQ(show("roc_auc.low > -0.5"), "roc_auc.low > -0.5");
  EXPECT_EQ(show("roc_auc[region].high < champion.roc_auc[region].low + 1e-3"),
            "roc_auc[region].high < (champion.roc_auc[region].low + 0.001) relative slice region");
  EXPECT_EQ(show("rmse < -(2 + log_loss) / champion.rmse.high"),
            "rmse < (-(2 + log_loss) / champion.rmse.high) relative");
  EXPECT_EQ(show("roc_auc[region] >= champion.roc_auc -- on all rows"),
            "roc_auc[region] >= champion.roc_auc relative slice region");
}

TEST(Gate, Evaluates) {
  const auto value = [](const char* sql) {
    const Result<Gate> gate = ParseGate(TestParser(), TextIn(sql), kMetrics);
    return EvaluateTerm(gate->right, [](const GateMetric& metric) -> Result<double> {
      return metric.metric == "rmse" ? 2.0 : 0.875;
    });
  };
  EXPECT_DOUBLE_EQ(*value("rmse <= 1.5 * champion.rmse"), 3.0);
  EXPECT_DOUBLE_EQ(*value("rmse <= -(champion.rmse - 1) / 4"), -0.25);
  EXPECT_EQ(value("rmse <= 1 / (champion.rmse - 2)").error().message, "the gate divides by zero");
  EXPECT_TRUE(Holds(GateCompare::kGreaterEqual, 1, 1));
  EXPECT_FALSE(Holds(GateCompare::kGreater, 1, 1));
  EXPECT_TRUE(Holds(GateCompare::kLessEqual, 1, 1));
  EXPECT_FALSE(Holds(GateCompare::kLess, 1, 1));
}

TEST(Gate, PlacesInYaml) {
  Place origin;
  origin.line = 9;
  origin.column = 5;
  origin.source_line = "  - roc_auk >= 0.80  # at least";
  const Result<Gate> gate =
      ParseGate(TestParser(), {"roc_auk >= 0.80", "pipeline/churn.yml", "churn", origin}, kMetrics);
  EXPECT_EQ(Render(gate.error()),
            "pipeline/churn.yml:9:5: error[unknown_metric]: there is no metric 'roc_auk'\n"
            "  9 |   - roc_auk >= 0.80  # at least\n"
            "    |     ^^^^^^^ did you mean 'roc_auc'?\n"
            "  node: churn");
}

}  // namespace
}  // namespace headrace::sql
