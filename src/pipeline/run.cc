#include "pipeline/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/id.h"
#include "headrace/version.h"
#include "pipeline/notify.h"
#include "pipeline/runner.h"
#include "pipeline/sweep.h"

namespace headrace::pipeline {
namespace {

/// Hands out nodes whose inputs are done, in topological order, to several threads.
class Scheduler {
 public:
  Scheduler(RunState& run, int threads) : run_(run), threads_(threads) {}

  std::vector<NodeResult> Execute() {
    const auto& nodes = run_.project->nodes();
    waiting_.resize(nodes.size());
    results_.resize(nodes.size());
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (!run_.selected[i]) continue;
      ++left_;
      for (int input : nodes[i].inputs) waiting_[i] += run_.selected[input] ? 1 : 0;
      if (waiting_[i] == 0) ready_.insert(static_cast<int>(i));
    }
    const int workers = std::clamp(threads_, 1, std::max(1, static_cast<int>(left_)));
    std::vector<std::thread> threads;
    for (int t = 1; t < workers; ++t) threads.emplace_back([this] { Work(); });
    Work();
    for (auto& thread : threads) thread.join();
    std::vector<NodeResult> done;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (run_.selected[i] && results_[i]) done.push_back(std::move(*results_[i]));
    }
    return done;
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return left_ == 0 || !ready_.empty(); });
      if (left_ == 0) return;
      const int index = *ready_.begin();
      ready_.erase(ready_.begin());
      lock.unlock();
      NodeResult result;
      if (run_.cancel.Cancelled()) {
        result = NotStarted(index);
      } else {
        result = RunNode(run_, index);
      }
      lock.lock();
      results_[index] = std::move(result);
      --left_;
      for (int output : run_.project->nodes()[index].outputs) {
        if (run_.selected[output] && --waiting_[output] == 0) ready_.insert(output);
      }
      if (left_ == 0 || ready_.size() > 0) changed_.notify_all();
    }
  }

  NodeResult NotStarted(int index) {
    const Node& node = run_.project->nodes()[index];
    NodeResult result;
    result.node = node.name;
    result.kind = node.kind;
    result.action = "skip";
    result.reason = "the run was stopped before it started";
    {
      std::lock_guard lock(run_.mutex);
      run_.failed[index] = 1;
    }
    Json fields;
    fields["node"] = node.name;
    fields["kind"] = node.kind;
    fields["action"] = "skip";
    fields["rows"] = Json();
    fields["seconds"] = 0.0;
    fields["snapshot"] = Json();
    fields["reason"] = result.reason;
    fields["error"] = Json();
    run_.services->events->Emit("node_finished", fields);
    return result;
  }

  RunState& run_;
  const int threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> ready_;
  std::vector<int> waiting_;
  std::vector<std::optional<NodeResult>> results_;
  size_t left_ = 0;
};

/// Committed state and identities of everything that is already there.
Status ReadCommitted(RunState& run) {
  HR_ASSIGN(auto states, run.services->store->ReadState(run.project->target()));
  for (auto& state : states) run.states[state.node] = std::move(state);
  HR_ASSIGN(run.borrowed, FindBorrowed(*run.project, run.services->store,
                                       run.services->reuse_warehouse, run.now, true));
  const auto& all = run.project->nodes();
  for (size_t i = 0; i < all.size(); ++i) {
    if (run.options->decide.full && run.selected[i]) run.borrowed.nodes.erase(all[i].name);
  }
  for (const std::string& node : run.borrowed.nodes) {
    run.states[node] = run.borrowed.there.at(node);
  }
  const auto& nodes = run.project->nodes();
  run.ids.assign(nodes.size(), std::nullopt);
  run.failed.assign(nodes.size(), 0);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (run.selected[i]) continue;
    if (nodes[i].view) {  // a view that is not selected is still read as it is written now
      InputIds inputs;
      bool known = true;
      for (int input : nodes[i].inputs) {
        if (!nodes[i].ReadsRowsOf(input)) continue;
        inputs[nodes[input].name] = run.ids[input];
        known = known && run.ids[input].has_value();
      }
      if (known) run.ids[i] = Fingerprint(*run.project, nodes[i], inputs, Probe{}, run.now);
      continue;
    }
    auto found = run.states.find(nodes[i].name);
    if (found != run.states.end() && !found->second.fingerprint.empty()) {
      run.ids[i] = ContentId(found->second);
    }
  }
  return Ok();
}

Status WarnStale(RunState& run, RunReport& report) {
  if (std::find(run.selected.begin(), run.selected.end(), false) == run.selected.end()) {
    return Ok();
  }
  PlanOptions options;
  options.now = run.now;
  options.reuse_warehouse = run.services->reuse_warehouse;
  HR_ASSIGN(auto plan, MakePlan(*run.project, run.services->store, *run.services->fs, options));
  std::map<std::string, const PlannedNode*> planned;
  for (const auto& node : plan) planned[node.node->name] = &node;
  std::set<int> warned;
  for (size_t i = 0; i < run.selected.size(); ++i) {
    if (!run.selected[i]) continue;
    for (int input : run.project->nodes()[i].inputs) {
      if (run.selected[input] || !run.ids[input] || !warned.insert(input).second) continue;
      const PlannedNode* above = planned[run.project->nodes()[input].name];
      if (above == nullptr || (above->decision.action != Action::kBuild &&
                               above->decision.action != Action::kIntervals)) {
        continue;
      }
      report.warnings.push_back(
          UserError("stale_input", "'" + above->node->name + "' is not selected and out of date (" +
                                       above->decision.reason + "); its last rows are used")
              .As(Severity::kWarning)
              .Node(above->node->name)
              .Hint("run it too: headrace run +" + run.project->nodes()[i].name));
    }
  }
  return Ok();
}

/// A range that holds no interval of any node is most often a wrong year, and the run looks fine.
void WarnNothingInRange(const RunState& run, RunReport& report) {
  const DecideOptions& decide = run.options->decide;
  if (!decide.from && !decide.to) return;
  const NodeResult* first = nullptr;
  for (const NodeResult& node : report.nodes) {
    const Node* known = run.project->FindNode(node.node);
    if (known->spec.common.materialize != spec::Materialize::kIncremental) continue;
    if (node.action != "reuse") return;
    if (first == nullptr) first = &node;
  }
  if (first == nullptr) return;
  report.warnings.push_back(
      UserError("no_intervals",
                "no interval of a selected node lies in the range of --from and --to")
          .As(Severity::kWarning)
          .Node(first->node)
          .Hint(fmt::format("'{}': {}", first->node, first->reason)));
}

Json NoteJson(const std::string& node, const Error& note) {
  return {{"node", node},
          {"severity", note.severity == Severity::kHint ? "hint" : "warning"},
          {"code", note.code},
          {"subject", note.subject},
          {"message", note.message}};
}

/// What the report of a run needs and no other record has: what nodes counted and noted.
void AddFacts(const RunReport& report, Json& json) {
  Json details = Json::object(), notes = Json::array();
  for (const Error& warning : report.warnings) notes.push_back(NoteJson("", warning));
  for (const auto& node : report.nodes) {
    for (const Error& note : node.notes) notes.push_back(NoteJson(node.node, note));
    auto own = ParseJson(node.details, "details");
    if (!own.ok() || !own->is_object()) continue;
    own->erase("model");  // stands in the model's package
    if (node.quarantined >= 0) (*own)["quarantined"] = node.quarantined;
    if (!own->empty()) details[node.node] = std::move(*own);
  }
  if (!details.empty()) json["details"] = std::move(details);
  if (!notes.empty()) json["notes"] = std::move(notes);
}

std::string Summary(const RunReport& report) {
  Json json;
  std::map<std::string, int> actions;
  for (const auto& node : report.nodes) ++actions[node.action];
  json["nodes"] = report.nodes.size();
  for (const auto& [action, count] : actions) json[action] = count;
  json["seconds"] = report.seconds;
  AddFacts(report, json);
  return DumpJson(json);
}

}  // namespace

Result<RunReport> Run(const Project& project, const RunServices& services,
                      const RunOptions& options) {
  const int64_t started = services.clock->MonotonicNanos();
  RunReport report;
  report.run = NewId(*services.clock);

  // One run per target at a time; the others wait here.
  store::LeaseOptions lease_options;
  lease_options.no_wait = options.no_wait;
  lease_options.on_wait = options.on_wait;
  lease_options.cancel = services.cancel;
  HR_ASSIGN(auto lease, services.store->AcquireLease(project.target(), report.run, lease_options));
  const store::Claim claim = lease->claim();

  store::RunRecord record;
  record.id = report.run;
  record.target = project.target();
  record.command = options.command;
  record.version = HEADRACE_VERSION;
  record.engine = project.target_settings().EngineName();
  record.started = services.clock->Now();
  Json params = Json::object();
  for (const auto& [name, value] : project.params()) params[name] = spec::ToJson(value.value);
  record.params = params.dump();
  HR_TRY(services.store->BeginRun(claim, record));

  // What dead runs left half-written goes first: a build may need the same names.
  HR_TRY(SweepLeftovers(claim, project.target(), services));

  Watchdog watchdog;
  RunState run;
  run.project = &project;
  run.services = &services;
  run.options = &options;
  run.claim = claim;
  run.run = report.run;
  run.now = record.started;
  run.watchdog = &watchdog;
  run.selected = options.selected;
  if (run.selected.empty()) run.selected.assign(project.nodes().size(), true);
  run.writer = std::make_unique<data::SnapshotWriter>(*services.fs, services.warehouse,
                                                      std::to_string(claim.epoch));
  CancelToken own = run.cancel;
  auto cancel_handle = services.cancel.OnCancel([own]() mutable { own.Cancel(); });
  HR_TRY(ReadCommitted(run));
  HR_TRY(WarnStale(run, report));

  Json begin;
  begin["run"] = report.run;
  begin["target"] = project.target();
  begin["nodes"] = std::count(run.selected.begin(), run.selected.end(), true);
  services.events->Emit("run_started", begin);
  services.progress->SetTotal(
      static_cast<int>(std::count(run.selected.begin(), run.selected.end(), true)));

  // More nodes at a time than threads: small nodes wait for the disk (syncs), which then serves
  // several at once. CPU work shares the threads of one DuckDB instance all the same.
  const int threads =
      options.threads > 0 ? options.threads : std::max(4, 2 * services.budget->threads());
  report.nodes = Scheduler(run, threads).Execute();

  if (run.fatal) {
    report.status = store::RunStatus::kFailed;
    report.exit_code = 1;
    NotifyFailures(project, services, report);
    return *run.fatal;
  }
  HR_TRY(services.store->RecordNodes(claim, run.records));
  WarnNothingInRange(run, report);
  bool failed = false;
  for (const auto& node : report.nodes) failed = failed || node.action == "fail" || node.error;
  const bool interrupted = services.cancel.Cancelled();
  report.status = interrupted ? store::RunStatus::kInterrupted
                  : failed    ? store::RunStatus::kFailed
                              : store::RunStatus::kDone;
  report.exit_code = interrupted ? 130 : failed ? 1 : 0;

  // Old snapshots go only after the new ones are committed. A failure here costs disk, not data.
  const config::RetentionFields& keep = project.target_settings().retention;
  if (run.built) {
    auto swept = Sweep(claim, services, store::Retention{keep.snapshots, keep.runs});
    if (!swept.ok()) report.warnings.push_back(Error(swept.error()).As(Severity::kWarning));
    auto pruned = services.store->PruneHistory(claim, keep.history);
    if (!pruned.ok()) report.warnings.push_back(Error(pruned.error()).As(Severity::kWarning));
  }
  (void)services.fs
      ->RemoveAll(JoinPath(JoinPath(services.warehouse, "tmp"), std::to_string(claim.epoch)))
      .ok();
  report.seconds = static_cast<double>(services.clock->MonotonicNanos() - started) / 1e9;
  HR_TRY(services.store->FinishRun(claim, report.run, report.status, Summary(report)));
  HR_TRY(lease->Release());
  if (options.write_page) report.page = options.write_page(report);

  NotifyFailures(project, services, report);

  Json end;
  end["run"] = report.run;
  end["status"] = std::string(store::Text(report.status));
  end["seconds"] = report.seconds;
  end["exit_code"] = report.exit_code;
  if (!report.page.empty()) end["report"] = report.page;
  services.events->Emit("run_finished", end);
  return report;
}

}  // namespace headrace::pipeline
