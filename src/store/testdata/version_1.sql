-- A store as schema version 1 wrote it. Never changed; see schema_test.cc.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO "commits" VALUES(1,'dev','features',0,'b1','sql','run1','build','fp-b1','af47a8dea1438e7177eb053ef3c08f6a','39347ff402b6c53d831154110e30ac6a','id-b1',1767225600000000,'customers=s1
','');
INSERT INTO "commits" VALUES(2,'dev','features',1,'b2','sql','run1','build','fp-b2','209ecfc6f4c0652cc67b7f1b7e15a659','','id-b2',1767225600000000,'','');
INSERT INTO "commits" VALUES(3,'dev','churn',0,NULL,'model','run1','build','fp-m','86de6f2c9037f0ac083d46ec27e4a98c','',NULL,1767225600000000,'','');
CREATE TABLE leases (
  target TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  held INTEGER NOT NULL,
  run TEXT NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  acquired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "leases" VALUES('dev',1,0,'run1',4711,'somewhere',1767225600000000);
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
INSERT INTO "model_aliases" VALUES('dev','churn','champion',1,0,1767225600000000);
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
INSERT INTO "model_moves" VALUES(1,'dev','churn','champion',0,1,'run','','run1',1767225600000000);
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
INSERT INTO "model_versions" VALUES('dev','churn',1,'champion','fp-m','h','models/churn/1',1767225600000000,'run1','features','b1','id-b1',10,'{"roc_auc":0.84}','[]');
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
INSERT INTO "run_nodes" VALUES(1,'features','dev','sql','build',10,0.0,'','',0,0,'new','');
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
INSERT INTO "runs" VALUES(1,'run1','dev',1,'done',1767225600000000,1767225600000000,3,'','','run','{}','{}');
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
INSERT INTO "sends" VALUES('dev','calls','1',0,'b256f72d691bedb18502adca476efbec','sent',1,'run1',1767225600000000,1767225600000000,'HTTP 200');
INSERT INTO "sends" VALUES('dev','calls','2',0,'fa1850d717cbe223f05652cacdbab80d','intent',1,'run1',1767225600000000,0,'');
CREATE TABLE shared_builds (         -- files of older builds that a snapshot uses
  target TEXT NOT NULL,
  node TEXT NOT NULL,
  build TEXT NOT NULL,
  used_build TEXT NOT NULL,
  PRIMARY KEY (target, node, build, used_build),
  FOREIGN KEY (target, node, build) REFERENCES snapshots ON DELETE CASCADE,
  FOREIGN KEY (target, node, used_build) REFERENCES snapshots
) STRICT, WITHOUT ROWID;
INSERT INTO "shared_builds" VALUES('dev','features','b2','b1');
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
INSERT INTO "snapshots" VALUES('dev','features','b1','id-b1',0,10,1000,'run1',1767225600000000,'[]','["part-0.parquet"]','{"p":1}','{"m":1}');
INSERT INTO "snapshots" VALUES('dev','features','b2','id-b2',0,10,1000,'run1',1767225600000000,'[]','["part-0.parquet"]','{"p":1}','{"m":1}');
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
INSERT INTO "states" VALUES('dev','features','sql','fp-b1','af47a8dea1438e7177eb053ef3c08f6a','39347ff402b6c53d831154110e30ac6a','b1',1,'run1',1767225600000000,'customers=s1
','"2026-01-01"',2,'b2','{"sql":"b1"}','[]','{}');
INSERT INTO "states" VALUES('dev','churn','model','fp-m','86de6f2c9037f0ac083d46ec27e4a98c','',NULL,3,'run1',1767225600000000,'',NULL,NULL,NULL,'{"sql":""}','','');
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
INSERT INTO "verdicts" VALUES(1,0,'features.not_null(id)','warn','warn',1,10,'1 of 10 values is null','row 3');
INSERT INTO "verdicts" VALUES(2,0,'features.unique(id)','error','fail',2,10,'2 rows share a key','row 4');
CREATE INDEX runs_by_target ON runs (target, seq);
CREATE INDEX runs_by_status ON runs (target) WHERE status = 'running';
CREATE INDEX run_nodes_by_node ON run_nodes (target, node, run_seq);
CREATE INDEX commits_by_node ON commits (target, node, seq);
CREATE INDEX shared_builds_by_use ON shared_builds (target, node, used_build);
CREATE INDEX states_by_commit ON states (commit_seq);
CREATE INDEX states_by_rejection ON states (rejected_seq);
CREATE INDEX states_by_rejected_build ON states (target, node, rejected_build);
CREATE INDEX model_moves_by_model ON model_moves (target, model, seq);
CREATE INDEX sends_by_time ON sends (target, action, intent_at);
CREATE INDEX pins_by_build ON pins (target, node, build);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',1);
INSERT INTO "sqlite_sequence" VALUES('commits',3);
INSERT INTO "sqlite_sequence" VALUES('model_moves',1);
COMMIT;
PRAGMA application_id=1214542435;
PRAGMA user_version=1;
