#include "sql/select.h"

#include <gtest/gtest.h>

#include "sql/duck_session.h"
#include "sql/testing.h"

namespace headrace::sql {
namespace {

ParsedSelect Parse(const std::string& sql) {
  ParsedSelect select = TestParser().ParseSelect(TextIn(sql));
  EXPECT_EQ(RenderAll(select.faults), "") << sql;
  return select;
}

using Names = std::vector<std::string>;

TEST(Inputs, EverywhereInAQuery) {
  EXPECT_EQ(Parse("SELECT 1").inputs, Names{});
  EXPECT_EQ(Parse("FROM b JOIN a USING (k)").inputs, (Names{"a", "b"}));
  EXPECT_EQ(Parse("TABLE a").inputs, Names{"a"});
  EXPECT_EQ(Parse("SELECT * FROM A x, a y, \"a\"").inputs, Names{"a"});
  EXPECT_EQ(
      Parse("SELECT (SELECT max(x) FROM a), EXISTS (FROM b) FROM c WHERE x IN (SELECT y FROM d)"
            " GROUP BY (SELECT 1 FROM e) HAVING (SELECT true FROM f)"
            " ORDER BY (SELECT 1 FROM g) LIMIT (SELECT 1 FROM h)")
          .inputs,
      (Names{"a", "b", "c", "d", "e", "f", "g", "h"}));
  EXPECT_EQ(Parse("(SELECT * FROM a) UNION ALL (SELECT * FROM b EXCEPT SELECT * FROM c)").inputs,
            (Names{"a", "b", "c"}));
  EXPECT_EQ(Parse("SELECT * FROM a, LATERAL (SELECT a.x, * FROM b), unnest(a.l), range(3)").inputs,
            (Names{"a", "b"}));
  EXPECT_EQ(Parse("PIVOT a ON plan IN ('x', 'y') USING sum(v)").inputs, Names{"a"});
  EXPECT_EQ(Parse("UNPIVOT a ON x, y INTO NAME n VALUE v").inputs, Names{"a"});
  EXPECT_EQ(Parse("SELECT list_transform(l, lambda x: x + (SELECT max(y) FROM b)) FROM a").inputs,
            (Names{"a", "b"}));
  EXPECT_EQ(Parse("SELECT (SELECT doc FROM b) -> '$.x' FROM a").inputs, (Names{"a", "b"}));
  EXPECT_EQ(Parse("SELECT sum(x) FILTER (WHERE x > (SELECT 1 FROM b)) OVER (ORDER BY "
                  "(SELECT 1 FROM c)) FROM a QUALIFY (SELECT 1 FROM d) = 1")
                .inputs,
            (Names{"a", "b", "c", "d"}));
}

TEST(Inputs, CtesShadowNodes) {
  EXPECT_EQ(Parse("WITH a AS (SELECT 1) SELECT * FROM A").inputs, Names{});
  // A CTE does not see itself …
  EXPECT_EQ(Parse("WITH a AS (SELECT * FROM a) SELECT * FROM a").inputs, Names{"a"});
  // … unless it is recursive, nor those after it.
  EXPECT_EQ(
      Parse("WITH RECURSIVE q AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM q) FROM q").inputs,
      Names{});
  EXPECT_EQ(Parse("WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a").inputs, Names{"a"});
  EXPECT_EQ(Parse("WITH a AS (FROM b), b AS (SELECT 1) SELECT * FROM a, b").inputs, Names{"b"});
  // Inner CTEs end with their query; outer ones are seen inside.
  EXPECT_EQ(Parse("WITH o AS (FROM x) SELECT * FROM (WITH i AS (FROM o) FROM i), i").inputs,
            (Names{"i", "x"}));
  EXPECT_EQ(Parse("WITH o AS (FROM x) SELECT * FROM y WHERE k IN (SELECT k FROM o)").inputs,
            (Names{"x", "y"}));
  EXPECT_EQ(Parse("WITH RECURSIVE q(n) USING KEY (n) AS (SELECT 1 UNION SELECT n FROM recurring.q) "
                  "FROM q")
                .inputs,
            Names{});
  EXPECT_EQ(Parse("WITH c AS (FROM z) (SELECT * FROM c) UNION SELECT * FROM c").inputs, Names{"z"});
}

TEST(Tables, EveryMentionWithItsPlace) {
  const std::string sql = "SELECT * FROM \"Usage\" u\nJOIN usage v ON true";
  const ParsedSelect select = Parse(sql);
  ASSERT_EQ(select.tables.size(), 2u);
  EXPECT_EQ(select.tables[0].written, "Usage");
  EXPECT_EQ(select.tables[0].name, "usage");
  EXPECT_EQ(select.tables[0].span, (Span{14, 7}));
  EXPECT_EQ(select.tables[1].span, (Span{29, 5}));
  const Place place = PlaceOf(TextIn(sql), select.tables[1].span);
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 6);
  EXPECT_EQ(place.length, 5);
  EXPECT_EQ(place.source_line, "JOIN usage v ON true");
}

TEST(Parameters, InTextStringsAndComments) {
  const ParsedSelect select = Parse(
      "SELECT '$no', $$ $no $$, \"$no\" /* $no */ FROM t -- $no\nWHERE a = $As_Of OR b=$x OR "
      "c=$as_of");
  EXPECT_EQ(select.parameter_names, (Names{"as_of", "x"}));
  EXPECT_EQ(select.parameters.size(), 3u);
  EXPECT_EQ(select.parameters[0].span.length, 6u);
}

TEST(Functions, NamesAndVolatility) {
  SelectRules rules = TestRules();
  rules.allow_volatile = true;
  const auto parse = [&](const char* sql) { return TestParser().ParseSelect(TextIn(sql), rules); };
  const ParsedSelect select = parse("SELECT Upper(a) || 'x', now(), sum(b) OVER () FROM t");
  EXPECT_EQ(RenderAll(select.faults), "");
  EXPECT_TRUE(select.uses_volatile);
  Names names;
  for (const FunctionUse& use : select.functions) names.push_back(use.name);
  EXPECT_EQ(names, (Names{"upper", "now", "sum"}));
  EXPECT_FALSE(Parse("SELECT upper(a), error('no') FROM t").uses_volatile);
  EXPECT_TRUE(parse("SELECT current_timestamp FROM t").ok());
  EXPECT_TRUE(parse("SELECT * FROM t USING SAMPLE 10%").ok());
  EXPECT_FALSE(parse("SELECT getenv('HOME')").ok());
  EXPECT_FALSE(parse("SELECT current_setting('threads')").ok());
  // A column by such a name can be read with its table.
  EXPECT_TRUE(Parse("SELECT t.current_date, t.user, user FROM t").ok());
  // Every function of the catalogue that may change is known by our table or refused as volatile.
  for (const char* name : {"gen_random_uuid", "today", "txid_current", "nextval", "write_log"}) {
    EXPECT_FALSE(TestParser().ParseSelect(TextIn(std::string("SELECT ") + name + "()")).ok())
        << name;
  }
}

TEST(Parse, UnicodeBlanksKeepPlaces) {
  const ParsedSelect select = Parse("\xEF\xBB\xBFSELECT\xC2\xA0x FROM\xE3\x80\x80usage");
  ASSERT_EQ(select.tables.size(), 1u);
  EXPECT_EQ(select.tables[0].span, (Span{20, 5}));
  EXPECT_EQ(Parse("SELECT 'a\xC2\xA0"
                  "b' AS x")
                .inputs,
            Names{});
}

TEST(Parse, ManyTextsInOneQuery) {
  std::vector<SqlText> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back(TextIn(i % 100 == 7 ? "SELEC" : "SELECT * FROM n" + std::to_string(i)));
  }
  const int before = TestParser().state().parses;
  const std::vector<ParsedSelect> selects = TestParser().ParseSelects(texts);
  EXPECT_EQ(TestParser().state().parses, before + 1);
  ASSERT_EQ(selects.size(), 300u);
  EXPECT_EQ(selects[299].inputs, Names{"n299"});
  EXPECT_EQ(selects[107].faults[0].code, "syntax");
  EXPECT_TRUE(TestParser().ParseSelects({}).empty());
}

TEST(Parse, InfiniteConstants) {
  EXPECT_NE(Parse("SELECT 1e500, 'Infinity:Infinity', -1e999 FROM t").canonical,
            Parse("SELECT 1e500, 'Infinity:Infinity', 1e999 FROM t").canonical);
}

TEST(Pack, ComesBack) {
  const ParsedSelect select = TestParser().ParseSelect(
      TextIn("SELECT sum(x / 2), first(y), now() FROM t WHERE d < $as_of"), TestRules());
  const Result<ParsedSelect> back = UnpackSelect(PackSelect(select));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->inputs, select.inputs);
  EXPECT_EQ(back->tables[0].span, select.tables[0].span);
  EXPECT_EQ(back->parameter_names, select.parameter_names);
  EXPECT_EQ(back->functions.size(), select.functions.size());
  EXPECT_EQ(back->canonical, select.canonical);
  EXPECT_EQ(back->sums[0].makes_double, true);
  EXPECT_TRUE(back->uses_volatile);
  EXPECT_EQ(RenderAll(back->faults), RenderAll(select.faults));
  EXPECT_EQ(RenderAll(back->hints), RenderAll(select.hints));
  for (const char* bad : {"", "[]", "{\"version\": 1}", "{\"version\": 99}"}) {
    EXPECT_FALSE(UnpackSelect(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace headrace::sql
