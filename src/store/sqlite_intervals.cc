// The ledger of intervals: which time slices an incremental node's snapshot holds, what an
// unfinished run has built, and which times of a node's rows each commit changed.
#include "store/record_text.h"
#include "store/sqlite_store.h"

namespace headrace::store {

Result<std::vector<IntervalRecord>> SqliteStore::ReadIntervals(const std::string& target,
                                                               const std::string& node) {
  std::vector<IntervalRecord> intervals;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(
            "SELECT from_at, to_at, row_count, stale, run, built_at FROM intervals WHERE "
            "target = ? AND node = ? ORDER BY from_at",
            target, node)
        .ForEach([&](const Statement& row) {
          intervals.push_back(
              {row.Int(0), row.Int(1), row.Int(2), row.Text(3), row.Text(4), row.Int(5)});
        });
  }));
  return intervals;
}

Result<std::vector<IntervalPart>> SqliteStore::ReadIntervalParts(const std::string& target,
                                                                 const std::string& node) {
  std::vector<IntervalPart> parts;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(
            "SELECT from_at, to_at, build, fingerprint, inputs FROM interval_parts WHERE "
            "target = ? AND node = ? ORDER BY from_at",
            target, node)
        .ForEach([&](const Statement& row) {
          parts.push_back(
              {row.Int(0), row.Int(1), row.Text(2), row.Text(3), SplitInputs(row.Text(4))});
        });
  }));
  return parts;
}

Status SqliteStore::CommitIntervalParts(const Claim& claim, const std::string& node,
                                        const std::string& run, const SnapshotRecord& snapshot,
                                        std::span<const IntervalPart> parts) {
  return WriteClaimed(claim, [&](Connection& connection) -> Status {
    HR_TRY(PutSnapshot(connection, claim.target, node, run, snapshot));
    for (const IntervalPart& part : parts) {
      HR_TRY(connection.Run(
          "INSERT OR REPLACE INTO interval_parts (target, node, from_at, to_at, build, "
          "fingerprint, inputs) VALUES (?, ?, ?, ?, ?, ?, ?)",
          claim.target, node, part.from, part.to, part.build, part.fingerprint,
          JoinInputs(part.inputs)));
    }
    return Ok();
  });
}

Status SqliteStore::PutIntervals(Connection& connection, const std::string& target,
                                 const NodeCommit& commit) {
  HR_TRY(connection.Run("DELETE FROM interval_parts WHERE target = ? AND node = ?", target,
                        commit.node));
  const bool clear = commit.intervals ? commit.intervals->clear : commit.snapshot.has_value();
  if (clear) {
    HR_TRY(
        connection.Run("DELETE FROM intervals WHERE target = ? AND node = ?", target, commit.node));
  }
  if (!commit.intervals) return Ok();
  for (const Timestamp from : commit.intervals->remove) {
    HR_TRY(connection.Run("DELETE FROM intervals WHERE target = ? AND node = ? AND from_at = ?",
                          target, commit.node, from));
  }
  for (const IntervalRecord& interval : commit.intervals->put) {
    HR_TRY(connection.Run(
        "INSERT OR REPLACE INTO intervals (target, node, from_at, to_at, row_count, run, "
        "built_at, stale) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        target, commit.node, interval.from, interval.to, interval.rows,
        interval.run.empty() ? commit.run : interval.run,
        interval.built == 0 ? Now() : interval.built, interval.stale));
  }
  return Ok();
}

Result<std::optional<std::vector<std::string>>> SqliteStore::ReadTouched(
    const std::string& target, const std::string& node, const std::string& snapshot) {
  std::vector<std::string> touched;
  bool found = false;
  HR_TRY(Read([&](Connection& connection) -> Status {
    Statement rows = connection.Query(
        "SELECT snapshot, touched FROM commits WHERE target = ? AND node = ? AND rejected = 0 "
        "AND snapshot IS NOT NULL ORDER BY seq DESC",
        target, node);
    std::string later;
    for (;;) {
      HR_ASSIGN(const bool any, rows.Step());
      if (!any) return Ok();
      // A commit that left the content as it was touched nothing, whatever it says.
      if (rows.Text(0) == later) touched.pop_back();
      found = rows.Text(0) == snapshot;
      if (found) return Ok();
      later = rows.Text(0);
      touched.push_back(rows.Text(1));
    }
  }));
  if (!found) return std::optional<std::vector<std::string>>();
  return std::optional(std::move(touched));
}

Result<std::string> SqliteStore::ReadLastTouched(const std::string& target,
                                                 const std::string& node) {
  std::string touched;
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(
            "SELECT c.touched FROM states s JOIN snapshots p USING (target, node, build) JOIN "
            "commits c ON c.target = s.target AND c.node = s.node AND c.snapshot = p.id WHERE "
            "s.target = ? AND s.node = ? AND c.rejected = 0 AND c.touched <> '' ORDER BY c.seq "
            "DESC LIMIT 1",
            target, node)
        .ForEach([&](const Statement& row) { touched = row.Text(0); });
  }));
  return touched;
}

}  // namespace headrace::store
