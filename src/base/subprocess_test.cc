#include "base/subprocess.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/file_system.h"
#include "base/process.h"
#include "base/temp_folder.h"

namespace headrace {
namespace {

SubprocessOptions Shell(const std::string& script) {
  return {.command = {"sh", "-c", script}, .env = {{"PATH", "/usr/bin:/bin"}}};
}

SubprocessResult Ran(const SubprocessOptions& options) {
  auto result = RunSubprocess(options, CancelToken());
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : Render(result.error()));
  return result.ok() ? *std::move(result) : SubprocessResult();
}

std::string ErrorCode(const SubprocessOptions& options) {
  auto result = RunSubprocess(options, CancelToken());
  return result.ok() ? "ran" : result.error().code;
}

TEST(Subprocess, OutputsAndExitCode) {
  SubprocessOptions options = Shell("cat; echo err >&2; exit 3");
  options.input = "in";
  const SubprocessResult result = Ran(options);
  EXPECT_EQ(result.output, "in");
  EXPECT_EQ(result.error_output, "err\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.timed_out || result.truncated);
}

TEST(Subprocess, LargeInputAndOutputDoNotBlock) {
  SubprocessOptions options{.command = {"cat"}, .env = {}, .input = std::string(3'000'000, 'x')};
  options.max_output_bytes = 10'000'000;
  EXPECT_EQ(Ran(options).output, options.input);
  options.max_output_bytes = 1000;
  const SubprocessResult result = Ran(options);
  EXPECT_EQ(result.output.size(), 1000u);
  EXPECT_TRUE(result.truncated);
}

TEST(Subprocess, AChildMayIgnoreItsInput) {
  SubprocessOptions options{.command = {"true"}, .env = {}, .input = std::string(3'000'000, 'x')};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ran(options).exit_code, 0);
}

TEST(Subprocess, GetsExactlyTheEnvironmentAndFolder) {
  const TempFolder folder;
  setenv("HEADRACE_TEST_LEAK", "1", 1);
  SubprocessOptions options{.command = {"/usr/bin/env"}, .env = {{"A", "b c"}, {"D", ""}}};
  EXPECT_EQ(Ran(options).output, "A=b c\nD=\n");
  SubprocessOptions pwd = Shell("pwd");
  pwd.directory = folder.path();
  EXPECT_EQ(Ran(pwd).output, folder.path() + "\n");
}

TEST(Subprocess, InheritsNoDescriptorsAndSignals) {
  InitProcess();                                  // ignores SIGPIPE
  const int leaky = open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library might
  ASSERT_GE(leaky, 3);
  EXPECT_EQ(Ran(Shell("ls /proc/$$/fd")).output, "0\n1\n2\n");
  close(leaky);
  std::istringstream signals(
      Ran({.command = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, .env = {}}).output);
  std::string name;
  uint64_t blocked = 1, ignored = 1;
  signals >> name >> std::hex >> blocked >> name >> ignored;
  // Some versions of glibc ignore two signals of their own (32, 33) in the child.
  EXPECT_EQ(blocked, 0u);
  EXPECT_EQ(ignored & 0x7FFFFFFF, 0u);
}

TEST(Subprocess, TimeOutEndsTheWholeGroup) {
  const TempFolder folder;
  SubprocessOptions options = Shell("sleep 1000 & echo $! > pid; wait");
  options.directory = folder.path();
  options.timeout_micros = 200'000;
  const SubprocessResult result = Ran(options);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  pid_t grandchild = 0;
  std::ifstream(folder / "pid") >> grandchild;
  EXPECT_GT(grandchild, 0);
  // The signal is sent, but a busy machine may deliver it later; a zombie of init is gone, too.
  std::string state;
  for (int tries = 0; tries < 1000; ++tries) {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string number, name;
    if (!(stat >> number >> name >> state) || state == "Z" || state == "X") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "the grandchild still lives: " << state;
}

TEST(Subprocess, WhatAProgramLeavesBehindDoesNotHoldUs) {
  const SubprocessResult result = Ran(Shell("sleep 1000 & echo done"));
  EXPECT_EQ(result.output, "done\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(Subprocess, ExitOfASignal) { EXPECT_EQ(Ran(Shell("kill -9 $$")).exit_code, 128 + SIGKILL); }

TEST(Subprocess, Cancel) {
  CancelToken cancel;
  SubprocessOptions options = Shell("sleep 1000");
  std::thread canceller([&] { cancel.Cancel(); });
  EXPECT_EQ(RunSubprocess(options, cancel).error().code, "cancelled");
  canceller.join();
  EXPECT_EQ(RunSubprocess(options, cancel).error().code, "cancelled") << "not even started";
}

TEST(Subprocess, WhatCannotStart) {
  const TempFolder folder;
  EXPECT_EQ(ErrorCode({}), "program_not_found");
  EXPECT_EQ(ErrorCode({.command = {"no-such-program"}, .env = {}}), "program_not_found");
  EXPECT_EQ(ErrorCode({.command = {"/no/such"}, .env = {}}), "program_not_found");
  EXPECT_EQ(ErrorCode({.command = {"sh"}, .env = {{"PATH", "bin:.:"}}}), "program_not_found");
  EXPECT_EQ(ErrorCode({.command = {"true"}, .env = {}, .directory = folder / "no"}), "not_found");

  FileSystem& fs = RealFileSystem();
  ASSERT_TRUE(fs.Write(folder / "plain", "echo hi\n").ok());
  EXPECT_EQ(ErrorCode({.command = {folder / "plain"}, .env = {}}), "permission_denied");
  ASSERT_EQ(chmod((folder / "plain").c_str(), 0755), 0);
  EXPECT_EQ(ErrorCode({.command = {folder / "plain"}, .env = {}}), "not_executable");
  ASSERT_TRUE(fs.Write(folder / "script", "#!/no/interpreter\n").ok());
  ASSERT_EQ(chmod((folder / "script").c_str(), 0755), 0);
  auto result = RunSubprocess({.command = {folder / "script"}, .env = {}}, CancelToken());
  EXPECT_EQ(Render(result.error()), "error[program_not_found]: the program that '" +
                                        (folder / "script") +
                                        "' names in its first line (#!) is missing");
  EXPECT_EQ(
      Render(RunSubprocess({.command = {"nix"}, .env = {{"PATH", "/bin"}}}, CancelToken()).error()),
      "error[program_not_found]: there is no program 'nix' in PATH\n"
      "  hint: write its whole path, or install it; PATH is /bin");
}

TEST(Subprocess, ManyAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int k = 0; k < 10; ++k) {
        const std::string text = std::to_string(i * 100 + k);
        SubprocessOptions options{.command = {"cat"}, .env = {}, .input = text};
        EXPECT_EQ(Ran(options).output, text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace headrace
