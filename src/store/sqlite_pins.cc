// Pins and the choice of what a sweep may delete. The order of deletion stands in store.h.
//
// A pin is rows of `pins` plus a locked file `pins/<pin>.lock`: a pin whose file nobody locks
// belongs to a dead reader. The file is locked before the rows are written, so the rows of a
// living reader always have a locked file.
#include <fmt/format.h>

#include <set>

#include "base/id.h"
#include "store/sqlite_store.h"

namespace headrace::store {

namespace {

class LocalPin final : public Pin {
 public:
  LocalPin(SqliteStore* store, std::string pin, std::unique_ptr<FileLock> lock)
      : store_(store), pin_(std::move(pin)), lock_(std::move(lock)) {}

  ~LocalPin() override {
    // If the rows can't be deleted now, the next sweep finds the file unlocked.
    (void)store_->Write([&](Connection& connection) {
      return connection.Run("DELETE FROM pins WHERE pin = ?", pin_);
    });
    (void)store_->fs().Remove(store_->PinPath(pin_));
  }

 private:
  SqliteStore* store_;
  std::string pin_;
  std::unique_ptr<FileLock> lock_;
};

/// Which snapshots of a target a sweep must leave.
class Keep {
 public:
  Keep(Connection& connection, const std::string& target)
      : connection_(connection), target_(target) {}

  Status Collect(const Retention& retention, std::span<const std::string> dead_pins) {
    HR_TRY(Add("SELECT node, build FROM states WHERE target = ? AND build IS NOT NULL"));
    HR_TRY(
        Add("SELECT node, rejected_build FROM states WHERE target = ? AND rejected_build IS NOT "
            "NULL"));
    HR_TRY(
        Add("SELECT v.training_node, v.training_build FROM model_aliases a JOIN model_versions "
            "v USING (target, model, version) WHERE target = ?"));
    HR_TRY(Add("SELECT node, build FROM interval_parts WHERE target = ?"));
    HR_TRY(AddPins(dead_pins));
    HR_TRY(AddOlder(retention.older));
    return AddLastRuns(retention.runs);
  }

  bool Contains(const BuildRef& build) const { return builds_.contains(build); }

 private:
  Status Add(const std::string& sql) {
    return connection_.Query(sql, target_).ForEach([&](const Statement& row) {
      builds_.insert({row.Text(0), row.Text(1)});
    });
  }

  Status AddPins(std::span<const std::string> dead_pins) {
    const std::set<std::string> dead(dead_pins.begin(), dead_pins.end());
    return connection_.Query("SELECT pin, node, build FROM pins WHERE target = ?", target_)
        .ForEach([&](const Statement& row) {
          if (!dead.contains(row.Text(0))) builds_.insert({row.Text(1), row.Text(2)});
        });
  }

  /// The current snapshot and `older` before it, by the time they were last committed; only of
  /// nodes that still have a state.
  Status AddOlder(int older) {
    return connection_
        .Query(
            "SELECT node, build FROM (SELECT c.node, c.build, row_number() OVER (PARTITION BY "
            "c.node ORDER BY max(c.seq) DESC) AS place FROM commits c JOIN snapshots p USING "
            "(target, node, build) JOIN states s USING (target, node) WHERE target = ? AND "
            "c.rejected = 0 AND p.doomed = 0 GROUP BY c.node, c.build) WHERE place <= ?",
            target_, older + 1)
        .ForEach([&](const Statement& row) {
          builds_.insert({row.Text(0), row.Text(1)});
        });
  }

  Status AddLastRuns(int runs) {
    std::vector<int64_t> ends;
    HR_TRY(connection_
               .Query("SELECT last_commit FROM runs WHERE target = ? AND last_commit IS NOT NULL "
                      "ORDER BY seq DESC LIMIT ?",
                      target_, runs)
               .ForEach([&](const Statement& row) { ends.push_back(row.Int(0)); }));
    for (const int64_t end : std::set<int64_t>(ends.begin(), ends.end())) {
      HR_TRY(SnapshotsAt(connection_, target_, end,
                         [&](const BuildRef& build) { builds_.insert(build); }));
    }
    return Ok();
  }

  Connection& connection_;
  const std::string& target_;
  std::set<BuildRef> builds_;
};

}  // namespace

Result<std::unique_ptr<Pin>> SqliteStore::PinBuilds(const std::string& target,
                                                    const std::string& reader,
                                                    std::span<const BuildRef> builds) {
  const std::string pin = NewId(*options_.clock);
  HR_ASSIGN(std::unique_ptr<FileLock> lock, fs().TryLock(PinPath(pin)));
  if (lock == nullptr) return InternalError("the new pin " + pin + " is in use");
  Status pinned = Write([&](Connection& connection) -> Status {
    for (const BuildRef& build : std::set<BuildRef>(builds.begin(), builds.end())) {
      HR_TRY(
          connection.Run("INSERT INTO pins (pin, target, node, build, reader, pinned_at) SELECT ?, "
                         "target, node, build, ?, ? FROM snapshots WHERE target = ? AND node = ? "
                         "AND build = ? AND "
                         "doomed = 0",
                         pin, reader, Now(), target, build.node, build.build));
      if (connection.Changes() == 0) return GoneError(build);
    }
    return Ok();
  });
  if (!pinned.ok()) {
    (void)fs().Remove(PinPath(pin));
    return std::move(pinned).error();
  }
  return std::unique_ptr<Pin>(std::make_unique<LocalPin>(this, pin, std::move(lock)));
}

Result<std::vector<std::string>> SqliteStore::DeadPins(const std::string& target) {
  std::vector<std::string> pins;
  HR_TRY(Read([&](Connection& connection) {
    return connection.Query("SELECT DISTINCT pin FROM pins WHERE target = ?", target)
        .ForEach([&](const Statement& row) { pins.push_back(row.Text(0)); });
  }));
  std::erase_if(pins, [&](const std::string& pin) { return !IsDead(PinPath(pin)); });
  return pins;
}

Result<SqliteStore::SweepPlan> SqliteStore::PlanSweep(Connection& connection,
                                                      const std::string& target,
                                                      const Retention& retention,
                                                      std::span<const std::string> dead_pins) {
  Keep keep(connection, target);
  HR_TRY(keep.Collect(retention, dead_pins));
  SweepPlan plan;
  std::set<BuildRef> living, doomed;
  HR_TRY(connection
             .Query("SELECT node, build, doomed FROM snapshots WHERE target = ? ORDER BY node, "
                    "build",
                    target)
             .ForEach([&](const Statement& row) {
               const BuildRef build{row.Text(0), row.Text(1)};
               const bool was_doomed = row.Int(2) != 0;
               if (!was_doomed && keep.Contains(build)) {
                 living.insert(build);
                 return;
               }
               doomed.insert(build);
               if (!was_doomed) plan.doomed.push_back(build);
             }));
  std::set<BuildRef> used;  // folders that living snapshots read
  HR_TRY(
      connection.Query("SELECT node, build, used_build FROM shared_builds WHERE target = ?", target)
          .ForEach([&](const Statement& row) {
            if (living.contains({row.Text(0), row.Text(1)})) {
              used.insert({row.Text(0), row.Text(2)});
            }
          }));
  for (const BuildRef& build : doomed) {
    if (!used.contains(build)) plan.deletable.push_back(build);
  }
  return plan;
}

Result<std::vector<BuildRef>> SqliteStore::UnreferencedBuilds(const std::string& target,
                                                              const Retention& retention) {
  HR_ASSIGN(const std::vector<std::string> dead_pins, DeadPins(target));
  SweepPlan plan;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_ASSIGN(plan, PlanSweep(connection, target, retention, dead_pins));
    return Ok();
  }));
  return plan.deletable;
}

Result<std::vector<BuildRef>> SqliteStore::DoomBuilds(const Claim& claim,
                                                      const Retention& retention) {
  HR_ASSIGN(const std::vector<std::string> dead_pins, DeadPins(claim.target));
  SweepPlan plan;
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) -> Status {
    for (const std::string& pin : dead_pins) {
      HR_TRY(connection.Run("DELETE FROM pins WHERE pin = ?", pin));
    }
    HR_ASSIGN(plan, PlanSweep(connection, claim.target, retention, dead_pins));
    for (const BuildRef& build : plan.doomed) {
      HR_TRY(connection.Run(
          "UPDATE snapshots SET doomed = 1 WHERE target = ? AND node = ? AND build = ?",
          claim.target, build.node, build.build));
      // What nobody may read any more needs no files of others.
      HR_TRY(connection.Run("DELETE FROM shared_builds WHERE target = ? AND node = ? AND build = ?",
                            claim.target, build.node, build.build));
    }
    return Ok();
  }));
  for (const std::string& pin : dead_pins) (void)fs().Remove(PinPath(pin));
  return plan.deletable;
}

Status SqliteStore::ForgetBuilds(const Claim& claim, std::span<const BuildRef> builds) {
  return WriteClaimed(claim, [&](Connection& connection) -> Status {
    for (const BuildRef& build : builds) {
      HR_TRY(connection.Run(
          "DELETE FROM snapshots WHERE target = ? AND node = ? AND build = ? AND doomed = 1",
          claim.target, build.node, build.build));
      if (connection.Changes() == 0) {
        return InternalError(
            fmt::format("build {} of node '{}' was not given up before its files "
                        "were deleted",
                        build.build, build.node));
      }
    }
    return Ok();
  });
}

Result<std::vector<BuildRef>> SqliteStore::KnownBuilds(const std::string& target) {
  std::vector<BuildRef> builds;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query("SELECT node, build FROM snapshots WHERE target = ? ORDER BY node, build", target)
        .ForEach([&](const Statement& row) {
          builds.push_back({row.Text(0), row.Text(1)});
        });
  }));
  return builds;
}

Status SqliteStore::PruneHistory(const Claim& claim, int keep_runs) {
  return WriteClaimed(claim, [&](Connection& connection) -> Status {
    HR_TRY(connection.Run(
        "DELETE FROM runs WHERE target = ?1 AND seq <= (SELECT seq FROM runs WHERE target = ?1 "
        "ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        claim.target, keep_runs));
    // A commit whose snapshot is alive stays: the state after a later run may consist of it.
    return connection.Run(
        "DELETE FROM commits WHERE target = ?1 "
        "AND seq < (SELECT min(last_commit) FROM runs WHERE target = ?1) "
        "AND NOT EXISTS (SELECT 1 FROM states s WHERE s.commit_seq = commits.seq OR "
        "s.rejected_seq = commits.seq) "
        "AND NOT EXISTS (SELECT 1 FROM snapshots p WHERE p.target = commits.target AND p.node = "
        "commits.node AND p.build = commits.build AND p.doomed = 0)",
        claim.target);
  });
}

}  // namespace headrace::store
