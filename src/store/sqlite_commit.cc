// The one transaction that makes nodes visible; the protocol around it stands in store.h.
#include <fmt/format.h>

#include "base/crash_point.h"
#include "store/record_text.h"
#include "store/sqlite_store.h"

namespace headrace::store {

Error GoneError(const BuildRef& build) {
  return SystemError("snapshot_gone",
                     fmt::format("build {} of node '{}' no longer exists: it was swept",
                                 build.build, build.node))
      .Node(build.node)
      .Retriable()
      .Hint("try again: a newer snapshot is there");
}

namespace {

enum class BuildStatus { kUnknown, kAlive, kDoomed };

Result<BuildStatus> StatusOf(Connection& connection, const std::string& target,
                             const std::string& node, const std::string& build) {
  Statement row =
      connection.Query("SELECT doomed FROM snapshots WHERE target = ? AND node = ? AND build = ?",
                       target, node, build);
  HR_ASSIGN(const bool found, row.Step());
  if (!found) return BuildStatus::kUnknown;
  return row.Int(0) != 0 ? BuildStatus::kDoomed : BuildStatus::kAlive;
}

/// Whether a new snapshot may share the files of a build: it is alive, or doomed but its folder
/// stays because a living snapshot uses it (the usual end of a chain of merges).
Result<bool> MayShare(Connection& connection, const std::string& target, const std::string& node,
                      const std::string& build) {
  HR_ASSIGN(const BuildStatus status, StatusOf(connection, target, node, build));
  if (status != BuildStatus::kDoomed) return status == BuildStatus::kAlive;
  Statement user = connection.Query(
      "SELECT 1 FROM shared_builds b JOIN snapshots s USING (target, node, build) "
      "WHERE target = ? AND node = ? AND used_build = ? AND s.doomed = 0 LIMIT 1",
      target, node, build);
  return user.Step();
}

Status PutVerdicts(Connection& connection, int64_t sequence, const std::vector<Verdict>& verdicts,
                   const Redactor& redactor) {
  int64_t position = 0;
  for (const Verdict& verdict : verdicts) {
    HR_TRY(connection.Run(
        "INSERT INTO verdicts (commit_seq, position, check_id, severity, status, failing_rows, "
        "total_rows, message, sample) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        sequence, position++, verdict.check, verdict.severity, Text(verdict.status),
        verdict.failing_rows, verdict.total_rows, redactor.Redact(verdict.message),
        redactor.Redact(verdict.sample)));
  }
  return Ok();
}

}  // namespace

Status SqliteStore::CommitNodes(const Claim& claim, std::span<const NodeCommit> commits) {
  CrashPoint("store.commit.before");
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) -> Status {
    for (const NodeCommit& commit : commits) {
      HR_TRY(CommitOne(connection, claim.target, commit));
    }
    CrashPoint("store.commit.inside");
    return Ok();
  }));
  CrashPoint("store.commit.after");
  return Ok();
}

Status SqliteStore::CommitOne(Connection& connection, const std::string& target,
                              const NodeCommit& commit) {
  if (commit.snapshot) {
    HR_TRY(PutSnapshot(connection, target, commit.node, commit.run, *commit.snapshot));
  }
  std::optional<std::string> build, snapshot;
  if (commit.snapshot) {
    build = commit.snapshot->build;
    snapshot = commit.snapshot->id;
  } else if (!commit.rejected) {
    // What stays current, so that the state after any commit can be found from the history.
    HR_TRY(connection
               .Query("SELECT s.build, p.id FROM states s JOIN snapshots p USING (target, node, "
                      "build) WHERE target = ? AND node = ?",
                      target, commit.node)
               .ForEach([&](const Statement& row) {
                 build = row.Text(0);
                 snapshot = row.Text(1);
               }));
  }
  HR_TRY(connection.Run(
      "INSERT INTO commits (target, node, rejected, build, kind, run, action, fingerprint, "
      "definition_digest, checks_digest, snapshot, committed_at, inputs, touched) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      target, commit.node, commit.rejected, build, commit.kind, commit.run, commit.action,
      commit.fingerprint, DefinitionDigest(commit.definition),
      DefinitionDigest(commit.checks_definition), snapshot, Now(), JoinInputs(commit.inputs),
      commit.touched));
  const int64_t sequence = connection.LastRowId();
  HR_TRY(PutVerdicts(connection, sequence, commit.verdicts, *options_.redactor));
  HR_TRY(PutState(connection, target, commit, sequence));
  if (!commit.rejected) HR_TRY(PutIntervals(connection, target, commit));
  if (commit.model) HR_TRY(PutModelVersion(connection, target, commit));
  if (commit.record) HR_TRY(PutNodeRecord(connection, target, *commit.record));
  return Ok();
}

Status SqliteStore::PutSnapshot(Connection& connection, const std::string& target,
                                const std::string& node, const std::string& run,
                                const SnapshotRecord& snapshot) {
  HR_ASSIGN(const BuildStatus known, StatusOf(connection, target, node, snapshot.build));
  if (known == BuildStatus::kDoomed) return GoneError({node, snapshot.build});
  if (known == BuildStatus::kAlive) return Ok();  // becomes current again
  HR_TRY(connection.Run(
      "INSERT INTO snapshots (target, node, build, id, row_count, byte_count, run, created_at, "
      "schema, files, profile, manifest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      target, node, snapshot.build, snapshot.id, snapshot.rows, snapshot.bytes, run, Now(),
      snapshot.schema, snapshot.files, snapshot.profile, snapshot.manifest));
  for (const std::string& shared : snapshot.shared_builds) {
    HR_ASSIGN(const bool may_share, MayShare(connection, target, node, shared));
    if (!may_share) return GoneError({node, shared});
    HR_TRY(connection.Run(
        "INSERT INTO shared_builds (target, node, build, used_build) VALUES (?, ?, ?, ?)", target,
        node, snapshot.build, shared));
  }
  return Ok();
}

Status SqliteStore::PutState(Connection& connection, const std::string& target,
                             const NodeCommit& commit, int64_t sequence) {
  const std::optional<std::string> build =
      commit.snapshot ? std::optional(commit.snapshot->build) : std::nullopt;
  if (commit.rejected) {
    return connection.Run(
        "INSERT INTO states (target, node, kind, fingerprint, definition_digest, checks_digest, "
        "run, committed_at, inputs, rejected_seq, rejected_build, rejected_cursor, definition, "
        "checks_definition, "
        "lineage) VALUES (?, ?, ?, '', '', '', '', 0, '', ?, ?, ?, '', '', '') "
        "ON CONFLICT DO UPDATE SET rejected_seq = excluded.rejected_seq, "
        "rejected_build = excluded.rejected_build, rejected_cursor = excluded.rejected_cursor",
        target, commit.node, commit.kind, sequence, build, commit.cursor);
  }
  return connection.Run(
      "INSERT INTO states (target, node, kind, fingerprint, definition_digest, checks_digest, "
      "build, commit_seq, run, committed_at, inputs, cursor, definition, checks_definition, "
      "lineage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT DO UPDATE SET kind = excluded.kind, fingerprint = excluded.fingerprint, "
      "definition_digest = excluded.definition_digest, checks_digest = excluded.checks_digest, "
      "build = coalesce(excluded.build, build), commit_seq = excluded.commit_seq, "
      "run = excluded.run, committed_at = excluded.committed_at, inputs = excluded.inputs, "
      "cursor = coalesce(excluded.cursor, cursor), rejected_seq = NULL, rejected_build = NULL, "
      "rejected_cursor = NULL, "
      "definition = excluded.definition, checks_definition = excluded.checks_definition, "
      "lineage = excluded.lineage",
      target, commit.node, commit.kind, commit.fingerprint, DefinitionDigest(commit.definition),
      DefinitionDigest(commit.checks_definition), build, sequence, commit.run, Now(),
      JoinInputs(commit.inputs), commit.cursor, MaskJson(commit.definition),
      MaskJson(commit.checks_definition), commit.lineage);
}

Status SqliteStore::ForgetNodes(const Claim& claim, std::span<const std::string> nodes) {
  return WriteClaimed(claim, [&](Connection& connection) -> Status {
    for (const std::string& node : nodes) {
      HR_TRY(
          connection.Run("DELETE FROM states WHERE target = ? AND node = ?", claim.target, node));
      HR_TRY(connection.Run("DELETE FROM intervals WHERE target = ? AND node = ?", claim.target,
                            node));
      HR_TRY(connection.Run("DELETE FROM interval_parts WHERE target = ? AND node = ?",
                            claim.target, node));
    }
    return Ok();
  });
}

}  // namespace headrace::store
