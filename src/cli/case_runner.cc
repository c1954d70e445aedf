#include "cli/case_runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/subprocess.h"
#include "cli/line_diff.h"
#include "cli/mask.h"

namespace headrace::cli {
namespace {

using Kind = CaseSection::Kind;

constexpr int64_t kTimeout = 300'000'000;  // microseconds; loaded machines are slow
constexpr size_t kMostShown = 4000;        // bytes of a text that are shown with a failure

class Folder {
 public:
  static Result<std::unique_ptr<Folder>> Make() {
    const char* base = std::getenv("TMPDIR");
    std::string path =
        JoinPath(base != nullptr && *base != '\0' ? base : "/tmp", "headrace-case-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) {
      return ErrnoError(errno, "cannot make a folder in '" + DirName(path) + "'");
    }
    char* real = realpath(path.c_str(), nullptr);
    if (real != nullptr) path = real;
    std::free(real);
    return std::unique_ptr<Folder>(new Folder(path));
  }
  ~Folder() { (void)RealFileSystem().RemoveAll(path_).ok(); }
  const std::string& path() const { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

std::string EnvironmentOr(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string Cut(std::string text) {
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "\n…\n";
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

/// Blank lines at the end never matter: sections end with them.
std::string Comparable(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? text : text + '\n';
}

class CaseRun {
 public:
  CaseRun(const CaseFile& file, std::string name, const CaseOptions& options,
          const CancelToken& cancel, const std::string& temp)
      : file_(file),
        name_(std::move(name)),
        options_(options),
        cancel_(cancel),
        project_(temp + "/project") {
    environment_ = {{"PATH", EnvironmentOr("PATH", "/usr/bin:/bin")},
                    {"HOME", temp + "/home"},
                    {"TMPDIR", temp + "/tmp"},
                    {"LANG", "C.UTF-8"},
                    {"NO_COLOR", "1"}};
    // A build with sanitizers keeps their settings.
    for (const char* name : {"ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
  }

  Status Run(const std::string& temp) {
    for (const char* name : {"/project", "/home", "/tmp"}) {
      HR_TRY(RealFileSystem().CreateDirectories(temp + name));
    }
    for (size_t i = 0; i < file_.sections.size(); ++i) HR_TRY(Do(i));
    return Ok();
  }

  const std::string& report() const { return report_; }
  const std::map<size_t, std::string>& updates() const { return updates_; }

 private:
  Status Do(size_t index) {
    const CaseSection& section = file_.sections[index];
    FileSystem& fs = RealFileSystem();
    const std::string path = JoinPath(project_, section.argument);
    switch (section.kind) {
      case Kind::kFile:
        HR_TRY(fs.CreateDirectories(DirName(path)));
        return fs.Write(path, section.content);
      case Kind::kAppend: {
        HR_ASSIGN(const std::string old, fs.Read(path));
        return fs.Write(path, old + section.content);
      }
      case Kind::kRemove:
        return fs.RemoveAll(path);
      case Kind::kExists:
      case Kind::kMissing:
        if (fs.Exists(path) != (section.kind == Kind::kExists)) {
          Fault(section, fmt::format("'{}' {}", section.argument,
                                     fs.Exists(path) ? "exists" : "is missing"));
        }
        return Ok();
      case Kind::kEnv: {
        const size_t sign = section.argument.find('=');
        environment_[section.argument.substr(0, sign)] =
            sign == std::string::npos
                ? ""
                : Replaced(section.argument.substr(sign + 1), "{project}", project_);
        return Ok();
      }
      case Kind::kPostgres:
        return Postgres(section);
      case Kind::kRun:
        return Execute(index);
      default:
        Expect(index);
        return Ok();
    }
  }

  /// Statements in the case's own database, which is made at the first ones.
  Status Postgres(const CaseSection& section) {
    const std::string server = EnvironmentOr("HEADRACE_TEST_POSTGRES", "");
    const size_t slash = server.rfind('/');
    if (slash == std::string::npos) {
      return UserError("bad_case", "HEADRACE_TEST_POSTGRES names no server")
          .Hint("run it as tests/suites/postgres.sh does");
    }
    if (database_.empty()) {
      database_ = "case_" + std::to_string(HashBytes(project_).low % 1'000'000'000'000);
      const std::string made = "CREATE DATABASE " + database_ + ";";
      HR_TRY(Psql(section, server, made));
      environment_["PG_URI"] = server.substr(0, slash + 1) + database_;
      const size_t host = server.find('@') + 1;
      postgres_ = server.substr(host, slash - host) + "/" + database_;
      environment_["PG_SERVER"] = postgres_;
    }
    return Psql(section, environment_["PG_URI"], section.content);
  }

  Status Psql(const CaseSection& section, const std::string& uri, const std::string& sql) {
    SubprocessOptions run;
    run.command = {"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", uri};
    run.env = environment_;
    run.directory = project_;
    run.timeout_micros = kTimeout;
    run.input = sql;
    HR_ASSIGN(auto done, RunSubprocess(run, cancel_));
    if (done.exit_code != 0) Fault(section, "psql failed:\n" + Cut(done.error_output));
    return Ok();
  }

  Status Execute(size_t index) {
    const CaseSection& section = file_.sections[index];
    auto words = SplitWords(section.argument);
    if (!words.ok()) return words.error();
    if (words->empty() || words->front() != "headrace") {
      return UserError("bad_case", "a run starts with 'headrace', there is no shell");
    }
    SubprocessOptions run;
    for (auto& word : *words) run.command.push_back(Replaced(word, "{project}", project_));
    run.command.front() = options_.program;
    run.env = environment_;
    run.directory = project_;
    run.timeout_micros = kTimeout;
    run.max_output_bytes = 16 << 20;
    int64_t expected = 0;
    bool texts = false;
    for (size_t i = index + 1; i < file_.sections.size(); ++i) {
      const CaseSection& next = file_.sections[i];
      if (next.kind == Kind::kRun) break;
      if (next.kind == Kind::kStdin) run.input = next.content;
      if (next.kind == Kind::kExit) expected = std::atoll(next.argument.c_str());
      texts = texts || next.kind == Kind::kStderr;
    }
    HR_ASSIGN(result_, RunSubprocess(run, cancel_));
    if (!postgres_.empty()) {
      result_.output = Replaced(std::move(result_.output), postgres_, "{postgres}");
      result_.error_output = Replaced(std::move(result_.error_output), postgres_, "{postgres}");
    }
    if (result_.timed_out) Fault(section, "took longer than 300 s");
    if (result_.exit_code != expected) {
      Fault(section, fmt::format("exit code {}, expected {}", result_.exit_code, expected) +
                         (texts || result_.error_output.empty()
                              ? ""
                              : "; stderr:\n" + Cut(result_.error_output)));
    }
    return Ok();
  }

  void Expect(size_t index) {
    const CaseSection& section = file_.sections[index];
    switch (section.kind) {
      case Kind::kStdout:
        return ExpectText(index, "stdout", result_.output);
      case Kind::kStderr:
        return ExpectText(index, "stderr", result_.error_output);
      case Kind::kStdoutContains:
        return ExpectLines(section, "stdout", result_.output, true);
      case Kind::kStderrContains:
        return ExpectLines(section, "stderr", result_.error_output, true);
      case Kind::kStdoutLacks:
        return ExpectLines(section, "stdout", result_.output, false);
      case Kind::kStderrLacks:
        return ExpectLines(section, "stderr", result_.error_output, false);
      default:
        return;  // stdin and exit were used by the run
    }
  }

  void ExpectText(size_t index, const char* stream, const std::string& text) {
    const CaseSection& section = file_.sections[index];
    const std::string actual = Comparable(Mask(text, project_));
    const std::string expected = Comparable(Mask(section.content, project_));
    if (actual == expected) return;
    if (options_.update) {
      updates_[index] = actual;
      report_ += fmt::format("{}:{}: {} changed\n", name_, section.line, stream);
      report_ += LineDiff(expected, actual);
      return;
    }
    Fault(section, fmt::format("{} differs (- expected, + printed):\n{}", stream,
                               LineDiff(expected, actual)));
  }

  void ExpectLines(const CaseSection& section, const char* stream, const std::string& text,
                   bool present) {
    const std::string actual = Mask(text, project_);
    bool wrong = false;
    for (size_t begin = 0; begin < section.content.size();) {
      const size_t end = section.content.find('\n', begin);
      const std::string line = section.content.substr(begin, end - begin);
      begin = end + 1;
      if (line.empty()) continue;
      // As it is, or masked like the text.
      const bool found = text.find(line) != std::string::npos ||
                         actual.find(Mask(line, project_)) != std::string::npos;
      if (found == present) continue;
      wrong = true;
      Fault(section, fmt::format("{} {} '{}'", stream, present ? "lacks" : "contains", line));
    }
    if (wrong) report_ += fmt::format("{} was:\n{}", stream, Cut(actual));
  }

  void Fault(const CaseSection& section, const std::string& message) {
    report_ += fmt::format("{}:{}: {}", name_, section.line, message);
    if (report_.back() != '\n') report_ += '\n';
    failed_ = true;
  }

 public:
  bool failed() const { return failed_; }

 private:
  const CaseFile& file_;
  const std::string name_;
  const CaseOptions& options_;
  const CancelToken& cancel_;
  const std::string project_;
  std::map<std::string, std::string> environment_;
  std::string database_, postgres_;  // of the case, "" = none
  SubprocessResult result_;
  std::string report_;
  bool failed_ = false;
  std::map<size_t, std::string> updates_;
};

}  // namespace

Result<CaseResult> RunCase(const std::string& path, const CaseOptions& options,
                           const CancelToken& cancel) {
  FileSystem& fs = RealFileSystem();
  HR_ASSIGN(std::string text, fs.Read(path));
  HR_ASSIGN(const CaseFile file, ParseCase(std::move(text), path));
  HR_ASSIGN(const auto folder, Folder::Make());
  CaseRun run(file, path, options, cancel, folder->path());
  HR_TRY(run.Run(folder->path()));
  if (!run.updates().empty()) {
    HR_TRY(fs.WriteAtomically(path, Rewrite(file, run.updates())));
  }
  CaseResult result;
  result.passed = !run.failed();
  result.updated = !run.updates().empty();
  result.report = run.report();
  return result;
}

}  // namespace headrace::cli
