#include <sqlite3.h>

#include <filesystem>

#include "components/project_fixture.h"
#include "components/sources/sqlite_build.h"

namespace headrace::components {
namespace {

class SqliteTest : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    Write("headrace.yml",
          "project: test\nconnections:\n  db: {type: sqlite, path: data/usage.db, wait: 10ms}\n");
    std::filesystem::create_directories(Path("data"));
  }
  void TearDown() override {
    if (writer_ != nullptr) sqlite3_close(writer_);
    ProjectTest::TearDown();
  }

  /// Runs SQL on the database; the connection closes unless `keep`.
  void Sql(const std::string& sql, bool keep = false) {
    if (writer_ == nullptr) {
      ASSERT_EQ(sqlite3_open(Path("data/usage.db").c_str(), &writer_), 0);
    }
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(writer_, sql.c_str(), nullptr, nullptr, &message), 0) << message;
    if (keep) return;
    sqlite3_close(writer_);
    writer_ = nullptr;
  }
  void Source(const std::string& fields) {
    Write("pipeline/usage.yml", "source: sqlite\nconnection: db\n" + fields);
  }
  std::string RunError() {
    const std::string before = Rows("usage");
    Run();
    const std::string error = ErrorOf("usage");
    if (!error.empty()) {
      EXPECT_EQ(Rows("usage"), before);
    }
    return error;
  }

  sqlite3* writer_ = nullptr;
};

TEST_F(SqliteTest, DeclaredTypes) {
  Sql("CREATE TABLE usage (id INTEGER, name TEXT, x REAL, raw BLOB, day DATE, at DATETIME, ok "
      "BOOLEAN, price DECIMAL(10,2), any);"
      "INSERT INTO usage VALUES (1, 'Jörg', 1.5, x'0102', '2024-01-31', '2024-01-31T09:30:00Z', 1, "
      "2.5, 'a'), (2, NULL, 2, NULL, '1969-12-31', '2024-01-31', 'false', 3, 7)");
  Source("table: usage\n");
  Run();
  EXPECT_EQ(ErrorOf("usage"), "");
  EXPECT_EQ(
      Types("usage"),
      "id BIGINT, name VARCHAR, x DOUBLE, raw BLOB, day DATE, at TIMESTAMP, ok BOOLEAN, price "
      "DOUBLE, any VARCHAR");
  EXPECT_EQ(Rows("usage"),
            "id=1, name=Jörg, x=1.5, raw=\\x01\\x02, day=2024-01-31, at=2024-01-31 09:30:00, "
            "ok=true, price=2.5, any=a\n"
            "id=2, name=NULL, x=2, raw=NULL, day=1969-12-31, at=2024-01-31 00:00:00, ok=false, "
            "price=3, any=7\n");
  Run();
  EXPECT_EQ(Result("usage").action, "reuse");
}

TEST_F(SqliteTest, ValuesThatBreakTheirPromise) {
  Sql("CREATE TABLE usage (id INTEGER, day DATE);"
      "INSERT INTO usage VALUES (1, '2024-01-01'), ('x', '2024-01-01 10:00:00'), (3, NULL)");
  Source("table: usage\n");
  Run();
  EXPECT_EQ(Types("usage"), "id VARCHAR, day TIMESTAMP");
  EXPECT_EQ(NotesOf("usage"),
            "data/usage.db: warning[type_widened]: column 'id' is VARCHAR, not BIGINT as declared "
            "(INTEGER), because of 'x'\n"
            "  hint: correct the row, or fix the type under `columns:` to make it an error\n"
            "  node: usage, row 2\n"
            "data/usage.db: warning[type_widened]: column 'day' is TIMESTAMP, not DATE as declared "
            "(DATE), because of '2024-01-01 10:00:00'\n"
            "  hint: correct the row, or fix the type under `columns:` to make it an error\n"
            "  node: usage, row 2\n");
  Source("table: usage\ncolumns: {id: {type: BIGINT}}\n");
  EXPECT_EQ(RunError().substr(0, 41), "data/usage.db: error[bad_value]: Could no");
}

TEST_F(SqliteTest, WithoutCursorEverythingIsReadWhenTheFileChanged) {
  Sql("CREATE TABLE usage (id INTEGER, m REAL); INSERT INTO usage VALUES (1, 2), (2, 3)");
  Source("query: SELECT id, sum(m) AS m FROM usage GROUP BY id; -- all\n");
  Run();
  EXPECT_EQ(Rows("usage"), "id=1, m=2\nid=2, m=3\n");
  const std::string first = Result("usage").snapshot;
  Sql("INSERT INTO usage VALUES (9, 1); DELETE FROM usage WHERE id = 9");
  Run();
  EXPECT_EQ(Result("usage").reason, "data/usage.db changed");
  EXPECT_EQ(Result("usage").snapshot, first);
  Sql("INSERT INTO usage VALUES (2, 4)");
  Run();
  EXPECT_EQ(Rows("usage"), "id=1, m=2\nid=2, m=7\n");
}

TEST_F(SqliteTest, CursorWithoutKeyAppends) {
  Sql("CREATE TABLE usage (id INTEGER, at TEXT);"
      "INSERT INTO usage VALUES (1, '2024-01-01'), (2, '2024-01-02'), (2, '2024-01-02')");
  Source("table: usage\ncursor: at\n");
  Run();
  Sql("INSERT INTO usage VALUES (3, '2024-01-02'), (2, '2024-01-02'), (4, '2024-01-03'), "
      "(0, '2023-01-01')");
  Run();
  EXPECT_EQ(ErrorOf("usage"), "");
  EXPECT_EQ(Result("usage").rows, 5);  // those of 01-02 again; not the one of 2023
  EXPECT_EQ(FileCount("usage"), 2);
  EXPECT_EQ(Rows("usage"),
            "id=1, at=2024-01-01\nid=2, at=2024-01-02\nid=2, at=2024-01-02\nid=2, at=2024-01-02\n"
            "id=3, at=2024-01-02\nid=4, at=2024-01-03\n");
  Sql("CREATE INDEX i ON usage(id)");
  Run();
  EXPECT_EQ(Result("usage").action, "reuse");
  EXPECT_EQ(Result("usage").reason, "no new rows in data/usage.db");
  Run();
  EXPECT_EQ(Result("usage").reason, "data/usage.db unchanged");
}

TEST_F(SqliteTest, CursorWithKeyMerges) {
  Sql("CREATE TABLE usage (id INTEGER, v TEXT, at INTEGER);"
      "INSERT INTO usage VALUES (1, 'a', 10), (2, 'b', 11), (1, 'old', 9)");
  Source("table: usage\ncursor: at\nkey: id\n");
  Run();
  EXPECT_EQ(Rows("usage"), "id=1, v=a, at=10\nid=2, v=b, at=11\n");
  Sql("UPDATE usage SET v = 'c', at = 12 WHERE at = 10; INSERT INTO usage VALUES (3, 'd', 12)");
  Run();
  EXPECT_EQ(ErrorOf("usage"), "");
  EXPECT_EQ(Rows("usage"), "id=1, v=c, at=12\nid=2, v=b, at=11\nid=3, v=d, at=12\n");
  EXPECT_EQ(FileCount("usage"), 1);
  Sql("INSERT INTO usage VALUES (4, 'e', 13)");
  Run();
  EXPECT_EQ(FileCount("usage"), 2);
  const std::string merged = Result("usage").snapshot;
  Run(true);
  EXPECT_EQ(Result("usage").snapshot, merged);
}

TEST_F(SqliteTest, LookbackAndDatesInTheFuture) {
  Sql("CREATE TABLE usage (id INTEGER, at TIMESTAMP);"
      "INSERT INTO usage VALUES (1, '2024-01-02 10:00:00'), (2, '2999-01-01 00:00:00')");
  Source("table: usage\ncursor: at\nlookback: 1 day\n");
  Run();
  Sql("INSERT INTO usage VALUES (3, '2096-10-02 08:00:00')");  // between the clock and 2999
  Run();
  EXPECT_EQ(Result("usage").rows, 2);
  EXPECT_EQ(Rows("usage"),
            "id=1, at=2024-01-02 10:00:00\nid=2, at=2999-01-01 00:00:00\nid=3, at=2096-10-02 "
            "08:00:00\n");
}

TEST(SqliteCursor, MovesTimesBackInTheirFormat) {
  EXPECT_EQ(MoveBack("2024-01-02", 1), "2024-01-01");
  EXPECT_EQ(MoveBack("2024-01-02 10:00", 60'000'000), "2024-01-02 09:59");
  EXPECT_EQ(MoveBack("2024-01-02T10:00:00Z", 1'000'000), "2024-01-02T09:59:59Z");
  EXPECT_EQ(MoveBack("2024-01-02 10:00:00.500", 500'000), "2024-01-02 10:00:00.000");
  EXPECT_EQ(MoveBack("2024-01-02 10:00:00+02:00", 1), std::nullopt);
  EXPECT_EQ(MoveBack("7", 1), std::nullopt);
}

TEST_F(SqliteTest, NullCursorsAndKeys) {
  Sql("CREATE TABLE usage (id INTEGER, at INTEGER);"
      "INSERT INTO usage VALUES (1, 1), (NULL, 2), (3, NULL)");
  Source("table: usage\ncursor: at\n");
  EXPECT_EQ(RunError(), "");
  EXPECT_EQ(Rows("usage"), "id=1, at=1\nid=NULL, at=2\n");
  EXPECT_EQ(Result("usage").quarantined, 1);
  Source("table: usage\nkey: id\n");
  EXPECT_EQ(
      RunError(),
      "pipeline/usage.yml:4:6: error[null_key]: the key (id) is NULL in 1 row\n"
      "  4 | key: id\n"
      "    |      ^^ correct the rows, leave them out with a `query`, or choose another `key`\n"
      "  node: usage");
}

TEST_F(SqliteTest, BrokenDatabasesAreNamed) {
  Source("table: usage\n");
  Write("data/usage.db", "id,name\n1,a\n");
  EXPECT_EQ(RunError(),
            "data/usage.db: error[not_a_database]: data/usage.db is not a SQLite database\n"
            "  hint: it is a text file\n"
            "  node: usage");
  Write("data/usage.db", std::string(4096, '\xA7'));
  EXPECT_EQ(RunError(),
            "data/usage.db: error[not_a_database]: data/usage.db is not a SQLite database\n"
            "  hint: is it another format, or encrypted?\n"
            "  node: usage");
  std::filesystem::remove(Path("data/usage.db"));
  std::string fill = "CREATE TABLE usage (id INTEGER, t TEXT);";
  for (int n = 0; n < 200; ++n) {
    fill += "INSERT INTO usage VALUES (1, '" + std::string(200, 'x') + "');";
  }
  Sql("BEGIN;" + fill + "COMMIT;");
  std::filesystem::resize_file(Path("data/usage.db"), 20480);
  const std::string cut = RunError();
  EXPECT_TRUE(
      cut.starts_with("data/usage.db: error[damaged_database]: data/usage.db is cut off: "
                      "20480 bytes of "))
      << cut;
}

TEST_F(SqliteTest, LockedIsRetriable) {
  Sql("CREATE TABLE usage (id INTEGER)");
  Source("table: usage\n");
  Sql("BEGIN EXCLUSIVE", true);
  EXPECT_EQ(
      RunError(),
      "data/usage.db: error[locked_database]: cannot read the database: another program is writing "
      "to it\n"
      "  hint: run again when it has finished; `wait:` of the connection says how long to wait\n"
      "  node: usage");
  EXPECT_TRUE(Result("usage").error->retriable);
}

TEST_F(SqliteTest, TextThatIsNotUtf8) {
  Sql("CREATE TABLE usage (id INTEGER, t TEXT);"
      "INSERT INTO usage VALUES (1, 'a'), (2, CAST(x'4AF6' AS TEXT))");
  Source("table: usage\n");
  EXPECT_EQ(RunError(),
            "data/usage.db: error[bad_encoding]: data/usage.db: 'J\xEF\xBF\xBD' in column 't' is "
            "not UTF-8\n"
            "  hint: correct the row, or read it with a `query` that casts the column to BLOB\n"
            "  node: usage, row 2");
}

TEST_F(SqliteTest, EmptyTable) {
  Sql("CREATE TABLE usage (id INTEGER, x)");
  Source("table: usage\n");
  Run();
  EXPECT_EQ(Types("usage"), "id BIGINT, x VARCHAR");
  EXPECT_EQ(Rows("usage"), "");
}

TEST_F(SqliteTest, LintNamesWhatIsWrong) {
  Source("table: usage\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:2:13: error[no_database]: there is no database 'data/usage.db'\n"
            "  2 | connection: db\n"
            "    |             ^^ paths of connections start at the folder of headrace.yml\n"
            "  node: usage\n");
  Sql("CREATE TABLE usage (id INTEGER, minutes REAL)");
  Source("table: usages\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:3:8: error[unknown_table]: data/usage.db has no table 'usages'\n"
            "  3 | table: usages\n"
            "    |        ^^^^^^ did you mean 'usage'?\n"
            "  node: usage\n");
  Source("table: usage\ncursor: minute\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:4:9: error[unknown_column]: table 'usage' has no column 'minute'\n"
            "  4 | cursor: minute\n"
            "    |         ^^^^^^ did you mean 'minutes'?\n"
            "  node: usage\n");
  Source("query: SELECT idd FROM usage\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:3:8: error[bad_query]: no such column: idd\n"
            "  3 | query: SELECT idd FROM usage\n"
            "    |        ^^^^^^^^^^^^^^^^^^^^^\n"
            "  node: usage\n");
  Source("query: DELETE FROM usage\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:3:8: error[bad_query]: the query may only read tables of its "
            "database\n"
            "  3 | query: DELETE FROM usage\n"
            "    |        ^^^^^^^^^^^^^^^^^\n"
            "  node: usage\n");
  Source("query: SELECT 1 AS a; SELECT 2\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:3:8: error[bad_query]: the query holds several statements\n"
            "  3 | query: SELECT 1 AS a; SELECT 2\n"
            "    |        ^^^^^^^^^^^^^^^^^^^^^^^\n"
            "  node: usage\n");
  Source("query: SELECT id, id FROM usage\n");
  EXPECT_EQ(Load(),
            "pipeline/usage.yml:3:8: error[duplicate_column]: the query gives two columns named "
            "'id'\n"
            "  3 | query: SELECT id, id FROM usage\n"
            "    |        ^^^^^^^^^^^^^^^^^^^^^^^^ name them with AS\n"
            "  node: usage\n");
}

}  // namespace
}  // namespace headrace::components
