#include "sql/expression.h"

#include <gtest/gtest.h>

#include "sql/testing.h"

namespace headrace::sql {
namespace {

const Golden kErrors[] = {
    {R"sql(spend)sql",
     R"(
checks.yml:1:1: error[not_boolean]: the condition gives DOUBLE, not true or false
  1 | spend
    | ^^^^^ compare it, for instance: amount > 0)"},
    {R"sql(upper(nme) = 'x')sql",
     R"(
checks.yml:1:7: error[unknown_column]: there is no column 'nme' here
  1 | upper(nme) = 'x'
    |       ^^^ did you mean 'name'?)"},
    {R"sql(spend > 0, name = 'x')sql",
     R"(
checks.yml:1:12: error[not_an_expression]: a second expression starts here
  1 | spend > 0, name = 'x'
    |            ^^^^ join conditions by AND)"},
    {R"sql(spend > 0 name = 'x')sql",
     R"(
checks.yml:1:11: error[syntax]: unexpected 'name'
  1 | spend > 0 name = 'x'
    |           ^^^^ write one condition, for instance: amount > 0 AND plan = 'pro')"},
    {R"sql(spend > 0 x)sql",
     R"(
checks.yml:1:1: error[not_an_expression]: the expression has a name ('x'), but nothing would use it
  1 | spend > 0 x
    | ^^^^^ leave the name out; if it is not meant as one, AND or OR may be missing)"},
    {R"sql(SELECT 1)sql",
     R"(
checks.yml:1:1: error[syntax]: unexpected 'SELECT'
  1 | SELECT 1
    | ^^^^^^ write one condition, for instance: amount > 0 AND plan = 'pro')"},
    {R"sql(spend IN (SELECT minutes FROM usage))sql",
     R"(
checks.yml:1:7: error[not_a_row_expression]: a subquery reads other rows
  1 | spend IN (SELECT minutes FROM usage)
    |       ^^ compute the value in a node, then use its column)"},
    {R"sql(sum(spend) > 3)sql",
     R"(
checks.yml:1:1: error[not_a_row_expression]: sum() reads other rows
  1 | sum(spend) > 3
    | ^^^ compute the value in a node, then use its column)"},
    {R"sql(row_number() OVER () > 1)sql",
     R"(
checks.yml:1:1: error[not_a_row_expression]: a window function reads other rows
  1 | row_number() OVER () > 1
    | ^^^^^^^^^^ compute the value in a node, then use its column)"},
    {R"sql(born < now())sql",
     R"(
checks.yml:1:8: error[not_constant]: now() reads the clock, so the same inputs give another result
  1 | born < now()
    |        ^^^ compute the value in a node, then use its column)"},
    {R"sql(spend >)sql",
     R"(
checks.yml:1:7: error[syntax]: the SQL ends too early
  1 | spend >
    |       ^ something is missing at the end: a name, a closing bracket or quote?)"},
    {R"sql(spend > 0; DROP TABLE x)sql",
     R"(
checks.yml:1:12: error[several_statements]: a second statement starts here
  1 | spend > 0; DROP TABLE x
    |            ^^^^ write one condition, for instance: amount > 0 AND plan = 'pro')"},
    {R"sql(*)sql",
     R"(
checks.yml:1:1: error[not_a_row_expression]: * stands for all columns, not for one value
  1 | *
    | ^ name the columns)"},
    {R"sql(spend > 0 FROM customers)sql",
     R"(
checks.yml:1:1: error[not_an_expression]: one expression over the columns of a row is expected, not a query
  1 | spend > 0 FROM customers
    | ^^^^^ write only the condition, for instance: amount > 0 AND plan = 'pro')"},
    {R"sql(customers.spend > 0)sql",
     R"(
checks.yml:1:1: error[unknown_column]: there is no column 'customers' here
  1 | customers.spend > 0
    | ^^^^^^^^^ columns of the row stand alone: write amount, not t.amount)"},
    {R"sql(spend > $limit)sql",
     R"(
checks.yml:1:9: error[unknown_parameter]: there is no parameter 'limit'
  1 | spend > $limit
    |         ^^^^^^ declare it in headrace.yml: params: {limit: {type: …, default: …}})"},
    {R"sql(name + 1 > 2)sql",
     R"(
checks.yml:1:6: error[wrong_arguments]: + can't take (VARCHAR, INTEGER)
  1 | name + 1 > 2
    |      ^ cast one side, for instance CAST(x AS DOUBLE))"},
};

TEST(Expression, ErrorTexts) {
  const auto catalog = TestCatalog();
  for (const Golden& golden : kErrors) {
    const SqlText text = TextIn(golden.sql, "checks.yml");
    const ParsedExpression expression = ParseExpression(TestParser(), text, TestRules());
    std::string said = RenderAll(expression.faults);
    if (expression.ok()) {
      const Status status =
          CheckBoolean(*catalog, text, *catalog->Find("customers"), TestParameters());
      if (!status.ok()) said = "\n" + Render(status.error());
    }
    EXPECT_EQ(said, golden.texts) << golden.sql;
  }
}

TEST(Expression, ColumnsWithoutLambdaNames) {
  const ParsedExpression expression =
      ParseExpression(TestParser(),
                      TextIn("len(list_filter(Tags, lambda t: t > name)) > 0 AND $as_of > born AND "
                             "doc.x -> '$.y' = 1"),
                      TestRules());
  EXPECT_EQ(RenderAll(expression.faults), "");
  EXPECT_EQ(expression.column_names, (std::vector<std::string>{"born", "doc", "name", "tags"}));
  EXPECT_EQ(expression.columns[0].written, "Tags");
  EXPECT_EQ(expression.columns[0].span, (Span{16, 4}));
  EXPECT_EQ(expression.parameter_names, (std::vector<std::string>{"as_of"}));
}

TEST(Expression, BooleansPass) {
  const auto catalog = TestCatalog();
  const data::Schema& row = *catalog->Find("customers");
  for (const char* sql : {"spend > 0", "name IN ('a', 'b') -- why", "born < $as_of", "true",
                          "spend BETWEEN 0 AND 1 OR name IS NULL;", "tags[1] = $region"}) {
    const SqlText text = TextIn(sql, "checks.yml");
    EXPECT_EQ(RenderAll(ParseExpression(TestParser(), text, TestRules()).faults), "") << sql;
    const Status status = CheckBoolean(*catalog, text, row, TestParameters());
    EXPECT_TRUE(status.ok()) << sql << (status.ok() ? "" : Render(status.error()));
  }
  EXPECT_EQ(*DescribeExpression(*catalog, TextIn("spend * 2"), row), "DOUBLE");
}

TEST(Expression, FormattingAndCaseDoNotCount) {
  const auto hash = [](const char* sql) {
    return ParseExpression(TestParser(), TextIn(sql)).canonical;
  };
  EXPECT_EQ(hash("spend>0 and Name = 'x'"), hash("SPEND > 0\n  AND name = 'x' -- c"));
  EXPECT_NE(hash("spend > 0"), hash("spend >= 0"));
  EXPECT_NE(hash("name = 'x'"), hash("name = 'X'"));
}

TEST(Expression, PlacesInYaml) {
  Place origin;
  origin.line = 7;
  origin.column = 12;
  origin.source_line = "    where: \"spnd > 0\"";
  const SqlText text{"spnd > 0", "pipeline/calls.yml", "calls", origin};
  const auto catalog = TestCatalog();
  const Status status = CheckBoolean(*catalog, text, *catalog->Find("customers"));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Render(status.error()),
            "pipeline/calls.yml:7:13: error[unknown_column]: there is no column 'spnd' here\n"
            "  7 |     where: \"spnd > 0\"\n"
            "    |             ^^^^ did you mean 'spend'?\n"
            "  node: calls");
}

}  // namespace
}  // namespace headrace::sql
