#pragma once
// The store: the database that says what exists.
//
// Commit protocol. Data lives in files, truth lives here: a file that no row names does not exist,
// and a row never names a file that is not complete on disk. A node becomes visible in this order:
//
//   1. Its files are written under `tmp/<epoch>/…`, each is synced, then their folder.
//   2. The folder is renamed to `tables/<node>/<build>/` and the parent is synced. From here on
//      the files are complete under their final name, but still nobody knows them.
//   3. CommitNodes writes snapshot, fingerprint, verdicts, profile, lineage, cursor and model
//      version in ONE transaction, which first compares the epoch of the claim with the lease row:
//      a run that was overtaken gets "lease_lost" and has changed nothing.
//
// Killed before the end of 3: the next run sees the state before; the leftovers (`tmp/` of lower
// epochs, build folders that KnownBuilds doesn't list) are swept by whoever holds the lease.
// Killed after it: the next run sees all of it. There is no third case, because the transaction is
// synced to disk before CommitNodes returns.
//
// Readers take no lease. They read the state, pin the builds they will open (PinBuilds fails with
// the retriable "snapshot_gone" when one was given up in between: read the state again), and drop
// the pin. A pin dies with its process.
//
// Files are deleted in this order, under the lease:
//   1. DoomBuilds, one transaction: snapshots that no state, rejection, pin, alias, retention rule
//      or last run needs are marked doomed. From here nobody can pin or commit them again. It
//      returns the builds whose folder no living snapshot uses, those of an unfinished sweep too.
//   2. The caller deletes their folders.
//   3. ForgetBuilds deletes their rows.
// Killed after 1 or within 2: the next DoomBuilds returns the same builds; deleting a missing
// folder is fine. Killed between 2 and 3: the same. So a row goes only when its files are gone;
// and the other way round (rows gone, files left) would be a leftover, swept as above.
//
// Actions: RecordIntents (synced) → send → RecordResults. Killed in between, the intent has no
// result: the next run sends again with the same idempotency key. See design §3 "Actions".
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/redact.h"
#include "base/result.h"
#include "store/lease.h"
#include "store/records.h"

namespace headrace::store {

/// Keeps builds from being swept while it lives. The destructor lets go.
class Pin {
 public:
  virtual ~Pin() = default;
};

/// Metadata of a project's targets. Everything is per target. Thread-safe; several processes may
/// have the same store open. Besides what is said at the calls, any of them may return
/// "no_space", "io_error", "store_busy", "store_corrupt" or "store_read_only"; a failed call has
/// changed nothing. Calls that take a Claim refuse with "lease_lost" when it is not the newest.
class Store {
 public:
  virtual ~Store() = default;

  // ---- Leases

  /// Waits until nobody else runs `target` (see LeaseOptions), then claims it for `run`. Runs that
  /// died without an end get status kLost. The store must outlive the lease.
  virtual Result<std::unique_ptr<Lease>> AcquireLease(const std::string& target,
                                                      const std::string& run,
                                                      const LeaseOptions& options) = 0;
  /// Who holds the target; absent when nobody does. A dead holder still counts.
  virtual Result<std::optional<LeaseHolder>> ReadLease(const std::string& target) = 0;
  /// OK while the claim is the newest: ask before a side effect that no transaction guards.
  virtual Status CheckClaim(const Claim& claim) = 0;

  // ---- Runs

  virtual Status BeginRun(const Claim& claim, const RunRecord& run) = 0;
  virtual Status FinishRun(const Claim& claim, const std::string& run, RunStatus status,
                           const std::string& summary_json) = 0;
  /// Records nodes that need no commit (reused, skipped, failed) in one transaction; a later record
  /// of the same node replaces it.
  virtual Status RecordNodes(const Claim& claim, std::span<const NodeRecord> records) = 0;
  /// The newest `n` runs, newest first.
  virtual Result<std::vector<RunRecord>> ListRuns(const std::string& target, int n) = 0;
  /// Error "unknown_run" with the nearest ids.
  virtual Result<RunRecord> ReadRun(const std::string& target, const std::string& run) = 0;
  /// Sorted by node.
  virtual Result<std::vector<NodeRecord>> ReadRunNodes(const std::string& target,
                                                       const std::string& run) = 0;
  /// The last `n` runs that touched the node, newest first.
  virtual Result<std::vector<NodeRun>> LastRuns(const std::string& target, const std::string& node,
                                                int n) = 0;

  // ---- Commits and state

  /// All of them or none, in one synced transaction. Group the commits of many tiny nodes: one
  /// transaction costs about 2 ms whatever it holds.
  virtual Status CommitNodes(const Claim& claim, std::span<const NodeCommit> commits) = 0;
  Status CommitNode(const Claim& claim, const NodeCommit& commit) {
    return CommitNodes(claim, {&commit, 1});
  }
  /// Current state of every node of the target, sorted by name. No lease needed.
  virtual Result<std::vector<NodeState>> ReadState(const std::string& target) = 0;
  /// The same for one node; absent when it was never committed.
  virtual Result<std::optional<NodeState>> ReadNode(const std::string& target,
                                                    const std::string& node) = 0;
  /// JSON of the node's last accepted commit; empty when there is none.
  virtual Result<std::string> ReadLineage(const std::string& target, const std::string& node) = 0;
  /// Whole, with profile and manifest. Error "snapshot_gone" when unknown or swept.
  virtual Result<SnapshotRecord> ReadSnapshot(const std::string& target, const BuildRef& build) = 0;
  /// The newest accepted snapshot of the node that was committed under this fingerprint and still
  /// exists, without profile and manifest: an undone change needs no rebuild.
  virtual Result<std::optional<SnapshotRecord>> FindSnapshot(const std::string& target,
                                                             const std::string& node,
                                                             const std::string& fingerprint) = 0;
  /// Commits of a node, newest first, with their verdicts.
  virtual Result<std::vector<CommitRecord>> ReadHistory(const std::string& target,
                                                        const std::string& node, int n) = 0;
  /// The node's ledger of intervals, by `from`.
  virtual Result<std::vector<IntervalRecord>> ReadIntervals(const std::string& target,
                                                            const std::string& node) = 0;
  /// What an unfinished run has built, by `from`.
  virtual Result<std::vector<IntervalPart>> ReadIntervalParts(const std::string& target,
                                                              const std::string& node) = 0;
  /// Remembers finished intervals of a node that isn't done. `snapshot` names the published files;
  /// it is kept until the node's next accepted commit.
  virtual Status CommitIntervalParts(const Claim& claim, const std::string& node,
                                     const std::string& run, const SnapshotRecord& snapshot,
                                     std::span<const IntervalPart> parts) = 0;
  /// `touched` of the accepted commits since the node's content was `snapshot`, newest first; none
  /// when it still is. Absent: that content is not in the history any more.
  virtual Result<std::optional<std::vector<std::string>>> ReadTouched(
      const std::string& target, const std::string& node, const std::string& snapshot) = 0;
  /// What the node's commits know of the times of its current snapshot (`touched`, the newest that
  /// isn't empty); empty when nothing is known.
  virtual Result<std::string> ReadLastTouched(const std::string& target,
                                              const std::string& node) = 0;
  /// What was current when `run` ended, for time travel. Swept snapshots are left out.
  virtual Result<std::vector<std::pair<std::string, SnapshotRecord>>> ReadSnapshotsAt(
      const std::string& target, const std::string& run) = 0;
  /// Forgets the state of nodes that left the project; their snapshots become sweepable.
  virtual Status ForgetNodes(const Claim& claim, std::span<const std::string> nodes) = 0;

  // ---- Models

  /// 1 + the highest version ever committed.
  virtual Result<int> NextModelVersion(const std::string& target, const std::string& model) = 0;
  /// Versions of a model (of all models when empty), by name, newest version first.
  virtual Result<std::vector<ModelVersion>> ListModelVersions(const std::string& target,
                                                              const std::string& model) = 0;
  /// The newest version trained under this fingerprint, whatever its status.
  virtual Result<std::optional<ModelVersion>> FindModelVersion(const std::string& target,
                                                               const std::string& model,
                                                               const std::string& fingerprint) = 0;
  /// The version an alias ("champion", …) or a number ("12") stands for; absent when there is none.
  virtual Result<std::optional<ModelVersion>> ResolveModel(const std::string& target,
                                                           const std::string& model,
                                                           const std::string& reference) = 0;
  /// Aliases of a model (of all models when empty).
  virtual Result<std::vector<ModelAlias>> ListAliases(const std::string& target,
                                                      const std::string& model) = 0;
  /// Points an alias at a version; the one before retires (champion) or is a candidate again.
  /// Unpins. Error "unknown_version".
  virtual Status Promote(const Claim& claim, const std::string& model, const std::string& alias,
                         int version, const std::string& who, const std::string& why) = 0;
  /// Makes `version` (0 = the champion before this one) champion and pins it until a newer version
  /// is committed as champion. Returns the version. Errors "unknown_version", "no_older_champion".
  virtual Result<int> Rollback(const Claim& claim, const std::string& model, int version,
                               const std::string& who, const std::string& why) = 0;
  /// Moves of a model's aliases, newest first.
  virtual Result<std::vector<ModelMove>> ListMoves(const std::string& target,
                                                   const std::string& model, int n) = 0;

  // ---- Sends of actions. Keys within one call are distinct.

  /// Before sending: what to do with each key, in order. kNew, kInDoubt and kRetryFailed are
  /// recorded as intents of `run`. `again_after_micros` 0 = once for ever.
  virtual Result<std::vector<IntentDecision>> RecordIntents(const Claim& claim,
                                                            const std::string& run,
                                                            const std::string& action,
                                                            std::span<const std::string> keys,
                                                            int64_t again_after_micros) = 0;
  /// After sending. A key without an intent is an internal error.
  virtual Status RecordResults(const Claim& claim, const std::string& action,
                               std::span<const SendResult> results) = 0;
  /// Records what would have been sent; keys that were sent, failed or are in doubt stay as they
  /// are. Decisions as RecordIntents would make them.
  virtual Result<std::vector<IntentDecision>> RecordDryRun(const Claim& claim,
                                                           const std::string& run,
                                                           const std::string& action,
                                                           std::span<const std::string> keys,
                                                           int64_t again_after_micros) = 0;
  /// Sends of an action, newest intent first; `status` absent = all.
  virtual Result<std::vector<SendRecord>> ListSends(const std::string& target,
                                                    const std::string& action,
                                                    std::optional<SendStatus> status, int n) = 0;

  // ---- Pins and retention

  /// Keeps the builds until the pin is destroyed or this process ends. Error "snapshot_gone"
  /// (retriable) when one of them no longer exists. The store must outlive the pin.
  virtual Result<std::unique_ptr<Pin>> PinBuilds(const std::string& target,
                                                 const std::string& reader,
                                                 std::span<const BuildRef> builds) = 0;
  /// What DoomBuilds would doom, without doing it.
  virtual Result<std::vector<BuildRef>> UnreferencedBuilds(const std::string& target,
                                                           const Retention& retention) = 0;
  /// Step 1 of the deletion (top of this file): the builds whose folders may go now.
  virtual Result<std::vector<BuildRef>> DoomBuilds(const Claim& claim,
                                                   const Retention& retention) = 0;
  /// Step 3, after their folders are gone. Builds that are not doomed are an internal error.
  virtual Status ForgetBuilds(const Claim& claim, std::span<const BuildRef> builds) = 0;
  /// Every build with a row, doomed ones too: other folders under `tables/` are leftovers.
  virtual Result<std::vector<BuildRef>> KnownBuilds(const std::string& target) = 0;

  /// Deletes the records of all but the newest `keep_runs` runs, and of older commits whose
  /// snapshot is gone. Models, moves of aliases and sends are kept for ever.
  virtual Status PruneHistory(const Claim& claim, int keep_runs) = 0;

  // ---- Health, for `doctor`

  /// Faults found by a full check of the database; empty = sound.
  virtual Result<std::vector<std::string>> CheckIntegrity() = 0;
};

struct StoreOptions {
  std::string folder;                  ///< the project's `.headrace`; created when missing
  std::string project;                 ///< name; enters idempotency keys
  bool create = true;                  ///< false: error "no_store" when there is no database yet
  FileSystem* fs = nullptr;            ///< for lock files; default RealFileSystem()
  const Clock* clock = nullptr;        ///< default SystemClock()
  const Redactor* redactor = nullptr;  ///< default: masks nothing. Must outlive the store
  int64_t busy_timeout_micros = 30'000'000;  ///< how long a write waits for another process
  int64_t beat_micros = 1'000'000;           ///< between two beats of a lease; 0 = none (tests)
  std::string vfs;                           ///< name of an SQLite VFS; tests fail writes with it
};

/// Opens `<folder>/store.db`, creating or migrating it. Errors: "store_on_network",
/// "store_too_new", "not_a_store", "store_corrupt", "no_store" and those of Store.
Result<std::unique_ptr<Store>> OpenSqliteStore(const StoreOptions& options);

}  // namespace headrace::store
