// The full texts of faults and hints that need no types.
#include <gtest/gtest.h>

#include "sql/testing.h"

namespace headrace::sql {
namespace {

const Golden kFaults[] = {
    {R"sql(-- nothing yet)sql",
     R"(
f.sql:1:1: error[empty_sql]: there is no SELECT here
  1 | -- nothing yet
    | ^ write one SELECT, for instance: SELECT * FROM customers)"},
    {R"sql(SELECT 1; DROP TABLE customers)sql",
     R"(
f.sql:1:11: error[several_statements]: a second statement starts here
  1 | SELECT 1; DROP TABLE customers
    |           ^^^^ a node is one SELECT: move this one to a file of its own, or join them by WITH)"},
    {R"sql(SELEC id FROM customers)sql",
     R"(
f.sql:1:1: error[syntax]: unexpected 'SELEC'
  1 | SELEC id FROM customers
    | ^^^^^ did you mean 'SELECT'?)"},
    {R"sql(SELECT id FORM customers WHERE id = 1)sql",
     R"(
f.sql:1:16: error[syntax]: unexpected 'customers'
  1 | SELECT id FORM customers WHERE id = 1
    |                ^^^^^^^^^ is 'FORM' before it meant to be FROM?)"},
    {R"sql(SELECT id,
  name,
FROM customers
WHERE (id = 1)sql",
     R"(
f.sql:4:13: error[syntax]: the SQL ends too early
  4 | WHERE (id = 1
    |             ^ something is missing at the end: a name, a closing bracket or quote?)"},
    {R"sql(SELECT 'abc FROM customers)sql",
     R"(
f.sql:1:8: error[syntax]: unterminated quoted string
  1 | SELECT 'abc FROM customers
    |        ^^^^^^^^^^^^^^^^^^^ close it with the same quote)"},
    {R"sql(INSERT INTO customers VALUES (1))sql",
     R"(
f.sql:1:1: error[not_a_select]: INSERT is not allowed: only SELECT is
  1 | INSERT INTO customers VALUES (1)
    | ^^^^^^ a node's table is exactly what its SELECT returns; write a SELECT of the rows you want)"},
    {R"sql(WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x)sql",
     R"(
f.sql:1:12: error[not_a_select]: INSERT is not allowed: only SELECT is
  1 | WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x
    |            ^^^^^^ a node's table is exactly what its SELECT returns; write a SELECT of the rows you want)"},
    {R"sql(PIVOT usage ON plan USING sum(minutes))sql",
     R"(
f.sql:1:1: error[pivot_without_in]: PIVOT needs the list of values: without it the columns depend on the data
  1 | PIVOT usage ON plan USING sum(minutes)
    | ^^^^^ write them down: PIVOT t ON plan IN ('basic', 'pro') USING sum(x))"},
    {R"sql(DESCRIBE customers)sql",
     R"(
f.sql:1:1: error[not_a_select]: DESCRIBE is not allowed: only SELECT is
  1 | DESCRIBE customers
    | ^^^^^^^^ type `headrace show NODE` to look at a node)"},
    {R"sql(FROM (SHOW TABLES))sql",
     R"(
f.sql:1:7: error[not_a_select]: SHOW is not allowed: only SELECT is
  1 | FROM (SHOW TABLES)
    |       ^^^^ type `headrace show NODE` to look at a node)"},
    {R"sql(SELECT * FROM main.customers)sql",
     R"(
f.sql:1:15: error[qualified_table]: 'main.customers' has a schema, but only nodes may be read, and nodes have none
  1 | SELECT * FROM main.customers
    |               ^^^^^^^^^^^^^^ write customers if you mean the node; for a table of a database make a source: a file customers.yml with `source:`, `connection:` and `table: main.customers`)"},
    {R"sql(SELECT * FROM data/usage.csv)sql",
     R"(
f.sql:1:19: error[syntax]: unexpected '/'
  1 | SELECT * FROM data/usage.csv
    |                   ^)"},
    {R"sql(SELECT * FROM usage.csv)sql",
     R"(
f.sql:1:15: error[file_in_sql]: 'usage.csv' is a file, but only nodes may be read
  1 | SELECT * FROM usage.csv
    |               ^^^^^^^^^ make it a source: a file usage.yml with `source: csv` and `path: usage.csv`, then write FROM usage)"},
    {R"sql(SELECT *
FROM 'data/My Usage.csv.gz' u)sql",
     R"(
f.sql:2:6: error[file_in_sql]: 'data/My Usage.csv.gz' is a file, but only nodes may be read
  2 | FROM 'data/My Usage.csv.gz' u
    |      ^^^^^^^^^^^^^^^^^^^^^^ make it a source: a file my_usage.yml with `source: csv` and `path: data/My Usage.csv.gz`, then write FROM my_usage)"},
    {R"sql(SELECT * FROM "s3://bucket/x.parquet")sql",
     R"(
f.sql:1:15: error[file_in_sql]: 's3://bucket/x.parquet' is a file, but only nodes may be read
  1 | SELECT * FROM "s3://bucket/x.parquet"
    |               ^^^^^^^^^^^^^^^^^^^^^^^ make it a source: a file x.yml with `source: parquet` and `path: s3://bucket/x.parquet`, then write FROM x)"},
    {R"sql(SELECT * FROM "My Table")sql",
     R"(
f.sql:1:15: error[unknown_node]: there can't be a node 'My Table'
  1 | SELECT * FROM "My Table"
    |               ^^^^^^^^^^ names of nodes are a-z, 0-9 and _, begin with a letter, have 63 characters at most and no __)"},
    {R"sql(SELECT * FROM read_csv('x.csv'))sql",
     R"(
f.sql:1:15: error[table_function]: read_csv() is not allowed: only nodes may be read
  1 | SELECT * FROM read_csv('x.csv')
    |               ^^^^^^^^ make the file a source: a .yml file with `source: csv` (parquet, json) and `path:`, then read that node)"},
    {R"sql(SELECT * FROM postgres_query('db', 'SELECT 1'))sql",
     R"(
f.sql:1:15: error[table_function]: postgres_query() is not allowed: only nodes may be read
  1 | SELECT * FROM postgres_query('db', 'SELECT 1')
    |               ^^^^^^^^^^^^^^ make the table a source: a .yml file with `source:`, `connection:` and `table:` or `query:`, then read that node)"},
    {R"sql(SELECT * FROM query('SELECT 1'))sql",
     R"(
f.sql:1:15: error[table_function]: query() is not allowed: only nodes may be read
  1 | SELECT * FROM query('SELECT 1')
    |               ^^^^^ it hides SQL in a string, and with it the node's inputs: write the query itself)"},
    {R"sql(SELECT * FROM duckdb_settings())sql",
     R"(
f.sql:1:15: error[table_function]: duckdb_settings() is not allowed: only nodes may be read
  1 | SELECT * FROM duckdb_settings()
    |               ^^^^^^^^^^^^^^^ it shows the engine's internals, not data; `headrace show NODE` and `headrace doctor` tell what there is)"},
    {R"sql(SELECT * FROM summon())sql",
     R"(
f.sql:1:15: error[table_function]: summon() is not allowed: only nodes may be read
  1 | SELECT * FROM summon()
    |               ^^^^^^ table functions that may be used: generate_series, json_each, json_tree, range, repeat, repeat_row, unnest)"},
    {R"sql(SELECT * FROM customers AT (VERSION => 1))sql",
     R"(
f.sql:1:15: error[time_travel]: 'customers' can't be read AT a version
  1 | SELECT * FROM customers AT (VERSION => 1)
    |               ^^^^^^^^^ a node reads its inputs' current snapshots; look at old ones with `headrace query --at RUN`)"},
    {R"sql(SELECT now(), CURRENT_DATE FROM customers)sql",
     R"(
f.sql:1:8: error[not_constant]: now() reads the clock, so the same inputs give another result
  1 | SELECT now(), CURRENT_DATE FROM customers
    |        ^^^ use $run_time, the time of the run; or set `volatile: true` to rerun the node always
f.sql:1:15: error[not_constant]: current_date reads the clock, so the same inputs give another result
  1 | SELECT now(), CURRENT_DATE FROM customers
    |               ^^^^^^^^^^^^ use $run_time, the time of the run; or set `volatile: true` to rerun the node always)"},
    {R"sql(SELECT random() FROM customers)sql",
     R"(
f.sql:1:8: error[not_constant]: random() gives another value in every run
  1 | SELECT random() FROM customers
    |        ^^^^^^ derive the value from the row, for instance hash(key); or set `volatile: true`)"},
    {R"sql(SELECT current_user FROM customers)sql",
     R"(
f.sql:1:8: error[not_constant]: current_user depends on the session, not on the data
  1 | SELECT current_user FROM customers
    |        ^^^^^^^^^^^^ leave it out; what differs between targets can be a parameter: $name)"},
    {R"sql(SELECT age(born) FROM customers)sql",
     R"(
f.sql:1:8: error[not_constant]: age() reads the clock, so the same inputs give another result
  1 | SELECT age(born) FROM customers
    |        ^^^ use $run_time, the time of the run; or set `volatile: true` to rerun the node always)"},
    {R"sql(SELECT current_setting('s3_secret_access_key'))sql",
     R"(
f.sql:1:8: error[forbidden_function]: current_setting() is not allowed: settings, sequences and the environment may not enter a result
  1 | SELECT current_setting('s3_secret_access_key')
    |        ^^^^^^^^^^^^^^^ make it a parameter: `params:` in headrace.yml, $name in SQL, --param name=value)"},
    {R"sql(SELECT uper(name) FROM customers)sql",
     R"(
f.sql:1:8: error[unknown_function]: there is no function 'uper'
  1 | SELECT uper(name) FROM customers
    |        ^^^^ did you mean 'upper'?)"},
    {R"sql(SELECT frobnicate(name) FROM customers)sql",
     R"(
f.sql:1:8: error[unknown_function]: there is no function 'frobnicate'
  1 | SELECT frobnicate(name) FROM customers
    |        ^^^^^^^^^^ the functions of DuckDB can be used, but not of extensions)"},
    {R"sql(SELECT * FROM customers USING SAMPLE 10%)sql",
     R"(
f.sql:1:31: error[not_constant]: a sample takes other rows in every run
  1 | SELECT * FROM customers USING SAMPLE 10%
    |                               ^^^^^^ choose rows by a hash: WHERE hash(key) % 100 < 10; or set `volatile: true`)"},
    {R"sql(SELECT * FROM customers WHERE id = ?)sql",
     R"(
f.sql:1:36: error[positional_parameter]: ? has no name: parameters are written $name
  1 | SELECT * FROM customers WHERE id = ?
    |                                    ^ declare it under `params:` in headrace.yml)"},
    {R"sql(SELECT * FROM customers WHERE day >= $from)sql",
     R"(
f.sql:1:38: error[interval_parameter]: $from exists only in an incremental node
  1 | SELECT * FROM customers WHERE day >= $from
    |                                      ^^^^^ set `materialize: incremental`, `time:`, `every:` and `start:` in the .yml file beside it)"},
    {R"sql(SELECT * FROM customers WHERE day < $as_off)sql",
     R"(
f.sql:1:37: error[unknown_parameter]: there is no parameter 'as_off'
  1 | SELECT * FROM customers WHERE day < $as_off
    |                                     ^^^^^^^ did you mean 'as_of'?)"},
    {R"sql(SELECT * FROM customers WHERE day < $horizon)sql",
     R"(
f.sql:1:37: error[unknown_parameter]: there is no parameter 'horizon'
  1 | SELECT * FROM customers WHERE day < $horizon
    |                                     ^^^^^^^^ declare it in headrace.yml: params: {horizon: {type: …, default: …}})"},
    {R"sql(SELECT 'é' || $horizon)sql",
     R"(
f.sql:1:15: error[unknown_parameter]: there is no parameter 'horizon'
  1 | SELECT 'é' || $horizon
    |               ^^^^^^^^ declare it in headrace.yml: params: {horizon: {type: …, default: …}})"},
};

TEST(Faults, Texts) {
  for (const Golden& golden : kFaults) {
    const ParsedSelect select = TestParser().ParseSelect(TextIn(golden.sql), TestRules());
    EXPECT_EQ(RenderAll(select.faults), golden.texts) << golden.sql;
  }
}

const Golden kHints[] = {
    {R"sql(SELECT id FROM customers LIMIT 5)sql",
     R"(
f.sql:1:32: hint[order_dependent]: LIMIT without ORDER BY keeps whichever rows come first
  1 | SELECT id FROM customers LIMIT 5
    |                                ^ add ORDER BY with a unique key)"},
    {R"sql(SELECT DISTINCT ON (id) id, day FROM usage)sql",
     R"(
f.sql:1:21: hint[order_dependent]: DISTINCT ON without ORDER BY keeps whichever row comes first
  1 | SELECT DISTINCT ON (id) id, day FROM usage
    |                     ^^ add ORDER BY with a unique key)"},
    {R"sql(SELECT first(name), string_agg(name, ', '), any_value(name ORDER BY id) FROM customers)sql",
     R"(
f.sql:1:8: hint[order_dependent]: first() takes a value from whichever row comes first
  1 | SELECT first(name), string_agg(name, ', '), any_value(name ORDER BY id) FROM customers
    |        ^^^^^ write first(x ORDER BY key)
f.sql:1:21: hint[order_dependent]: string_agg() keeps its items in the order in which the rows come
  1 | SELECT first(name), string_agg(name, ', '), any_value(name ORDER BY id) FROM customers
    |                     ^^^^^^^^^^ write string_agg(x ORDER BY key))"},
    {R"sql(SELECT row_number() OVER (PARTITION BY id ORDER BY day), row_number() OVER () FROM usage)sql",
     R"(
f.sql:1:8: hint[order_dependent]: row_number() numbers rows that tie in its ORDER BY in any order
  1 | SELECT row_number() OVER (PARTITION BY id ORDER BY day), row_number() OVER () FROM usage
    |        ^^^^^^^^^^ end its ORDER BY with a unique key, if it does not
f.sql:1:58: hint[order_dependent]: row_number() without ORDER BY takes the rows in the order in which they come
  1 | SELECT row_number() OVER (PARTITION BY id ORDER BY day), row_number() OVER () FROM usage
    |                                                          ^^^^^^^^^^ give its OVER (…) an ORDER BY that ends with a unique key)"},
    {R"sql(SELECT approx_quantile(x, 0.5), mode(x), arg_max(a, b) FROM t)sql",
     R"(
f.sql:1:8: hint[order_dependent]: approx_quantile() is an approximation that depends on the order of the rows
  1 | SELECT approx_quantile(x, 0.5), mode(x), arg_max(a, b) FROM t
    |        ^^^^^^^^^^^^^^^ it may differ from run to run; `deterministic: true` runs the node on one thread, in order
f.sql:1:33: hint[order_dependent]: mode() picks among equally frequent values in any order
  1 | SELECT approx_quantile(x, 0.5), mode(x), arg_max(a, b) FROM t
    |                                 ^^^^ it may differ from run to run; `deterministic: true` runs the node on one thread, in order
f.sql:1:42: hint[order_dependent]: arg_max() takes a value from any of the rows that tie
  1 | SELECT approx_quantile(x, 0.5), mode(x), arg_max(a, b) FROM t
    |                                          ^^^^^^^ it may differ from run to run; `deterministic: true` runs the node on one thread, in order)"},
    {R"sql(SELECT * FROM a POSITIONAL JOIN b)sql",
     R"(
f.sql:1:17: hint[order_dependent]: POSITIONAL JOIN pairs rows in the order in which they come
  1 | SELECT * FROM a POSITIONAL JOIN b
    |                 ^^^^^^^^^^ join by a key)"},
    {R"sql(SELECT * FROM t USING SAMPLE reservoir(10 ROWS) REPEATABLE (3))sql",
     R"(
f.sql:1:23: hint[order_dependent]: a repeatable sample still depends on the order of the rows and on the threads
  1 | SELECT * FROM t USING SAMPLE reservoir(10 ROWS) REPEATABLE (3)
    |                       ^^^^^^ choose rows by a hash: WHERE hash(key) % 100 < 10)"},
};

TEST(Hints, Texts) {
  for (const Golden& golden : kHints) {
    const ParsedSelect select = TestParser().ParseSelect(TextIn(golden.sql), TestRules());
    EXPECT_EQ(RenderAll(select.faults), "") << golden.sql;
    EXPECT_EQ(RenderAll(select.hints), golden.texts) << golden.sql;
  }
}

TEST(Hints, NoneWhereTheOrderIsTotalOrDoesNotMatter) {
  for (const char* sql : {"SELECT id FROM t ORDER BY id LIMIT 5",
                          "SELECT max(x), count(*), sum(n) FROM t GROUP BY id",
                          "SELECT rank() OVER (ORDER BY x) FROM t",
                          "SELECT list(x ORDER BY id) FROM t", "SELECT DISTINCT a FROM t"}) {
    EXPECT_EQ(RenderAll(TestParser().ParseSelect(TextIn(sql)).hints), "") << sql;
  }
}

TEST(Faults, AllOfATextAtOnceInOrder) {
  const ParsedSelect select = TestParser().ParseSelect(
      TextIn("SELECT now(), $nope\nFROM 'a.csv', main.t, glob('*')\nWHERE uper(x) = random()"),
      TestRules());
  std::vector<std::string> codes;
  for (const Error& fault : select.faults) codes.push_back(fault.code);
  EXPECT_EQ(codes, (std::vector<std::string>{"not_constant", "unknown_parameter", "file_in_sql",
                                             "qualified_table", "table_function",
                                             "unknown_function", "not_constant"}));
}

TEST(Faults, BrokenBytes) {
  EXPECT_EQ(
      RenderAll(TestParser().ParseSelect(TextIn("SELECT 1 \xff FROM t")).faults),
      "\nf.sql:1:10: error[bad_encoding]: this is not UTF-8\n  hint: save the file as UTF-8 text");
  EXPECT_EQ(TestParser().ParseSelect(TextIn(std::string("SELECT 1\0; DROP", 15))).faults[0].message,
            "there is a NUL byte in the SQL");
}

TEST(Faults, DeepNestingEndsInAnError) {
  std::string sql = "SELECT ";
  for (int i = 0; i < 900; ++i) sql += "(1 + ";
  sql += "1" + std::string(900, ')');
  TestParser().ParseSelect(TextIn(sql));  // any answer, but no crash
  sql = "SELECT " + std::string(20000, '(') + "1" + std::string(20000, ')');
  EXPECT_FALSE(TestParser().ParseSelect(TextIn(sql)).ok());
}

}  // namespace
}  // namespace headrace::sql
