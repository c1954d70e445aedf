#include "store/store_fixture.h"

namespace headrace::store {
namespace {

using StoreIntervalsTest = StoreTest;

std::vector<Timestamp> Starts(const std::vector<IntervalRecord>& intervals) {
  std::vector<Timestamp> starts;
  for (const auto& interval : intervals) starts.push_back(interval.from);
  return starts;
}

TEST_F(StoreIntervalsTest, TheLedgerChangesWithTheCommit) {
  Begin();
  NodeCommit commit = Commit("daily", "b1");
  commit.intervals.emplace();
  commit.intervals->put = {{20, 30, 5, "", "", 0}, {10, 20, 4, "late rows", "", 0}};
  ASSERT_OK(store_->CommitNode(claim(), commit));
  auto ledger = Must(store_->ReadIntervals("dev", "daily"));
  ASSERT_EQ(Starts(ledger), (std::vector<Timestamp>{10, 20}));
  EXPECT_EQ(ledger[0].stale, "late rows");
  EXPECT_EQ(ledger[1].rows, 5);
  EXPECT_EQ(ledger[1].run, "run1");
  EXPECT_EQ(ledger[1].built, clock_.Now());

  NodeCommit rejected = Commit("daily", "b2");
  rejected.rejected = true;
  rejected.intervals.emplace();
  rejected.intervals->clear = true;
  ASSERT_OK(store_->CommitNode(claim(), rejected));
  EXPECT_EQ(Must(store_->ReadIntervals("dev", "daily")).size(), 2u);

  NodeCommit next = Commit("daily", "b3");
  next.intervals.emplace();
  next.intervals->remove = {10};
  next.intervals->put = {{30, 40, 1, "", "", 0}};
  ASSERT_OK(store_->CommitNode(claim(), next));
  EXPECT_EQ(Starts(Must(store_->ReadIntervals("dev", "daily"))), (std::vector<Timestamp>{20, 30}));

  // Checks ran again: the rows are the same. A table that is built as a whole has no intervals.
  ASSERT_OK(store_->CommitNode(claim(), Commit("daily", "")));
  EXPECT_EQ(Must(store_->ReadIntervals("dev", "daily")).size(), 2u);
  ASSERT_OK(store_->CommitNode(claim(), Commit("daily", "b4")));
  EXPECT_TRUE(Must(store_->ReadIntervals("dev", "daily")).empty());
}

TEST_F(StoreIntervalsTest, PartsOfAnUnfinishedRunAreKeptUntilTheCommit) {
  Begin();
  const std::vector<IntervalPart> parts = {{10, 20, "p1", "fp", {{"t", "s1"}}}};
  ASSERT_OK(store_->CommitIntervalParts(claim(), "daily", "run1", Snapshot("p1"), parts));
  EXPECT_TRUE(Must(store_->ReadState("dev")).empty());
  const auto found = Must(store_->ReadIntervalParts("dev", "daily"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].build, "p1");
  EXPECT_EQ(found[0].inputs, parts[0].inputs);
  EXPECT_TRUE(Must(store_->DoomBuilds(claim(), {0, 0})).empty());

  NodeCommit commit = Commit("daily", "b1");
  commit.intervals.emplace();
  ASSERT_OK(store_->CommitNode(claim(), commit));
  EXPECT_TRUE(Must(store_->ReadIntervalParts("dev", "daily")).empty());
  EXPECT_EQ(Must(store_->DoomBuilds(claim(), {0, 0})), (std::vector<BuildRef>{{"daily", "p1"}}));
}

TEST_F(StoreIntervalsTest, TouchedTimesAreFoundSinceAContent) {
  Begin();
  const auto commit = [&](const std::string& build, const std::string& touched) {
    NodeCommit next = Commit("t", build);
    next.touched = touched;
    ASSERT_OK(store_->CommitNode(claim(), next));
  };
  commit("b1", "one");
  commit("b2", "two");
  ASSERT_OK(store_->CommitNode(claim(), Commit("t", "")));  // its checks ran again
  commit("b3", "three");
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Must(store_->ReadTouched("dev", "t", "id-b1")), (Texts{"three", "two"}));
  EXPECT_EQ(Must(store_->ReadTouched("dev", "t", "id-b2")), Texts{"three"});
  EXPECT_EQ(Must(store_->ReadTouched("dev", "t", "id-b3")), Texts());
  EXPECT_EQ(Must(store_->ReadTouched("dev", "t", "gone")), std::nullopt);
  EXPECT_EQ(Must(store_->ReadLastTouched("dev", "t")), "three");
  commit("b1", "back");
  EXPECT_EQ(Must(store_->ReadTouched("dev", "t", "id-b1")), Texts());
}

TEST_F(StoreIntervalsTest, ARejectedReadKeepsItsCursor) {
  Begin();
  NodeCommit accepted = Commit("t", "b1");
  accepted.cursor = "1";
  ASSERT_OK(store_->CommitNode(claim(), accepted));
  NodeCommit rejected = Commit("t", "b2");
  rejected.rejected = true;
  rejected.cursor = "2";
  ASSERT_OK(store_->CommitNode(claim(), rejected));
  const auto state = Must(store_->ReadNode("dev", "t"));
  EXPECT_EQ(state->cursor, "1");
  EXPECT_EQ(state->rejection->cursor, "2");
}

}  // namespace
}  // namespace headrace::store
