#pragma once
// A run: claims the target, walks the graph with several nodes at a time in one budget, commits
// each node by itself. Killed anywhere, the next run finds every finished node and nothing else.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/plan.h"
#include "pipeline/project.h"

namespace headrace::pipeline {

struct RunReport;

struct RunOptions {
  std::vector<bool> selected;  ///< by node index; empty = all
  std::string command;         ///< as typed, for the record
  DecideOptions decide;        ///< --full, --from, --to
  bool fail_fast = false;
  bool no_wait = false;
  int threads = 0;  ///< 0 = the budget's
  std::function<void(const store::LeaseHolder&)> on_wait;
  /// Called when everything is recorded, before run_finished: writes the page of the run and gives
  /// its path ("" = none). May add warnings.
  std::function<std::string(RunReport&)> write_page;
};

/// What the run needs from its engine. All must outlive the call.
struct RunServices {
  store::Store* store = nullptr;
  FileSystem* fs = nullptr;
  const Clock* clock = nullptr;
  Budget* budget = nullptr;
  data::Instances* instances = nullptr;
  telemetry::EventSink* events = nullptr;
  telemetry::Progress* progress = nullptr;
  Redactor* redactor = nullptr;
  CancelToken cancel;
  std::string warehouse;        ///< absolute
  std::string reuse_warehouse;  ///< of the target that `reuse_from:` names; "" = none
  std::string state_folder;     ///< absolute
};

/// One node's part of a run.
struct NodeResult {
  std::string node, kind;
  std::string action;  ///< build | intervals | reuse | check | retrain | skip | fail
  std::string reason;
  int64_t rows = -1;
  int64_t quarantined = -1;  ///< rows in NODE__quarantine; -1 = the node sets none aside
  double seconds = 0;
  std::string snapshot;
  std::optional<Error> error;
  std::vector<Error> notes;
  std::vector<store::Verdict> verdicts;
  std::string details = "{}";  ///< JSON object
};

struct RunReport {
  std::string run;
  store::RunStatus status = store::RunStatus::kDone;
  std::vector<NodeResult> nodes;  ///< in topological order; unselected ones are absent
  double seconds = 0;
  int exit_code = 0;  ///< 0, 1 or 130
  std::vector<Error> warnings;
  std::string page;  ///< path of the run's HTML report; "" = none was written
};

/// Errors only for what stops the run as a whole (target_busy, lease_lost, no_space of the store);
/// nodes that fail are in the report.
Result<RunReport> Run(const Project& project, const RunServices& services,
                      const RunOptions& options);

/// Deletes what no living snapshot needs: leftovers of dead epochs, snapshots beyond retention.
/// Holds the lease. Returns bytes freed.
Result<int64_t> Sweep(const store::Claim& claim, const RunServices& services,
                      const store::Retention& retention);

}  // namespace headrace::pipeline
