#pragma once
// What a kind of node does. Components (src/components) implement Component; the pipeline plans,
// runs and commits them without knowing any by name.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/redact.h"
#include "config/project.h"
#include "data/instances.h"
#include "data/snapshot.h"
#include "data/types.h"
#include "spec/node_spec.h"
#include "sql/compose.h"
#include "store/store.h"
#include "telemetry/event.h"
#include "telemetry/progress.h"

namespace headrace::sql {
class SqlParser;
class SchemaCatalog;
}  // namespace headrace::sql

namespace headrace::pipeline {

class Project;
struct Node;
struct IntervalPlan;

/// A node that another one reads, and the field that says so ("from"); "" for SQL.
struct InputRef {
  std::string node;
  std::string field;
};

/// What a component may use while a project is checked. Opens no network and no database server.
struct LintContext {
  const Project* project = nullptr;
  const Node* node = nullptr;
  Diagnostics* diagnostics = nullptr;
  FileSystem* fs = nullptr;
  sql::SqlParser* parser = nullptr;
  sql::SchemaCatalog* catalog = nullptr;
  /// Columns of an input; nullptr when not known.
  std::function<const data::Schema*(const std::string& node)> schema_of;
  /// Columns of the node's own last snapshot; nullptr before the first run.
  const data::Schema* last_schema = nullptr;
  /// Folder for what lint found out before; "" = none.
  std::string cache_folder;
};

/// The world outside of definition and inputs, as a node needs to know it to decide if it must run.
struct ProbeContext {
  const Project* project = nullptr;
  const Node* node = nullptr;
  const store::NodeState* state = nullptr;  ///< its last commit, or null
  store::Store* store = nullptr;            ///< null before the first run
  std::string target;
  FileSystem* fs = nullptr;
  Timestamp now = 0;   ///< the engine's clock, read once a run
  bool sends = false;  ///< the target sends actions
  /// Committed state of another node, or null.
  std::function<const store::NodeState*(const std::string& node)> state_of;
};

struct Probe {
  /// Enters the fingerprint: what changes the node's content besides definition and inputs, e.g. a
  /// predict's model version. Empty = nothing.
  std::string identity;
  /// Why the node must run although its fingerprint is the same ("customers.csv grew by 12 rows");
  /// empty = nothing changed outside.
  std::string changed;
  /// Said when nothing changed: "3 files unchanged".
  std::string unchanged;
  /// Set when the node can't run at all now though nothing is wrong with it: it is skipped with
  /// this reason (a predict whose model has no champion).
  std::string blocked;
  /// The node keeps its content in spite of a changed fingerprint (a model whose retrain policy
  /// says not yet); the reason.
  std::string keep;
  /// What else must hold for changed inputs to matter, which only a run can see ("its inputs have
  /// drifted"): `plan` says so.
  std::string only_if;
  /// Of a source, set by the pipeline: the outside is as it was when its last build was rejected.
  bool repeats_rejection = false;
};

/// Everything a build may use. Lives for one call of Build.
struct BuildContext {
  const Project* project = nullptr;
  const Node* node = nullptr;
  std::string run;
  std::string target;
  store::Claim claim;
  const store::NodeState* state = nullptr;  ///< last commit, or null
  store::Store* store = nullptr;
  FileSystem* fs = nullptr;
  const Clock* clock = nullptr;
  Timestamp now = 0;  ///< read once a run; $run_time
  Budget* budget = nullptr;
  CancelToken cancel;
  data::Instances* instances = nullptr;
  data::SnapshotWriter* writer = nullptr;
  std::string warehouse;     ///< absolute
  std::string project_root;  ///< absolute
  std::string state_folder;  ///< absolute path of .headrace
  std::string build_id;
  std::string fingerprint;
  /// Snapshots of the tables the node reads, directly or through views, by node name.
  std::map<std::string, data::Snapshot> inputs;
  /// Of an incremental node: what to build, and the ids of its tables. Else null and empty.
  const IntervalPlan* interval_plan = nullptr;
  std::map<std::string, std::string> input_ids;
  /// Rows of the node that were set aside so far: NODE__quarantine; absent when there is none.
  std::optional<data::Snapshot> quarantine;
  data::Parameters parameters;          ///< the project's and $run_time, typed
  std::vector<std::string> aggregates;  ///< of the node's checks, for MaterializeRequest
  bool full = false;                    ///< forget cursors, read everything again
  /// Of a source in a run on a sample: the rows it keeps of those it reads.
  std::optional<data::RowSample> sample;
  bool sends = false;  ///< actions may send; else they record what they would have sent
  telemetry::NodeProgress* progress = nullptr;
  telemetry::EventSink* events = nullptr;
  Redactor* redactor = nullptr;

  /// A connection of the sealed instance (deterministic nodes: the one-thread one) on which every
  /// input is a temporary view of its name.
  Result<data::DuckConnection> ConnectInputs() const;
  /// SELECT * FROM an input, views inlined; for readers that take a table and not SQL. Its names
  /// resolve on a connection of ConnectInputs.
  Result<std::string> InputSql(const std::string& node) const;
  /// Rows of an input (a table or a view) as batches, in any order.
  Result<std::unique_ptr<data::BatchReader>> ReadInput(const std::string& node,
                                                       const data::ReadOptions& options) const;
  data::QueryOptions Query() const;  ///< with cancel and progress
};

/// What a build made. The pipeline judges checks, publishes and commits.
struct Outcome {
  std::string action = "build";  ///< build | reuse | retrain …
  std::string reason;            ///< replaces the plan's reason when not empty
  /// New rows, written and not yet visible.
  std::optional<data::PendingSnapshot> pending;
  /// The new snapshot consists of this one's files and the pending one's (appended rows).
  std::optional<data::Snapshot> append_to;
  /// The new rows were merged with those that are there: rows that stand aside stay there unless
  /// their key came again, or `replaces` is true for them. Implied by append_to.
  bool merged = false;
  /// Of merged rows: a SQL condition over the node's columns that is true for the old rows which
  /// this build made anew (a time range); rows in quarantine that it is true for are dropped.
  /// "" = none but those whose key came again.
  std::string replaces;
  std::optional<std::string> cursor;             ///< JSON, committed with the snapshot
  std::optional<store::ModelVersion> model;      ///< committed with the node
  std::optional<store::LedgerChange> intervals;  ///< of an incremental node
  std::string identity;        ///< of nodes without a snapshot (models): what consumers depend on
  int64_t rows = -1;           ///< rows read, sent or written, for people; -1 = none
  std::vector<Error> notes;    ///< warnings and hints: widened types, rows left out …
  std::string details = "{}";  ///< JSON object: further fields of the node_finished event
  /// Name and JSON object of events emitted before node_finished ("model", …).
  std::vector<std::pair<std::string, std::string>> events;
  /// The work is committed, yet the run must fail (a refused model, failed sends).
  std::optional<Error> failure;
};

/// One node's behaviour. Const after making; Build may run on any thread.
class Component {
 public:
  virtual ~Component() = default;
  virtual std::vector<InputRef> Inputs() const { return {}; }
  /// Adds faults; gives the columns of the node's table, nullopt when they can't be known now.
  virtual std::optional<data::Schema> Lint(const LintContext& context) const = 0;
  /// True for kinds that have a table (source, sql, predict).
  virtual bool HasTable() const = 0;
  /// A column whose NULLs are set aside in quarantine (a source's cursor: such a row has no place
  /// in its order); "" = none.
  virtual std::string CursorColumn() const { return ""; }
  /// Columns of a source's key.
  virtual std::vector<std::string> KeyColumns() const { return {}; }
  /// Names of connections used; part of the fingerprint by identity.
  virtual std::vector<std::string> Connections() const { return {}; }
  virtual Result<Probe> ProbeOutside(const ProbeContext& context) const {
    (void)context;
    return Probe{};
  }
  virtual Result<Outcome> Build(BuildContext& context) const = 0;
};

}  // namespace headrace::pipeline
