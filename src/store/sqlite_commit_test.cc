#include <chrono>

#include "store/store_fixture.h"

namespace headrace::store {
namespace {

using StoreCommitTest = StoreTest;

Verdict Failed(const std::string& check) {
  return {check, "error", VerdictStatus::kFail, 3, 10, "3 of 10 values are null", "row 1"};
}

TEST_F(StoreCommitTest, ACommitIsVisibleAsAWhole) {
  Begin();
  NodeCommit commit = Commit("features", "b1");
  commit.checks_definition = "[1]";
  commit.verdicts = {{"c1", "error", VerdictStatus::kPass, 0, 10, "", ""},
                     {"c2", "warn", VerdictStatus::kWarn, 1, 10, "old", "row 3"}};
  commit.inputs = {{"customers", "s1"}, {"usage", "s2"}};
  commit.cursor = "\"2026-01-01\"";
  commit.lineage = "{\"a\":[]}";
  commit.record = NodeRecord();
  commit.record->run = "run1";
  commit.record->node = "features";
  ASSERT_OK(store_->CommitNode(claim(), commit));

  const std::vector<NodeState> states = Must(store_->ReadState("dev"));
  ASSERT_EQ(states.size(), 1u);
  const NodeState& state = states[0];
  EXPECT_EQ(state.node, "features");
  EXPECT_EQ(state.fingerprint, "fp-b1");
  EXPECT_EQ(state.definition, R"({"sql":"b1"})");
  EXPECT_EQ(state.definition_digest, DefinitionDigest(commit.definition));
  EXPECT_EQ(state.checks_digest, DefinitionDigest("[1]"));
  ASSERT_TRUE(state.snapshot);
  EXPECT_EQ(state.snapshot->id, "id-b1");
  EXPECT_EQ(state.snapshot->run, "run1");
  EXPECT_EQ(state.snapshot->profile, "");
  ASSERT_EQ(state.verdicts.size(), 2u);
  EXPECT_EQ(state.verdicts[1].sample, "row 3");
  EXPECT_EQ(state.verdicts[1].status, VerdictStatus::kWarn);
  EXPECT_EQ(state.inputs, commit.inputs);
  EXPECT_EQ(state.cursor, commit.cursor);
  EXPECT_FALSE(state.rejection);
  EXPECT_EQ(state.run, "run1");
  EXPECT_EQ(state.committed, clock_.Now());

  EXPECT_EQ(Must(store_->ReadSnapshot("dev", {"features", "b1"})).manifest, "{\"m\":1}");
  EXPECT_EQ(Must(store_->ReadLineage("dev", "features")), "{\"a\":[]}");
  EXPECT_EQ(Must(store_->ReadRunNodes("dev", "run1")).size(), 1u);
  EXPECT_TRUE(Must(store_->ReadState("prod")).empty());
  EXPECT_EQ(CodeOf(store_->ReadSnapshot("prod", {"features", "b1"})), "snapshot_gone");
}

TEST_F(StoreCommitTest, AGroupIsAllOrNothing) {
  Begin();
  std::vector<NodeCommit> group = {Commit("a", "b1"), Commit("b", "b1")};
  group[1].snapshot->shared_builds = {"never_there"};
  EXPECT_EQ(CodeOf(store_->CommitNodes(claim(), group)), "snapshot_gone");
  EXPECT_TRUE(Must(store_->ReadState("dev")).empty());
  EXPECT_TRUE(Must(store_->KnownBuilds("dev")).empty());
}

TEST_F(StoreCommitTest, ARejectionLeavesTheCurrentState) {
  Begin();
  NodeCommit good = Commit("features", "b1");
  good.cursor = "1";
  ASSERT_OK(store_->CommitNode(claim(), good));
  NodeCommit bad = Commit("features", "b2");
  bad.rejected = true;
  bad.cursor = "2";
  bad.verdicts = {Failed("features.not_null(id)")};
  ASSERT_OK(store_->CommitNode(claim(), bad));

  NodeState state = *Must(store_->ReadNode("dev", "features"));
  EXPECT_EQ(state.fingerprint, "fp-b1");
  EXPECT_EQ(state.snapshot->build, "b1");
  EXPECT_EQ(state.cursor, "1");
  EXPECT_TRUE(state.verdicts.empty());
  ASSERT_TRUE(state.rejection);
  EXPECT_EQ(state.rejection->fingerprint, "fp-b2");
  EXPECT_EQ(state.rejection->build, "b2");
  EXPECT_EQ(state.rejection->snapshot, "id-b2");
  EXPECT_EQ(state.rejection->definition_digest, DefinitionDigest(bad.definition));
  ASSERT_EQ(state.rejection->verdicts.size(), 1u);
  EXPECT_EQ(state.rejection->verdicts[0].failing_rows, 3);

  ASSERT_OK(store_->CommitNode(claim(), Commit("features", "b3")));
  state = *Must(store_->ReadNode("dev", "features"));
  EXPECT_FALSE(state.rejection);
  EXPECT_EQ(state.snapshot->build, "b3");
  EXPECT_EQ(state.cursor, "1");
}

TEST_F(StoreCommitTest, ANodeMayBeRejectedAtOnce) {
  Begin();
  NodeCommit bad = Commit("features", "b1");
  bad.rejected = true;
  ASSERT_OK(store_->CommitNode(claim(), bad));
  const NodeState state = *Must(store_->ReadNode("dev", "features"));
  EXPECT_EQ(state.fingerprint, "");
  EXPECT_FALSE(state.snapshot);
  EXPECT_TRUE(state.rejection);
  EXPECT_FALSE(Must(store_->FindSnapshot("dev", "features", "fp-b1")));
}

TEST_F(StoreCommitTest, ChecksAloneKeepTheSnapshot) {
  Begin();
  ASSERT_OK(store_->CommitNode(claim(), Commit("features", "b1")));
  NodeCommit checks = Commit("features", "");
  checks.fingerprint = "fp-b1";
  checks.checks_definition = "[2]";
  checks.verdicts = {{"c", "error", VerdictStatus::kPass, 0, 10, "", ""}};
  ASSERT_OK(store_->CommitNode(claim(), checks));
  NodeState state = *Must(store_->ReadNode("dev", "features"));
  EXPECT_EQ(state.snapshot->build, "b1");
  EXPECT_EQ(state.verdicts.size(), 1u);

  checks.rejected = true;
  checks.verdicts = {Failed("c")};
  ASSERT_OK(store_->CommitNode(claim(), checks));
  state = *Must(store_->ReadNode("dev", "features"));
  EXPECT_EQ(state.snapshot->build, "b1");
  ASSERT_TRUE(state.rejection);
  EXPECT_EQ(state.rejection->build, "");
  EXPECT_EQ(state.rejection->checks_digest, DefinitionDigest("[2]"));
}

TEST_F(StoreCommitTest, AnUndoneChangeFindsItsSnapshot) {
  Begin();
  ASSERT_OK(store_->CommitNode(claim(), Commit("features", "b1")));
  ASSERT_OK(store_->CommitNode(claim(), Commit("features", "b2")));
  const std::optional<SnapshotRecord> old = Must(store_->FindSnapshot("dev", "features", "fp-b1"));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->build, "b1");
  NodeCommit again = Commit("features", "b1");
  again.snapshot = *old;
  ASSERT_OK(store_->CommitNode(claim(), again));
  EXPECT_EQ(Must(store_->ReadNode("dev", "features"))->snapshot->build, "b1");
  EXPECT_EQ(Must(store_->ReadSnapshot("dev", {"features", "b1"})).profile, "{\"p\":1}");
}

TEST_F(StoreCommitTest, HistoryAndTimeTravel) {
  Begin("run1");
  ASSERT_OK(store_->CommitNode(claim(), Commit("a", "b1")));
  ASSERT_OK(store_->CommitNode(claim(), Commit("b", "b1")));
  ASSERT_OK(store_->FinishRun(claim(), "run1", RunStatus::kDone, "{}"));
  Begin("run2");
  NodeCommit second = Commit("a", "b2", "run2");
  second.verdicts = {Failed("x")};
  second.snapshot->shared_builds = {"b1"};
  ASSERT_OK(store_->CommitNode(claim(), second));
  NodeCommit rejected = Commit("b", "b2", "run2");
  rejected.rejected = true;
  ASSERT_OK(store_->CommitNode(claim(), rejected));
  ASSERT_OK(store_->FinishRun(claim(), "run2", RunStatus::kFailed, "{}"));

  const std::vector<CommitRecord> history = Must(store_->ReadHistory("dev", "a", 10));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].build, "b2");
  EXPECT_EQ(history[0].verdicts.size(), 1u);
  EXPECT_EQ(history[0].rows, 10);
  EXPECT_EQ(history[1].build, "b1");
  EXPECT_GT(history[0].sequence, history[1].sequence);
  EXPECT_TRUE(Must(store_->ReadHistory("dev", "b", 10))[0].rejected);

  const auto before = Must(store_->ReadSnapshotsAt("dev", "run1"));
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0].first, "a");
  EXPECT_EQ(before[0].second.build, "b1");
  const auto after = Must(store_->ReadSnapshotsAt("dev", "run2"));
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].second.build, "b2");
  EXPECT_EQ(after[0].second.shared_builds, std::vector<std::string>{"b1"});
  EXPECT_EQ(after[1].second.build, "b1");
  EXPECT_EQ(CodeOf(store_->ReadSnapshotsAt("dev", "run3")), "unknown_run");
}

TEST_F(StoreCommitTest, ALostClaimChangesNothing) {
  Begin();
  const Claim old = claim();
  ASSERT_OK(store_->CommitNode(old, Commit("a", "b1")));
  Begin("run2");
  EXPECT_EQ(CodeOf(store_->CommitNode(old, Commit("a", "b2"))), "lease_lost");
  EXPECT_EQ(CodeOf(store_->FinishRun(old, "run1", RunStatus::kDone, "{}")), "lease_lost");
  const std::vector<std::string> keys = {"1"};
  EXPECT_EQ(CodeOf(store_->RecordIntents(old, "run1", "calls", keys, 0)), "lease_lost");
  EXPECT_EQ(CodeOf(store_->DoomBuilds(old, Retention())), "lease_lost");
  EXPECT_EQ(CodeOf(store_->CheckClaim(old)), "lease_lost");
  ASSERT_OK(store_->CheckClaim(claim()));
  EXPECT_EQ(Must(store_->ReadNode("dev", "a"))->snapshot->build, "b1");
  EXPECT_TRUE(Must(store_->ListSends("dev", "calls", std::nullopt, 10)).empty());
  ASSERT_OK(lease_->Release());
  EXPECT_EQ(CodeOf(store_->CheckClaim(claim())), "lease_lost");
}

TEST_F(StoreCommitTest, DefinitionsAreMaskedButCompareEqual) {
  redactor_.AddSecret("planted-secret");
  Begin();
  NodeCommit commit = Commit("a", "b1");
  commit.definition = R"({"url":"http://x/planted-secret"})";
  commit.verdicts = {Failed("c")};
  commit.verdicts[0].message = "planted-secret seen";
  commit.verdicts[0].sample = "| planted-secret |";
  ASSERT_OK(store_->CommitNode(claim(), commit));
  const NodeState state = *Must(store_->ReadNode("dev", "a"));
  EXPECT_EQ(state.definition, R"({"url":"http://x/***"})");
  EXPECT_EQ(state.definition_digest, DefinitionDigest(commit.definition));
  EXPECT_EQ(state.verdicts[0].message, "*** seen");
  EXPECT_EQ(state.verdicts[0].sample, "| *** |");
}

TEST_F(StoreCommitTest, ForgottenNodesHaveNoState) {
  Begin();
  ASSERT_OK(store_->CommitNode(claim(), Commit("a", "b1")));
  const std::vector<std::string> gone = {"a", "never_there"};
  ASSERT_OK(store_->ForgetNodes(claim(), gone));
  EXPECT_TRUE(Must(store_->ReadState("dev")).empty());
  EXPECT_EQ(Must(store_->ReadHistory("dev", "a", 5)).size(), 1u);
}

TEST_F(StoreCommitTest, AThousandNodesInOneTransaction) {
  Begin();
  std::vector<NodeCommit> commits;
  for (int i = 0; i < 1000; ++i) {
    commits.push_back(Commit("node_" + std::to_string(i), "b1"));
    commits.back().verdicts.assign(3, {"c", "error", VerdictStatus::kPass, 0, 10, "", ""});
    commits.back().inputs = {{"a", "s1"}, {"b", "s2"}};
    commits.back().definition = std::string(500, 'x');
  }
  ASSERT_OK(store_->CommitNodes(claim(), commits));
  const auto start = std::chrono::steady_clock::now();
  const std::vector<NodeState> states = Must(store_->ReadState("dev"));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  RecordProperty("read_state_ms", std::to_string(seconds.count() * 1000));
  ASSERT_EQ(states.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(states.begin(), states.end(),
                             [](auto& a, auto& b) { return a.node < b.node; }));
  for (const NodeState& state : states) ASSERT_EQ(state.verdicts.size(), 3u);
}

}  // namespace
}  // namespace headrace::store
