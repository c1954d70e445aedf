#include "telemetry/progress.h"

#include <gtest/gtest.h>

#include <set>

namespace headrace::telemetry {
namespace {

constexpr int64_t kSecond = 1'000'000;

class ProgressTest : public ::testing::Test {
 protected:
  TextWriter Writer() {
    return [this](std::string_view text) { written_ += text; };
  }
  std::string Take() { return std::exchange(written_, ""); }

  ManualClock clock_{1000 * kSecond};
  Progress progress_{clock_};
  std::string written_;
};

TEST_F(ProgressTest, RateAndRemaining) {
  auto node = progress_.Start("features", "sql");
  EXPECT_EQ(node->State().Rate(), 0);
  EXPECT_LT(node->State().Remaining(), 0);
  clock_.Advance(10 * kSecond);
  node->Expect(1000, "trials");
  clock_.Advance(2 * kSecond);
  node->Advance(100);
  node->AddBytes(7);
  const NodeState state = node->State();
  EXPECT_EQ(state.seconds, 12);
  EXPECT_EQ(state.bytes, 7);
  EXPECT_EQ(state.unit, "trials");
  EXPECT_EQ(state.Rate(), 50) << "the time before Expect doesn't count";
  EXPECT_EQ(state.Remaining(), 18);
  node->Advance(2000);
  EXPECT_EQ(node->State().Remaining(), 0) << "more than expected";
}

TEST_F(ProgressTest, CountsNodes) {
  progress_.SetTotal(5);
  auto a = progress_.Start("a", "sql"), b = progress_.Start("b", "csv");
  progress_.Finish(a, "built");
  progress_.Finish(a, "built twice");
  progress_.FinishAtOnce("c", "sql", "failed", true);
  const ProgressState state = progress_.State();
  EXPECT_EQ(state.finished, 2);
  EXPECT_EQ(state.failed, 1);
  EXPECT_EQ(state.total, 5);
  ASSERT_EQ(state.running.size(), 1u);
  EXPECT_EQ(state.running[0].name, "b");
}

TEST_F(ProgressTest, PlainLines) {
  const auto renderer = PlainRenderer(Writer());
  progress_.OnFinished([&](const NodeState& node) { renderer->NodeFinished(node); });
  auto node = progress_.Start("features", "sql");
  renderer->Draw(progress_.State());
  EXPECT_EQ(Take(), "");
  node->SetStage("reading");
  node->Expect(5000);
  clock_.Advance(25 * kSecond);
  node->Advance(1250);
  node->AddBytes(3'000'000);
  renderer->Draw(progress_.State());
  EXPECT_EQ(Take(), "features: reading, 1,250 of 5,000 rows, 3 MB, 50 rows/s, 1 m 15 s left\n");
  renderer->Draw(progress_.State());
  clock_.Advance(4 * kSecond);
  renderer->Draw(progress_.State());
  EXPECT_EQ(Take(), "") << "the next line comes at 30 s";
  progress_.Finish(node, "built");
  progress_.FinishAtOnce("calls", "action", "skipped: scores failed");
  renderer->Print("warning: x");
  EXPECT_EQ(Take(),
            "features: built, 1,250 rows, 29.0 s\ncalls: skipped: scores failed\n"
            "warning: x\n");
}

TEST_F(ProgressTest, InPlace) {
  const auto renderer = TtyRenderer(Writer(), clock_, 30, /*color=*/true);
  progress_.OnFinished([&](const NodeState& node) { renderer->NodeFinished(node); });
  progress_.SetTotal(3);
  auto node = progress_.Start("features", "sql");
  clock_.Advance(kSecond);
  renderer->Draw(progress_.State());
  EXPECT_EQ(Take(), "  features: running, 1.0 s\n0 of 3 nodes, 1 running, 1.0…\n");
  clock_.Advance(50'000);
  renderer->Draw(progress_.State());
  EXPECT_EQ(Take(), "") << "at most ten times a second";
  progress_.Finish(node, "built");
  progress_.FinishAtOnce("b", "sql", "failed: x", true);
  clock_.Advance(50'000);
  renderer->Draw(progress_.State());
  EXPECT_EQ(Take(),
            "\x1b[2A\r\x1b[Jfeatures: built, 1.1 s\n\x1b[31mb: failed: x\x1b[0m\n"
            "2 of 3 nodes, 1 failed, 1.1 s\n");
  renderer->Print("warning: x");
  renderer->Close();
  EXPECT_EQ(Take(), "\x1b[1A\r\x1b[Jwarning: x\n");
}

TEST_F(ProgressTest, ManyRunningNodesAreCutShort) {
  const auto renderer = TtyRenderer(Writer(), clock_, 80, /*color=*/false);
  for (int i = 0; i < 20; ++i) progress_.Start("n" + std::to_string(i), "sql");
  renderer->Draw(progress_.State());
  EXPECT_NE(written_.find("  … and 12 more\n0 of 20 nodes, 20 running"), std::string::npos);
}

// Nothing is lost when nodes finish on several threads while a display draws; the sanitizers check
// the rest.
TEST(ProgressDisplay, ShowsEveryNodeOnce) {
  Progress progress(SystemClock());
  std::string written;
  {
    ProgressDisplay display(progress, TtyRenderer([&](std::string_view text) { written += text; },
                                                  SystemClock(), 80, false));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) {
          auto node = progress.Start("n" + std::to_string(t * 100 + i), "sql");
          node->Expect(10);
          node->Advance(10);
          node->SetStage("x");
          progress.Finish(node, "built");
        }
        display.Print("thread ends");
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (int i = 0; i < 400; ++i) {
    const std::string line = "n" + std::to_string(i) + ": built";
    EXPECT_NE(written.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace headrace::telemetry
