#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/instances.h"
#include "engine/engine.h"

namespace headrace::engine {

/// What an engine owns. Built step by step: a command that needs no DuckDB opens none.
struct Engine::State {
  EngineOptions options;
  FileSystem* fs = nullptr;
  const Clock* clock = nullptr;
  std::string root;          ///< of the project
  std::string state_folder;  ///< .headrace
  Redactor redactor;
  pipeline::Registry registry;
  CancelToken cancel;
  telemetry::NullSink no_events;
  telemetry::EventSink* events = nullptr;
  std::unique_ptr<telemetry::Progress> progress;
  std::unique_ptr<Budget> budget;
  std::unique_ptr<store::Store> store;
  std::vector<Error> findings;
  bool loaded = false;
  std::unique_ptr<pipeline::Project> project;
  std::unique_ptr<data::Instances> instances;

  /// The store; null when there is none yet and `create` is false.
  Result<store::Store*> OpenStore(bool create);
  /// Loads the project once. Findings stand in `findings`.
  Status Load();
  /// The project, or the first fault.
  Result<const pipeline::Project*> Ready();
  /// The same, but faults of single nodes don't matter: committed rows are read.
  Result<const pipeline::Project*> Readable();
  Status OpenInstances();
  std::string WarehouseOf(const config::Target& settings, const std::string& target) const;
  std::string Warehouse() const;
  /// Of the target that `reuse_from:` names; "" = none.
  std::string ReuseWarehouse() const;
  pipeline::RunServices Services();
  Result<std::vector<bool>> Select(const SelectOptions& selection);
  /// Writes the report of a run (engine_report.cc); the path. `latest`: as latest.html too.
  Result<std::string> WriteReport(const std::string& run, bool latest);
  /// The same at the end of a run: "" when nothing was done; a failure is a warning of the run.
  std::string ReportOf(pipeline::RunReport& run);
};

/// "churn@12" → {"churn", "12"}; "churn" → {"churn", "champion"}.
std::pair<std::string, std::string> SplitReference(const std::string& reference);

}  // namespace headrace::engine
