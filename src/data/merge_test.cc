#include "data/merge.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "base/fault_file_system.h"
#include "base/temp_folder.h"

namespace headrace::data {
namespace {

class UnsyncedFileSystem : public FaultFileSystem {
 public:
  using FaultFileSystem::FaultFileSystem;
  Status SyncFile(const std::string&) override { return Ok(); }
  Status SyncDirectory(const std::string&) override { return Ok(); }
};

class MergeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    warehouse_ = folder_.path() + "/warehouse";
    std::filesystem::create_directories(warehouse_);
    DuckOptions options;
    options.threads = 2;
    options.sealed = true;
    options.allowed_directories = {warehouse_};
    duck_ = DuckInstance::Open(options).value();
    connection_.emplace(duck_->Connect().value());
    writer_ = std::make_unique<SnapshotWriter>(unsynced_, warehouse_, "1");
  }

  MaterializeRequest Request(const std::string& select, int64_t file_rows) {
    MaterializeRequest request;
    request.node = "n";
    request.build_id = std::to_string(++builds_);
    request.select = select;
    request.file_rows = file_rows;
    request.row_group_rows = 2048;
    return request;
  }
  Snapshot Build(const std::string& select, int64_t file_rows = 4096) {
    auto pending = writer_->Materialize(*connection_, Request(select, file_rows));
    EXPECT_TRUE(pending.ok()) << Render(pending.error());
    return writer_->Publish(std::move(*pending)).value();
  }
  MergeRequest Into(const Snapshot& old, const std::string& rows) {
    MergeRequest request;
    request.node = "n";
    request.build_id = std::to_string(++builds_);
    request.old = old;
    request.key = {"id"};
    request.rows = rows;
    request.file_rows = 4096;
    request.cut_rows = 4096;
    request.exact_profile_rows = 0;
    return request;
  }
  Snapshot Finish(MergeResult merged) {
    Snapshot fresh = writer_->Publish(std::move(*merged.pending)).value();
    return merged.kept ? Combine(*merged.kept, std::move(fresh)).value() : fresh;
  }
  std::string Read(const Snapshot& snapshot) { return ReadSnapshotSql(warehouse_, snapshot); }
  int64_t Count(const std::string& from) {
    return connection_->Query("SELECT count(*) FROM " + from).value().at(0, 0).AsInt64();
  }

  TempFolder folder_;
  UnsyncedFileSystem unsynced_{RealFileSystem()};
  std::string warehouse_;
  std::shared_ptr<DuckInstance> duck_;
  std::optional<DuckConnection> connection_;
  std::unique_ptr<SnapshotWriter> writer_;
  int builds_ = 0;
};

const char* const kTable =
    "SELECT range AS id, range % 7 AS c, 'v' || range AS t, range * 0.5 AS x FROM range({})";

TEST_F(MergeTest, LargeTablesAreCutIntoFiles) {
  Snapshot big = Build(fmt::format(fmt::runtime(kTable), 20000));
  ASSERT_GE(big.files.size(), 4u);
  int64_t rows = 0;
  for (const SnapshotFile& file : big.files) {
    EXPECT_LE(file.rows, 3 * 4096);
    rows += file.rows;
  }
  EXPECT_EQ(rows, 20000);
  EXPECT_EQ(big.rows, 20000);
  EXPECT_EQ(big.id, Build(fmt::format(fmt::runtime(kTable), 20000), 1 << 20).id);
  EXPECT_EQ(Build("SELECT 1 AS a WHERE false").files.size(), 1u);
}

TEST_F(MergeTest, OnlyTouchedFilesAreRewritten) {
  Snapshot old = Build(fmt::format(fmt::runtime(kTable), 20000));
  MergeRequest request = Into(old, "SELECT 5::BIGINT AS id, 1::BIGINT AS c, 'new' AS t, 0.5 AS x");
  request.rows =
      "SELECT id::BIGINT AS id, c::BIGINT AS c, t, x::DECIMAL(21,1) AS x FROM (VALUES "
      "(5, 1, 'new', 0.5), (30000, 1, 'added', 1.5), (6, 6, 'v6', 3.0)) v(id, c, t, x)";
  auto merged = Merge(*writer_, *connection_, request);
  ASSERT_TRUE(merged.ok()) << Render(merged.error());
  EXPECT_EQ(merged->added, 1);
  EXPECT_EQ(merged->replaced, 1);
  EXPECT_EQ(merged->unchanged, 1);
  EXPECT_EQ(merged->files_rewritten, 1);
  Snapshot now = Finish(std::move(*merged));
  EXPECT_LE(now.files.size(), old.files.size() + 1);
  EXPECT_EQ(now.rows, 20001);
  Snapshot whole = Build(fmt::format("SELECT * FROM ({}) WHERE id <> 5 UNION ALL {}", Read(old),
                                     request.rows + " WHERE id <> 6"));
  EXPECT_EQ(now.id, whole.id);
}

TEST_F(MergeTest, NothingNewGivesNothing) {
  Snapshot old = Build(fmt::format(fmt::runtime(kTable), 10000));
  MergeRequest request = Into(old, "SELECT * FROM (" + Read(old) + ") WHERE id % 3 = 0");
  auto merged = Merge(*writer_, *connection_, request);
  ASSERT_TRUE(merged.ok()) << Render(merged.error());
  EXPECT_FALSE(merged->changed);
  EXPECT_EQ(merged->unchanged, 3334);
  EXPECT_EQ(Finish(std::move(*merged)).id, old.id);
  // An interval that was built again.
  request = Into(old, request.rows);
  request.key.clear();
  request.replace = "id % 3 = 0";
  auto again = Merge(*writer_, *connection_, request);
  ASSERT_TRUE(again.ok()) << Render(again.error());
  EXPECT_FALSE(again->changed);
}

TEST_F(MergeTest, WrongRowsAreRefused) {
  Snapshot old = Build(fmt::format(fmt::runtime(kTable), 10));
  auto code = [&](const std::string& rows) {
    auto merged = Merge(*writer_, *connection_, Into(old, rows));
    return merged.ok() ? "" : merged.error().code;
  };
  const std::string all = "SELECT * FROM (" + Read(old) + ")";
  EXPECT_EQ(code(all + " UNION ALL " + all), "repeated_key");
  EXPECT_EQ(code("SELECT NULL::BIGINT AS id, c, t, x FROM (" + all + ") LIMIT 1"), "null_key");
  EXPECT_EQ(code("SELECT id, c, t FROM (" + all + ")"), "schema_mismatch");
  EXPECT_EQ(code("SELECT id, c, t, x::DOUBLE AS x FROM (" + all + ")"), "schema_mismatch");
  EXPECT_EQ(code("SELECT nothing"), "unknown_column");
}

void ExpectSameProfile(const Profile& merged, const Profile& whole) {
  ASSERT_EQ(merged.rows, whole.rows);
  for (size_t i = 0; i < whole.columns.size(); ++i) {
    const ColumnProfile& a = merged.columns[i];
    const ColumnProfile& b = whole.columns[i];
    EXPECT_EQ(a.nulls, b.nulls) << a.name;
    EXPECT_EQ(a.nans, b.nans) << a.name;
    EXPECT_EQ(a.finite, b.finite) << a.name;
    EXPECT_EQ(a.min_text, b.min_text) << a.name;
    EXPECT_EQ(a.max_text, b.max_text) << a.name;
    EXPECT_EQ(a.min_length, b.min_length) << a.name;
    EXPECT_EQ(a.max_length, b.max_length) << a.name;
    EXPECT_NEAR(a.sum, b.sum, 1e-6 * (1 + std::abs(b.sum))) << a.name;
    EXPECT_NEAR(a.m2, b.m2, 1e-6 * (1 + std::abs(b.m2))) << a.name;
    // Values that went may still count: no more than the share after which all is looked at again.
    const auto distinct = static_cast<double>(b.distinct.Estimate());
    EXPECT_GE(static_cast<double>(a.distinct.Estimate()), distinct * 0.999) << a.name;
    EXPECT_LE(static_cast<double>(a.distinct.Estimate()), distinct * 1.15 + 2) << a.name;
  }
}

// Random merges of all kinds equal what a table in memory becomes: rows, id, profile, files.
TEST_F(MergeTest, EqualsAFullRebuild) {
  std::mt19937_64 random(7);
  const auto below = [&](uint64_t n) { return static_cast<int64_t>(random() % n); };
  const auto row_of = [&](int64_t id) {
    const int64_t kind = below(20);
    std::string x = kind == 0   ? "NULL"
                    : kind == 1 ? "'nan'::DOUBLE"
                    : kind == 2 ? "'inf'::DOUBLE"
                                : fmt::format("{}::DOUBLE", static_cast<double>(below(2000)) / 8);
    return fmt::format("({}::BIGINT, {}, {}, DATE '2020-01-01' + {}::INT)", id,
                       below(10) == 0 ? "NULL" : fmt::format("'t{}'", std::string(below(9), 'y')),
                       x, below(40));
  };
  for (int round = 0; round < 4; ++round) {
    std::map<int64_t, std::string> rows;
    const auto select = [&](const std::map<int64_t, std::string>& some) {
      std::string values;
      for (const auto& [id, row] : some) values += (values.empty() ? "" : ", ") + row;
      const std::string tail = values.empty() ? " WHERE false" : "";
      if (values.empty()) values = row_of(1);
      return "SELECT id, t::VARCHAR AS t, x::DOUBLE AS x, d FROM (VALUES " + values +
             ") v(id, t, x, d)" + tail;
    };
    for (int64_t id = 0; id < 600 + below(2000); ++id) rows[id] = row_of(id);
    Snapshot now = Build(select(rows), 1 << 20);
    for (int step = 0; step < 8; ++step) {
      std::map<int64_t, std::string> fresh;
      const int64_t most = static_cast<int64_t>(rows.size()) + 40;
      for (int64_t n = below(30); n > 0; --n) {
        const int64_t id = below(10) < 3 ? most + below(5000) : below(most);
        const auto there = rows.find(id);
        fresh[id] = below(4) == 0 && there != rows.end() ? there->second : row_of(id);
      }
      MergeRequest request = Into(now, select(fresh));
      request.file_rows = 2048;
      request.cut_rows = 2048;
      request.exact_profile_rows = below(2) == 0 ? 0 : 300;
      if (below(3) == 0) {
        const int64_t from = below(most), to = from + below(20);
        request.deleted = fmt::format("SELECT range FROM range({}, {})", from, to);
        std::erase_if(rows, [&](const auto& row) { return row.first >= from && row.first < to; });
      }
      if (below(4) == 0) {
        const int64_t from = below(most), to = from + below(50);
        request.replace = fmt::format("id BETWEEN {} AND {}", from, to);
        std::erase_if(rows, [&](const auto& row) { return row.first >= from && row.first <= to; });
      }
      for (const auto& [id, row] : fresh) rows[id] = row;
      auto merged = Merge(*writer_, *connection_, request);
      ASSERT_TRUE(merged.ok()) << Render(merged.error());
      now = Finish(std::move(*merged));
      now = SnapshotFromJson(ToJson(now)).value();
      Snapshot whole = Build(select(rows), 1 << 20);
      ASSERT_EQ(now.id, whole.id) << "round " << round << ", step " << step;
      ASSERT_EQ(now.rows, whole.rows);
      ASSERT_EQ(Count("(" + Read(now) + ")"), whole.rows);
      int64_t in_files = 0;
      for (const SnapshotFile& file : now.files) in_files += file.rows;
      ASSERT_EQ(in_files, whole.rows);
      ASSERT_LE(now.files.size(), 20u);
      whole = SnapshotFromJson(ToJson(whole)).value();
      ExpectSameProfile(now.profile, whole.profile);
      auto seen = Observe(*connection_, Read(now)).value();
      ASSERT_EQ(seen.digest, now.digest);
    }
  }
}

TEST(FilesToJoin, SmallFilesPileUpAndAreJoined) {
  std::vector<SnapshotFile> files;
  int64_t written = 0;
  for (int n = 0; n < 3000; ++n) {
    int64_t rows = 10;
    auto join = FilesToJoin(files, rows, 100'000);
    for (auto it = join.rbegin(); it != join.rend(); ++it) {
      rows += files[*it].rows;
      files.erase(files.begin() + static_cast<ptrdiff_t>(*it));
    }
    written += rows;
    files.push_back({"f", rows, rows});
    ASSERT_LE(files.size(), 45u);
  }
  int64_t total = 0;
  for (const SnapshotFile& file : files) total += file.rows;
  EXPECT_EQ(total, 30'000);
  EXPECT_LE(written, 6 * total);
}

TEST(FilesToJoin, WholeFilesStay) {
  EXPECT_TRUE(FilesToJoin(std::vector<SnapshotFile>(50, {"f", 100'000, 1}), 10, 100'000).empty());
}

}  // namespace
}  // namespace headrace::data
