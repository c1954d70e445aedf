#include <gtest/gtest.h>

#include "sql/testing.h"

namespace headrace::sql {
namespace {

Result<std::optional<Description>> DescribeIt(SchemaCatalog& catalog, const SqlText& text) {
  const ParsedSelect select = TestParser().ParseSelect(text, TestRules());
  EXPECT_EQ(RenderAll(select.faults), "") << text.text;
  return catalog.Describe(text, select, TestParameters());
}

std::string Columns(const Result<std::optional<Description>>& result) {
  if (!result.ok()) return Render(result.error());
  if (!*result) return "unknown";
  std::string all;
  for (const data::Column& column : (*result)->schema.columns) {
    all += (all.empty() ? "" : ", ") + column.name + " " + column.type;
  }
  return all;
}

const Golden kErrors[] = {
    {R"sql(SELECT custmer_id FROM customers)sql",
     R"(
f.sql:1:8: error[unknown_column]: there is no column 'custmer_id' here
  1 | SELECT custmer_id FROM customers
    |        ^^^^^^^^^^ did you mean 'customer_id'?)"},
    {R"sql(SELECT zzz FROM customers)sql",
     R"(
f.sql:1:8: error[unknown_column]: there is no column 'zzz' here
  1 | SELECT zzz FROM customers
    |        ^^^ columns of customers: customer_id, spend, name, born, tags)"},
    {R"sql(SELECT customer_id
FROM customers, usage)sql",
     R"(
f.sql:1:8: error[ambiguous_column]: several tables have a column 'customer_id'
  1 | SELECT customer_id
    |        ^^^^^^^^^^^ did you mean 'customers.customer_id' or 'usage.customer_id'?)"},
    {R"sql(SELECT c.spnd FROM customers c)sql",
     R"(
f.sql:1:10: error[unknown_column]: 'c' has no column 'spnd'
  1 | SELECT c.spnd FROM customers c
    |          ^^^^ did you mean 'spend'?)"},
    {R"sql(SELECT x.spend FROM customers c)sql",
     R"(
f.sql:1:8: error[unknown_table]: FROM has no table or alias 'x'
  1 | SELECT x.spend FROM customers c
    |        ^ did you mean 'c'?)"},
    {R"sql(SELECT * FROM custmers)sql",
     R"(
f.sql:1:15: error[unknown_node]: there is no node 'custmers'
  1 | SELECT * FROM custmers
    |               ^^^^^^^^ did you mean 'customers'?)"},
    {R"sql(SELECT * FROM zzz)sql",
     R"(
f.sql:1:15: error[unknown_node]: there is no node 'zzz'
  1 | SELECT * FROM zzz
    |               ^^^ a name after FROM or JOIN is the stem of a file below pipeline/)"},
    {R"sql(SELECT sum(name) FROM customers)sql",
     R"(
f.sql:1:8: error[wrong_arguments]: sum() can't take (VARCHAR)
  1 | SELECT sum(name) FROM customers
    |        ^^^ it takes sum(DECIMAL), sum(BOOLEAN), sum(SMALLINT) … 5 more; CAST(x AS type) changes a type)"},
    {R"sql(SELECT name + 1 FROM customers)sql",
     R"(
f.sql:1:13: error[wrong_arguments]: + can't take (VARCHAR, INTEGER)
  1 | SELECT name + 1 FROM customers
    |             ^ cast one side, for instance CAST(x AS DOUBLE))"},
    {R"sql(SELECT name, spend FROM customers GROUP BY name)sql",
     R"(
f.sql:1:14: error[not_grouped]: 'spend' is neither in GROUP BY nor inside an aggregate
  1 | SELECT name, spend FROM customers GROUP BY name
    |              ^^^^^ add it to GROUP BY, or say which value: max(spend), any_value(spend ORDER BY key))"},
    {R"sql(SELECT * EXCLUDE (spnd) FROM customers)sql",
     R"(
f.sql:1:19: error[unknown_column]: there is no column 'spnd' here
  1 | SELECT * EXCLUDE (spnd) FROM customers
    |                   ^^^^ did you mean 'spend'?)"},
    {R"sql(SELECT * REPLACE (1 AS foo) FROM customers)sql",
     R"(
f.sql:1:24: error[unknown_column]: there is no column 'foo' here
  1 | SELECT * REPLACE (1 AS foo) FROM customers
    |                        ^^^ columns of customers: customer_id, spend, name, born, tags)"},
    {R"sql(SELECT * FROM customers JOIN usage USING (day))sql",
     R"(
f.sql:1:43: error[unknown_column]: the left side of the join has no column 'day'
  1 | SELECT * FROM customers JOIN usage USING (day)
    |                                           ^^^ columns of customers: customer_id, spend, name, born, tags; columns of usage: customer_id, minutes, day)"},
    {R"sql(SELECT 1 UNION ALL SELECT 1, 2)sql",
     R"(
f.sql:1:10: error[column_count]: the two sides have different numbers of columns
  1 | SELECT 1 UNION ALL SELECT 1, 2
    |          ^^^^^ select the same columns on both sides, or match them by name: UNION BY NAME)"},
    {R"sql(SELECT CAST(name AS foo) FROM customers)sql",
     R"(
f.sql:1:21: error[unknown_type]: there is no type 'foo'
  1 | SELECT CAST(name AS foo) FROM customers
    |                     ^^^ types are DuckDB's: BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP …)"},
    {R"sql(SELECT born + 'x' FROM customers)sql",
     R"(
f.sql:1:13: error[wrong_arguments]: +(DATE, VARCHAR) could mean several things
  1 | SELECT born + 'x' FROM customers
    |             ^ cast one side, for instance CAST(x AS DATE))"},
    {R"sql(SELECT substring(born, 1) FROM customers)sql",
     R"(
f.sql:1:8: error[wrong_arguments]: substring() can't take (DATE, INTEGER)
  1 | SELECT substring(born, 1) FROM customers
    |        ^^^^^^^^^ it takes substring(VARCHAR, BIGINT, BIGINT), substring(VARCHAR, BIGINT); CAST(x AS type) changes a type)"},
    {R"sql(SELECT name FROM customers WHERE name = "basic")sql",
     R"(
f.sql:1:41: error[unknown_column]: there is no column 'basic' here
  1 | SELECT name FROM customers WHERE name = "basic"
    |                                         ^^^^^^^ a text stands in single quotes: 'basic')"},
    {R"sql(SELECT * FROM customers WHERE sum(spend) > 1)sql",
     R"(
f.sql:1:31: error[bad_sql]: WHERE clause cannot contain aggregates
  1 | SELECT * FROM customers WHERE sum(spend) > 1
    |                               ^^^ use HAVING, or filter in an outer SELECT)"},
    {R"sql(SELECT date_trunc('foo', born) FROM customers)sql",
     R"(
f.sql:1:19: error[bad_sql]: extract specifier "foo" not recognized
  1 | SELECT date_trunc('foo', born) FROM customers
    |                   ^^^^^)"},
    {R"sql(SELECT spend.foo FROM customers)sql",
     R"(
f.sql:1:14: error[bad_sql]: cannot extract field 'foo' from expression "spend" because it is not a struct, union, map, or json
  1 | SELECT spend.foo FROM customers
    |              ^^^ the dot takes a field of a struct; for a table's column check the name in front of it)"},
    {R"sql(WITH a AS (SELECT spend AS s2 FROM customers) SELECT spend FROM a)sql",
     R"(
f.sql:1:54: error[unknown_column]: there is no column 'spend' here
  1 | WITH a AS (SELECT spend AS s2 FROM customers) SELECT spend FROM a
    |                                                      ^^^^^ a column 'spend' exists, but what this SELECT reads (a CTE, a subquery) does not pass it on)"},
    {R"sql(SELECT * FROM customers u, usage u)sql",
     R"(
f.sql:1:25: error[duplicate_alias]: two tables in FROM are called 'u'
  1 | SELECT * FROM customers u, usage u
    |                         ^ give one of them another name: FROM customers AS c)"},
    {R"sql(SELECT customer_id FROM customers GROUP BY 9)sql",
     R"(
f.sql:1:35: error[bad_sql]: GROUP BY term out of range - should be between 1 and 1
  1 | SELECT customer_id FROM customers GROUP BY 9
    |                                   ^^^^^ write the column's name)"},
    {R"sql(SELECT spend FROM customers WHERE born > $as_of AND nme = $region)sql",
     R"(
f.sql:1:53: error[unknown_column]: there is no column 'nme' here
  1 | SELECT spend FROM customers WHERE born > $as_of AND nme = $region
    |                                                     ^^^ did you mean 'name'?)"},
    {R"sql(SELECT 'é' || nme FROM customers)sql",
     R"(
f.sql:1:15: error[unknown_column]: there is no column 'nme' here
  1 | SELECT 'é' || nme FROM customers
    |               ^^^ did you mean 'name'?)"},
};

TEST(Describe, ErrorTexts) {
  const auto catalog = TestCatalog();
  for (const Golden& golden : kErrors) {
    const auto result = DescribeIt(*catalog, TextIn(golden.sql));
    ASSERT_FALSE(result.ok()) << golden.sql;
    EXPECT_EQ("\n" + Render(result.error()), golden.texts) << golden.sql;
  }
}

TEST(Describe, TypesAsDescribePrintsThem) {
  const auto catalog = TestCatalog();
  const auto types = [&](const char* sql) { return Columns(DescribeIt(*catalog, TextIn(sql))); };
  EXPECT_EQ(types("SELECT * FROM customers"),
            "customer_id BIGINT, spend DOUBLE, name VARCHAR, born DATE, tags VARCHAR[]");
  EXPECT_EQ(types("SELECT SPEND, c.NAME AS Who, tags[1] AS tag FROM \"Customers\" c"),
            "spend DOUBLE, Who VARCHAR, tag VARCHAR");
  EXPECT_EQ(
      types("SELECT sum(customer_id) AS h, 1.50 AS d, [1] AS l, {'value': 1, 'A': 'x'} AS s, "
            "MAP {'a': 1} AS m, [1, 2]::INT[2] AS a, now_ FROM usage, (SELECT 1::JSON AS now_) "
            "GROUP BY ALL"),
      "h HUGEINT, d DECIMAL(3,2), l INTEGER[], s STRUCT(\"value\" INTEGER, A VARCHAR), "
      "m MAP(VARCHAR, INTEGER), a INTEGER[2], now_ JSON");
  EXPECT_EQ(types("SELECT customers FROM customers"),
            "customers STRUCT(customer_id BIGINT, spend DOUBLE, \"name\" VARCHAR, born DATE, tags "
            "VARCHAR[])");
  EXPECT_EQ(
      types("SELECT 'a'::ENUM('a', 'it''s') AS e, NULL AS n, INTERVAL 1 DAY AS i, "
            "'2026-01-01'::TIMESTAMPTZ AS z, uuid '00000000-0000-0000-0000-000000000000' AS u"),
      "e ENUM('a', 'it''s'), n \"NULL\", i INTERVAL, z TIMESTAMP WITH TIME ZONE, u UUID");
}

TEST(Describe, ParametersAreTyped) {
  const auto catalog = TestCatalog();
  EXPECT_EQ(
      Columns(DescribeIt(*catalog, TextIn("SELECT $as_of AS a, $As_Of + 1 AS b, $region AS r, "
                                          "$run_time AS t, spend FROM customers"))),
      "a DATE, b DATE, r VARCHAR, t TIMESTAMP, spend DOUBLE");
  SelectRules rules = TestRules();
  rules.incremental = true;
  const SqlText text = TextIn("SELECT day FROM usage WHERE day >= $from AND day < $to");
  const ParsedSelect select = TestParser().ParseSelect(text, rules);
  EXPECT_EQ(RenderAll(select.faults), "");
  EXPECT_EQ(Columns(catalog->Describe(text, select)), "day DATE");
}

TEST(Describe, NullsWithoutAType) {
  const auto catalog = TestCatalog();
  const auto types = [&](const char* sql) { return Columns(DescribeIt(*catalog, TextIn(sql))); };
  EXPECT_EQ(
      types("SELECT NULL AS n, [] AS l, 1 AS i, [1] AS m, NULL::INT AS c, coalesce(NULL, 2) AS d"),
      "n \"NULL\", l \"NULL\"[], i INTEGER, m INTEGER[], c INTEGER, d INTEGER");
  EXPECT_EQ(types("SELECT n, $as_of AS d FROM (SELECT NULL AS n, name FROM customers) -- c"),
            "n \"NULL\", d DATE");
  EXPECT_EQ(types("SELECT NULL AS n UNION ALL SELECT 1"), "n INTEGER");
  EXPECT_EQ(types("SELECT 1 AS i FROM customers WHERE name IS NOT NULL"), "i INTEGER");
}

TEST(Describe, UnknownInputsAreNotChecked) {
  const auto catalog = TestCatalog();
  catalog->DefineUnknown("mystery");
  EXPECT_EQ(Columns(DescribeIt(*catalog, TextIn("SELECT anything FROM mystery, usage"))),
            "unknown");
  catalog->Define("mystery", {{{"x", "INTEGER"}}});
  EXPECT_EQ(Columns(DescribeIt(*catalog, TextIn("SELECT x FROM mystery"))), "x INTEGER");
  EXPECT_EQ(catalog->Find("MYSTERY")->columns[0].name, "x");
  catalog->Define("mystery", {{{"y", "DATE"}}});
  EXPECT_EQ(Columns(DescribeIt(*catalog, TextIn("SELECT * FROM mystery"))), "y DATE");
}

TEST(Describe, TypesThatDuckDbDoesNotKnow) {
  const auto catalog = TestCatalog();
  catalog->Define("bad", {{{"x", "FOO"}}});
  EXPECT_EQ(Columns(DescribeIt(*catalog, TextIn("SELECT * FROM bad"))),
            "error[bad_type]: column 'x' of 'bad' has the type 'FOO', which DuckDB does not know\n"
            "  hint: types are DuckDB's: BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP …\n"
            "  node: bad");
}

TEST(Describe, HintsAtSumsOfDoublesOnly) {
  const auto catalog = TestCatalog();
  const auto result =
      DescribeIt(*catalog, TextIn("SELECT sum(spend), sum(customer_id), avg(customer_id / 2), "
                                  "sum(CAST(spend AS DECIMAL(10, 2))) FROM customers"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(RenderAll((*result)->hints), R"(
f.sql:1:8: hint[order_dependent]: sum() of doubles adds them in any order: its last digits may change
  1 | SELECT sum(spend), sum(customer_id), avg(customer_id / 2), sum(CAST(spend AS DECIMAL(10, 2))) FROM customers
    |        ^^^ cast to DECIMAL, or set `deterministic: true`
f.sql:1:38: hint[order_dependent]: avg() of doubles adds them in any order: its last digits may change
  1 | SELECT sum(spend), sum(customer_id), avg(customer_id / 2), sum(CAST(spend AS DECIMAL(10, 2))) FROM customers
    |                                      ^^^ cast to DECIMAL, or set `deterministic: true`)");
}

TEST(Describe, PackedDescriptionComesBack) {
  const auto catalog = TestCatalog();
  const auto result = DescribeIt(*catalog, TextIn("SELECT sum(spend) AS s FROM customers"));
  const Result<Description> back = UnpackDescription(PackDescription(**result));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->schema, (*result)->schema);
  EXPECT_EQ(RenderAll(back->hints), RenderAll((*result)->hints));
  EXPECT_FALSE(UnpackDescription("{").ok());
  EXPECT_FALSE(UnpackDescription("{\"version\": 1}").ok());
}

}  // namespace
}  // namespace headrace::sql
