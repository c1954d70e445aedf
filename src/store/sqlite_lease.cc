// Leases of one machine.
//
// Truth is the row of `leases`: the highest epoch ever taken and whether it is held. It changes
// only inside BEGIN IMMEDIATE, so of three processes that see a free target one gets epoch + 1 and
// the others find another row than they expected and wait on. Every writing call compares its
// claim with the row in its own transaction; therefore a wrong guess about who is alive can cost a
// run, but never mix the writes of two.
//
// Is the holder alive? Two signs stand in its lock file, `lease/<target>.<epoch>.lock`:
//   - flock, which the kernel drops when the process ends, however it ends. Taken before the row
//     is written, so a held row always has a locked file while its process lives.
//   - a counter, written each second by a thread of the holder: 20 digits in place, no sync. A
//     database write would cost an fsync a second and fail on a full disk. A holder that is
//     stopped or hangs keeps its flock, but its counter stands still. The waiter measures with its
//     own monotonic clock, and counts at most 1 s between two looks: a waiter that was itself
//     asleep (or a whole machine that was) doesn't take its own sleep for the holder's.
//
// One case can't be helped: a process that is stopped *inside* a transaction of SQLite holds
// SQLite's write lock until it goes on or dies. The waiter then gets "store_busy", which names
// that process and says that it is stopped.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <thread>

#include "base/crash_point.h"
#include "store/sqlite_store.h"

namespace headrace::store {

namespace {

constexpr int64_t kPollMicros = 50'000;
constexpr int64_t kLongestLookNanos = 1'000'000'000;

/// Writes a counter into a file from a thread of its own until it is destroyed.
class Heart {
 public:
  Heart(const std::string& path, int64_t beat_micros)
      : file_(open(path.c_str(), O_WRONLY | O_CLOEXEC)) {
    Beat();
    if (beat_micros > 0) thread_ = std::thread([this, beat_micros] { Run(beat_micros); });
  }

  ~Heart() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    if (thread_.joinable()) thread_.join();
    if (file_ >= 0) close(file_);
  }

 private:
  void Run(int64_t beat_micros) {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, std::chrono::microseconds(beat_micros),
                           [this] { return stopping_; })) {
      Beat();
    }
  }

  void Beat() {
    // A beat that can't be written is like a beat that was missed: others may take over, and the
    // next commit says so.
    const std::string text = fmt::format("{:020}", ++count_);
    (void)!pwrite(file_, text.data(), text.size(), 0);
  }

  int file_;
  int64_t count_ = 0;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

class LocalLease final : public Lease {
 public:
  LocalLease(SqliteStore* store, Claim claim, std::unique_ptr<FileLock> lock, int64_t beat_micros)
      : store_(store),
        claim_(std::move(claim)),
        path_(store->LeasePath(claim_.target, claim_.epoch)),
        lock_(std::move(lock)),
        heart_(std::make_unique<Heart>(path_, beat_micros)) {}

  ~LocalLease() override { (void)Release(); }

  const Claim& claim() const override { return claim_; }

  Status Release() override {
    std::lock_guard guard(mutex_);
    if (lock_ == nullptr) return Ok();
    heart_.reset();
    // The row first: while the file is locked, a held row is not mistaken for a dead one. If the
    // row can't be written (full disk), dropping the lock still lets the next run in.
    Status freed = store_->Write([&](Connection& connection) {
      return connection.Run("UPDATE leases SET held = 0 WHERE target = ? AND epoch = ?",
                            claim_.target, claim_.epoch);
    });
    (void)store_->fs().Remove(path_);
    lock_.reset();
    return freed;
  }

 private:
  SqliteStore* store_;
  Claim claim_;
  std::string path_;
  std::mutex mutex_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Heart> heart_;
};

/// Tells from its beat whether a holder hangs.
class BeatWatch {
 public:
  BeatWatch(const Clock& clock, int64_t takeover_after_micros)
      : clock_(clock), limit_nanos_(takeover_after_micros * 1000) {}

  bool Hangs(int64_t epoch, const std::string& beat) {
    const int64_t now = clock_.MonotonicNanos();
    if (epoch != epoch_ || beat != beat_) {
      epoch_ = epoch;
      beat_ = beat;
      still_nanos_ = 0;
    } else {
      still_nanos_ += std::min(now - last_look_, kLongestLookNanos);
    }
    last_look_ = now;
    return still_nanos_ >= limit_nanos_;
  }

 private:
  const Clock& clock_;
  int64_t limit_nanos_;
  int64_t epoch_ = -1;
  std::string beat_;
  int64_t last_look_ = 0, still_nanos_ = 0;
};

int64_t TakeoverAfter(const LeaseOptions& options) {
  if (options.takeover_after_micros) return *options.takeover_after_micros;
  const char* seconds = std::getenv("HEADRACE_LEASE_TIMEOUT");
  const double value = seconds != nullptr ? std::atof(seconds) : 0;
  return value > 0 ? static_cast<int64_t>(value * 1e6) : 10'000'000;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string Describe(const LeaseHolder& holder) {
  return fmt::format("run {} (process {} on {}, since {})", holder.run, holder.pid, holder.host,
                     FormatTimestamp(holder.since));
}

struct LeaseRow {
  LeaseHolder holder;
  bool held = false;
};

Result<LeaseRow> ReadRow(Connection& connection, const std::string& target) {
  Statement row = connection.Query(
      "SELECT epoch, held, run, pid, host, acquired_at FROM leases WHERE target = ?", target);
  HR_ASSIGN(const bool found, row.Step());
  if (!found) return LeaseRow{};
  return LeaseRow{{row.Int(0), row.Text(2), row.Int(3), row.Text(4), row.Int(5)}, row.Int(1) != 0};
}

/// Lock files of epochs that can't come back.
void RemoveOldLockFiles(FileSystem& fs, const std::string& folder, const Claim& claim) {
  Result<std::vector<FileInfo>> files = fs.List(folder);
  if (!files.ok()) return;
  const std::string prefix = claim.target + ".";
  for (const FileInfo& file : *files) {
    const std::string name = BaseName(file.path);
    if (!name.starts_with(prefix)) continue;
    const int64_t epoch = std::strtoll(name.c_str() + prefix.size(), nullptr, 10);
    if (epoch > 0 && epoch < claim.epoch) (void)fs.Remove(file.path);
  }
}

}  // namespace

Status RequireClaim(Connection& connection, const Claim& claim) {
  HR_ASSIGN(const LeaseRow row, ReadRow(connection, claim.target));
  if (row.holder.epoch == claim.epoch && row.held) return Ok();
  if (row.holder.epoch == claim.epoch) {
    return SystemError("lease_lost", fmt::format("target '{}' is no longer held by this run: its "
                                                 "lease was released",
                                                 claim.target));
  }
  return SystemError(
             "lease_lost",
             fmt::format("this run lost target '{}' to {}: it was stopped or hung for too long",
                         claim.target, Describe(row.holder)))
      .Hint(
          "nothing of this run was written after that; wait for the other one, then run again. "
          "On a very slow machine set HEADRACE_LEASE_TIMEOUT to more seconds");
}

Status SqliteStore::CheckClaim(const Claim& claim) {
  return Read([&](Connection& connection) { return RequireClaim(connection, claim); });
}

Result<std::optional<LeaseHolder>> SqliteStore::ReadLease(const std::string& target) {
  LeaseRow found;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_ASSIGN(found, ReadRow(connection, target));
    return Ok();
  }));
  if (!found.held) return std::optional<LeaseHolder>();
  return std::optional<LeaseHolder>(found.holder);
}

bool SqliteStore::IsDead(const std::string& lock_path) const {
  Result<std::unique_ptr<FileLock>> lock = fs().TryLock(lock_path);
  return lock.ok() && *lock != nullptr;
}

Result<std::unique_ptr<Lease>> SqliteStore::AcquireLease(const std::string& target,
                                                         const std::string& run,
                                                         const LeaseOptions& options) {
  BeatWatch watch(*options_.clock, TakeoverAfter(options));
  int64_t told = 0;
  while (true) {
    HR_TRY(options.cancel.Check());
    HR_ASSIGN(const std::optional<LeaseHolder> holder, ReadLease(target));
    bool free = !holder;
    if (holder) {
      const std::string path = LeasePath(target, holder->epoch);
      Result<std::string> beat = fs().Read(path);
      free = IsDead(path) || watch.Hangs(holder->epoch, beat.ok() ? *beat : std::string());
    }
    if (free) {
      HR_ASSIGN(std::unique_ptr<Lease> lease, TryTake(target, run, holder));
      if (lease != nullptr) {
        RemoveOldLockFiles(fs(), JoinPath(options_.folder, "lease"), lease->claim());
        CrashPoint("lease.acquired");
        return lease;
      }
      continue;  // somebody was faster: look again
    }
    if (options.no_wait) {
      return SystemError("target_busy",
                         fmt::format("target '{}' is in use by {}", target, Describe(*holder)))
          .Retriable()
          .Hint("run without --no-wait to wait for it");
    }
    if (options.on_wait && told != holder->epoch) options.on_wait(*holder);
    told = holder->epoch;
    options_.clock->SleepMicros(kPollMicros);
  }
}

/// One attempt to take the target from `expected` (nobody, or a holder that is dead or hangs);
/// nullptr when the row has changed meanwhile.
Result<std::unique_ptr<Lease>> SqliteStore::TryTake(const std::string& target,
                                                    const std::string& run,
                                                    const std::optional<LeaseHolder>& expected) {
  Claim claim{target, 0};
  std::unique_ptr<FileLock> lock;
  Status taken = Write([&](Connection& connection) -> Status {
    HR_ASSIGN(const LeaseRow row, ReadRow(connection, target));
    if (row.held && !(expected && expected->epoch == row.holder.epoch)) return Ok();
    // A restored backup may have a lower epoch than lock files of living processes.
    for (claim.epoch = row.holder.epoch + 1; lock == nullptr; ++claim.epoch) {
      HR_ASSIGN(lock, fs().TryLock(LeasePath(target, claim.epoch)));
      if (lock != nullptr) break;
    }
    HR_TRY(connection.Run(
        "INSERT OR REPLACE INTO leases (target, epoch, held, run, pid, host, "
        "acquired_at) VALUES (?, ?, 1, ?, ?, ?, ?)",
        target, claim.epoch, run, static_cast<int64_t>(getpid()), HostName(), Now()));
    return connection.Run(
        "UPDATE runs SET status = 'lost', finished_at = ?, last_commit = "
        "(SELECT max(seq) FROM commits WHERE target = ?) WHERE target = ? AND status = 'running'",
        Now(), target, target);
  });
  if (!taken.ok()) {
    if (lock != nullptr) (void)fs().Remove(LeasePath(target, claim.epoch));
    return std::move(taken).error();
  }
  if (lock == nullptr) return std::unique_ptr<Lease>();
  return std::unique_ptr<Lease>(
      std::make_unique<LocalLease>(this, claim, std::move(lock), options_.beat_micros));
}

}  // namespace headrace::store
