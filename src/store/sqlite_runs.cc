#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/suggest.h"
#include "store/record_text.h"
#include "store/sqlite_store.h"

namespace headrace::store {

namespace {

constexpr std::string_view kRunColumns =
    "r.id, r.target, r.command, r.params, r.version, r.engine, r.epoch, r.started_at, "
    "r.finished_at, r.status, r.summary";
constexpr int kRunColumnCount = 11;

RunRecord RunOf(const Statement& row) {
  RunRecord run;
  run.id = row.Text(0);
  run.target = row.Text(1);
  run.command = row.Text(2);
  run.params = row.Text(3);
  run.version = row.Text(4);
  run.engine = row.Text(5);
  run.epoch = row.Int(6);
  run.started = row.Int(7);
  run.finished = row.Int(8);
  run.status = RunStatusFrom(row.Text(9));
  run.summary = row.Text(10);
  return run;
}

constexpr std::string_view kNodeColumns =
    "n.node, n.kind, n.action, n.reason, n.row_count, n.seconds, n.snapshot, n.build, "
    "n.error, n.started_at, n.finished_at";

/// Columns from `first` on.
NodeRecord NodeOf(const Statement& row, int first, const std::string& run) {
  NodeRecord node;
  node.run = run;
  node.node = row.Text(first);
  node.kind = row.Text(first + 1);
  node.action = row.Text(first + 2);
  node.reason = row.Text(first + 3);
  node.rows = row.Int(first + 4);
  node.seconds = row.Double(first + 5);
  node.snapshot = row.Text(first + 6);
  node.build = row.Text(first + 7);
  node.error = row.Text(first + 8);
  node.started = row.Int(first + 9);
  node.finished = row.Int(first + 10);
  return node;
}

}  // namespace

Status SqliteStore::BeginRun(const Claim& claim, const RunRecord& run) {
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) {
    return connection.Run(
        "INSERT INTO runs (id, target, epoch, status, started_at, finished_at, version, engine, "
        "command, params, summary) VALUES (?, ?, ?, 'running', ?, 0, ?, ?, ?, ?, '')",
        run.id, claim.target, claim.epoch, run.started != 0 ? run.started : Now(), run.version,
        run.engine, Mask(run.command), MaskJson(run.params));
  }));
  CrashPoint("run.started");
  return Ok();
}

Status SqliteStore::FinishRun(const Claim& claim, const std::string& run, RunStatus status,
                              const std::string& summary_json) {
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) -> Status {
    HR_TRY(connection.Run(
        "UPDATE runs SET status = ?, finished_at = ?, summary = ?, last_commit = "
        "(SELECT max(seq) FROM commits WHERE target = ?) WHERE id = ? AND target = ?",
        Text(status), Now(), MaskJson(summary_json), claim.target, run, claim.target));
    if (connection.Changes() == 0) return InternalError("run " + run + " was never begun");
    return Ok();
  }));
  CrashPoint("run.finished");
  return Ok();
}

Status SqliteStore::PutNodeRecord(Connection& connection, const std::string& target,
                                  const NodeRecord& record) {
  return connection.Run(
      "INSERT OR REPLACE INTO run_nodes (run_seq, node, target, kind, action, row_count, seconds, "
      "snapshot, build, started_at, finished_at, reason, error) "
      "VALUES ((SELECT seq FROM runs WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      record.run, record.node, target, record.kind, record.action, record.rows, record.seconds,
      record.snapshot, record.build, record.started, record.finished, Mask(record.reason),
      MaskJson(record.error));
}

Status SqliteStore::RecordNodes(const Claim& claim, std::span<const NodeRecord> records) {
  if (records.empty()) return Ok();
  return WriteClaimed(claim, [&](Connection& connection) -> Status {
    for (const NodeRecord& record : records) {
      HR_TRY(PutNodeRecord(connection, claim.target, record));
    }
    return Ok();
  });
}

Result<std::vector<RunRecord>> SqliteStore::ListRuns(const std::string& target, int n) {
  std::vector<RunRecord> runs;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(fmt::format("SELECT {} FROM runs r WHERE target = ? ORDER BY seq DESC LIMIT ?",
                           kRunColumns),
               target, n)
        .ForEach([&](const Statement& row) { runs.push_back(RunOf(row)); });
  }));
  return runs;
}

Result<RunRecord> SqliteStore::ReadRun(const std::string& target, const std::string& run) {
  std::optional<RunRecord> found;
  std::vector<std::string> known;
  HR_TRY(Read([&](Connection& connection) -> Status {
    HR_TRY(connection
               .Query(fmt::format("SELECT {} FROM runs r WHERE target = ? AND id = ?", kRunColumns),
                      target, run)
               .ForEach([&](const Statement& row) { found = RunOf(row); }));
    if (found) return Ok();
    return connection
        .Query("SELECT id FROM runs WHERE target = ? ORDER BY seq DESC LIMIT 1000", target)
        .ForEach([&](const Statement& row) { known.push_back(row.Text(0)); });
  }));
  if (found) return std::move(*found);
  return UserError("unknown_run", fmt::format("target '{}' has no run '{}'", target, run))
      .Subject(run)
      .Candidates(Suggest(run, known))
      .Hint(known.empty() ? "there were no runs yet" : "the last run was " + known.front());
}

Result<std::vector<NodeRecord>> SqliteStore::ReadRunNodes(const std::string& target,
                                                          const std::string& run) {
  std::vector<NodeRecord> nodes;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(fmt::format(
                   "SELECT {} FROM run_nodes n WHERE target = ?2 AND run_seq = (SELECT seq FROM "
                   "runs WHERE id = ?1) ORDER BY node",
                   kNodeColumns),
               run, target)
        .ForEach([&](const Statement& row) { nodes.push_back(NodeOf(row, 0, run)); });
  }));
  return nodes;
}

Result<std::vector<NodeRun>> SqliteStore::LastRuns(const std::string& target,
                                                   const std::string& node, int n) {
  std::vector<NodeRun> runs;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(fmt::format("SELECT {}, {} FROM run_nodes n JOIN runs r ON r.seq = n.run_seq "
                           "WHERE n.target = ? AND n.node = ? ORDER BY n.run_seq DESC LIMIT ?",
                           kRunColumns, kNodeColumns),
               target, node, n)
        .ForEach([&](const Statement& row) {
          runs.push_back({NodeOf(row, kRunColumnCount, row.Text(0)), RunOf(row)});
        });
  }));
  return runs;
}

}  // namespace headrace::store
