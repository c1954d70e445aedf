#include "telemetry/log.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file_system.h"
#include "base/temp_folder.h"

namespace headrace::telemetry {
namespace {

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<Log> OpenLog(LogOptions options = {}) {
    options.path = path_;
    auto log = Log::Open(options, clock_, &redactor_);
    EXPECT_TRUE(log.ok());
    return *std::move(log);
  }
  std::string Read(const std::string& path) {
    auto text = RealFileSystem().Read(path);
    return text.ok() ? *text : text.error().code;
  }
  static int64_t Lines(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / ".headrace/logs/headrace.log";
  const ManualClock clock_{*ParseTimestamp("2026-01-31 09:30")};
  Redactor redactor_;
};

TEST_F(LogTest, LinesWithLevelsWithoutSecrets) {
  redactor_.AddSecret("hunter22");
  auto log = OpenLog();
  log->Write(LogLevel::kInfo, "store", "opened\nwith hunter22\x1b[2J");
  log->Write(LogLevel::kDebug, "store", "not wanted");
  log->Write(LogLevel::kError, "sql", "failed");
  EXPECT_EQ(Read(path_),
            "2026-01-31T09:30:00Z info store: opened\n  with ***\xEF\xBF\xBD[2J\n"
            "2026-01-31T09:30:00Z error sql: failed\n");
  OpenLog()->Write(LogLevel::kInfo, "a", "b");
  EXPECT_EQ(Lines(Read(path_)), 4) << "another process goes on behind it";
}

TEST_F(LogTest, OffMakesNoFile) {
  LogOptions options;
  options.level = LogLevel::kOff;
  auto log = OpenLog(options);
  EXPECT_FALSE(log->Wanted(LogLevel::kError));
  log->Write(LogLevel::kError, "a", "b");
  EXPECT_EQ(Read(path_), "not_found");
  EXPECT_TRUE(Log::Open({}, clock_, nullptr).ok());
}

TEST_F(LogTest, RotatesWithTwoWriters) {
  LogOptions options;
  options.max_bytes = 1000;
  auto first = OpenLog(options), second = OpenLog(options);
  int64_t written = 0;
  while (Read(path_ + ".1") == "not_found") {
    (written++ % 2 == 0 ? first : second)->Write(LogLevel::kInfo, "a", "a line of the log");
    ASSERT_LT(written, 1000);
  }
  second->Write(LogLevel::kInfo, "a", "a line of the log");
  first->Write(LogLevel::kInfo, "a", "a line of the log");
  EXPECT_EQ(Lines(Read(path_)), 3);
  EXPECT_EQ(Lines(Read(path_ + ".1")), written - 1) << "nothing is lost in a rotation";
}

TEST_F(LogTest, ThreadsDoNotMixLines) {
  auto log = OpenLog();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) log->Write(LogLevel::kInfo, "a", "text");
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += "2026-01-31T09:30:00Z info a: text\n";
  EXPECT_EQ(Read(path_), expected);
}

TEST_F(LogTest, WhatCannotBeOpened) {
  ASSERT_TRUE(RealFileSystem().Write(folder_ / "file", "").ok());
  LogOptions options;
  options.path = folder_ / "file/x.log";
  EXPECT_EQ(Log::Open(options, clock_, nullptr).error().code, "not_a_directory");
}

TEST(LogLevel, Parses) {
  EXPECT_EQ(*ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(Render(ParseLogLevel("warn").error()),
            "error[bad_log_level]: 'warn' is not a log level\n"
            "  hint: did you mean 'warning'?\n"
            "  hint: levels are debug, info, warning, error, off");
}

}  // namespace
}  // namespace headrace::telemetry
