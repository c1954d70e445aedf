#include "data/snapshot.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fault_file_system.h"
#include "data/batch.h"

namespace headrace::data {
namespace {

/// Syncing takes most of the time of these tests and proves nothing in them.
class UnsyncedFileSystem : public FaultFileSystem {
 public:
  using FaultFileSystem::FaultFileSystem;
  Status SyncFile(const std::string&) override { return Ok(); }
  Status SyncDirectory(const std::string&) override { return Ok(); }
};

class SnapshotTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hr-data-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    warehouse_ = root_ + "/warehouse";
    std::filesystem::create_directories(warehouse_);
    DuckOptions options;
    options.threads = 2;
    options.sealed = true;
    options.allowed_directories = {warehouse_};
    auto opened = DuckInstance::Open(options);
    ASSERT_TRUE(opened.ok()) << Render(opened.error());
    duck_ = *opened;
    writer_ = std::make_unique<SnapshotWriter>(unsynced_, warehouse_, "1");
  }
  void TearDown() override {
    duck_.reset();
    std::filesystem::remove_all(root_);
  }

  Result<Snapshot> Build(const MaterializeRequest& request) {
    HR_ASSIGN(DuckConnection connection, duck_->Connect());
    HR_ASSIGN(PendingSnapshot pending, writer_->Materialize(connection, request));
    return writer_->Publish(std::move(pending));
  }
  Snapshot MustBuild(const std::string& select, bool ordered = false) {
    MaterializeRequest request;
    request.node = "n";
    request.build_id = std::to_string(++builds_);
    request.select = select;
    request.ordered = ordered;
    auto built = Build(request);
    EXPECT_TRUE(built.ok()) << select << "\n" << (built.ok() ? "" : Render(built.error()));
    return built.ok() ? *built : Snapshot{};
  }
  std::string Content(const Snapshot& snapshot) {
    return RealFileSystem().Read(warehouse_ + "/" + snapshot.files[0].path).value();
  }
  bool TmpIsEmpty() {
    std::string tmp = warehouse_ + "/tmp/1";
    return !std::filesystem::exists(tmp) || std::filesystem::is_empty(tmp);
  }

  UnsyncedFileSystem unsynced_{RealFileSystem()};
  std::string root_, warehouse_;
  std::shared_ptr<DuckInstance> duck_;
  std::unique_ptr<SnapshotWriter> writer_;
  int builds_ = 0;
};

TEST_F(SnapshotTest, IdDoesNotDependOnOrderOrChunks) {
  Snapshot a =
      MustBuild("SELECT range AS i, range * 0.5 AS x, 't' || range AS t FROM range(30000)");
  Snapshot b = MustBuild(
      "SELECT range AS i, range * 0.5 AS x, 't' || range AS t FROM range(30000) ORDER BY "
      "hash(range)");
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.rows, 30000);
  EXPECT_NE(a.files, b.files);
  Snapshot c =
      MustBuild("SELECT range AS i, range * 0.5 AS x, 't' || range AS t FROM range(1, 30001)");
  EXPECT_NE(a.id, c.id);
  Snapshot renamed =
      MustBuild("SELECT range AS j, range * 0.5 AS x, 't' || range AS t FROM range(30000)");
  EXPECT_NE(a.id, renamed.id);
  EXPECT_EQ(a.digest, renamed.digest);
}

TEST_F(SnapshotTest, IdsAreForEver) {  // a change of these values invalidates every snapshot
  EXPECT_EQ(MustBuild("SELECT 1 AS a, 'x' AS b, NULL::DOUBLE AS c").id,
            "83ce6875bf536cf722af7a6424c6aa64");
  EXPECT_EQ(
      MustBuild("SELECT true AS a, DATE '2020-01-01' AS b, 1.50::DECIMAL(10,2) AS c, [1, NULL] "
                "AS d, {'k': 'v'} AS e, MAP{'a': 1} AS f, "
                "'6fa459ea-ee8a-3ca4-894e-db77e160355e'::UUID AS g, '\\xff'::BLOB AS h")
          .id,
      "d9927fcb3ce8393210dd5867a60f22d5");
}

TEST_F(SnapshotTest, EqualValuesAreOneValue) {
  EXPECT_EQ(MustBuild("SELECT 'nan'::DOUBLE AS x").id, MustBuild("SELECT -'nan'::DOUBLE AS x").id);
  EXPECT_EQ(MustBuild("SELECT '-0.0'::DOUBLE AS x").id, MustBuild("SELECT 0.0::DOUBLE AS x").id);
  EXPECT_NE(MustBuild("SELECT NULL::INT AS x").id, MustBuild("SELECT 0 AS x").id);
  EXPECT_NE(MustBuild("SELECT '' AS x").id, MustBuild("SELECT NULL::VARCHAR AS x").id);
  EXPECT_NE(MustBuild("SELECT 'a' AS x, 'bc' AS y").id, MustBuild("SELECT 'ab' AS x, 'c' AS y").id);
  EXPECT_NE(MustBuild("SELECT {'a': NULL::INT} AS x").id,
            MustBuild("SELECT NULL::STRUCT(a INT) AS x").id);
  EXPECT_NE(MustBuild("SELECT []::INT[] AS x").id, MustBuild("SELECT NULL::INT[] AS x").id);
  EXPECT_NE(MustBuild("FROM (VALUES (1), (1)) t(x)").id, MustBuild("SELECT 1 AS x").id);
}

TEST_F(SnapshotTest, DigestOfStoredRowsIsThatOfTheSnapshot) {
  // Dictionaries, constants and nested children of Parquet must hash like freshly made values.
  Snapshot made = MustBuild(
      "SELECT range AS i, 'v' || (range % 7) AS t, [range % 3, NULL] AS l, "
      "{'a': 's' || (range % 5), 'b': [range % 2]} AS s, MAP{'k' || (range % 2): range} AS m, "
      "CASE WHEN range % 3 = 0 THEN {'z': range} END AS n, 7 AS c, {'q': 'same'} AS cs "
      "FROM range(20000)");
  auto connection = duck_->Connect().value();
  auto seen = Observe(connection, ReadSnapshotSql(warehouse_, made));
  ASSERT_TRUE(seen.ok()) << Render(seen.error());
  EXPECT_EQ(seen->digest, made.digest);
  EXPECT_EQ(seen->schema, made.schema);
  seen = Observe(connection, "SELECT * FROM (" + ReadSnapshotSql(warehouse_, made) +
                                 ") WHERE i % 2 = 0 ORDER BY t, i");
  auto rest = Observe(connection,
                      "SELECT * FROM (" + ReadSnapshotSql(warehouse_, made) + ") WHERE i % 2 = 1");
  ASSERT_TRUE(seen.ok()) << Render(seen.error());
  ASSERT_TRUE(rest.ok()) << Render(rest.error());
  Digest sum = seen->digest;
  sum += rest->digest;
  EXPECT_EQ(sum, made.digest);
}

// However a query ends, the rows written are observed once: no read-back is needed.
TEST_F(SnapshotTest, EveryPlanIsObservedOnce) {
  const char* selects[] = {
      "SELECT i FROM t WHERE k = 3",
      "SELECT i, k FROM t WHERE k = 3 AND i > 100 ORDER BY i LIMIT 500 OFFSET 7",
      "SELECT * FROM t ORDER BY k, i LIMIT 10",
      "SELECT DISTINCT k, s FROM t",
      "SELECT k, count(*) AS n FROM t GROUP BY k HAVING n > 10",
      "SELECT i FROM t WHERE k = 1 UNION ALL SELECT i FROM t WHERE k = 2",
      "SELECT i FROM t EXCEPT SELECT i FROM t WHERE k = 2",
      "SELECT a.i, b.k FROM t a JOIN t b ON a.i = b.i + 1 WHERE b.k < 5",
      "SELECT a.i, b.k FROM t a LEFT JOIN t b ON a.i = b.i + 30000",
      "SELECT i, row_number() OVER (PARTITION BY k ORDER BY i) AS r FROM t QUALIFY r < 9",
      "SELECT i, unnest([1, 2, 3]) AS u FROM t WHERE i < 3000",
      "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5000) FROM r",
      "SELECT i FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.k = t.i)",
      "SELECT i FROM t WHERE i IN (SELECT k FROM t) AND s LIKE 's1%'",
      "FROM (VALUES (1, 'a'), (2, 'b')) v(x, y)",
      "SELECT 1 AS one FROM t",
      "SELECT s FROM t LIMIT 3",
      "SELECT 7 AS x, NULL::VARCHAR AS y",
      "PIVOT (SELECT k, i FROM t) ON k IN (1, 2) USING count(*)",
  };
  auto connection = duck_->Connect().value();
  int n = 0;
  for (const char* select : selects) {
    MaterializeRequest request;
    request.node = "n";
    request.build_id = "p" + std::to_string(++n);
    request.select =
        std::string("WITH t AS (SELECT range AS i, range % 11 AS k, 's' || range AS s ") +
        "FROM range(40000)) " + select;
    if (std::string_view(select).starts_with("WITH") ||
        std::string_view(select).starts_with("PIVOT")) {
      request.select = select;
      size_t from = request.select.find("FROM t)");
      if (from != std::string::npos) {
        request.select.replace(from, 7,
                               "FROM (SELECT range AS i, range % 11 AS k FROM range(40000)))");
      }
    }
    auto pending = writer_->Materialize(connection, request);
    ASSERT_TRUE(pending.ok()) << select << "\n" << Render(pending.error());
    EXPECT_FALSE(pending->read_back()) << select;
    auto seen = Observe(connection, ReadSnapshotSql(pending->folder(), pending->staged()));
    ASSERT_TRUE(seen.ok()) << select << "\n" << Render(seen.error());
    EXPECT_EQ(seen->digest, pending->snapshot().digest) << select;
  }
}

TEST_F(SnapshotTest, EmptyTableHasAFile) {
  Snapshot empty = MustBuild("SELECT 1 AS a, 'x' AS b WHERE false");
  EXPECT_EQ(empty.rows, 0);
  ASSERT_EQ(empty.files.size(), 1u);
  auto connection = duck_->Connect().value();
  auto schema = connection.Describe(ReadSnapshotSql(warehouse_, empty));
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(*schema, empty.schema);
  EXPECT_EQ(empty.profile.rows, 0);
  EXPECT_EQ(empty.profile.columns.size(), 2u);
}

TEST_F(SnapshotTest, CastsAndRefusesTypes) {
  Snapshot cast = MustBuild("SELECT sum(range) AS s, 'a'::ENUM('a', 'b') AS e FROM range(10)");
  ASSERT_EQ(cast.schema.size(), 2u);
  EXPECT_EQ(cast.schema.columns[0].type, "DECIMAL(38,0)");
  EXPECT_EQ(cast.schema.columns[1].type, "VARCHAR");
  MaterializeRequest request;
  request.node = "n";
  request.build_id = "refused";
  request.select = "SELECT INTERVAL '1 day' AS i, '101'::BIT AS b";
  auto refused = Build(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "column_types");
  EXPECT_EQ(refused.error().hint, "write CAST(\"i\" AS VARCHAR), CAST(\"b\" AS VARCHAR)");
  request.select = "SELECT 1 AS a, 2 AS A";
  refused = Build(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "duplicate_column");
  EXPECT_TRUE(TmpIsEmpty());
}

TEST_F(SnapshotTest, AggregatesAndParameters) {
  MaterializeRequest request;
  request.node = "n";
  request.build_id = "b";
  request.select = "SELECT range AS i, $d AS day, $p AS p FROM range(10) -- the end\n;";
  request.parameters = {
      {"d", "DATE", "2026-01-31"}, {"p", "DECIMAL(6,2)", "12.5"}, {"z", "INT", "1"}};
  request.aggregates = {"count(*) FILTER (WHERE i > 6)", "count(*) - count(DISTINCT day)",
                        "max(p)"};
  auto connection = duck_->Connect().value();
  auto pending = writer_->Materialize(connection, request);
  ASSERT_TRUE(pending.ok()) << Render(pending.error());
  EXPECT_EQ(pending->snapshot().schema.columns[1].type, "DATE");
  EXPECT_EQ(pending->snapshot().schema.columns[2].type, "DECIMAL(6,2)");
  ASSERT_EQ(pending->aggregates().size(), 3u);
  EXPECT_EQ(pending->aggregates()[0].AsInt64(), 3);
  EXPECT_EQ(pending->aggregates()[1].AsInt64(), 9);
  EXPECT_EQ(pending->aggregates()[2].Text(), "12.50");
  Snapshot done = writer_->Publish(std::move(*pending)).value();
  auto again = EvaluateOn(connection, warehouse_, done, request.aggregates);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)[0].AsInt64(), 3);
  auto failed = EvaluateOn(connection, warehouse_, done, {"count(*)", "sum(\n  nope)"});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, "unknown_column");
  EXPECT_EQ(failed.error().place.line, 2);
  EXPECT_EQ(failed.error().place.column, 3);
  EXPECT_EQ(failed.error().place.source_line, "  nope)");
}

TEST_F(SnapshotTest, FaultsHaveThePlaceInTheUsersText) {
  MaterializeRequest request;
  request.node = "n";
  request.build_id = "b";
  request.select = "SELECT a AS x,\n       bbb\nFROM (VALUES (1, 2)) t(a, bb)";
  auto built = Build(request);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error().code, "unknown_column");
  EXPECT_EQ(built.error().place.line, 2);
  EXPECT_EQ(built.error().place.column, 8);
  EXPECT_EQ(built.error().place.length, 3);
  request.select =
      "SELECT i,\n  CAST(t AS INTEGER) AS n\nFROM (SELECT range AS i, 'x' || range AS t "
      "FROM range(100))";
  built = Build(request);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error().code, "conversion");
  EXPECT_EQ(built.error().blame, Blame::kData);
  EXPECT_EQ(built.error().place.line, 2);
  EXPECT_EQ(built.error().place.column, 3);
  EXPECT_TRUE(TmpIsEmpty());
}

TEST_F(SnapshotTest, EqualRowsGiveEqualFiles) {
  DuckOptions options;
  options.sealed = true;
  options.allowed_directories = {warehouse_};
  duck_ = DuckInstance::Open(options).value();
  std::string select =
      "SELECT range AS i, hash(range) % 100 AS k, range / 3 AS x FROM range(300000)";
  Snapshot a = MustBuild(select), b = MustBuild(select);
  EXPECT_EQ(Content(a), Content(b));
  Snapshot c = MustBuild(select, true), d = MustBuild(select + " ORDER BY k, i DESC", true);
  EXPECT_EQ(Content(c), Content(d));
  EXPECT_EQ(a.id, d.id);
}

// What Instances::Deterministic relies on: without workers, a query runs on its caller's thread.
TEST_F(SnapshotTest, OneThreadIsRepeatableForSeveralCallers) {
  DuckOptions options;
  options.sealed = true;
  options.allowed_directories = {warehouse_};
  duck_ = DuckInstance::Open(options).value();
  std::vector<std::thread> threads;
  std::vector<std::string> files(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto connection = duck_->Connect().value();
      MaterializeRequest request;
      request.node = "n" + std::to_string(t);
      request.build_id = "b";
      request.select =
          "SELECT a.i % 5 AS k, sum(1 / (a.i + 1)) AS s, avg(sqrt(b.i)) AS v, first(b.i) AS f "
          "FROM (SELECT range AS i FROM range(100000)) a JOIN (SELECT range AS i FROM "
          "range(50000)) "
          "b ON a.i = b.i GROUP BY ALL";
      auto pending = writer_->Materialize(connection, request);
      ASSERT_TRUE(pending.ok()) << Render(pending.error());
      files[t] = RealFileSystem().Read(pending->folder() + "/part-0.parquet").value();
    });
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& file : files) EXPECT_EQ(file, files[0]);
}

TEST_F(SnapshotTest, SeveralAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> ids(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto connection = duck_->Connect().value();
      for (int i = 0; i < 2; ++i) {
        MaterializeRequest request;
        request.node = "n" + std::to_string(t);
        request.build_id = std::to_string(i);
        request.select = "SELECT range AS i, range % 10 AS k FROM range(50000)";
        request.aggregates = {"count(*)"};
        auto pending = writer_->Materialize(connection, request);
        EXPECT_TRUE(pending.ok()) << Render(pending.error());
        if (!pending.ok()) continue;
        EXPECT_EQ(pending->aggregates()[0].AsInt64(), 50000);
        auto done = writer_->Publish(std::move(*pending));
        EXPECT_TRUE(done.ok()) << Render(done.error());
        if (done.ok()) ids[t] = done->id;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_NE(ids[0], "");
}

TEST_F(SnapshotTest, EveryFailingOperationLeavesNothing) {
  auto connection = duck_->Connect().value();
  for (int n = 1; n < 30; ++n) {
    FaultFileSystem faulty(RealFileSystem(), n, ENOSPC);
    SnapshotWriter writer(faulty, warehouse_, "1");
    MaterializeRequest request;
    request.node = "faulty" + std::to_string(n);
    request.build_id = "b";
    request.select = "SELECT 1 AS a";
    auto pending = writer.Materialize(connection, request);
    if (pending.ok()) {
      auto done = writer.Publish(std::move(*pending));
      if (done.ok()) {
        EXPECT_GT(n, 6);
        return;
      }
      EXPECT_EQ(done.error().code, "no_space");
    }
    EXPECT_TRUE(TmpIsEmpty()) << n;
    EXPECT_FALSE(std::filesystem::exists(warehouse_ + "/tables/" + request.node + "/b")) << n;
  }
  FAIL() << "never succeeded";
}

TEST_F(SnapshotTest, CancelLeavesNothing) {
  auto connection = duck_->Connect().value();
  MaterializeRequest request;
  request.node = "n";
  request.build_id = "b";
  request.select = "SELECT a.range AS i FROM range(100000) a, range(100000) b";
  std::thread canceller([cancel = request.query.cancel]() mutable {
    std::this_thread::yield();
    cancel.Cancel();
  });
  auto built = writer_->Materialize(connection, request);
  canceller.join();
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error().code, "cancelled");
  EXPECT_TRUE(TmpIsEmpty());
}

TEST_F(SnapshotTest, ManifestRoundTrip) {
  Snapshot a = MustBuild("SELECT range AS i, range / 7 AS x, 'é' || range AS t FROM range(1000)");
  auto text = RealFileSystem().Read(warehouse_ + "/tables/n/1/manifest.json").value();
  auto b = SnapshotFromJson(ParseJson(text, "manifest").value());
  ASSERT_TRUE(b.ok()) << Render(b.error());
  EXPECT_EQ(b->id, a.id);
  EXPECT_EQ(b->digest, a.digest);
  EXPECT_EQ(b->files, a.files);
  EXPECT_EQ(b->schema, a.schema);
  EXPECT_EQ(ToJson(*b).dump(), ToJson(a).dump());
  EXPECT_FALSE(SnapshotFromJson(ParseJson("{}", "x").value()).ok());
}

TEST_F(SnapshotTest, RowOrderIsTotal) {
  Snapshot a = MustBuild(
      "SELECT CASE WHEN range % 100 = 7 THEN NULL ELSE range % 100 - 50 END AS k, "
      "'x' || range % 3 AS s, range AS i FROM range(200000) ORDER BY hash(range)");
  ReadOptions read;
  read.columns = {"k", "s", "i"};
  read.with_order = true;
  read.order_by = {"k", "s"};
  read.where = "i < 190000 -- comment";
  auto reader = ReadSnapshot(*duck_, warehouse_, a, read);
  ASSERT_TRUE(reader.ok()) << Render(reader.error());
  std::vector<std::tuple<std::string, int64_t, std::string>> rows;
  while (true) {
    auto batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok()) << Render(batch.error());
    if (!batch->has_value()) break;
    const ColumnView k(**batch, (*reader)->schema(), 0), s(**batch, (*reader)->schema(), 1),
        order(**batch, (*reader)->schema(), 3);
    for (int64_t r = 0; r < (*batch)->rows(); ++r) {
      rows.emplace_back(order.AsText(r), k.IsNull(r) ? 1000 : k.AsInt64(r), s.AsText(r));
    }
  }
  ASSERT_EQ(rows.size(), 190000u);
  std::sort(rows.begin(), rows.end(),
            [](const auto& x, const auto& y) { return std::get<0>(x) < std::get<0>(y); });
  for (size_t i = 1; i < rows.size(); ++i) {
    ASSERT_NE(std::get<0>(rows[i - 1]), std::get<0>(rows[i]));
    ASSERT_LE(std::tie(std::get<1>(rows[i - 1]), std::get<2>(rows[i - 1])),
              std::tie(std::get<1>(rows[i]), std::get<2>(rows[i])));
  }
}

TEST_F(SnapshotTest, ProfileCounts) {
  Snapshot a = MustBuild(
      "SELECT range AS i, CASE WHEN range % 10 = 0 THEN NULL WHEN range % 10 = 1 THEN "
      "'nan'::DOUBLE "
      "ELSE range / 4 END AS x, ('t' || range) AS t, range % 2 = 0 AS b, "
      "DATE '2020-01-01' + range::INT AS d, (range / 100)::DECIMAL(8,2) AS m, [range] AS l "
      "FROM range(1000)");
  const Profile& p = a.profile;
  EXPECT_EQ(p.rows, 1000);
  EXPECT_EQ(p.Find("I")->min_text, "0");
  EXPECT_EQ(p.Find("i")->max_text, "999");
  EXPECT_NEAR(*p.Find("i")->Mean(), 499.5, 1e-9);
  EXPECT_NEAR(*p.Find("i")->StandardDeviation(), 288.8194360957494, 1e-9);
  EXPECT_NEAR(static_cast<double>(p.Find("i")->distinct.Estimate()), 1000, 100);
  EXPECT_EQ(p.Find("x")->nulls, 100);
  EXPECT_EQ(p.Find("x")->nans, 100);
  EXPECT_EQ(p.Find("x")->max, 999 / 4.0);
  EXPECT_EQ(p.Find("t")->min_length, 2);
  EXPECT_EQ(p.Find("t")->max_length, 4);
  EXPECT_EQ(p.Find("t")->max_text, "t999");
  EXPECT_EQ(*p.Find("b")->Mean(), 0.5);
  EXPECT_EQ(p.Find("d")->min_text, "2020-01-01");
  EXPECT_EQ(p.Find("m")->max_text, "9.99");
  EXPECT_EQ(p.Find("l")->max_length, 1);
}

}  // namespace
}  // namespace headrace::data
