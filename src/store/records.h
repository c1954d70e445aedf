#pragma once
// What the store keeps, as plain structs. Times are UTC microseconds (base/clock.h). Members named
// *_json or documented as JSON are texts that the store carries without looking inside.
//
// Redaction: the store masks secrets in every text that people or other systems wrote (commands,
// parameters, reasons, errors, messages, samples, definitions, metrics, gates, details of sends).
// It never touches what is compared or read back by machines: names, ids, fingerprints, digests,
// keys of sends, cursors, schemas, files, profiles, manifests and lineage; these come from data and
// code, and must be free of secrets of the configuration when they come here.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace headrace::store {

// ---------------------------------------------------------------------------------------- runs

enum class RunStatus {
  kRunning,
  kDone,
  kFailed,       ///< a node, check or gate failed
  kInterrupted,  ///< ended by the user; what was finished is committed
  kLost,         ///< the process died or was overtaken; set by the next run that gets the lease
};
std::string_view Text(RunStatus status);

/// One run of a target.
struct RunRecord {
  std::string id;  ///< from NewId
  std::string target;
  std::string command;  ///< as typed, e.g. "run features+"
  std::string params;   ///< JSON object
  std::string version;  ///< of Headrace
  std::string engine;   ///< duckdb, spark
  int64_t epoch = 0;    ///< of the lease it ran under; set by BeginRun
  Timestamp started = 0;
  Timestamp finished = 0;  ///< 0 while running
  RunStatus status = RunStatus::kRunning;
  std::string summary;  ///< JSON object, written when it finished
};

/// What a run did with one node.
struct NodeRecord {
  std::string run;
  std::string node;
  std::string kind;
  std::string action;  ///< build | reuse | intervals | retrain | skip | fail
  std::string reason;  ///< why it ran or not, for people
  int64_t rows = -1;   ///< -1 = has no rows
  double seconds = 0;
  std::string snapshot;  ///< id, empty if it has none
  std::string build;
  std::string error;  ///< ErrorToJson, empty if it went well
  Timestamp started = 0, finished = 0;
};

/// A node's record with the run it belongs to, for `show`.
struct NodeRun {
  NodeRecord record;
  RunRecord run;
};

// -------------------------------------------------------------------------------------- commits

/// A build is the folder `tables/<node>/<build>/`; build ids are unique within a node.
struct BuildRef {
  std::string node, build;
  friend bool operator==(const BuildRef&, const BuildRef&) = default;
  friend auto operator<=>(const BuildRef&, const BuildRef&) = default;
};

/// One version of a node's table. `id` digests the content: two builds may have the same id.
struct SnapshotRecord {
  std::string id;
  std::string build;
  std::string schema;  ///< JSON
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string files;  ///< JSON
  /// Older builds of the same node whose files this snapshot shares; `build` itself is implied.
  std::vector<std::string> shared_builds;
  std::string run;        ///< that made it; the store sets it
  Timestamp created = 0;  ///< the store sets it
  // Large texts, empty in answers that say so.
  std::string profile;   ///< JSON
  std::string manifest;  ///< JSON
};

enum class VerdictStatus { kPass, kWarn, kFail };
std::string_view Text(VerdictStatus status);

/// The result of one check on one snapshot.
struct Verdict {
  std::string check;     ///< id: "node.check(columns)" or its name
  std::string severity;  ///< error | warn | quarantine
  VerdictStatus status = VerdictStatus::kPass;
  int64_t failing_rows = 0;
  int64_t total_rows = 0;
  std::string message;  ///< for people
  std::string sample;   ///< a few wrong rows, for people; empty when it passed
};

enum class ModelStatus {
  kCandidate,   ///< trained, not (yet) promoted
  kChampion,    ///< what `predict: name` uses
  kRefused,     ///< a gate refused it; remembered by fingerprint
  kRetired,     ///< was champion once
  kChallenger,  ///< gets a share of the traffic
  kShadow,      ///< scores silently
};
std::string_view Text(ModelStatus status);

/// One trained version of a model. The files are at `package`; this row makes them exist.
struct ModelVersion {
  std::string model;
  int version = 0;  ///< from Store::NextModelVersion
  ModelStatus status = ModelStatus::kCandidate;
  std::string fingerprint;        ///< of the training: definition + training snapshot
  std::string content_hash;       ///< identity of the package
  std::string package;            ///< path relative to the warehouse
  Timestamp created = 0;          ///< the store sets it
  std::string run;                ///< the store sets it from the commit
  BuildRef training;              ///< the build it was trained on; retention keeps it for aliases
  std::string training_snapshot;  ///< id
  int64_t rows = 0;               ///< training rows
  std::string metrics;            ///< JSON
  std::string gate;               ///< JSON: every gate with its numbers and verdict
};

/// A time slice [from, to) that an incremental node's current snapshot holds. No row = not built.
struct IntervalRecord {
  Timestamp from = 0, to = 0;
  int64_t rows = 0;
  /// Why its rows are out of date ("flights changed"); empty = they are not.
  std::string stale;
  std::string run;      ///< that built it last; the store sets it when it is empty
  Timestamp built = 0;  ///< the store sets it when it is 0
};

/// How a commit changes a node's ledger of intervals.
struct LedgerChange {
  bool clear = false;               ///< first of all: forget all intervals
  std::vector<Timestamp> remove;    ///< by `from`
  std::vector<IntervalRecord> put;  ///< added or replaced, by `from`
};

/// A slice that an unfinished run has built: a later run of the same work takes it over.
struct IntervalPart {
  Timestamp from = 0, to = 0;
  std::string build;                          ///< its rows stand there, among others
  std::string fingerprint;                    ///< of the node
  std::map<std::string, std::string> inputs;  ///< input node → snapshot id it read
};

/// Everything that becomes visible together when a node is done.
struct NodeCommit {
  std::string node;
  std::string kind;
  std::string run;
  std::string action;             ///< as in NodeRecord
  std::string fingerprint;        ///< of the data
  std::string definition;         ///< canonical JSON
  std::string checks_definition;  ///< canonical JSON of its checks; empty = none
  /// Absent: the current snapshot stays (sinks, actions, checks that ran on the existing snapshot).
  /// A build the store already knows becomes current again (an undone change).
  std::optional<SnapshotRecord> snapshot;
  /// A check of severity error failed: snapshot, fingerprint and verdicts are kept as the node's
  /// rejection; the current state (fingerprint, snapshot, cursor, inputs, lineage) stays.
  bool rejected = false;
  std::vector<Verdict> verdicts;
  std::map<std::string, std::string> inputs;  ///< input node → snapshot id it read
  /// JSON; absent: stays. Of a rejected commit: kept with the rejection, beside the accepted one.
  std::optional<std::string> cursor;
  std::optional<ModelVersion> model;  ///< status kChampion also moves the alias
  std::string lineage;                ///< JSON, of columns
  /// JSON: which times of the node's rows differ from the snapshot before; empty = not known.
  std::string touched;
  /// Ignored when rejected. Absent in a commit with a snapshot: the node has no intervals (any
  /// more). An accepted commit forgets the node's parts.
  std::optional<LedgerChange> intervals;
  std::optional<NodeRecord> record;  ///< written in the same transaction
};

/// A failed check of severity error, waiting for other input or another definition.
struct Rejection {
  std::string run;
  std::string fingerprint;
  std::string definition_digest, checks_digest;
  std::string snapshot;  ///< id; empty when an existing snapshot was checked
  std::string build;
  std::vector<Verdict> verdicts;
  std::optional<std::string> cursor;  ///< how far the rejected rows were read; JSON
  std::map<std::string, std::string> inputs;
};

/// The last commit of a node, as the planner needs it.
struct NodeState {
  std::string node;
  std::string kind;
  std::string fingerprint;  ///< empty when every commit so far was rejected
  /// Masked, so compare `definition_digest` with DefinitionDigest(text), not the texts.
  std::string definition, checks_definition;
  std::string definition_digest, checks_digest;
  std::optional<SnapshotRecord> snapshot;  ///< the current one, without profile and manifest
  std::vector<Verdict> verdicts;           ///< of the current snapshot
  std::map<std::string, std::string> inputs;
  std::optional<std::string> cursor;
  std::optional<Rejection> rejection;  ///< newer than the current snapshot
  std::string run;                     ///< that committed it last
  Timestamp committed = 0;
};

/// Digest under which a definition is compared (of the text before masking).
std::string DefinitionDigest(std::string_view definition);

/// One commit of a node's history, newest first in answers.
struct CommitRecord {
  int64_t sequence = 0;  ///< grows with every commit of the store
  std::string node, kind, run, action, fingerprint;
  bool rejected = false;
  std::string snapshot, build;  ///< empty when it made none
  int64_t rows = -1;            ///< -1 = none, or the snapshot was swept
  std::map<std::string, std::string> inputs;
  std::string touched;
  Timestamp committed = 0;
  std::vector<Verdict> verdicts;
};

// --------------------------------------------------------------------------------------- models

/// A name that points at a version.
struct ModelAlias {
  std::string model;
  std::string alias;  ///< champion | challenger | shadow
  int version = 0;
  bool pinned = false;  ///< set by rollback: retraining waits until a newer version passes its gate
  Timestamp changed = 0;
};

/// One move of an alias.
struct ModelMove {
  std::string model, alias;
  int from = 0, to = 0;  ///< 0 = none
  std::string who, why;
  std::string run;  ///< empty when done by hand
  Timestamp when = 0;
};

// ---------------------------------------------------------------------------------------- sends

enum class SendStatus {
  kIntent,  ///< about to be sent; without a result it is in doubt
  kSent,
  kFailed,  ///< refused by the receiver; tried again by the next run, with the same key
  kDryRun,  ///< would have been sent; counts as never sent
};
std::string_view Text(SendStatus status);

/// One row that an action sent (or would have sent). `key` is the value of once_per.
struct SendRecord {
  std::string action, key;
  int generation = 0;           ///< how often again_after let it be sent again
  std::string idempotency_key;  ///< 32 hex digits; the same for every attempt of a generation, and
                                ///< in every project that has this name, target, action and key
  SendStatus status = SendStatus::kIntent;
  int attempts = 0;
  std::string run;
  Timestamp intent = 0, result = 0;  ///< result 0 = none yet
  std::string detail;                ///< what the receiver said, for people
};

/// What RecordIntents found for a key.
enum class IntentState {
  kNew,          ///< send it
  kInDoubt,      ///< an earlier intent has no result: send again, same idempotency key
  kRetryFailed,  ///< it was refused last time: send again, same idempotency key
  kAlreadySent,  ///< send nothing (until again_after)
};

struct IntentDecision {
  IntentState state = IntentState::kNew;
  std::string idempotency_key;
  int attempts = 0;    ///< this one included; of the past when already sent
  Timestamp sent = 0;  ///< when it was sent; of kAlreadySent only
};

struct SendResult {
  std::string key;
  SendStatus status = SendStatus::kSent;  ///< kSent or kFailed; kIntent leaves it in doubt
  std::string detail;
};

// ----------------------------------------------------------------------------------- retention

/// What is kept beside current snapshots, rejections, pins and what aliases were trained on.
struct Retention {
  int older = 2;  ///< accepted snapshots of a node before the current one
  int runs = 3;   ///< everything that was current at the end of so many last runs
};

}  // namespace headrace::store
