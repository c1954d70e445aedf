#include "base/budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/cgroup.h"
#include "base/file_system.h"
#include "base/temp_folder.h"

namespace headrace {
namespace {

TEST(Bytes, Parses) {
  EXPECT_EQ(*ParseBytes("4GB"), 4'000'000'000);
  EXPECT_EQ(*ParseBytes("512MiB"), 536'870'912);
  EXPECT_EQ(*ParseBytes("1.5 GB"), 1'500'000'000);
  EXPECT_EQ(*ParseBytes("1000000"), 1'000'000);
  EXPECT_EQ(*ParseBytes("2k"), 2'000);
  EXPECT_EQ(*ParseBytes("1 tib"), 1'099'511'627'776);
  for (const char* text :
       {"", "GB", "-1GB", "1 XB", "1.2.3 GB", "1 G B", "9999999 TB", ".", "1e9"}) {
    EXPECT_FALSE(ParseBytes(text).ok()) << text;
  }
}

TEST(Bytes, Formats) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1 kB");
  EXPECT_EQ(FormatBytes(1'550'000'000), "1.6 GB");
  EXPECT_EQ(FormatBytes(999'960), "1 MB");
  EXPECT_EQ(FormatBytes(INT64_MAX), "9.2 EB");
}

TEST(Budget, MemoryIsReservedAndFreed) {
  Budget budget(1000, 2);
  {
    auto first = budget.TakeMemory(600, "training");
    ASSERT_TRUE(first.ok());
    auto second = budget.TakeMemory(600, "sorting the rows");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(Render(second.error()),
              "error[over_budget]: sorting the rows needs 600 B of memory, 400 B of the budget of "
              "1 kB are left\n"
              "  hint: give more with --memory, or let less run at once with --threads");
    Budget::Memory moved = *std::move(first);
    EXPECT_FALSE(budget.TakeMemory(401, "x").ok()) << "a move keeps it reserved";
    EXPECT_TRUE(budget.TakeMemory(400, "x").ok());
  }
  EXPECT_TRUE(budget.TakeMemory(1000, "x").ok());
}

TEST(Budget, ThreadsNeverExceedTheBudget) {
  Budget budget(0, 3);
  std::atomic<int> used{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> workers;
  for (int i = 0; i < 6; ++i) {
    workers.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        const Budget::Threads threads = budget.TakeThreads(1 + i % 4);
        if (used.fetch_add(threads.count()) + threads.count() > 3) exceeded = true;
        used -= threads.count();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.TakeThreads(99).count(), 3);
  EXPECT_EQ(budget.TakeThreads(-1).count(), 1);
}

TEST(Budget, OfTheMachine) {
  EXPECT_GE(MachineThreads(), 1);
  EXPECT_GT(MachineMemoryBytes(), 1'000'000);
  const Budget budget;
  EXPECT_LT(budget.memory_bytes(), MachineMemoryBytes());
  EXPECT_GE(budget.threads(), 1);
}

class CgroupTest : public ::testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    ASSERT_TRUE(RealFileSystem().CreateDirectories(DirName(root_ / path)).ok());
    ASSERT_TRUE(RealFileSystem().Write(root_ / path, text).ok());
  }
  const TempFolder root_;
};

TEST_F(CgroupTest, NoneMeansUnlimited) {
  EXPECT_EQ(ReadCgroupLimits(root_.path()).memory_bytes, INT64_MAX);
  Put("proc/self/cgroup", "0::/\n");
  Put("sys/fs/cgroup/memory.max", "max\n");
  Put("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(ReadCgroupLimits(root_.path()).memory_bytes, INT64_MAX);
  EXPECT_GT(ReadCgroupLimits(root_.path()).cpus, 1e9);
}

TEST_F(CgroupTest, Version2TakesTheStrictestParent) {
  Put("proc/self/cgroup", "0::/user/job\n");
  Put("sys/fs/cgroup/user/job/memory.max", "4000000000\n");
  Put("sys/fs/cgroup/user/memory.max", "2000000000\n");
  Put("sys/fs/cgroup/user/job/cpu.max", "150000 100000\n");
  EXPECT_EQ(ReadCgroupLimits(root_.path()).memory_bytes, 2'000'000'000);
  EXPECT_EQ(ReadCgroupLimits(root_.path()).cpus, 1.5);
}

TEST_F(CgroupTest, Version1) {
  Put("proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n");
  Put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n");
  Put("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "9223372036854771712\n");
  Put("sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "-1\n");
  Put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  Put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(ReadCgroupLimits(root_.path()).memory_bytes, 1'000'000'000);
  EXPECT_EQ(ReadCgroupLimits(root_.path()).cpus, 2);
}

}  // namespace
}  // namespace headrace
