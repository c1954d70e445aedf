#include "store/schema.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source_dir.h"
#include "store/sqlite_store.h"
#include "store/store_fixture.h"

namespace headrace::store {
namespace {

class StoreSchemaTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    std::filesystem::create_directories(options_.folder);
    path_ = options_.folder + "/store.db";
  }
  std::unique_ptr<Connection> Raw() {
    ConnectionOptions options;
    options.path = path_;
    return Must(Connection::Open(options));
  }
  /// A store that version 1 has written, from its dump.
  void RestoreVersion1() {
    const std::string dump = SourceDir() + "/src/store/testdata/version_1.sql";
    Must(Raw()->RunScript(Must(RealFileSystem().Read(dump))));
  }
  Status OpenWith(std::vector<Migration> steps) {
    const auto store = SqliteStore::Open(options_, steps);
    if (!store.ok()) return store.error();
    return Ok();
  }
  std::string path_;
};

TEST_F(StoreSchemaTest, AStoreOfVersion1IsReadForEver) {
  RestoreVersion1();
  store_ = OpenStore();
  const std::vector<NodeState> states = Must(store_->ReadState("dev"));
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[0].node, "churn");
  EXPECT_EQ(states[1].node, "features");
  EXPECT_EQ(states[1].snapshot->build, "b1");
  EXPECT_EQ(states[1].verdicts.size(), 1u);
  EXPECT_EQ(states[1].cursor, "\"2026-01-01\"");
  ASSERT_TRUE(states[1].rejection);
  EXPECT_EQ(states[1].rejection->build, "b2");
  EXPECT_EQ(Must(store_->ListRuns("dev", 10)).size(), 1u);
  EXPECT_EQ(Must(store_->ResolveModel("dev", "churn", "champion"))->version, 1);
  EXPECT_EQ(Must(store_->ListMoves("dev", "churn", 10)).size(), 1u);
  EXPECT_EQ(Must(store_->ListSends("dev", "calls", std::nullopt, 10)).size(), 2u);
  EXPECT_EQ(states[1].rejection->cursor, std::nullopt);
  EXPECT_TRUE(Must(store_->ReadIntervals("dev", "features")).empty());
  EXPECT_TRUE(Must(store_->CheckIntegrity()).empty());
  Begin("run2");
  EXPECT_EQ(claim().epoch, 2);
  ASSERT_OK(store_->CommitNode(claim(), Commit("features", "b3", "run2")));
}

TEST_F(StoreSchemaTest, ANewerStoreIsRefused) {
  OpenStore();
  Must(Raw()->RunScript("PRAGMA user_version=99"));
  const auto store = OpenSqliteStore(options_);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(Render(store.error()),
            fmt::format("error[store_too_new]: the store {} has schema 99, this Headrace knows up "
                        "to 2: a newer Headrace has written it\n"
                        "  hint: install that version or a later one; older ones can't read it",
                        path_));
}

TEST_F(StoreSchemaTest, AnotherDatabaseIsRefused) {
  Must(Raw()->RunScript("CREATE TABLE customers (id INTEGER)"));
  EXPECT_EQ(CodeOf(OpenSqliteStore(options_)), "not_a_store");
  Must(Raw()->RunScript("PRAGMA user_version=1"));
  EXPECT_EQ(CodeOf(OpenSqliteStore(options_)), "not_a_store");
}

TEST_F(StoreSchemaTest, MissingStepsRunOnceAndTogether) {
  RestoreVersion1();
  std::vector<Migration> steps(Migrations().begin(), Migrations().end());
  steps.push_back({3, "ALTER TABLE runs ADD COLUMN who TEXT NOT NULL DEFAULT 'nobody'"});
  steps.push_back({4, "UPDATE runs SET who = who || '!'"});
  ASSERT_OK(OpenWith(steps));
  ASSERT_OK(OpenWith(steps));
  std::unique_ptr<Connection> raw = Raw();
  EXPECT_EQ(Must(raw->Number("SELECT count(*) FROM runs WHERE who = 'nobody!'")), 1);
  EXPECT_EQ(Must(raw->Number("PRAGMA user_version")), 4);
}

TEST_F(StoreSchemaTest, AFailingStepChangesNothing) {
  RestoreVersion1();
  std::vector<Migration> steps(Migrations().begin(), Migrations().end());
  steps.push_back({3, "CREATE TABLE half (x INTEGER) STRICT"});
  steps.push_back({4, "INSERT INTO no_such_table VALUES (1)"});
  EXPECT_EQ(CodeOf(OpenWith(steps)), "internal");
  std::unique_ptr<Connection> raw = Raw();
  EXPECT_EQ(Must(raw->Number("PRAGMA user_version")), 1);
  EXPECT_EQ(Must(raw->Number("SELECT count(*) FROM sqlite_schema WHERE name = 'half'")), 0);
  ASSERT_OK(OpenSqliteStore(options_));
}

TEST_F(StoreSchemaTest, ManyMayCreateItAtOnce) {
  for (int round = 0; round < 10; ++round) {
    options_.folder = root_ + "/round" + std::to_string(round);
    options_.clock = &SystemClock();
    pid_t children[4];
    for (pid_t& child : children) {
      child = fork();
      if (child == 0) _exit(OpenSqliteStore(options_).ok() ? 0 : 1);
    }
    for (const pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      EXPECT_EQ(status, 0);
    }
  }
}

}  // namespace
}  // namespace headrace::store
