// Ways out of a node's SQL: files, network, settings, other statements, SQL in strings; plain and
// hidden in CTEs, subqueries, lambdas, quoted names, comments and mixed case. Each is refused
// before anything runs, with words that say what to do instead. (The sealed instance of src/data is
// the second wall.)
#include <gtest/gtest.h>

#include "sql/expression.h"
#include "sql/testing.h"

namespace headrace::sql {
namespace {

struct Escape {
  const char* sql;
  const char* code;
};

const Escape kEscapes[] = {
    // files
    {"SELECT * FROM '/etc/passwd'", "file_in_sql"},
    {"SELECT * FROM '../../secret.csv'", "file_in_sql"},
    {"SELECT * FROM \"../x.parquet\"", "file_in_sql"},
    {"SELECT * FROM E'/etc/passwd'", "file_in_sql"},
    {"SELECT * FROM 's3://bucket/x.parquet'", "file_in_sql"},
    {"SELECT * FROM 'https://example.com/x.csv'", "file_in_sql"},
    {"SELECT * FROM data.csv", "file_in_sql"},
    {"SELECT * FROM read_csv('/etc/passwd')", "table_function"},
    {"SELECT * FROM ReAd_TeXt('/etc/passwd')", "table_function"},
    {"SELECT * FROM \"read_blob\"('/etc/passwd')", "table_function"},
    {"SELECT * FROM main.read_parquet('x')", "table_function"},
    {"SELECT * FROM system.main.read_json('x')", "table_function"},
    {"SELECT * FROM read_csv /* x */ ('x')", "table_function"},
    {"SELECT * FROM parquet_scan('x')", "table_function"},
    {"SELECT * FROM parquet_metadata('x')", "table_function"},
    {"SELECT * FROM sniff_csv('x')", "table_function"},
    {"SELECT * FROM glob('/**')", "table_function"},
    {"SELECT * FROM read_duckdb('x.db')", "table_function"},
    {"SELECT read_text('/etc/passwd')", "unknown_function"},
    // databases, catalogues, settings
    {"SELECT * FROM sqlite_scan('x.db', 't')", "table_function"},
    {"SELECT * FROM postgres_query('db', 'SELECT 1')", "table_function"},
    {"SELECT * FROM mysql_query('db', 'SELECT 1')", "table_function"},
    {"SELECT * FROM duckdb_secrets()", "table_function"},
    {"SELECT * FROM duckdb_settings()", "table_function"},
    {"SELECT * FROM pragma_table_info('x')", "table_function"},
    {"SELECT * FROM information_schema.tables", "qualified_table"},
    {"SELECT * FROM main.customers", "qualified_table"},
    {"SELECT * FROM other_db.main.customers", "qualified_table"},
    {"SELECT current_setting('s3_secret_access_key')", "forbidden_function"},
    {"SELECT getenv('HOME')", "forbidden_function"},
    {"SELECT GETVARIABLE('x')", "forbidden_function"},
    {"SELECT nextval('s')", "forbidden_function"},
    {"SELECT setseed(0.5)", "forbidden_function"},
    {"SELECT write_log('x')", "forbidden_function"},
    {"SELECT pg_sleep(100)", "forbidden_function"},
    // SQL in strings
    {"SELECT * FROM query('SELECT 1')", "table_function"},
    {"SELECT * FROM QUERY_TABLE('customers')", "table_function"},
    {"SELECT * FROM query_table($region)", "table_function"},
    {"SELECT * FROM json_execute_serialized_sql('{}')", "table_function"},
    {"SELECT json_serialize_plan('SELECT 1')", "forbidden_function"},
    {"SELECT * FROM histogram_values('customers', x)", "table_function"},
    // other statements
    {"LOAD httpfs", "not_a_select"},
    {"INSTALL httpfs FROM community", "not_a_select"},
    {"ATTACH 'x.db' AS x", "not_a_select"},
    {"DETACH x", "not_a_select"},
    {"USE x", "not_a_select"},
    {"COPY customers TO '/tmp/x.csv'", "not_a_select"},
    {"COPY (SELECT 1) TO '/tmp/x.csv'", "not_a_select"},
    {"EXPORT DATABASE '/tmp/x'", "not_a_select"},
    {"IMPORT DATABASE '/tmp/x'", "not_a_select"},
    {"SET threads = 1", "not_a_select"},
    {"/* x */ set enable_external_access = true", "not_a_select"},
    {"RESET threads", "not_a_select"},
    {"PRAGMA enable_profiling", "not_a_select"},
    {"CALL pragma_version()", "not_a_select"},
    {"CREATE TABLE x AS SELECT 1", "not_a_select"},
    {"CREATE MACRO f() AS TABLE SELECT * FROM 'x.csv'", "not_a_select"},
    {"CREATE SECRET (TYPE s3)", "not_a_select"},
    {"DROP TABLE customers", "not_a_select"},
    {"ALTER TABLE customers ADD COLUMN x INT", "not_a_select"},
    {"INSERT INTO customers VALUES (1)", "not_a_select"},
    {"DELETE FROM customers", "not_a_select"},
    {"TRUNCATE customers", "not_a_select"},
    {"PREPARE p AS SELECT 1", "not_a_select"},
    {"EXECUTE p", "not_a_select"},
    {"BEGIN", "not_a_select"},
    {"VACUUM", "not_a_select"},
    {"CHECKPOINT", "not_a_select"},
    {"EXPLAIN ANALYZE SELECT 1", "not_a_select"},
    {"SUMMARIZE 'x.csv'", "not_a_select"},
    {"FROM (DESCRIBE customers)", "not_a_select"},
    {"FROM (SUMMARIZE customers)", "not_a_select"},
    {"SELECT 1; LOAD httpfs", "several_statements"},
    {"SELECT ';'; -- x\n COPY customers TO 'x'", "several_statements"},
    {"SELECT $$ it's $$; ATTACH 'x'", "several_statements"},
    {"SELECT '\\'; SET threads = 1", "several_statements"},
    {"WITH x AS (INSERT INTO t VALUES (1) RETURNING *) FROM x", "not_a_select"},
    // hidden
    {"WITH x AS (SELECT * FROM 'a.csv') SELECT * FROM x", "file_in_sql"},
    {"WITH RECURSIVE x AS (SELECT 1 UNION SELECT 2 FROM read_csv('a')) FROM x", "table_function"},
    {"SELECT (SELECT max(x) FROM 'a.csv') FROM customers", "file_in_sql"},
    {"SELECT * FROM customers WHERE id IN (SELECT id FROM glob('*'))", "table_function"},
    {"SELECT * FROM customers c, LATERAL (SELECT * FROM read_csv(c.name))", "table_function"},
    {"SELECT * FROM customers JOIN (FROM 'a.csv') USING (id)", "file_in_sql"},
    {"SELECT * FROM customers ORDER BY (SELECT 1 FROM 'a.csv')", "file_in_sql"},
    {"SELECT * FROM customers LIMIT (SELECT 1 FROM 'a.csv')", "file_in_sql"},
    {"SELECT list_transform([1], lambda x: (SELECT count(*) FROM 'a.csv'))", "file_in_sql"},
    {"SELECT [(SELECT 1 FROM 'a.csv') FOR x IN [1]]", "file_in_sql"},
    {"SELECT (SELECT content FROM read_text('/etc/passwd')) -> '$'", "table_function"},
    {"SELECT * REPLACE ((SELECT 1 FROM 'a.csv') AS id) FROM customers", "file_in_sql"},
    {"SELECT * FROM range((SELECT count(*) FROM 'a.csv'))", "file_in_sql"},
    {"SELECT * FROM unnest((SELECT list(x) FROM read_csv('a')))", "table_function"},
    {"SELECT sum(x) OVER (PARTITION BY (SELECT 1 FROM 'a.csv')) FROM customers", "file_in_sql"},
    {"SELECT count(*) FILTER (WHERE (SELECT true FROM 'a.csv')) FROM customers", "file_in_sql"},
    {"VALUES ((SELECT 1 FROM 'a.csv'))", "file_in_sql"},
    {"PIVOT 'a.csv' ON x IN (1, 2) USING sum(y)", "file_in_sql"},
    {"UNPIVOT 'a.csv' ON x, y", "file_in_sql"},
    {"SELECT 1 UNION ALL SELECT x FROM 'a.csv'", "file_in_sql"},
    {"SELECT CASE WHEN true THEN getenv('HOME') END", "forbidden_function"},
    {"SELECT name.getenv() FROM customers", "forbidden_function"},
    {"SELECT list_transform(['HOME'], x -> getenv(x))", "forbidden_function"},
    {"SELECT \"getenv\"('HOME')", "forbidden_function"},
};

TEST(Sealing, EveryEscapeIsRefusedWithAWayOut) {
  EXPECT_GE(std::size(kEscapes), 100u);
  for (const bool allow_volatile : {false, true}) {
    SelectRules rules = TestRules();
    rules.allow_volatile = allow_volatile;
    for (const Escape& escape : kEscapes) {
      const ParsedSelect select = TestParser().ParseSelect(TextIn(escape.sql), rules);
      ASSERT_FALSE(select.ok()) << escape.sql;
      EXPECT_EQ(select.faults[0].code, escape.code) << RenderAll(select.faults);
      EXPECT_EQ(select.faults[0].blame, Blame::kUser);
      EXPECT_GT(select.faults[0].place.line, 0) << escape.sql;
      const bool way_out = !select.faults[0].hint.empty() || !select.faults[0].candidates.empty();
      EXPECT_TRUE(way_out) << RenderAll(select.faults);
    }
  }
}

TEST(Sealing, SystemViewsAreNoNodes) {
  const auto catalog = TestCatalog();
  for (const char* sql : {"SELECT * FROM sqlite_master", "SELECT * FROM duckdb_tables",
                          "SELECT * FROM pg_tables", "SELECT * FROM headrace_node"}) {
    const SqlText text = TextIn(sql);
    const ParsedSelect select = TestParser().ParseSelect(text);
    const auto result = catalog->Describe(text, select);
    ASSERT_FALSE(result.ok()) << sql;
    EXPECT_EQ(result.error().code, "unknown_node");
  }
}

TEST(Sealing, Expressions) {
  for (const char* sql :
       {"(SELECT true FROM 'x.csv')", "true FROM 'x.csv'", "getenv('HOME') = 'x'",
        "true; COPY t TO 'x'", "EXISTS (FROM glob('*'))", "current_setting('threads') = 1",
        "name IN (SELECT content FROM read_text('/etc/passwd'))", "true) OR (true",
        "list_filter(tags, lambda x: (SELECT true FROM 'x.csv')) IS NULL", "true UNION SELECT true",
        "true WHERE true", "true ORDER BY 1", "COPY t TO 'x'", "true, true", "true AS x"}) {
    const ParsedExpression expression = ParseExpression(TestParser(), TextIn(sql));
    EXPECT_FALSE(expression.ok()) << sql;
  }
}

}  // namespace
}  // namespace headrace::sql
