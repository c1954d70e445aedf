#pragma once
// Engine: owns registry, store, DuckDB instances, budget and clock of one project. Every capability
// is a call here first, a command second. Two engines in one process work.
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
#include "base/redact.h"
#include "data/value.h"
#include "learn/compare_versions.h"
#include "pipeline/plan.h"
#include "pipeline/project.h"
#include "pipeline/registry.h"
#include "pipeline/run.h"
#include "store/store.h"
#include "telemetry/event.h"
#include "telemetry/progress.h"

namespace headrace::engine {

struct EngineOptions {
  std::string directory;            ///< where to look for headrace.yml, upwards; "" = current
  std::string target;               ///< "" = default
  std::vector<std::string> params;  ///< "k=v"
  int64_t sample = 0;        ///< millionths of the sources' rows, in a state of its own; 0 = all
  int threads = 0;           ///< 0 = target's setting, else the machine's
  int64_t memory_bytes = 0;  ///< 0 = target's setting, else 80 % of the machine's
  std::map<std::string, std::string> environment;
  FileSystem* fs = nullptr;      ///< default RealFileSystem()
  const Clock* clock = nullptr;  ///< default SystemClock()
};

struct SelectOptions {
  std::vector<std::string> select, exclude;
};

/// What `lint` found.
struct LintReport {
  std::vector<Error> findings;  ///< sorted; errors, warnings, hints
  size_t nodes = 0;
  std::vector<std::string> not_checked;
  bool ok() const;
  /// What is committed can be read: no fault in headrace.yml, no circle of nodes.
  bool readable = false;
};

struct RunRequest {
  SelectOptions selection;
  std::string command;             ///< as typed
  pipeline::DecideOptions decide;  ///< --full, --from, --to
  bool fail_fast = false, no_wait = false;
  std::function<void(const store::LeaseHolder&)> on_wait;
};

/// A node as `list` shows it.
struct NodeSummary {
  std::string name, kind, type, file, owner, description;
  std::vector<std::string> tags, inputs;
  std::string materialize;  ///< table | view | incremental, "" for kinds without a table
  int64_t rows = -1;        ///< of the current snapshot
  Timestamp committed = 0;  ///< 0 = never
};

/// A node as `show` shows it.
struct NodeDetails {
  NodeSummary summary;
  std::vector<std::string> outputs;
  std::optional<data::Schema> schema;
  std::map<std::string, std::string> column_descriptions;
  std::vector<std::pair<std::string, std::string>> fields;  ///< options as given, secrets masked
  struct CheckLine {
    std::string id, severity, definition;
    std::optional<store::Verdict> verdict;  ///< of the last run
  };
  std::vector<CheckLine> checks;
  /// The last commits with verdicts, newest first; then those of singular checks about the node.
  std::vector<store::CommitRecord> history;
  std::optional<store::SnapshotRecord> quarantine;  ///< NODE__quarantine
  std::optional<store::SnapshotRecord> snapshot;    ///< with profile and manifest
  std::optional<store::Rejection> rejection;
  std::vector<store::IntervalRecord> intervals;  ///< of an incremental node, by time
  std::vector<store::NodeRun> runs;              ///< newest first, 10
  std::vector<store::ModelVersion> versions;
  std::vector<store::ModelAlias> aliases;
  std::vector<store::SendRecord> sends;  ///< newest 20
  std::string sql;
};

struct ModelDetails {
  store::ModelVersion version;
  std::vector<std::string> aliases;
  bool pinned = false;
  std::string report;  ///< JSON of the package: split, leaderboard, gates, findings
  std::string card;    ///< Markdown
  std::vector<store::ModelMove> moves;
};

struct ModelComparison {
  store::ModelVersion a, b;
  learn::VersionComparison result;  ///< b against a
};

struct CleanReport {
  int64_t bytes_freed = 0;
  std::vector<std::string> removed;  ///< for people
};

struct DoctorLine {
  std::string what;  ///< "DuckDB", "LightGBM", "store" …
  bool ok = true;
  std::string detail;  ///< version, path, or what is missing
  std::string remedy;  ///< the command that helps; "" when ok
};

/// Calls block; one at a time per engine but for Cancel, which any thread may call. Errors with
/// blame user for a wrong project carry the first fault; use Lint for all.
class Engine {
 public:
  /// Finds the project; reads nothing else. Error "no_project".
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);
  ~Engine();

  const std::string& project_root() const;
  Redactor& redactor();
  Budget& budget();
  telemetry::Progress& progress();
  void SetEvents(telemetry::EventSink* events);  ///< not owned; before a command
  CancelToken cancel() const;                    ///< cancel it to stop the running command

  /// Loads (once) and checks everything; opens no network.
  LintReport Lint();
  /// The loaded project, or the faults that keep it from running.
  Result<const pipeline::Project*> LoadedProject(std::vector<Error>* findings);

  Result<std::vector<pipeline::PlannedNode>> Plan(const SelectOptions& selection,
                                                  const pipeline::DecideOptions& decide);
  Result<pipeline::RunReport> Run(const RunRequest& request);
  /// Writes the page of a run ("" = the last one) again, from the store; its path. Errors
  /// "no_runs", "unknown_run".
  Result<std::string> Report(const std::string& run);
  Result<std::vector<NodeSummary>> List(const SelectOptions& selection);
  Result<NodeDetails> Show(const std::string& node);
  /// Read-only SQL over the current snapshots and views of the target (`at_run`: as that run left
  /// them). The rows come in batches.
  Result<std::unique_ptr<data::BatchReader>> Query(const std::string& sql,
                                                   const std::string& at_run);
  /// The same, written by DuckDB to a file of that format (csv | json | parquet) and returned as
  /// bytes in `path`. For big results.
  Status QueryToFile(const std::string& sql, const std::string& at_run, const std::string& format,
                     const std::string& path);

  /// Runs tests/*.yml; `select`: names of tests or of the nodes they test, with * and ?, or paths
  /// of files; empty = all. `update` writes into the files what came out. Error "no_tests".
  Result<std::vector<pipeline::UserTestResult>> Test(const std::vector<std::string>& select,
                                                     bool update);

  Result<std::vector<store::ModelVersion>> Models(const std::string& model);
  Result<std::vector<store::ModelAlias>> Aliases(const std::string& model);
  /// `reference`: "churn", "churn@champion", "churn@12".
  Result<ModelDetails> ShowModel(const std::string& reference);
  /// Two versions (numbers or aliases) on the same rows; "" = the champion, and the newest other.
  Result<ModelComparison> CompareModels(const std::string& model, const std::string& a,
                                        const std::string& b);
  Status Promote(const std::string& reference, const std::string& why);
  Result<int> Rollback(const std::string& model, int version, const std::string& why);

  /// Removes what can be rebuilt; `all`: everything, models, sends and source history too.
  Result<CleanReport> Clean(bool all);
  Result<std::vector<store::RunRecord>> Runs(int n);
  /// Sends of an action, newest first.
  Result<std::vector<store::SendRecord>> Sends(const std::string& action, int n);

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What is installed and what is missing. `directory` inside a project checks its store too.
std::vector<DoctorLine> Doctor(const std::string& directory);

/// Writes an embedded example (or the empty skeleton for "") into a folder that is new or empty.
/// Errors "unknown_example" with candidates, "not_empty".
Result<std::vector<std::string>> InitProject(FileSystem& fs, const std::string& directory,
                                             const std::string& example);
std::vector<std::string> ExampleNames();

}  // namespace headrace::engine
