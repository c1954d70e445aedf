#include "store/schema.h"

#include <fmt/format.h>

namespace headrace::store {

namespace {

constexpr int64_t kApplicationId = 0x48647263;  // "Hdrc", shown by the `file` program

// Times are microseconds. Large texts stand last in their tables: SQLite then reads a row's other
// columns without touching the pages that hold them.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE leases (
  target TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  held INTEGER NOT NULL,
  run TEXT NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  acquired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, -- ids of the same second have no order
  id TEXT NOT NULL UNIQUE,
  target TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  status TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  last_commit INTEGER,               -- highest commits.seq of the target when it ended
  version TEXT NOT NULL,
  engine TEXT NOT NULL,
  command TEXT NOT NULL,
  params TEXT NOT NULL,
  summary TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_target ON runs (target, seq);
CREATE INDEX runs_by_status ON runs (target) WHERE status = 'running';

CREATE TABLE run_nodes (
  run_seq INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  node TEXT NOT NULL,
  target TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  seconds REAL NOT NULL,
  snapshot TEXT NOT NULL,
  build TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (run_seq, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_nodes_by_node ON run_nodes (target, node, run_seq);

CREATE TABLE commits (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  rejected INTEGER NOT NULL,
  build TEXT,                        -- current after the commit, or the rejected one
  kind TEXT NOT NULL,
  run TEXT NOT NULL,
  action TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  definition_digest TEXT NOT NULL,
  checks_digest TEXT NOT NULL,
  snapshot TEXT,
  committed_at INTEGER NOT NULL,
  inputs TEXT NOT NULL,              -- lines "node=snapshot id"
  touched TEXT NOT NULL
) STRICT;
CREATE INDEX commits_by_node ON commits (target, node, seq);

CREATE TABLE verdicts (
  commit_seq INTEGER NOT NULL REFERENCES commits ON DELETE CASCADE,
  position INTEGER NOT NULL,
  check_id TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,
  failing_rows INTEGER NOT NULL,
  total_rows INTEGER NOT NULL,
  message TEXT NOT NULL,
  sample TEXT NOT NULL,
  PRIMARY KEY (commit_seq, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  build TEXT NOT NULL,
  id TEXT NOT NULL,
  doomed INTEGER NOT NULL DEFAULT 0, -- given up; waits for its files to be deleted
  row_count INTEGER NOT NULL,
  byte_count INTEGER NOT NULL,
  run TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  schema TEXT NOT NULL,
  files TEXT NOT NULL,
  profile TEXT NOT NULL,
  manifest TEXT NOT NULL,
  PRIMARY KEY (target, node, build)
) STRICT;

CREATE TABLE shared_builds (         -- files of older builds that a snapshot uses
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  build TEXT NOT NULL,
  used_build TEXT NOT NULL,
  PRIMARY KEY (target, node, build, used_build),
  FOREIGN KEY (target, node, build) REFERENCES snapshots ON DELETE CASCADE,
  FOREIGN KEY (target, node, used_build) REFERENCES snapshots
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_builds_by_use ON shared_builds (target, node, used_build);

CREATE TABLE states (
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  fingerprint TEXT NOT NULL,         -- '' = nothing accepted yet
  definition_digest TEXT NOT NULL,
  checks_digest TEXT NOT NULL,
  build TEXT,
  commit_seq INTEGER,                -- the last accepted commit
  run TEXT NOT NULL,
  committed_at INTEGER NOT NULL,
  inputs TEXT NOT NULL,
  cursor TEXT,
  rejected_seq INTEGER,              -- the commit of the rejection
  rejected_build TEXT,
  definition TEXT NOT NULL,
  checks_definition TEXT NOT NULL,
  lineage TEXT NOT NULL,
  PRIMARY KEY (target, node),
  FOREIGN KEY (target, node, build) REFERENCES snapshots,
  FOREIGN KEY (target, node, rejected_build) REFERENCES snapshots,
  FOREIGN KEY (commit_seq) REFERENCES commits,
  FOREIGN KEY (rejected_seq) REFERENCES commits
) STRICT;
CREATE INDEX states_by_commit ON states (commit_seq);
CREATE INDEX states_by_rejection ON states (rejected_seq);
CREATE INDEX states_by_rejected_build ON states (target, node, rejected_build);

CREATE TABLE model_versions (
  target TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  status TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  package TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  run TEXT NOT NULL,
  training_node TEXT NOT NULL,
  training_build TEXT NOT NULL,
  training_snapshot TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  metrics TEXT NOT NULL,
  gate TEXT NOT NULL,
  PRIMARY KEY (target, model, version)
) STRICT;

CREATE TABLE model_aliases (
  target TEXT NOT NULL,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  pinned INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (target, model, alias),
  FOREIGN KEY (target, model, version) REFERENCES model_versions
) STRICT, WITHOUT ROWID;

CREATE TABLE model_moves (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  target TEXT NOT NULL,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  from_version INTEGER NOT NULL,     -- 0 = none
  to_version INTEGER NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL,
  run TEXT NOT NULL,
  moved_at INTEGER NOT NULL
) STRICT;
CREATE INDEX model_moves_by_model ON model_moves (target, model, seq);

CREATE TABLE sends (
  target TEXT NOT NULL,
  action TEXT NOT NULL,
  key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  run TEXT NOT NULL,
  intent_at INTEGER NOT NULL,
  result_at INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (target, action, key, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX sends_by_time ON sends (target, action, intent_at);

CREATE TABLE pins (
  pin TEXT NOT NULL,                 -- also the name of its lock file
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  build TEXT NOT NULL,
  reader TEXT NOT NULL,
  pinned_at INTEGER NOT NULL,
  PRIMARY KEY (pin, target, node, build),
  FOREIGN KEY (target, node, build) REFERENCES snapshots
) STRICT, WITHOUT ROWID;
CREATE INDEX pins_by_build ON pins (target, node, build);
)sql";

constexpr const char* kVersion2 = R"sql(
ALTER TABLE states ADD COLUMN rejected_cursor TEXT;

CREATE TABLE intervals (             -- what an incremental node's current snapshot holds
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  run TEXT NOT NULL,
  built_at INTEGER NOT NULL,
  stale TEXT NOT NULL,               -- why its rows are out of date
  PRIMARY KEY (target, node, from_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE interval_parts (        -- what an unfinished run has built
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL,
  build TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  inputs TEXT NOT NULL,
  PRIMARY KEY (target, node, from_at),
  FOREIGN KEY (target, node, build) REFERENCES snapshots
) STRICT, WITHOUT ROWID;
CREATE INDEX interval_parts_by_build ON interval_parts (target, node, build);
)sql";

constexpr Migration kMigrations[] = {{1, kVersion1}, {2, kVersion2}};

Status RefuseForeignDatabase(Connection& connection, const std::string& path) {
  HR_ASSIGN(const int64_t id, connection.Number("PRAGMA application_id"));
  if (id == kApplicationId) return Ok();
  HR_ASSIGN(const int64_t tables, connection.Number("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) return Ok();
  return UserError("not_a_store",
                   fmt::format("{} is a database, but not a store of Headrace", path))
      .Hint("move it away; a new store is made by the next run");
}

Error TooNew(const std::string& path, int64_t found, int known) {
  return UserError("store_too_new",
                   fmt::format("the store {} has schema {}, this Headrace knows up to {}: a newer "
                               "Headrace has written it",
                               path, found, known))
      .Hint("install that version or a later one; older ones can't read it");
}

Status RunMissingSteps(Connection& connection, const std::string& path,
                       std::span<const Migration> steps) {
  HR_TRY(RefuseForeignDatabase(connection, path));
  // Read again: another process may have migrated while this one waited for the lock.
  HR_ASSIGN(const int64_t version, connection.Number("PRAGMA user_version"));
  if (version > steps.back().version) return TooNew(path, version, steps.back().version);
  for (const Migration& step : steps) {
    if (step.version > version) HR_TRY(connection.RunScript(step.script));
  }
  return connection.RunScript(
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT", kApplicationId,
                  steps.back().version));
}

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

Status Migrate(Connection& connection, const std::string& path, std::span<const Migration> steps) {
  HR_ASSIGN(const int64_t version, connection.Number("PRAGMA user_version"));
  if (version > steps.back().version) return TooNew(path, version, steps.back().version);
  if (version == steps.back().version) return RefuseForeignDatabase(connection, path);
  HR_TRY(connection.Run("BEGIN IMMEDIATE"));
  Status done = RunMissingSteps(connection, path, steps);
  if (!done.ok()) connection.Rollback();
  return done;
}

}  // namespace headrace::store
