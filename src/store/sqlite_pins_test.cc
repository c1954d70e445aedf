#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "store/store_fixture.h"

namespace headrace::store {
namespace {

constexpr Retention kNothing{0, 0};

class StorePinsTest : public StoreTest {
 protected:
  void Build(const std::string& node, const std::string& build,
             const std::vector<std::string>& shared = {}) {
    NodeCommit commit = Commit(node, build);
    commit.snapshot->shared_builds = shared;
    Must(store_->CommitNode(claim(), commit));
  }
  std::vector<BuildRef> Doom(const Retention& retention) {
    const std::vector<BuildRef> preview = Must(store_->UnreferencedBuilds("dev", retention));
    std::vector<BuildRef> doomed = Must(store_->DoomBuilds(claim(), retention));
    EXPECT_EQ(preview, doomed);
    return doomed;
  }
};

using Builds = std::vector<BuildRef>;

TEST_F(StorePinsTest, TheCurrentAndOlderSnapshotsStay) {
  Begin();
  for (const char* build : {"b1", "b2", "b3", "b4", "b5"}) Build("a", build);
  Build("b", "b1");
  EXPECT_EQ(Doom({2, 0}), (Builds{{"a", "b1"}, {"a", "b2"}}));
  EXPECT_EQ(CodeOf(store_->ReadSnapshot("dev", {"a", "b1"})), "snapshot_gone");
  EXPECT_FALSE(Must(store_->FindSnapshot("dev", "a", "fp-b1")));
  // A doomed build can't come back, and an unfinished sweep is found again.
  EXPECT_EQ(CodeOf(store_->CommitNode(claim(), Commit("a", "b1"))), "snapshot_gone");
  const Builds doomed = Doom({2, 0});
  EXPECT_EQ(doomed.size(), 2u);
  EXPECT_EQ(Must(store_->KnownBuilds("dev")).size(), 6u);
  ASSERT_OK(store_->ForgetBuilds(claim(), doomed));
  EXPECT_EQ(Must(store_->KnownBuilds("dev")).size(), 4u);
  EXPECT_EQ(Must(store_->ReadHistory("dev", "a", 10))[4].rows, -1);
  EXPECT_EQ(Doom(kNothing), (Builds{{"a", "b3"}, {"a", "b4"}}));
}

TEST_F(StorePinsTest, OlderCountsWhatWasCurrentLast) {
  Begin();
  Build("a", "b1");
  Build("a", "b2");
  Build("a", "b3");
  Build("a", "b1");  // an undone change
  EXPECT_EQ(Doom({1, 0}), (Builds{{"a", "b2"}}));
}

TEST_F(StorePinsTest, OnlyDoomedBuildsAreForgotten) {
  Begin();
  Build("a", "b1");
  const Builds current = {{"a", "b1"}};
  EXPECT_EQ(CodeOf(store_->ForgetBuilds(claim(), current)), "internal");
  EXPECT_TRUE(Must(store_->ReadNode("dev", "a"))->snapshot);
}

TEST_F(StorePinsTest, PinnedBuildsStayUntilThePinGoes) {
  Begin();
  Build("a", "b1");
  const Builds old = {{"a", "b1"}, {"a", "b1"}};
  std::unique_ptr<Pin> pin = Must(store_->PinBuilds("dev", "query", old));
  Build("a", "b2");
  EXPECT_EQ(Doom(kNothing), Builds());
  pin.reset();
  EXPECT_EQ(Doom(kNothing), (Builds{{"a", "b1"}}));
  EXPECT_EQ(CodeOf(store_->PinBuilds("dev", "query", old)), "snapshot_gone");
}

TEST_F(StorePinsTest, APinDiesWithItsProcess) {
  Begin();
  Build("a", "b1");
  lease_.reset();
  store_.reset();  // SQLite's connections must not be carried into a child
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::unique_ptr<Store> store = OpenStore();
    const Builds builds = {{"a", "b1"}};
    const std::unique_ptr<Pin> pin = Must(store->PinBuilds("dev", "query", builds));
    (void)!write(ready[1], "x", 1);
    pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  Begin("run2");
  Build("a", "b2");
  EXPECT_EQ(Doom(kNothing), Builds());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(Doom(kNothing), (Builds{{"a", "b1"}}));
  close(ready[0]);
  close(ready[1]);
}

TEST_F(StorePinsTest, FoldersWithSharedFilesStay) {
  Begin();
  Build("a", "b1");
  Build("a", "b2", {"b1"});
  Build("a", "b3", {"b1", "b2"});
  Build("a", "b4", {"b2"});
  // b1: only b2 and b3 need it, which go too. b2: b4 needs its files.
  Builds doomed = Doom(kNothing);
  EXPECT_EQ(doomed, (Builds{{"a", "b1"}, {"a", "b3"}}));
  ASSERT_OK(store_->ForgetBuilds(claim(), doomed));
  // b2 is doomed as a snapshot, but its folder can still be built upon.
  Build("a", "b5", {"b2", "b4"});
  Build("a", "b6");
  doomed = Doom(kNothing);
  EXPECT_EQ(doomed, (Builds{{"a", "b2"}, {"a", "b4"}, {"a", "b5"}}));
  ASSERT_OK(store_->ForgetBuilds(claim(), doomed));
  EXPECT_EQ(Must(store_->KnownBuilds("dev")), (Builds{{"a", "b6"}}));
  EXPECT_TRUE(Must(store_->CheckIntegrity()).empty());
}

TEST_F(StorePinsTest, RejectionsChampionsAndLastRunsPin) {
  Begin("run1");
  Build("a", "b1");
  NodeCommit train = Commit("churn", "");
  ModelVersion version;
  version.model = "churn";
  version.version = 1;
  version.status = ModelStatus::kChampion;
  version.training = {"a", "b1"};
  train.model = version;
  ASSERT_OK(store_->CommitNode(claim(), train));
  ASSERT_OK(store_->FinishRun(claim(), "run1", RunStatus::kDone, "{}"));
  Begin("run2");
  Build("a", "b2");
  ASSERT_OK(store_->FinishRun(claim(), "run2", RunStatus::kDone, "{}"));
  Begin("run3");
  Build("a", "b3");
  Build("a", "b4");
  NodeCommit rejected = Commit("a", "b5");
  rejected.rejected = true;
  ASSERT_OK(store_->CommitNode(claim(), rejected));
  ASSERT_OK(store_->FinishRun(claim(), "run3", RunStatus::kFailed, "{}"));
  EXPECT_EQ(Doom({0, 2}), (Builds{{"a", "b3"}}));
  EXPECT_EQ(Doom({0, 1}), (Builds{{"a", "b2"}, {"a", "b3"}}));
}

TEST_F(StorePinsTest, SnapshotsOfForgottenNodesGo) {
  Begin();
  Build("a", "b1");
  Build("a", "b2");
  const std::vector<std::string> nodes = {"a"};
  ASSERT_OK(store_->ForgetNodes(claim(), nodes));
  EXPECT_EQ(Doom({2, 0}).size(), 2u);
}

TEST_F(StorePinsTest, PruningKeepsWhatIsStillNeeded) {
  for (const std::string run : {"r1", "r2", "r3", "r4"}) {
    Begin(run);
    Must(store_->CommitNode(claim(), Commit("a", "a" + run, run)));
    if (run == "r1") Must(store_->CommitNode(claim(), Commit("b", "b1", run)));
    NodeRecord record;
    record.run = run;
    record.node = "a";
    Must(store_->RecordNodes(claim(), {&record, 1}));
    Must(store_->FinishRun(claim(), run, RunStatus::kDone, "{}"));
  }
  ASSERT_OK(store_->ForgetBuilds(claim(), Doom({0, 2})));
  ASSERT_OK(store_->PruneHistory(claim(), 2));
  ASSERT_EQ(Must(store_->ListRuns("dev", 10)).size(), 2u);
  EXPECT_EQ(Must(store_->LastRuns("dev", "a", 10)).size(), 2u);
  EXPECT_EQ(Must(store_->ReadHistory("dev", "a", 10)).size(), 2u);
  const auto then = Must(store_->ReadSnapshotsAt("dev", "r3"));
  ASSERT_EQ(then.size(), 2u);
  EXPECT_EQ(then[0].second.build, "ar3");
  EXPECT_EQ(then[1].second.build, "b1");
  EXPECT_TRUE(Must(store_->CheckIntegrity()).empty());
  ASSERT_OK(store_->PruneHistory(claim(), 100));
  EXPECT_EQ(Must(store_->ListRuns("dev", 10)).size(), 2u);
}

}  // namespace
}  // namespace headrace::store
