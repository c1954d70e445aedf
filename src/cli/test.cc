#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/case_runner.h"
#include "cli/commands.h"
#include "cli/interrupt.h"

namespace headrace::cli {
namespace {

Result<std::vector<std::string>> FindCases(const std::vector<std::string>& paths) {
  FileSystem& fs = RealFileSystem();
  std::vector<std::string> cases;
  for (std::string path : paths) {
    HR_ASSIGN(const FileInfo info, fs.Stat(path));
    if (!info.directory) {
      cases.push_back(path);
      continue;
    }
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    HR_ASSIGN(const auto found, Glob(fs, path + "/**/*.case"));
    for (const auto& file : found) cases.push_back(file.path);
  }
  std::sort(cases.begin(), cases.end());
  cases.erase(std::unique(cases.begin(), cases.end()), cases.end());
  if (cases.empty()) {
    return UserError("no_cases", fmt::format("there is no *.case below '{}'", paths.front()))
        .Subject(paths.front());
  }
  return cases;
}

/// What `headrace` in a case stands for: the program that runs now.
Result<std::string> OwnProgram() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == sizeof path) return ErrnoError(errno, "cannot find this program");
  return std::string(path, static_cast<size_t>(length));
}

std::vector<CaseResult> RunAll(const std::vector<std::string>& cases, const CaseOptions& options,
                               int jobs, const CancelToken& cancel) {
  std::vector<CaseResult> results(cases.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < cases.size() && !cancel.Cancelled();) {
      auto result = RunCase(cases[i], options, cancel);
      if (result.ok()) {
        results[i] = std::move(*result);
      } else {
        Error error = std::move(result).error();
        if (error.place.file.empty()) error.place.file = cases[i];
        results[i].report = Render(error) + "\n";
      }
    }
  };
  std::vector<std::thread> threads;
  const int more = std::min(jobs, static_cast<int>(cases.size())) - 1;
  for (int i = 0; i < more; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  return results;
}

/// Some word names cases: a *.case file or a folder. Else the words are tests of a project.
bool NamesCases(const std::vector<std::string>& paths) {
  return std::any_of(paths.begin(), paths.end(), [](const std::string& path) {
    auto info = RealFileSystem().Stat(path);
    return path.ends_with(".case") || (info.ok() && info->directory);
  });
}

}  // namespace

int Test(const Arguments& arguments, Console& console) {
  const auto fail = [&](const Error& error) {
    console.Print(error);
    return ExitCode(error) == 3 ? 3 : 2;
  };
  if (!NamesCases(arguments.paths)) {
    auto session = Session::Open(arguments, console);
    if (!session.ok()) return fail(session.error());
    return UserTests(arguments, **session, console);
  }
  auto cases = FindCases(arguments.paths);
  if (!cases.ok()) return fail(cases.error());
  auto program = OwnProgram();
  if (!program.ok()) return fail(program.error());
  CancelToken cancel;
  const Interrupt interrupt(cancel);
  const auto results = RunAll(*cases, {*program, arguments.update}, arguments.jobs, cancel);
  if (cancel.Cancelled()) return 130;
  size_t passed = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const CaseResult& result = results[i];
    passed += result.passed ? 1 : 0;
    if (console.json()) {
      console.JsonLine({{"event", "case"},
                        {"case", (*cases)[i]},
                        {"passed", result.passed},
                        {"updated", result.updated},
                        {"report", result.report}});
    } else if (!result.report.empty()) {
      console.Note(result.report + "\n");
    }
  }
  const size_t failed = results.size() - passed;
  if (console.json()) {
    console.JsonLine({{"event", "tests_finished"}, {"passed", passed}, {"failed", failed}});
  } else {
    console.Data(fmt::format("{} passed, {} failed\n", passed, failed));
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace headrace::cli
