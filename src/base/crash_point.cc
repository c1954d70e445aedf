#include "base/crash_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace headrace {
namespace {

// Sorted by the moment in a run. A name is <what>.<moment>; a sync, rename, commit or send has a
// point behind it, and one before it where "before" differs from behind the previous step.
constexpr std::string_view kNames[] = {
    // Any small file that is written atomically (base/file_system).
    "file.write.before_sync",
    "file.write.before_rename",
    "file.write.after_rename",
    // A run.
    "lease.acquired",
    "run.started",
    "run.finished",
    // A node's snapshot.
    "source.read",
    "interval.built",
    "snapshot.written",
    "snapshot.synced",
    "snapshot.renamed",
    "snapshot.dir_synced",
    "store.commit.before",
    "store.commit.inside",
    "store.commit.after",
    // A model version.
    "model.written",
    "model.synced",
    "model.renamed",
    "model.dir_synced",
    // Sends and files that leave the project.
    "action.intent.before",
    "action.intent.after",
    "action.send.before",
    "action.send.after",
    "action.result.before",
    "action.result.after",
    "sink.written",
    "sink.synced",
    "sink.renamed",
    "sink.staged",
    "sink.exchanged",
    "sink.committed",
    // Removal.
    "clean.before_remove",
    "sweep.before_remove",
};

[[noreturn]] void Die(const std::string& text) {
  std::fputs(("headrace: " + text + "\n").c_str(), stderr);
  std::abort();
}

bool Known(std::string_view name) {
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

/// One "name[:n]" of the environment.
class Trap {
 public:
  Trap(const char* variable, int signal) : signal_(signal) {
    const char* text = std::getenv(variable);
    if (text == nullptr || *text == '\0') return;
    name_ = text;
    if (const size_t colon = name_.find(':'); colon != std::string::npos) {
      left_ = std::atol(name_.c_str() + colon + 1);
      name_.resize(colon);
    }
    // A misspelt name would make a crash test pass that tests nothing.
    if (!Known(name_)) Die(fmt::format("{}: there is no crash point '{}'", variable, name_));
    if (left_ < 1) Die(fmt::format("{}: the count must be 1 or more", variable));
  }

  void Pass(std::string_view name) {
    if (name_.empty() || name != name_) return;
    if (left_.fetch_sub(1) == 1) std::raise(signal_);
  }

 private:
  const int signal_;
  std::string name_;
  std::atomic<long> left_{1};
};

}  // namespace

void CrashPoint(std::string_view name) {
  if (!Known(name)) Die(fmt::format("crash point '{}' is not in the table", name));
  static Trap crash("HEADRACE_CRASH_AT", SIGKILL);
  static Trap stop("HEADRACE_STOP_AT", SIGSTOP);
  crash.Pass(name);
  stop.Pass(name);
}

std::vector<std::string> CrashPointNames() { return {std::begin(kNames), std::end(kNames)}; }

}  // namespace headrace
