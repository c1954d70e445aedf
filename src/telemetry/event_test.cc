#include "telemetry/event.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/file_system.h"
#include "base/temp_folder.h"

namespace headrace::telemetry {
namespace {

TEST(JsonLinesSink, WritesOneObjectALine) {
  const TempFolder folder;
  const int fd = open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  Redactor redactor;
  redactor.AddSecret("hunter22");
  JsonLinesSink sink(fd, &redactor);
  sink.Emit("node_started", {{"node", "a"}, {"kind", "sql"}});
  sink.Emit("check", {{"message", "two\nlines with hunter22"}});
  sink.Emit("empty", Json());
  EXPECT_EQ(sink.failed(), 0);
  close(fd);
  EXPECT_EQ(*RealFileSystem().Read(folder / "out"),
            "{\"event\":\"node_started\",\"node\":\"a\",\"kind\":\"sql\"}\n"
            "{\"event\":\"check\",\"message\":\"two\\nlines with ***\"}\n"
            "{\"event\":\"empty\"}\n");
}

TEST(JsonLinesSink, LinesOfThreadsDoNotMix) {
  const TempFolder folder;
  const int fd = open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  JsonLinesSink sink(fd, nullptr);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k) sink.Emit("e", {{"text", std::string(100 * i, 'x')}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  close(fd);
  std::istringstream lines(*RealFileSystem().Read(folder / "out"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(ParseJson(line, "x").ok());
  EXPECT_EQ(count, 200);
}

TEST(JsonLinesSink, StaysSilentAfterAFailure) {
  const int fd = open("/dev/full", O_WRONLY);
  JsonLinesSink sink(fd, nullptr);
  sink.Emit("a", {});
  sink.Emit("b", {});
  EXPECT_EQ(sink.failed(), ENOSPC);
  close(fd);
}

TEST(TeeSink, PassesOnInOrder) {
  RecordingSink a, b;
  NullSink null;
  TeeSink tee({&a, &null, &b});
  tee.Emit("run_started", {{"run", "1"}});
  tee.Emit("node_started", {{"node", "x"}});
  EXPECT_EQ(a.lines(), b.lines());
  EXPECT_EQ(a.lines()[0], R"({"event":"run_started","run":"1"})");
  EXPECT_EQ(b.size(), 2u);
  ASSERT_EQ(b.Of("node_started").size(), 1u);
  EXPECT_EQ(b.Of("node_started")[0]["node"], "x");
}

}  // namespace
}  // namespace headrace::telemetry
