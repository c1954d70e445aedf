#include "data/duck.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "data/batch.h"
#include "data/instances.h"
#include "data/quote.h"

namespace headrace::data {
namespace {

class DuckTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    DuckOptions options;
    options.threads = 2;
    shared_ = DuckInstance::Open(options).value();
  }
  static void TearDownTestSuite() { shared_.reset(); }
  DuckConnection Connect() { return shared_->Connect().value(); }
  Rows Query(const std::string& sql, const Parameters& parameters = {}) {
    auto rows = Connect().Query(sql, parameters);
    EXPECT_TRUE(rows.ok()) << sql << "\n" << (rows.ok() ? "" : Render(rows.error()));
    return rows.ok() ? *rows : Rows{};
  }
  Error Fails(const std::string& sql, const Parameters& parameters = {}) {
    auto rows = Connect().Query(sql, parameters);
    EXPECT_FALSE(rows.ok()) << sql;
    return rows.ok() ? Error() : rows.error();
  }
  static std::shared_ptr<DuckInstance> shared_;
};
std::shared_ptr<DuckInstance> DuckTest::shared_;

TEST_F(DuckTest, Values) {
  Rows rows = Query(
      "SELECT true, 1::TINYINT, -5, 18446744073709551615::UBIGINT, 7::HUGEINT, 1.50::DECIMAL(5,2), "
      "-0.05::DECIMAL(3,2), 0.1::FLOAT, 1.0, 'x', NULL, DATE '2026-01-31', "
      "TIMESTAMP '1969-12-31 23:59:59.5', TIMESTAMPTZ '2026-01-31 09:30:00+02', TIME '01:02:03', "
      "INTERVAL '1 day', [1, 2], {'a': 1}, '6fa459ea-ee8a-3ca4-894e-db77e160355e'::UUID, "
      "'\\xff'::BLOB, 'b'::ENUM('a','b'), '101'::BIT, 1 AS dup, 2 AS dup, 1e300::DOUBLE");
  std::vector<std::string> texts;
  for (const Value& value : rows.rows[0]) texts.push_back(value.Text());
  EXPECT_EQ(texts, (std::vector<std::string>{"true",
                                             "1",
                                             "-5",
                                             "18446744073709551615",
                                             "7",
                                             "1.50",
                                             "-0.05",
                                             "0.1",
                                             "1.0",
                                             "x",
                                             "NULL",
                                             "2026-01-31",
                                             "1969-12-31 23:59:59.5",
                                             "2026-01-31 07:30:00+00",
                                             "01:02:03",
                                             "1 day",
                                             "[1, 2]",
                                             "{'a': 1}",
                                             "6fa459ea-ee8a-3ca4-894e-db77e160355e",
                                             "\\xFF",
                                             "b",
                                             "101",
                                             "1",
                                             "2",
                                             "1e+300"}));
  EXPECT_EQ(rows.schema.columns[16].type, "INTEGER[]");
  EXPECT_EQ(rows.schema.columns[23].name, "dup");
}

TEST_F(DuckTest, OwnTextEqualsDuckDBs) {
  const char* values[] = {"DATE '0001-01-01'",
                          "DATE '0044-03-15 (BC)'",
                          "'infinity'::DATE",
                          "'-infinity'::TIMESTAMP",
                          "TIMESTAMP '0044-03-15 (BC) 01:02:03.000001'",
                          "TIMESTAMP_NS '2020-01-01 00:00:00.000000001'",
                          "TIME '24:00:00'",
                          "'-infinity'::TIMESTAMPTZ",
                          "(-0.5)::DECIMAL(38,20)",
                          "0::DECIMAL(4,4)",
                          "DATE '12345-01-01'",
                          "TIMESTAMPTZ '1969-01-01 00:00:00.1+00'"};
  for (const char* value : values) {
    Rows rows = Query(fmt::format("SELECT {0}, ({0})::VARCHAR", value));
    EXPECT_EQ(rows.at(0, 0).Text(), rows.at(0, 1).Text()) << value;
  }
}

TEST_F(DuckTest, ErrorsHavePlaces) {
  Error e = Fails("SELECT a,\n  'ü', abcd\nFROM (VALUES (1, 2)) t(a, abc)");
  EXPECT_EQ(e.code, "unknown_column");
  EXPECT_EQ(e.blame, Blame::kUser);
  EXPECT_EQ(e.place.line, 2);
  EXPECT_EQ(e.place.column, 8);
  EXPECT_EQ(e.place.length, 4);
  EXPECT_EQ(e.place.source_line, "  'ü', abcd");
  EXPECT_EQ(e.subject, "abcd");
  ASSERT_FALSE(e.candidates.empty());
  EXPECT_EQ(e.candidates[0], "abc");
  EXPECT_EQ(e.message, "Referenced column \"abcd\" not found in FROM clause");
  e = Fails("SELECT 1 +");
  EXPECT_EQ(e.code, "syntax");
  EXPECT_EQ(e.place.line, 1);
  EXPECT_EQ(e.place.column, 11);
  EXPECT_EQ(Fails("SELECT * FROM nope").code, "unknown_table");
  e = Fails("SELECT foo(1)");
  EXPECT_EQ(e.code, "unknown_function");
  EXPECT_EQ(e.place.column, 8);
  e = Fails("SELECT CAST('x' || range AS INT) FROM range(3)");
  EXPECT_EQ(e.code, "conversion");
  EXPECT_EQ(e.blame, Blame::kData);
  e = Fails("SELECT * EXCLUDE (zz) FROM (SELECT 1 AS a)");
  EXPECT_EQ(e.place.column, 19) << ErrorToJson(e);
  EXPECT_EQ(Fails("SELECT 9223372036854775807 + range FROM range(1, 3)").code, "out_of_range");
  EXPECT_EQ(Fails("SELECT 1; SELECT 2").code, "not_a_select");
  EXPECT_EQ(Fails("-- nothing").code, "not_a_select");
  EXPECT_EQ(Fails("SELECT $nope", {{"other", "INTEGER", "1"}}).code, "unknown_parameter");
  EXPECT_EQ(Fails("SELECT $a", {{"a", "INTEGER", "x"}}).code, "bad_parameter");
  EXPECT_EQ(Fails("FROM read_csv('/nowhere/x.csv')").code, "not_found");
}

TEST_F(DuckTest, DescribeWithParameters) {
  auto connection = Connect();
  Parameters parameters = {{"d", "DATE", "2026-01-01"}, {"n", "BIGINT", std::nullopt}};
  auto schema = connection.Describe("SELECT $d AS d, $d + 1 AS e, 1 AS one", parameters);
  ASSERT_TRUE(schema.ok()) << Render(schema.error());
  EXPECT_EQ(schema->columns[0].type, "DATE");
  EXPECT_EQ(schema->columns[1].type, "DATE");
  EXPECT_EQ(schema->columns[2].type, "INTEGER");
  EXPECT_EQ(connection.Describe("CREATE TABLE t(a INT)").error().code, "not_a_select");
}

TEST_F(DuckTest, ExecuteCountsRows) {
  auto connection = Connect();
  EXPECT_EQ(*connection.Execute("CREATE TEMP TABLE t(a INT); INSERT INTO t VALUES (1), (2)"), 2);
  EXPECT_EQ(connection.Query("SELECT count(*) FROM t")->at(0, 0).AsInt64(), 2);
}

TEST_F(DuckTest, EnvironmentDoesNotMatter) {
  EXPECT_EQ(Query("SELECT TIMESTAMPTZ '2026-07-01 00:00:00'").at(0, 0).Text(),
            "2026-07-01 00:00:00+00");
  EXPECT_EQ(Query("SELECT x FROM (VALUES (NULL), (1)) t(x) ORDER BY x").at(1, 0).Text(), "NULL");
}

TEST_F(DuckTest, CancelInterrupts) {
  auto connection = Connect();
  QueryOptions options;
  std::thread canceller([cancel = options.cancel]() mutable { cancel.Cancel(); });
  auto rows = connection.Query(
      "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b", {}, options);
  canceller.join();
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, "cancelled");
  EXPECT_TRUE(connection.Query("SELECT 1").ok());
}

TEST_F(DuckTest, StreamsInBigBatches) {
  StreamOptions options;
  auto reader = shared_->Stream(
      "SELECT range AS i, 's' || range AS t, NULLIF(range % 3, 0) AS n, "
      "range % 2 = 0 AS b, [range, 1] AS l, (range / 4)::DECIMAL(18,2) AS d "
      "FROM range(150000)",
      {}, options);
  ASSERT_TRUE(reader.ok()) << Render(reader.error());
  int64_t rows = 0;
  std::vector<int64_t> sizes;
  while (true) {
    auto batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok());
    if (!batch->has_value()) break;
    ColumnView i(**batch, (*reader)->schema(), 0), t(**batch, (*reader)->schema(), 1),
        n(**batch, (*reader)->schema(), 2), b(**batch, (*reader)->schema(), 3),
        d(**batch, (*reader)->schema(), 5);
    for (int64_t r = 0; r < (*batch)->rows(); ++r, ++rows) {
      ASSERT_EQ(i.AsInt64(r), rows);
      ASSERT_EQ(t.AsText(r), "s" + std::to_string(rows));
      ASSERT_EQ(n.IsNull(r), rows % 3 == 0);
      ASSERT_EQ(b.AsInt64(r), rows % 2 == 0 ? 1 : 0);
      ASSERT_NEAR(d.AsDouble(r), static_cast<double>(rows) / 4, 0.0051);
    }
    sizes.push_back((*batch)->rows());
  }
  EXPECT_EQ(rows, 150000);
  ASSERT_EQ(sizes.size(), 3u);
  EXPECT_GE(sizes[0], 65536);
  auto failing = shared_->Stream(
      "SELECT CAST(CASE WHEN range = 140000 THEN 'x' ELSE '1' END AS INT) AS a FROM range(150000)",
      {}, options);
  bool failed = !failing.ok();
  while (!failed) {
    auto batch = (*failing)->Next();
    if (!batch.ok()) {
      EXPECT_EQ(batch.error().code, "conversion");
      failed = true;
    } else {
      ASSERT_TRUE(batch->has_value()) << "the error was taken for the end";
    }
  }
}

TEST_F(DuckTest, BatchesGoInAndOut) {
  std::string sql =
      "SELECT range AS i, CASE WHEN range % 7 > 0 THEN 'text ' || (range % 1000) END AS t, "
      "range % 2 = 0 AS b, range / 3 AS x, [range, NULL] AS l, {'a': range, 'b': 'y'} AS s, "
      "MAP{'k': range} AS m, (range / 8)::DECIMAL(10,3) AS d, DATE '2020-01-01' + (range % "
      "99)::INT "
      "AS day, TIMESTAMPTZ '2020-01-01' AS z, '\\xff'::BLOB AS bl FROM range(70000)";
  auto source = shared_->AddSource(shared_->Stream(sql, {}).value());
  ASSERT_TRUE(source.ok()) << Render(source.error());
  auto connection = Connect();
  auto rows = connection.Query(
      fmt::format("SELECT count(*), bool_and(a = b) FROM (SELECT row_number() OVER () AS r, "
                  "hr_row_hash(*COLUMNS(*)) "
                  "AS a FROM {}) POSITIONAL JOIN (SELECT hr_row_hash(*COLUMNS(*)) AS b FROM ({}))",
                  source->sql(), sql));
  ASSERT_TRUE(rows.ok()) << Render(rows.error());
  EXPECT_EQ(rows->at(0, 0).AsInt64(), 70000);
  EXPECT_EQ(rows->at(0, 1).Text(), "true");
  auto again = connection.Query("SELECT count(*) FROM " + source->sql());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(source->error().error().code, "source_consumed");
}

TEST_F(DuckTest, SourceFromRows) {
  Schema schema{{{"i", "BIGINT"},
                 {"x", "DOUBLE"},
                 {"t", "VARCHAR"},
                 {"b", "BOOLEAN"},
                 {"d", "DATE"},
                 {"z", "TIMESTAMP"}}};
  auto builder = BatchBuilder::Make(schema);
  ASSERT_TRUE(builder.ok());
  std::vector<Batch> batches;
  for (int i = 0; i < 5000; ++i) {
    builder->AppendInt64(i);
    i % 3 == 0 ? builder->AppendNull() : builder->AppendDouble(i / 2.0);
    builder->AppendText("value number " + std::to_string(i));
    i % 5 == 0 ? builder->AppendNull() : builder->AppendInt64(i % 2);
    builder->AppendInt64(i);
    i % 2 == 0 ? builder->AppendNull() : builder->AppendInt64(i);
    if (builder->rows() == 3000) batches.push_back(builder->Finish());
  }
  batches.push_back(builder->Finish());
  auto source = shared_->AddSource(ReadBatches(schema, std::move(batches)));
  ASSERT_TRUE(source.ok()) << Render(source.error());
  auto connection = Connect();
  auto rows = connection.Query(
      "SELECT sum(i), count(x), sum(x), count(DISTINCT t), count(b), sum(b::INT), max(d), "
      "count(z), "
      "min(t), count(*) FILTER (WHERE t = 'value number ' || i) FROM " +
      source->sql());
  ASSERT_TRUE(rows.ok()) << Render(rows.error());
  std::vector<std::string> texts;
  for (const Value& value : rows->rows[0]) texts.push_back(value.Text());
  EXPECT_EQ(texts[0], "12497500");
  EXPECT_EQ(texts[1], "3333");
  EXPECT_EQ(rows->at(0, 2).AsDouble(), 4165833.5);
  EXPECT_EQ(texts[3], "5000");
  EXPECT_EQ(texts[4], "4000");
  EXPECT_EQ(texts[5], "2000");
  EXPECT_EQ(texts[6], "1983-09-09");
  EXPECT_EQ(texts[7], "2500");
  EXPECT_EQ(texts[8], "value number 0");
  EXPECT_EQ(texts[9], "5000");
}

class FailingReader : public BatchReader {
 public:
  const Schema& schema() const override { return schema_; }
  Result<std::optional<Batch>> Next() override {
    return ExternalError("gone", "the database went away");
  }

 private:
  Schema schema_{{{"a", "BIGINT"}}};
};

TEST_F(DuckTest, SourceErrorsArrive) {
  auto source = shared_->AddSource(std::make_unique<FailingReader>()).value();
  auto rows = Connect().Query("SELECT * FROM " + source.sql());
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, "source_failed");
  ASSERT_NE(rows.error().cause, nullptr);
  EXPECT_EQ(rows.error().cause->code, "gone");
  EXPECT_EQ(source.error().error().code, "gone");
}

class SealedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hr-sealed-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    inside_ = root_ + "/in";
    std::filesystem::create_directories(inside_ + "/sub");
    std::ofstream(root_ + "/secret.csv") << "a\n1\n";
    std::ofstream(inside_ + "/open.csv") << "a\n1\n";
    std::filesystem::create_symlink(root_ + "/secret.csv", inside_ + "/link.csv");
    std::filesystem::create_directory_symlink(root_, inside_ + "/up");
    DuckOptions options;
    options.sealed = true;
    options.memory_bytes = 75 << 20;
    options.temp_directory = root_ + "/spill";
    options.allowed_directories = {inside_};
    duck_ = DuckInstance::Open(options).value();
  }
  void TearDown() override {
    duck_.reset();
    std::filesystem::remove_all(root_);
  }
  std::string root_, inside_;
  std::shared_ptr<DuckInstance> duck_;
};

TEST_F(SealedTest, RefusesEscapes) {
  auto connection = duck_->Connect().value();
  std::vector<std::string> escapes = {
      "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM read_text('/etc/passwd')",
      "SELECT * FROM '/etc/passwd'",
      "SELECT * FROM '" + root_ + "/secret.csv'",
      "SELECT * FROM '" + inside_ + "/../secret.csv'",
      "SELECT * FROM '" + inside_ + "/sub/../../secret.csv'",
      "SELECT * FROM '" + inside_ + "/link.csv'",
      "SELECT * FROM '" + inside_ + "/up/secret.csv'",
      "SELECT * FROM glob('/etc/*')",
      "SELECT * FROM read_csv('http://localhost/x.csv')",
      "SELECT * FROM query('SELECT * FROM ''/etc/passwd''')",
      "LOAD httpfs",
      "INSTALL httpfs",
      "ATTACH '" + root_ + "/x.db'",
      "ATTACH ':memory:' AS other",
      "COPY (SELECT 1) TO '" + root_ + "/x.csv'",
      "COPY (SELECT 1) TO '" + inside_ + "/x.csv'",
      "EXPORT DATABASE '" + root_ + "/x'",
      "SET memory_limit = '10GB'",
      "SET threads = 8",
      "SET TimeZone = 'Europe/Berlin'",
      "SET enable_external_access = true",
      "SET lock_configuration = false",
      "SET allowed_directories = ['/']",
      "RESET memory_limit",
      "SET VARIABLE x = 1",
      "PRAGMA enable_profiling",
      "PRAGMA threads = 8",
      "CALL pragma_version()",
      "CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')",
      "CREATE TABLE t AS SELECT 1",
      "IMPORT DATABASE '" + root_ + "'",
      "CHECKPOINT",
      "USE other",
  };
  for (const std::string& sql : escapes) {
    auto rows = connection.Query(sql);
    EXPECT_FALSE(rows.ok()) << sql;
    EXPECT_TRUE(rows.ok() || !rows.error().message.empty()) << sql;
  }
  for (const char* sql : {"SET memory_limit = '10GB'", "LOAD httpfs", "ATTACH '/tmp/x.db'",
                          "COPY (SELECT 1) TO '/tmp/hr_escape.csv'"}) {
    EXPECT_FALSE(connection.Execute(sql).ok()) << sql;
  }
  EXPECT_FALSE(std::filesystem::exists(inside_ + "/x.csv"));
}

TEST_F(SealedTest, SeesItsDirectoriesAndSpills) {
  auto connection = duck_->Connect().value();
  auto rows = connection.Query("SELECT count(*) FROM '" + inside_ + "/open.csv'");
  ASSERT_TRUE(rows.ok()) << Render(rows.error());
  rows = connection.Query(  // 60 MB to sort
      "SELECT sum(r) FROM (SELECT row_number() OVER (ORDER BY md5(range::VARCHAR)) AS r "
      "FROM range(900000))");
  ASSERT_TRUE(rows.ok()) << Render(rows.error());
  EXPECT_EQ(rows->at(0, 0).Text(), "405000450000");
  EXPECT_TRUE(std::filesystem::exists(root_ + "/spill"));
  EXPECT_TRUE(duck_->SetMemory(200 << 20).ok());
  EXPECT_TRUE(duck_->SetThreads(2).ok());
}

TEST_F(SealedTest, TooLittleMemoryIsSaid) {
  DuckOptions options;
  options.memory_bytes = 40 << 20;
  auto duck = DuckInstance::Open(options).value();
  auto connection = duck->Connect().value();
  auto rows = connection.Query(
      "SELECT count(*) FROM (SELECT DISTINCT range, md5(range::VARCHAR) FROM "
      "range(900000))");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, "out_of_memory") << rows.error().message;
  EXPECT_EQ(rows.error().blame, Blame::kSystem);
}

TEST(Instances, AreOpenedOnce) {
  Budget budget(int64_t{1} << 30, 2);
  Instances instances(budget, {});
  auto a = instances.Parallel().value();
  EXPECT_EQ(a, instances.Parallel().value());
  EXPECT_NE(a, instances.Deterministic().value());
  EXPECT_TRUE(a->options().sealed);
  EXPECT_EQ(instances.Deterministic().value()->options().threads, 1);
  EXPECT_FALSE(instances.Open().value()->options().sealed);
}

}  // namespace
}  // namespace headrace::data
