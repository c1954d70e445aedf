#pragma once
// Store on SQLite: one database `<folder>/store.db` in WAL mode. One writing connection behind a
// mutex, reading connections pooled. The calls stand by subject in sqlite_*.cc.
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/schema.h"
#include "store/sqlite_connection.h"
#include "store/store.h"

namespace headrace::store {

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<SqliteStore>> Open(const StoreOptions& options,
                                                   std::span<const Migration> migrations);

  Result<std::unique_ptr<Lease>> AcquireLease(const std::string& target, const std::string& run,
                                              const LeaseOptions& options) override;
  Result<std::optional<LeaseHolder>> ReadLease(const std::string& target) override;
  Status CheckClaim(const Claim& claim) override;

  Status BeginRun(const Claim& claim, const RunRecord& run) override;
  Status FinishRun(const Claim& claim, const std::string& run, RunStatus status,
                   const std::string& summary_json) override;
  Status RecordNodes(const Claim& claim, std::span<const NodeRecord> records) override;
  Result<std::vector<RunRecord>> ListRuns(const std::string& target, int n) override;
  Result<RunRecord> ReadRun(const std::string& target, const std::string& run) override;
  Result<std::vector<NodeRecord>> ReadRunNodes(const std::string& target,
                                               const std::string& run) override;
  Result<std::vector<NodeRun>> LastRuns(const std::string& target, const std::string& node,
                                        int n) override;

  Status CommitNodes(const Claim& claim, std::span<const NodeCommit> commits) override;
  Result<std::vector<NodeState>> ReadState(const std::string& target) override;
  Result<std::optional<NodeState>> ReadNode(const std::string& target,
                                            const std::string& node) override;
  Result<std::string> ReadLineage(const std::string& target, const std::string& node) override;
  Result<SnapshotRecord> ReadSnapshot(const std::string& target, const BuildRef& build) override;
  Result<std::optional<SnapshotRecord>> FindSnapshot(const std::string& target,
                                                     const std::string& node,
                                                     const std::string& fingerprint) override;
  Result<std::vector<CommitRecord>> ReadHistory(const std::string& target, const std::string& node,
                                                int n) override;
  Result<std::vector<IntervalRecord>> ReadIntervals(const std::string& target,
                                                    const std::string& node) override;
  Result<std::vector<IntervalPart>> ReadIntervalParts(const std::string& target,
                                                      const std::string& node) override;
  Status CommitIntervalParts(const Claim& claim, const std::string& node, const std::string& run,
                             const SnapshotRecord& snapshot,
                             std::span<const IntervalPart> parts) override;
  Result<std::optional<std::vector<std::string>>> ReadTouched(const std::string& target,
                                                              const std::string& node,
                                                              const std::string& snapshot) override;
  Result<std::string> ReadLastTouched(const std::string& target, const std::string& node) override;
  Result<std::vector<std::pair<std::string, SnapshotRecord>>> ReadSnapshotsAt(
      const std::string& target, const std::string& run) override;
  Status ForgetNodes(const Claim& claim, std::span<const std::string> nodes) override;

  Result<int> NextModelVersion(const std::string& target, const std::string& model) override;
  Result<std::vector<ModelVersion>> ListModelVersions(const std::string& target,
                                                      const std::string& model) override;
  Result<std::optional<ModelVersion>> FindModelVersion(const std::string& target,
                                                       const std::string& model,
                                                       const std::string& fingerprint) override;
  Result<std::optional<ModelVersion>> ResolveModel(const std::string& target,
                                                   const std::string& model,
                                                   const std::string& reference) override;
  Result<std::vector<ModelAlias>> ListAliases(const std::string& target,
                                              const std::string& model) override;
  Status Promote(const Claim& claim, const std::string& model, const std::string& alias,
                 int version, const std::string& who, const std::string& why) override;
  Result<int> Rollback(const Claim& claim, const std::string& model, int version,
                       const std::string& who, const std::string& why) override;
  Result<std::vector<ModelMove>> ListMoves(const std::string& target, const std::string& model,
                                           int n) override;

  Result<std::vector<IntentDecision>> RecordIntents(const Claim& claim, const std::string& run,
                                                    const std::string& action,
                                                    std::span<const std::string> keys,
                                                    int64_t again_after_micros) override;
  Status RecordResults(const Claim& claim, const std::string& action,
                       std::span<const SendResult> results) override;
  Result<std::vector<IntentDecision>> RecordDryRun(const Claim& claim, const std::string& run,
                                                   const std::string& action,
                                                   std::span<const std::string> keys,
                                                   int64_t again_after_micros) override;
  Result<std::vector<SendRecord>> ListSends(const std::string& target, const std::string& action,
                                            std::optional<SendStatus> status, int n) override;

  Result<std::unique_ptr<Pin>> PinBuilds(const std::string& target, const std::string& reader,
                                         std::span<const BuildRef> builds) override;
  Result<std::vector<BuildRef>> UnreferencedBuilds(const std::string& target,
                                                   const Retention& retention) override;
  Result<std::vector<BuildRef>> DoomBuilds(const Claim& claim, const Retention& retention) override;
  Status ForgetBuilds(const Claim& claim, std::span<const BuildRef> builds) override;
  Result<std::vector<BuildRef>> KnownBuilds(const std::string& target) override;

  Status PruneHistory(const Claim& claim, int keep_runs) override;

  Result<std::vector<std::string>> CheckIntegrity() override;

  // For leases and pins, which live outside the class.
  using Body = std::function<Status(Connection&)>;
  /// Runs `body` in a BEGIN IMMEDIATE transaction and commits it; rolls back on any error.
  Status Write(const Body& body);
  FileSystem& fs() const { return *options_.fs; }
  std::string LeasePath(const std::string& target, int64_t epoch) const;
  std::string PinPath(const std::string& pin) const;

 private:
  explicit SqliteStore(StoreOptions options) : options_(std::move(options)) {}
  Status Prepare(std::span<const Migration> migrations);
  Result<std::unique_ptr<Connection>> Connect(bool reader) const;
  /// Write, after a comparison of the claim with the lease row in the same transaction.
  Status WriteClaimed(const Claim& claim, const Body& body);
  /// Runs `body` in one reading transaction: all its queries see the same commit.
  Status Read(const Body& body);
  std::string Mask(std::string_view text) const;
  std::string MaskJson(const std::string& json) const;  ///< inside strings only: stays JSON
  Timestamp Now() const { return options_.clock->Now(); }

  Result<std::unique_ptr<Lease>> TryTake(const std::string& target, const std::string& run,
                                         const std::optional<LeaseHolder>& expected);
  bool IsDead(const std::string& lock_path) const;

  // Parts of CommitNodes.
  Status CommitOne(Connection& connection, const std::string& target, const NodeCommit& commit);
  Status PutSnapshot(Connection& connection, const std::string& target, const std::string& node,
                     const std::string& run, const SnapshotRecord& snapshot);
  Status PutIntervals(Connection& connection, const std::string& target, const NodeCommit& commit);
  Status PutState(Connection& connection, const std::string& target, const NodeCommit& commit,
                  int64_t sequence);
  Status PutModelVersion(Connection& connection, const std::string& target,
                         const NodeCommit& commit);
  Status PutNodeRecord(Connection& connection, const std::string& target, const NodeRecord& record);
  Result<std::vector<NodeState>> ReadStates(const std::string& target, const std::string* node);

  struct Move {
    std::string target, model, alias;
    int version;
    bool pinned;
    std::string who, why, run;
  };
  Status MoveAlias(Connection& connection, const Move& move);

  Result<std::vector<IntentDecision>> Decide(const Claim& claim, const std::string& run,
                                             const std::string& action,
                                             std::span<const std::string> keys,
                                             int64_t again_after_micros, bool dry_run);

  /// What a sweep may take: see store.h.
  struct SweepPlan {
    std::vector<BuildRef> doomed;     // to be marked now
    std::vector<BuildRef> deletable;  // folders that may go once they are
  };
  Result<SweepPlan> PlanSweep(Connection& connection, const std::string& target,
                              const Retention& retention, std::span<const std::string> dead_pins);
  Result<std::vector<std::string>> DeadPins(const std::string& target);

  StoreOptions options_;
  std::string path_;
  Redactor mask_nothing_;

  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> readers_;  // idle
};

/// Rows of the snapshots that were current after the commit `last` of a target.
Status SnapshotsAt(Connection& connection, const std::string& target, int64_t last,
                   const std::function<void(const BuildRef&)>& each);
/// Error "snapshot_gone".
Error GoneError(const BuildRef& build);
/// Error "lease_lost" unless the claim is the newest of its target.
Status RequireClaim(Connection& connection, const Claim& claim);

}  // namespace headrace::store
