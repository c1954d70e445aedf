#include "store/store_fixture.h"

namespace headrace::store {
namespace {

using StoreRunsTest = StoreTest;

TEST_F(StoreRunsTest, ARunIsRecordedFromBeginToEnd) {
  Begin();
  clock_.Advance(5'000'000);
  NodeRecord node;
  node.run = "run1";
  node.node = "features";
  node.kind = "sql";
  node.action = "reuse";
  node.reason = "nothing changed";
  node.rows = 7;
  node.seconds = 0.25;
  ASSERT_OK(store_->RecordNodes(claim(), {&node, 1}));
  node.action = "fail";
  node.error = R"({"code":"x"})";
  ASSERT_OK(store_->RecordNodes(claim(), {&node, 1}));
  ASSERT_OK(store_->FinishRun(claim(), "run1", RunStatus::kFailed, R"({"built":0})"));

  const RunRecord run = Must(store_->ReadRun("dev", "run1"));
  EXPECT_EQ(run.target, "dev");
  EXPECT_EQ(run.status, RunStatus::kFailed);
  EXPECT_EQ(run.epoch, 1);
  EXPECT_EQ(run.finished - run.started, 5'000'000);
  EXPECT_EQ(run.summary, R"({"built":0})");

  const std::vector<NodeRecord> nodes = Must(store_->ReadRunNodes("dev", "run1"));
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].run, "run1");
  EXPECT_EQ(nodes[0].action, "fail");
  EXPECT_EQ(nodes[0].error, R"({"code":"x"})");
  EXPECT_EQ(nodes[0].rows, 7);
  EXPECT_EQ(nodes[0].seconds, 0.25);

  const std::vector<NodeRun> last = Must(store_->LastRuns("dev", "features", 5));
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].run.id, "run1");
  EXPECT_EQ(last[0].record.node, "features");
}

TEST_F(StoreRunsTest, NewestFirstWhateverTheIds) {
  for (const char* id : {"b", "c", "a"}) {
    Begin(id);
    ASSERT_OK(store_->FinishRun(claim(), id, RunStatus::kDone, "{}"));
  }
  const std::vector<RunRecord> runs = Must(store_->ListRuns("dev", 2));
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].id, "a");
  EXPECT_EQ(runs[1].id, "c");
  EXPECT_TRUE(Must(store_->ListRuns("prod", 2)).empty());
}

TEST_F(StoreRunsTest, ARunThatDiedIsLostForTheNext) {
  Begin("first");
  Begin("second");
  EXPECT_EQ(Must(store_->ReadRun("dev", "first")).status, RunStatus::kLost);
  EXPECT_EQ(Must(store_->ReadRun("dev", "second")).status, RunStatus::kRunning);
}

TEST_F(StoreRunsTest, AnUnknownRunNamesTheNearest) {
  Begin("20260131-093000-3f9a2c11");
  const Result<RunRecord> run = store_->ReadRun("dev", "20260131-093000-3f9a2c12");
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(Render(run.error()),
            "error[unknown_run]: target 'dev' has no run '20260131-093000-3f9a2c12'\n"
            "  hint: did you mean '20260131-093000-3f9a2c11'?\n"
            "  hint: the last run was 20260131-093000-3f9a2c11");
}

TEST_F(StoreRunsTest, SecretsAreMaskedAndJsonStaysJson) {
  redactor_.AddSecret("hunter2secret");
  redactor_.AddSecret("123456");
  store_ = OpenStore();
  lease_ = Must(store_->AcquireLease("dev", "r", LeaseOptions()));
  RunRecord run;
  run.id = "r";
  run.command = "run --param token=hunter2secret";
  run.params = R"({"token":"hunter2secret","n":1234567})";
  ASSERT_OK(store_->BeginRun(claim(), run));
  NodeRecord node;
  node.run = "r";
  node.node = "n";
  node.reason = "url has hunter2secret";
  node.error = R"({"message":"login hunter2secret failed"})";
  ASSERT_OK(store_->RecordNodes(claim(), {&node, 1}));

  const RunRecord read = Must(store_->ReadRun("dev", "r"));
  EXPECT_EQ(read.command, "run --param token=***");
  EXPECT_EQ(read.params, R"({"token":"***","n":1234567})");
  const std::vector<NodeRecord> nodes = Must(store_->ReadRunNodes("dev", "r"));
  EXPECT_EQ(nodes[0].reason, "url has ***");
  EXPECT_EQ(nodes[0].error, R"({"message":"login *** failed"})");
}

}  // namespace
}  // namespace headrace::store
