#include "engine/engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/id.h"
#include "components/builtins.h"
#include "config/sample.h"
#include "engine/engine_state.h"
#include "pipeline/select.h"
#include "pipeline/sweep.h"
#include "store/forget_target.h"

namespace headrace::engine {

bool LintReport::ok() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Error& e) { return e.severity == Severity::kError; });
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  auto state = std::make_unique<State>();
  state->fs = options.fs != nullptr ? options.fs : &RealFileSystem();
  state->clock = options.clock != nullptr ? options.clock : &SystemClock();
  HR_ASSIGN(state->root,
            config::FindProject(*state->fs, options.directory.empty() ? "." : options.directory));
  // Sealed instances and locks want the real, absolute path.
  if (char* real = realpath(state->root.c_str(), nullptr)) {
    state->root = real;
    std::free(real);
  }
  state->state_folder = JoinPath(state->root, ".headrace");
  state->options = std::move(options);
  state->events = &state->no_events;
  state->progress = std::make_unique<telemetry::Progress>(*state->clock);
  components::RegisterBuiltins(state->registry);
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

const std::string& Engine::project_root() const { return state_->root; }
Redactor& Engine::redactor() { return state_->redactor; }
telemetry::Progress& Engine::progress() { return *state_->progress; }
CancelToken Engine::cancel() const { return state_->cancel; }
void Engine::SetEvents(telemetry::EventSink* events) {
  state_->events = events != nullptr ? events : &state_->no_events;
}

Budget& Engine::budget() {
  if (state_->budget == nullptr) {
    int64_t memory = state_->options.memory_bytes;
    int threads = state_->options.threads;
    if (state_->project != nullptr) {
      const config::Target& target = state_->project->target_settings();
      if (threads == 0) threads = target.threads.value_or(0);
      if (memory == 0 && !target.memory.empty()) {
        auto bytes = ParseMemory(target.memory);
        if (bytes.ok()) memory = *bytes;
      }
    }
    Budget machine;
    state_->budget = std::make_unique<Budget>(memory > 0 ? memory : machine.memory_bytes(),
                                              threads > 0 ? threads : machine.threads());
  }
  return *state_->budget;
}

Result<store::Store*> Engine::State::OpenStore(bool create) {
  if (store != nullptr) return store.get();
  store::StoreOptions open;
  open.folder = state_folder;
  open.project = project != nullptr ? project->name() : "";
  open.create = create;
  open.fs = fs;
  open.clock = clock;
  open.redactor = &redactor;
  if (!create && !fs->Exists(JoinPath(state_folder, "store.db"))) return nullptr;
  HR_ASSIGN(store, store::OpenSqliteStore(open));
  return store.get();
}

Status Engine::State::Load() {
  if (loaded) return Ok();
  loaded = true;
  Diagnostics diagnostics;
  pipeline::ProjectOptions load;
  load.root = root;
  load.target = options.target;
  load.params = options.params;
  load.sample = options.sample;
  load.registry = &registry;
  load.fs = fs;
  load.redactor = &redactor;
  load.environment = options.environment;
  // A checkout that may not be written to is linted all the same, without a cache.
  load.cache_folder = JoinPath(state_folder, "cache");
  // The columns that sources had last are asked for only when lint can't see them otherwise.
  std::optional<std::map<std::string, data::Schema>> schemas;
  load.last_schema = [&](const std::string& node) -> std::optional<data::Schema> {
    if (!schemas) {
      schemas.emplace();
      auto opened = OpenStore(false);
      if (opened.ok() && *opened != nullptr) {
        std::string from = options.target.empty() ? "dev" : options.target;
        if (options.sample > 0) from = config::SampleState(from, options.sample);
        auto states = (*opened)->ReadState(from);
        if (states.ok()) {
          for (const auto& state : *states) {
            if (!state.snapshot) continue;
            auto json = ParseJson(state.snapshot->schema, "schema");
            if (!json.ok()) continue;
            auto schema = data::SchemaFromJson(*json);
            if (schema.ok()) (*schemas)[state.node] = std::move(*schema);
          }
        }
      }
    }
    auto found = schemas->find(node);
    if (found == schemas->end()) return std::nullopt;
    return found->second;
  };
  project = pipeline::Project::Load(load, diagnostics);
  store.reset();  // it was opened without the project's name, which enters idempotency keys
  for (const Error& finding : diagnostics.all()) findings.push_back(redactor.Redact(finding));
  return Ok();
}

Result<const pipeline::Project*> Engine::State::Ready() {
  HR_TRY(Load());
  for (const Error& finding : findings) {
    if (finding.severity == Severity::kError) return finding;
  }
  return project.get();
}

Result<const pipeline::Project*> Engine::State::Readable() {
  HR_TRY(Load());
  for (const Error& finding : findings) {
    const bool of_node = !finding.place.node.empty() ||
                         (!finding.place.file.empty() && finding.place.file != "headrace.yml");
    const bool blocks = project == nullptr || !of_node || finding.code == "cycle";
    if (finding.severity == Severity::kError && blocks) return finding;
  }
  return project.get();
}

/// Each target has a folder of its own in its warehouse.
std::string Engine::State::WarehouseOf(const config::Target& settings,
                                       const std::string& target) const {
  const std::string& set = settings.warehouse;
  return JoinPath(set.empty() ? state_folder : JoinPath(root, set), target);
}

std::string Engine::State::Warehouse() const {
  return WarehouseOf(project->target_settings(), project->target());
}

std::string Engine::State::ReuseWarehouse() const {
  const std::string& from = project->target_settings().reuse_from;
  return from.empty() ? "" : WarehouseOf(project->reuse_target_settings(), from);
}

Status Engine::State::OpenInstances() {
  if (instances != nullptr) return Ok();
  const std::string& set = project->target_settings().warehouse;
  if (set.find("://") != std::string::npos) {
    return UserError("not_built", "a warehouse at '" + set + "' is not built yet")
        .Hint("name a folder, or leave 'warehouse:' out to use .headrace/");
  }
  HR_TRY(fs->CreateDirectories(Warehouse()));
  const std::string spill = JoinPath(Warehouse(), "spill");
  HR_TRY(fs->CreateDirectories(spill));
  data::InstancesOptions open;
  open.temp_directory = spill;
  open.allowed_directories = {Warehouse()};
  if (const std::string reuse = ReuseWarehouse(); !reuse.empty()) {
    HR_TRY(fs->CreateDirectories(reuse));  // DuckDB wants folders that exist
    open.allowed_directories.push_back(reuse);
  }
  instances = std::make_unique<data::Instances>(*budget, std::move(open));
  return Ok();
}

pipeline::RunServices Engine::State::Services() {
  pipeline::RunServices services;
  services.store = store.get();
  services.fs = fs;
  services.clock = clock;
  services.budget = budget.get();
  services.instances = instances.get();
  services.events = events;
  services.progress = progress.get();
  services.redactor = &redactor;
  services.cancel = cancel;
  services.warehouse = Warehouse();
  services.reuse_warehouse = ReuseWarehouse();
  services.state_folder = state_folder;
  return services;
}

LintReport Engine::Lint() {
  LintReport report;
  if (Status status = state_->Load(); !status.ok()) {
    report.findings.push_back(status.error());
    return report;
  }
  report.findings = state_->findings;
  report.readable = state_->Readable().ok();
  if (state_->project != nullptr) {
    report.nodes = state_->project->nodes().size();
    report.not_checked = state_->project->not_checked();
  }
  return report;
}

Result<const pipeline::Project*> Engine::LoadedProject(std::vector<Error>* findings) {
  HR_TRY(state_->Load());
  if (findings != nullptr) *findings = state_->findings;
  return state_->Ready();
}

Result<std::vector<bool>> Engine::State::Select(const SelectOptions& selection) {
  if (selection.select.empty() && selection.exclude.empty()) {
    return std::vector<bool>(project->nodes().size(), true);
  }
  pipeline::SelectFacts facts;
  std::map<std::string, store::NodeState> states;
  std::map<std::string, std::string> last;
  HR_ASSIGN(store::Store * opened, OpenStore(false));
  if (opened != nullptr) {
    HR_ASSIGN(auto all, opened->ReadState(project->target()));
    for (auto& state : all) states[state.node] = std::move(state);
    HR_ASSIGN(auto runs, opened->ListRuns(project->target(), 1));
    if (!runs.empty()) {
      HR_ASSIGN(auto nodes, opened->ReadRunNodes(project->target(), runs.front().id));
      for (const auto& node : nodes) last[node.node] = node.action;
    }
    facts.modified = [&](const pipeline::Node& node) {
      auto found = states.find(node.name);
      return found == states.end() ||
             found->second.definition_digest != store::DefinitionDigest(node.definition) ||
             found->second.checks_digest != store::DefinitionDigest(node.checks_definition);
    };
    facts.failed_last_run = [&](const pipeline::Node& node) {
      auto found = last.find(node.name);
      return found != last.end() && found->second == "fail";
    };
  }
  return pipeline::SelectNodes(*project, selection.select, selection.exclude, facts);
}

namespace {

/// A range of time that no selected node has would silently do nothing.
Status CheckRange(const pipeline::Project& project, const std::vector<bool>& selected,
                  const pipeline::DecideOptions& decide) {
  if (!decide.from && !decide.to) return Ok();
  for (size_t i = 0; i < selected.size(); ++i) {
    const auto& materialize = project.nodes()[i].spec.common.materialize;
    if (selected[i] && materialize == spec::Materialize::kIncremental) return Ok();
  }
  return UserError("no_intervals", "--from and --to build intervals, but no selected node has any")
      .Hint("select a node with `materialize: incremental`, or leave --from and --to out");
}

}  // namespace

Result<std::vector<pipeline::PlannedNode>> Engine::Plan(const SelectOptions& selection,
                                                        const pipeline::DecideOptions& decide) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  pipeline::PlanOptions plan;
  HR_ASSIGN(plan.selected, state_->Select(selection));
  HR_TRY(CheckRange(*project, plan.selected, decide));
  plan.decide = decide;
  plan.decide.warehouse = state_->Warehouse();
  plan.now = state_->clock->Now();
  plan.reuse_warehouse = state_->ReuseWarehouse();
  return pipeline::MakePlan(*project, store, *state_->fs, plan);
}

Result<pipeline::RunReport> Engine::Run(const RunRequest& request) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_TRY(state_->OpenStore(true));
  budget();
  HR_TRY(state_->OpenInstances());
  pipeline::RunOptions run;
  HR_ASSIGN(run.selected, state_->Select(request.selection));
  HR_TRY(CheckRange(*project, run.selected, request.decide));
  run.command = request.command;
  run.decide = request.decide;
  run.fail_fast = request.fail_fast;
  run.no_wait = request.no_wait;
  run.on_wait = request.on_wait;
  run.write_page = [this](pipeline::RunReport& report) { return state_->ReportOf(report); };
  auto report = pipeline::Run(*project, state_->Services(), run);
  if (!report.ok()) return state_->redactor.Redact(std::move(report).error());
  return report;
}

Result<std::vector<store::RunRecord>> Engine::Runs(int n) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  if (store == nullptr) return std::vector<store::RunRecord>{};
  return store->ListRuns(project->target(), n);
}

Result<std::vector<store::SendRecord>> Engine::Sends(const std::string& action, int n) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  if (store == nullptr) return std::vector<store::SendRecord>{};
  return store->ListSends(project->target(), action, std::nullopt, n);
}

Result<CleanReport> Engine::Clean(bool all) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  CleanReport report;
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  FileSystem& fs = *state_->fs;
  if (store == nullptr) return report;
  budget();
  store::LeaseOptions lease_options;
  lease_options.cancel = state_->cancel;
  HR_ASSIGN(auto lease,
            store->AcquireLease(project->target(), NewId(*state_->clock), lease_options));
  if (!all) {
    pipeline::RunServices services = state_->Services();
    const config::RetentionFields& keep = project->target_settings().retention;
    HR_TRY(pipeline::SweepEverythingLeft(lease->claim(), project->target(), services));
    HR_ASSIGN(report.bytes_freed,
              pipeline::Sweep(lease->claim(), services, {keep.snapshots, keep.runs}));
    report.removed.push_back("snapshots that nothing needs any more");
  }
  const std::string cache = JoinPath(state_->state_folder, "cache");
  if (fs.Exists(cache)) {
    HR_TRY(fs.RemoveAll(cache));
    report.removed.push_back("what lint remembered");
  }
  if (all) {
    // Rows first: a target without a store is a target that never ran; its folders are leftovers.
    HR_ASSIGN(const bool others, store::ForgetTarget(state_->state_folder, lease->claim()));
    HR_TRY(lease->Release());
    lease.reset();
    state_->store.reset();
    if (!others) {
      for (const char* name : {"store.db", "store.db-wal", "store.db-shm"}) {
        HR_TRY(fs.Remove(JoinPath(state_->state_folder, name)));
      }
      HR_TRY(fs.RemoveAll(JoinPath(state_->state_folder, "lease")));
    }
    HR_TRY(fs.RemoveAll(state_->Warehouse()));
    report.removed.push_back("all snapshots, models, runs and sends");
  }
  return report;
}

}  // namespace headrace::engine
