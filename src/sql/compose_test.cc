#include "sql/compose.h"

#include <gtest/gtest.h>

#include "data/duck.h"
#include "sql/testing.h"

namespace headrace::sql {
namespace {

View MakeView(const std::string& name, const std::string& sql) {
  return {name, {sql, name + ".sql", name, {}}};
}

TEST(Compose, WithoutViewsTheTextIsTheUsersOwn) {
  EXPECT_EQ(ComposeQuery(TextIn("-- c\nSELECT 1 AS x; -- end\n"), {}).text, "-- c\nSELECT 1 AS x");
  EXPECT_EQ(ComposeQuery(TextIn(";; SELECT 1;"), {}).text, " SELECT 1");
  EXPECT_EQ(TrimStatement("SELECT ';' -- ;\n;"), "SELECT ';'");
}

TEST(Compose, ViewsBecomeCtesInFront) {
  const std::vector<View> views{MakeView("a", "SELECT 1 AS x -- one\n;"),
                                MakeView("b", "SELECT x + 1 AS x FROM a")};
  EXPECT_EQ(
      ComposeQuery(TextIn("SELECT * FROM b"), views).text,
      "WITH \"a\" AS (SELECT 1 AS x\n), \"b\" AS (SELECT x + 1 AS x FROM a\n)\nSELECT * FROM b");
  EXPECT_EQ(
      ComposeQuery(TextIn("with recursive q AS (FROM b) FROM q"), views).text,
      "with recursive \"a\" AS (SELECT 1 AS x\n), \"b\" AS (SELECT x + 1 AS x FROM a\n), q AS "
      "(FROM b) FROM q");
  // A CTE with the name of a view it reads.
  EXPECT_EQ(ComposeQuery(TextIn("WITH q AS (SELECT 1), B AS (FROM b) FROM B"), views).text,
            "WITH \"a\" AS (SELECT 1 AS x\n), \"b\" AS (SELECT x + 1 AS x FROM a\n)\nSELECT * FROM "
            "(WITH q AS (SELECT 1), B AS (FROM b) FROM B\n)");
}

TEST(Compose, EveryFormRuns) {
  auto instance = data::DuckInstance::Open({});
  ASSERT_TRUE(instance.ok()) << Render(instance.error());
  auto connection = (*instance)->Connect();
  ASSERT_TRUE(connection.ok());
  const std::vector<View> views{MakeView("a", "WITH t AS (SELECT 20 AS x) SELECT x FROM t -- c"),
                                MakeView("b", "SELECT x + 1 AS x FROM a UNION SELECT 21")};
  for (const char* sql :
       {"SELECT x FROM b", "WITH q AS (FROM b) SELECT x FROM q", "FROM b", "TABLE b",
        "WITH b AS (SELECT x FROM b) SELECT x FROM b", "(SELECT x FROM b) INTERSECT SELECT 21",
        "WITH RECURSIVE q AS (SELECT x FROM b UNION SELECT x FROM q) FROM q",
        "WITH c(x, y) AS MATERIALIZED (SELECT x, 1 FROM b), d AS (SELECT x FROM c) FROM d;"}) {
    const ComposedQuery query = ComposeQuery(TextIn(sql), views);
    const auto rows = connection->Query(query.text);
    ASSERT_TRUE(rows.ok()) << query.text << "\n" << Render(rows.error());
    EXPECT_EQ(rows->at(0, 0).Text(), "21") << sql;
    EXPECT_EQ(rows->size(), 1u) << sql;
    EXPECT_TRUE(connection->Query("SELECT * FROM (" + query.text + "\n)").ok()) << sql;
  }
}

TEST(Compose, ErrorsPointToTheUsersText) {
  const std::vector<View> views{MakeView("a", "SELECT 1 AS x,\n  'é' || nope AS y")};
  const ComposedQuery query = ComposeQuery(TextIn("WITH q AS (FROM a)\nSELECT oops FROM q"), views);
  Place place = query.PlaceAt(query.text.find("nope"), 4);
  EXPECT_EQ(place.file, "a.sql");
  EXPECT_EQ(place.node, "a");
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 10);
  EXPECT_EQ(place.length, 4);
  place = query.PlaceAt(query.text.find("oops"), 4);
  EXPECT_EQ(place.file, "f.sql");
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 8);

  // As data::DuckConnection reports it: relative to the composed text.
  Error error = UserError("unknown_column", "no such column");
  error.place.line = 2;
  error.place.column = 10;
  error.place.length = 4;
  EXPECT_EQ(Render(PlaceError(error, query)),
            "a.sql:2:10: error[unknown_column]: no such column\n"
            "  2 |   'é' || nope AS y\n"
            "    |          ^^^^\n"
            "  node: a");
  EXPECT_EQ(PlaceError(UserError("x", "y"), query).place.file, "f.sql");
}

}  // namespace
}  // namespace headrace::sql
