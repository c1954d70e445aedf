// Runs on a sample: the same rows however they were read.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "components/project_fixture.h"

namespace headrace::components {
namespace {

class SampleTest : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    Write("headrace.yml", "project: test\nconnections:\n  db: {type: sqlite, path: data/x.db}\n");
    std::filesystem::create_directories(Path("data"));
    sample_ = 200'000;
  }
  void Sql(const std::string& sql) {
    sqlite3* writer = nullptr;
    ASSERT_EQ(sqlite3_open(Path("data/x.db").c_str(), &writer), 0);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(writer, sql.c_str(), nullptr, nullptr, &message), 0) << message;
    sqlite3_close(writer);
  }
  void Source(const std::string& name, const std::string& fields) {
    Write("pipeline/" + name + ".yml", fields);
  }
  int64_t Count(const std::string& node) {
    const std::string rows = Rows(node);
    return std::count(rows.begin(), rows.end(), '\n');
  }
  /// What is there is what reading everything gives.
  void ExpectAsIfReadAnew(const std::string& node) {
    const std::string rows = Rows(node);
    Run(/*full=*/true);
    EXPECT_EQ(ErrorOf(node), "");
    EXPECT_EQ(Rows(node), rows);
  }
};

constexpr const char* kMany =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) ";

TEST_F(SampleTest, DatabaseWithCursor) {
  Sql("CREATE TABLE usage (customer INTEGER, day TEXT, m INTEGER, at TEXT);" +
      std::string("INSERT INTO usage ") + kMany +
      "SELECT i % 60, 'd' || (i / 60), i, '2024-01-01' FROM n");
  Source("usage",
         "source: sqlite\nconnection: db\ntable: usage\ncursor: at\nkey: [customer, day]\n");
  Run();
  EXPECT_EQ(ErrorOf("usage"), "");
  const int64_t before = Count("usage");
  EXPECT_GT(before, 30);
  EXPECT_LT(before, 300);
  EXPECT_EQ(before % 10, 0);  // whole customers
  Sql("UPDATE usage SET m = -1, at = '2024-02-01' WHERE day = 'd3';"
      "INSERT INTO usage SELECT customer, 'd77', m, '2024-02-01' FROM usage WHERE day = 'd4'");
  Run();
  EXPECT_EQ(Result("usage").reason.find("all rows"), std::string::npos) << Result("usage").reason;
  EXPECT_EQ(Count("usage"), before + before / 10);
  ExpectAsIfReadAnew("usage");
}

TEST_F(SampleTest, ARowThatLeavesTheSample) {
  Sql("CREATE TABLE orders (id INTEGER, customer INTEGER, at TEXT);" +
      std::string("INSERT INTO orders ") + kMany + "SELECT i, i % 60, '2024-01-01' FROM n");
  Source("orders",
         "source: sqlite\nconnection: db\ntable: orders\ncursor: at\nkey: id\n"
         "sample_by: customer\n");
  Run();
  EXPECT_GT(Count("orders"), 30);
  Sql("UPDATE orders SET customer = (customer + 7) % 60, at = '2024-02-01' WHERE id <= 300");
  Run();
  ExpectAsIfReadAnew("orders");
}

TEST_F(SampleTest, TablesOfOneKeyKeepTheSameValues) {
  Sql("CREATE TABLE usage (customer TEXT, m INTEGER);" + std::string("INSERT INTO usage ") + kMany +
      "SELECT CAST(i % 60 AS TEXT), i FROM n");
  Source("usage", "source: sqlite\nconnection: db\ntable: usage\nsample_by: customer\n");
  std::string customers = "id\n", plans = "plan\nbasic\npro\n";
  for (int i = 0; i < 60; ++i) customers += fmt::format("{}\n", i);
  Write("data/customers.csv", customers);
  Write("data/plans.csv", plans);
  Source("customers", "source: csv\npath: data/customers.csv\nkey: id\n");
  Source("plans", "source: csv\npath: data/plans.csv\nkey: plan\nsample: false\n");
  Write("pipeline/joined.sql",
        "SELECT c.id, count(u.m) AS n FROM customers AS c FULL JOIN usage AS u "
        "ON u.customer = CAST(c.id AS VARCHAR) GROUP BY ALL");
  Run();
  EXPECT_EQ(Count("joined"), Count("customers"));
  EXPECT_EQ(Count("usage"), 10 * Count("customers"));
  EXPECT_EQ(Count("plans"), 2);
  Append("data/customers.csv", "60\n61\n62\n63\n64\n65\n66\n67\n68\n69\n");
  Run();
  ExpectAsIfReadAnew("customers");
}

TEST_F(SampleTest, WithoutAKeyRowsAreChosen) {
  std::string rows = "a,b\n";
  for (int i = 0; i < 1000; ++i) rows += fmt::format("{},{}\n", i % 3, i);
  Write("data/t.csv", rows);
  Source("t", "source: csv\npath: data/t.csv\n");
  Run();
  EXPECT_GT(Count("t"), 140);
  EXPECT_LT(Count("t"), 260);
  const std::string small = Rows("t");
  Append("data/t.csv", "1,2000\n2,2001\n0,2002\n1,2003\n2,2004\n");
  Run();
  ExpectAsIfReadAnew("t");
  sample_ = 500'000;  // a larger share holds the smaller one
  Run();
  const std::string large = Rows("t");
  for (size_t at = 0; at < small.size();) {
    const size_t end = small.find('\n', at) + 1;
    EXPECT_NE(large.find(small.substr(at, end - at)), std::string::npos);
    at = end;
  }
}

TEST_F(SampleTest, AChangedColumnReadsAnew) {
  std::string rows = "a,b\n";
  for (int i = 0; i < 500; ++i) rows += fmt::format("{},{}\n", i % 50, i);
  Write("data/t.csv", rows);
  Source("t", "source: csv\npath: data/t.csv\nsample_by: a\n");
  Run();
  EXPECT_EQ(Count("t") % 10, 0);
  Source("t", "source: csv\npath: data/t.csv\nsample_by: b\n");
  Run();
  EXPECT_NE(Count("t") % 10, 0);
  ExpectAsIfReadAnew("t");
  Source("t", "source: csv\npath: data/t.csv\nsample: false\n");
  Run();
  EXPECT_EQ(Count("t"), 500);
}

}  // namespace
}  // namespace headrace::components
