#include <gtest/gtest.h>

#include "sql/testing.h"

namespace headrace::sql {
namespace {

Hash128 HashOf(const std::string& sql) {
  const ParsedSelect select = TestParser().ParseSelect(TextIn(sql));
  EXPECT_EQ(RenderAll(select.faults), "") << sql;
  return select.canonical;
}

TEST(Canonical, ReformattingChangesNothing) {
  const char* pairs[][2] = {
      {"select a,b from t where a>1", "SELECT\n  a, -- the key\n  b\nFROM t\nWHERE (a > 1);\n"},
      {"SELECT Customer_ID AS id FROM Usage", "SELECT customer_id AS id FROM usage"},
      {"SELECT u.MINUTES FROM usage U", "select U.minutes from Usage as u"},
      {"SELECT FOO FROM t", "SELECT foo FROM t"},
      {"SELECT SUM(x) AS s FROM t GROUP BY Plan", "SELECT sum(X) AS s FROM t GROUP BY plan"},
      {"SELECT x FROM t WHERE a <> 1", "SELECT x FROM t WHERE a != 1"},
      {"SELECT * FROM a JOIN b USING (K)", "SELECT * FROM a INNER JOIN b USING (k)"},
      {"WITH Q AS (SELECT 1 AS x) SELECT x FROM q", "WITH q AS (SELECT 1 AS x) SELECT x FROM Q"},
      {"SELECT $As_Of AS d FROM t", "SELECT $as_of AS d FROM t"},
      {"SELECT * EXCLUDE (A) FROM t", "SELECT * EXCLUDE (a) FROM t"},
      {"SELECT a FROM t", "FROM t SELECT a"},
      {"SELECT a::int AS a FROM t", "SELECT CAST(a AS INTEGER) AS a FROM t"},
  };
  for (const auto& pair : pairs) EXPECT_EQ(HashOf(pair[0]), HashOf(pair[1])) << pair[0];
}

TEST(Canonical, MeaningsDiffer) {
  const char* pairs[][2] = {
      {"SELECT a FROM t", "SELECT b FROM t"},
      {"SELECT a FROM t", "SELECT a FROM u"},
      {"SELECT a AS x FROM t", "SELECT a AS y FROM t"},
      {"SELECT a AS x FROM t", "SELECT a AS X FROM t"},  // the column's name is part of the result
      {"SELECT sum(x) FROM t", "SELECT sum(X) FROM t"},  // so is this one's: "sum(x)", "sum(X)"
      {"SELECT s.foo FROM t", "SELECT s.FOO FROM t"},    // a struct's field is named as written
      {"SELECT 'a' AS x", "SELECT 'A' AS x"},
      {"SELECT 1 AS x", "SELECT 1.0 AS x"},
      {"SELECT 1 AS x", "SELECT '1' AS x"},
      {"SELECT a, b FROM t", "SELECT b, a FROM t"},
      {"SELECT a FROM t WHERE a > 1", "SELECT a FROM t WHERE a >= 1"},
      {"SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"},
      {"SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 2"},
      {"SELECT a FROM t JOIN u USING (k)", "SELECT a FROM t LEFT JOIN u USING (k)"},
      {"SELECT a FROM t UNION SELECT a FROM u", "SELECT a FROM t UNION ALL SELECT a FROM u"},
      {"SELECT DISTINCT a FROM t", "SELECT a FROM t"},
      {"SELECT count(a) FROM t", "SELECT count(DISTINCT a) FROM t"},
      {"SELECT $x AS a FROM t", "SELECT $y AS a FROM t"},
      {"SELECT a + (b + c) AS x FROM t", "SELECT (a + b) + c AS x FROM t"},
      {"SELECT 'a' || 'b' AS x", "SELECT 'a''b' AS x"},
  };
  for (const auto& pair : pairs) EXPECT_NE(HashOf(pair[0]), HashOf(pair[1])) << pair[0];
}

TEST(Canonical, SameFromRunToRun) {
  // Part of every fingerprint: raise kSelectVersion when this changes.
  EXPECT_EQ(HashOf("SELECT a, sum(b) AS s FROM t WHERE c > $x GROUP BY a").Hex(),
            "d72141ed32b3e14632882dc80a7565f9");
}

}  // namespace
}  // namespace headrace::sql
