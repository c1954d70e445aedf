// Reading what is committed. ReadState runs four queries in one transaction, whatever the number of
// nodes (states, verdicts of both kinds, shared builds), and merges their sorted rows.
#include <fmt/format.h>

#include "store/record_text.h"
#include "store/sqlite_store.h"

namespace headrace::store {

namespace {

// Without profile and manifest.
constexpr std::string_view kSnapshotColumns =
    "p.id, p.build, p.schema, p.row_count, p.byte_count, p.files, p.run, p.created_at";
constexpr int kSnapshotColumnCount = 8;

SnapshotRecord SnapshotOf(const Statement& row, int first) {
  SnapshotRecord snapshot;
  snapshot.id = row.Text(first);
  snapshot.build = row.Text(first + 1);
  snapshot.schema = row.Text(first + 2);
  snapshot.rows = row.Int(first + 3);
  snapshot.bytes = row.Int(first + 4);
  snapshot.files = row.Text(first + 5);
  snapshot.run = row.Text(first + 6);
  snapshot.created = row.Int(first + 7);
  return snapshot;
}

constexpr std::string_view kVerdictColumns =
    "v.check_id, v.severity, v.status, v.failing_rows, v.total_rows, v.message, v.sample";

Verdict VerdictOf(const Statement& row, int first) {
  Verdict verdict;
  verdict.check = row.Text(first);
  verdict.severity = row.Text(first + 1);
  verdict.status = VerdictStatusFrom(row.Text(first + 2));
  verdict.failing_rows = row.Int(first + 3);
  verdict.total_rows = row.Int(first + 4);
  verdict.message = row.Text(first + 5);
  verdict.sample = row.Text(first + 6);
  return verdict;
}

/// Columns: those of states (14), the rejection's commit (6), the current snapshot (8).
NodeState StateOf(const Statement& row) {
  NodeState state;
  state.node = row.Text(0);
  state.kind = row.Text(1);
  state.fingerprint = row.Text(2);
  state.definition_digest = row.Text(3);
  state.checks_digest = row.Text(4);
  state.run = row.Text(5);
  state.committed = row.Int(6);
  state.inputs = SplitInputs(row.Text(7));
  if (!row.IsNull(8)) state.cursor = row.Text(8);
  state.definition = row.Text(9);
  state.checks_definition = row.Text(10);
  if (!row.IsNull(11)) {
    Rejection rejection;
    rejection.build = row.Text(12);
    if (!row.IsNull(13)) rejection.cursor = row.Text(13);
    rejection.run = row.Text(14);
    rejection.fingerprint = row.Text(15);
    rejection.definition_digest = row.Text(16);
    rejection.checks_digest = row.Text(17);
    rejection.snapshot = row.Text(18);
    rejection.inputs = SplitInputs(row.Text(19));
    state.rejection = std::move(rejection);
  }
  if (!row.IsNull(20)) state.snapshot = SnapshotOf(row, 20);
  return state;
}

Status AddSharedBuilds(Connection& connection, const std::string& target, const std::string& node,
                       SnapshotRecord& snapshot) {
  return connection
      .Query(
          "SELECT used_build FROM shared_builds WHERE target = ? AND node = ? AND build = ? "
          "ORDER BY used_build",
          target, node, snapshot.build)
      .ForEach([&](const Statement& row) { snapshot.shared_builds.push_back(row.Text(0)); });
}

/// Walks states, sorted by node, beside rows that start with a node of them.
class Merge {
 public:
  explicit Merge(std::vector<NodeState>& states) : states_(states) {}
  NodeState& At(const std::string& node) {
    while (states_[next_].node != node) ++next_;
    return states_[next_];
  }

 private:
  std::vector<NodeState>& states_;
  size_t next_ = 0;
};

}  // namespace

Result<std::vector<NodeState>> SqliteStore::ReadStates(const std::string& target,
                                                       const std::string* node) {
  std::vector<NodeState> states;
  const std::string only = node != nullptr ? " AND s.node = ?2" : "";
  auto query = [&](Connection& connection, const std::string& sql) {
    Statement statement = connection.Query(sql, target);
    if (node != nullptr) statement.Bind(*node);
    return statement;
  };
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_TRY(
        query(connection,
              fmt::format(
                  "SELECT s.node, s.kind, s.fingerprint, s.definition_digest, "
                  "s.checks_digest, s.run, s.committed_at, s.inputs, s.cursor, "
                  "s.definition, s.checks_definition, s.rejected_seq, s.rejected_build, "
                  "s.rejected_cursor, c.run, c.fingerprint, c.definition_digest, c.checks_digest, "
                  "c.snapshot, c.inputs, {} FROM states s "
                  "LEFT JOIN snapshots p ON p.target = s.target AND p.node = s.node "
                  "AND p.build = s.build LEFT JOIN commits c ON c.seq = s.rejected_seq "
                  "WHERE s.target = ?1{} ORDER BY s.node",
                  kSnapshotColumns, only))
            .ForEach([&](const Statement& row) { states.push_back(StateOf(row)); }));
    Merge accepted(states), rejected(states), shared(states);
    HR_TRY(query(connection,
                 fmt::format("SELECT s.node, {} FROM states s JOIN verdicts v ON v.commit_seq = "
                             "s.commit_seq WHERE s.target = ?1{} ORDER BY s.node, v.position",
                             kVerdictColumns, only))
               .ForEach([&](const Statement& row) {
                 accepted.At(row.Text(0)).verdicts.push_back(VerdictOf(row, 1));
               }));
    HR_TRY(query(connection,
                 fmt::format("SELECT s.node, {} FROM states s JOIN verdicts v ON v.commit_seq = "
                             "s.rejected_seq WHERE s.target = ?1{} ORDER BY s.node, v.position",
                             kVerdictColumns, only))
               .ForEach([&](const Statement& row) {
                 rejected.At(row.Text(0)).rejection->verdicts.push_back(VerdictOf(row, 1));
               }));
    return query(connection,
                 fmt::format("SELECT s.node, b.used_build FROM states s JOIN shared_builds b ON "
                             "b.target = s.target AND b.node = s.node AND b.build = s.build "
                             "WHERE s.target = ?1{} ORDER BY s.node, b.used_build",
                             only))
        .ForEach([&](const Statement& row) {
          shared.At(row.Text(0)).snapshot->shared_builds.push_back(row.Text(1));
        });
  }));
  return states;
}

Result<std::vector<NodeState>> SqliteStore::ReadState(const std::string& target) {
  return ReadStates(target, nullptr);
}

Result<std::optional<NodeState>> SqliteStore::ReadNode(const std::string& target,
                                                       const std::string& node) {
  HR_ASSIGN(std::vector<NodeState> states, ReadStates(target, &node));
  if (states.empty()) return std::optional<NodeState>();
  return std::optional<NodeState>(std::move(states.front()));
}

Result<std::string> SqliteStore::ReadLineage(const std::string& target, const std::string& node) {
  std::string lineage;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query("SELECT lineage FROM states WHERE target = ? AND node = ?", target, node)
        .ForEach([&](const Statement& row) { lineage = row.Text(0); });
  }));
  return lineage;
}

Result<SnapshotRecord> SqliteStore::ReadSnapshot(const std::string& target, const BuildRef& build) {
  std::optional<SnapshotRecord> found;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_TRY(connection
               .Query(fmt::format("SELECT {}, p.profile, p.manifest FROM snapshots p WHERE "
                                  "target = ? AND node = ? AND build = ? AND doomed = 0",
                                  kSnapshotColumns),
                      target, build.node, build.build)
               .ForEach([&](const Statement& row) {
                 found = SnapshotOf(row, 0);
                 found->profile = row.Text(kSnapshotColumnCount);
                 found->manifest = row.Text(kSnapshotColumnCount + 1);
               }));
    return found ? AddSharedBuilds(connection, target, build.node, *found) : Ok();
  }));
  if (found) return std::move(*found);
  return GoneError(build);
}

Result<std::optional<SnapshotRecord>> SqliteStore::FindSnapshot(const std::string& target,
                                                                const std::string& node,
                                                                const std::string& fingerprint) {
  std::optional<SnapshotRecord> found;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_TRY(connection
               .Query(fmt::format("SELECT {} FROM commits c JOIN snapshots p USING (target, node, "
                                  "build) WHERE c.target = ? AND c.node = ? AND c.fingerprint = ? "
                                  "AND c.rejected = 0 AND p.doomed = 0 ORDER BY c.seq DESC LIMIT 1",
                                  kSnapshotColumns),
                      target, node, fingerprint)
               .ForEach([&](const Statement& row) { found = SnapshotOf(row, 0); }));
    return found ? AddSharedBuilds(connection, target, node, *found) : Ok();
  }));
  return found;
}

Result<std::vector<CommitRecord>> SqliteStore::ReadHistory(const std::string& target,
                                                           const std::string& node, int n) {
  std::vector<CommitRecord> commits;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_TRY(connection
               .Query("SELECT c.seq, c.kind, c.run, c.action, c.fingerprint, c.rejected, "
                      "c.snapshot, c.build, p.row_count, c.inputs, c.touched, c.committed_at "
                      "FROM commits c LEFT JOIN snapshots p USING (target, node, build) "
                      "WHERE c.target = ? AND c.node = ? ORDER BY c.seq DESC LIMIT ?",
                      target, node, n)
               .ForEach([&](const Statement& row) {
                 CommitRecord commit;
                 commit.sequence = row.Int(0);
                 commit.node = node;
                 commit.kind = row.Text(1);
                 commit.run = row.Text(2);
                 commit.action = row.Text(3);
                 commit.fingerprint = row.Text(4);
                 commit.rejected = row.Int(5) != 0;
                 commit.snapshot = row.Text(6);
                 commit.build = row.Text(7);
                 commit.rows = row.IsNull(8) ? -1 : row.Int(8);
                 commit.inputs = SplitInputs(row.Text(9));
                 commit.touched = row.Text(10);
                 commit.committed = row.Int(11);
                 commits.push_back(std::move(commit));
               }));
    for (CommitRecord& commit : commits) {
      HR_TRY(connection
                 .Query(fmt::format("SELECT {} FROM verdicts v WHERE commit_seq = ? ORDER BY "
                                    "position",
                                    kVerdictColumns),
                        commit.sequence)
                 .ForEach(
                     [&](const Statement& row) { commit.verdicts.push_back(VerdictOf(row, 0)); }));
    }
    return Ok();
  }));
  return commits;
}

Status SnapshotsAt(Connection& connection, const std::string& target, int64_t last,
                   const std::function<void(const BuildRef&)>& each) {
  return connection
      .Query(
          "SELECT node, build FROM commits JOIN (SELECT max(seq) AS seq FROM commits WHERE "
          "target = ? AND seq <= ? AND rejected = 0 AND build IS NOT NULL GROUP BY node) "
          "USING (seq) JOIN snapshots p USING (target, node, build) WHERE p.doomed = 0 "
          "ORDER BY node",
          target, last)
      .ForEach([&](const Statement& row) {
        each({row.Text(0), row.Text(1)});
      });
}

Result<std::vector<std::pair<std::string, SnapshotRecord>>> SqliteStore::ReadSnapshotsAt(
    const std::string& target, const std::string& run) {
  HR_TRY(ReadRun(target, run));  // names the nearest runs when there is no such run
  std::vector<std::pair<std::string, SnapshotRecord>> snapshots;
  HR_TRY(Read([&](Connection& connection) -> Status {
    int64_t last = 0;
    HR_TRY(connection
               .Query("SELECT coalesce(last_commit, (SELECT max(seq) FROM commits WHERE target = "
                      "runs.target)) FROM runs WHERE id = ?",
                      run)
               .ForEach([&](const Statement& row) { last = row.Int(0); }));
    std::vector<BuildRef> builds;
    HR_TRY(SnapshotsAt(connection, target, last,
                       [&](const BuildRef& build) { builds.push_back(build); }));
    for (const BuildRef& build : builds) {
      HR_TRY(connection
                 .Query(fmt::format("SELECT {} FROM snapshots p WHERE target = ? AND node = ? AND "
                                    "build = ?",
                                    kSnapshotColumns),
                        target, build.node, build.build)
                 .ForEach([&](const Statement& row) {
                   snapshots.emplace_back(build.node, SnapshotOf(row, 0));
                 }));
      HR_TRY(AddSharedBuilds(connection, target, build.node, snapshots.back().second));
    }
    return Ok();
  }));
  return snapshots;
}

}  // namespace headrace::store
