#include "base/crash_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <set>

#include "base/file_system.h"
#include "base/temp_folder.h"

namespace headrace {
namespace {

TEST(CrashPoint, CostsNothingUnlessArmed) {
  const auto names = CrashPointNames();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const std::string& name : names) CrashPoint(name);
}

using CrashPointDeathTest = ::testing::Test;

void CrashAt(const char* value) {
  setenv("HEADRACE_CRASH_AT", value, 1);
  CrashPoint("run.started");
  CrashPoint("run.finished");
  CrashPoint("run.finished");
  std::_Exit(0);
}

TEST(CrashPointDeathTest, KillsAtTheNthPassing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(CrashAt("run.started"), ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(CrashAt("run.finished:2"), ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(CrashAt("run.finished:3"), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(CrashAt(""), ::testing::ExitedWithCode(0), "");
}

TEST(CrashPointDeathTest, UnknownNamesAbort) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(CrashPoint("no.such"), "crash point 'no.such' is not in the table");
  EXPECT_DEATH(CrashAt("no.such"), "HEADRACE_CRASH_AT: there is no crash point 'no.such'");
  EXPECT_DEATH(CrashAt("run.started:0"), "the count must be 1 or more");
}

void WriteTwice(const std::string& path, const char* crash_at) {
  setenv("HEADRACE_CRASH_AT", crash_at, 1);
  FileSystem& fs = RealFileSystem();
  if (!fs.WriteAtomically(path, "old").ok()) std::_Exit(1);
  if (!fs.WriteAtomically(path, "new").ok()) std::_Exit(1);
  std::_Exit(0);
}

TEST(CrashPointDeathTest, AtomicWritesAreOldOrNew) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The child runs this test from its start: the environment tells it the parent's folder.
  const TempFolder own;
  setenv("HEADRACE_TEST_FOLDER", own.path().c_str(), /*overwrite=*/0);
  const std::string path = JoinPath(getenv("HEADRACE_TEST_FOLDER"), "f");
  EXPECT_EXIT(WriteTwice(path, "file.write.before_sync:2"), ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(*RealFileSystem().Read(path), "old");
  EXPECT_EXIT(WriteTwice(path, "file.write.before_rename:2"), ::testing::KilledBySignal(SIGKILL),
              "");
  EXPECT_EQ(*RealFileSystem().Read(path), "old");
  EXPECT_EXIT(WriteTwice(path, "file.write.after_rename:2"), ::testing::KilledBySignal(SIGKILL),
              "");
  EXPECT_EQ(*RealFileSystem().Read(path), "new");
}

}  // namespace
}  // namespace headrace
