#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/crash_point.h"
#include "base/id.h"
#include "base/number_text.h"
#include "data/merge.h"
#include "data/quote.h"
#include "data/time_ranges.h"
#include "pipeline/build_context.h"
#include "pipeline/interval_plan.h"
#include "pipeline/interval_rules.h"
#include "pipeline/runner.h"
#include "pipeline/verdicts.h"

namespace headrace::pipeline {
namespace {

std::string VerdictText(store::VerdictStatus status) { return std::string(store::Text(status)); }

/// One node of a run, from decision to commit.
class NodeBuilder {
 public:
  NodeBuilder(RunState& run, int index)
      : run_(run), index_(index), node_(run.project->nodes()[index]) {
    result_.node = node_.name;
    result_.kind = node_.kind;
  }

  NodeResult Do();

 private:
  bool CollectInputs();
  bool Decide();
  void Act();
  Status Check();
  Status Build();
  Status BuildOnce();
  Status ReuseEarlier(const store::SnapshotRecord& record);
  Status PassIntervals();
  Result<std::string> TouchedBy(const data::Snapshot& snapshot);
  Status FillContext(BuildContext& context);
  void FillSample(BuildContext& context) const;
  Status Judge(BuildContext& context, Outcome& outcome, const data::Snapshot* combined);
  Status JudgeRows(BuildContext& context, const std::string& relation, int64_t rows,
                   std::optional<std::vector<data::Value>> values);
  bool AsksTime() const;
  Status JudgeTime();
  Status SetAside(BuildContext& context, Outcome& outcome);
  Status SplitAgain(BuildContext& context, const data::Snapshot& snapshot,
                    std::optional<data::PendingSnapshot>& clean);
  Status PublishAside(const store::NodeCommit& commit);
  Status JudgeView(BuildContext& context);
  Status Commit(store::NodeCommit commit);
  store::NodeCommit NewCommit(const std::string& action) const;
  store::NodeRecord Record(const std::string& action) const;
  void Skip(std::string reason);
  void Fail(Error error);
  void Finish();
  double Seconds() const;

  RunState& run_;
  const int index_;
  const Node& node_;
  NodeResult result_;
  const store::NodeState* state_ = nullptr;
  std::optional<store::NodeState> state_copy_;
  InputIds inputs_;
  InputIds check_inputs_;       ///< of nodes that only checks read
  std::optional<Split> split_;  ///< rows that were set aside by this build
  std::optional<store::NodeCommit> aside_commit_;
  Decision decision_;
  std::string identity_;  ///< of nodes without a snapshot
  int64_t started_ns_ = 0;
  Timestamp started_ = 0;
  CancelToken cancel_;
  std::shared_ptr<telemetry::NodeProgress> progress_;
};

NodeResult NodeBuilder::Do() {
  const RunServices& services = *run_.services;
  started_ns_ = services.clock->MonotonicNanos();
  started_ = services.clock->Now();
  {
    std::lock_guard lock(run_.mutex);
    auto found = run_.states.find(node_.name);
    if (found != run_.states.end()) state_copy_ = found->second;
  }
  state_ = state_copy_ ? &*state_copy_ : nullptr;
  if (CollectInputs() && Decide()) Act();
  Finish();
  return std::move(result_);
}

/// False when the node can't run because of a node above.
bool NodeBuilder::CollectInputs() {
  std::lock_guard lock(run_.mutex);
  for (int input : node_.inputs) {
    const Node& above = run_.project->nodes()[input];
    const bool selected = run_.selected[input];
    if (above.kind == "check") {
      const auto state = run_.states.find(above.name);
      const bool rejected = state != run_.states.end() && state->second.rejection.has_value();
      if (selected ? run_.failed[input] != 0 : rejected) {
        Skip("check " + above.name + " failed");
        return false;
      }
      continue;
    }
    if (run_.failed[input] && above.spec.common.on_failure.then != spec::OnFailure::kUseLast) {
      // A model that was refused but has a champion counts as done; see RunNode's Finish.
      Skip(above.name + (selected ? " failed or was skipped" : " was never built"));
      return false;
    }
    if (!run_.ids[input].has_value() || run_.ids[input]->empty()) {
      if (!selected && node_.kind == "check") {
        Skip(above.name + " has nothing to read yet");
        return false;
      }
      if (!selected) {
        Fail(UserError("never_built", "'" + node_.name + "' reads '" + above.name +
                                          "', which is not selected and was never built")
                 .Node(node_.name)
                 .Hint("run it with what stands above it: headrace run +" + node_.name));
        return false;
      }
      if (above.kind != "model") {
        Skip(above.name + " has nothing to read yet");
        return false;
      }
    }
    (node_.ReadsRowsOf(input) ? inputs_ : check_inputs_)[above.name] = run_.ids[input].value_or("");
  }
  if (node_.intervals) inputs_ = IntervalInputs(*run_.project, node_, run_.ids);
  return true;
}

bool NodeBuilder::Decide() {
  if (run_.borrowed.Has(node_.name)) {
    decision_.action = Action::kReuse;
    decision_.reason = run_.borrowed.Reason();
    result_.reason = decision_.reason;
    return true;
  }
  if (node_.unexpanded) {
    Fail(*node_.unexpanded);
    return false;
  }
  const RunServices& services = *run_.services;
  ProbeContext context;
  context.project = run_.project;
  context.node = &node_;
  context.state = state_;
  context.store = services.store;
  context.target = run_.project->target();
  context.fs = services.fs;
  context.now = run_.now;
  context.sends = run_.project->Sends();
  std::map<std::string, store::NodeState> others;
  context.state_of = [&](const std::string& name) -> const store::NodeState* {
    std::lock_guard lock(run_.mutex);
    auto found = run_.states.find(name);
    if (found == run_.states.end()) return nullptr;
    return &(others[name] = found->second);
  };
  DecideOptions decide = run_.options->decide;
  decide.check_inputs = check_inputs_;
  decide.warehouse = services.warehouse;
  auto asked = AskNode(context, inputs_, decide, &run_.borrowed);
  if (!asked.ok()) {
    Fail(std::move(asked).error());
    return false;
  }
  decision_ = std::move(asked->decision);
  result_.reason = decision_.reason;
  return true;
}

void NodeBuilder::Act() {
  switch (decision_.action) {
    case Action::kReuse: {
      result_.action = "reuse";
      if (decision_.earlier || decision_.intervals) {
        Status status = decision_.earlier ? ReuseEarlier(*decision_.earlier) : PassIntervals();
        if (!status.ok()) Fail(std::move(status).error());
        if (!status.ok() || decision_.earlier) return;
      }
      if (state_->snapshot) {
        result_.rows = state_->snapshot->rows;
        result_.snapshot = state_->snapshot->id;
      }
      if (AsksTime()) {
        Status judged = JudgeTime();
        if (!judged.ok()) Fail(std::move(judged).error());
      }
      return;
    }
    case Action::kSkip:
      Skip(decision_.reason);
      return;
    case Action::kFail: {
      const auto& rejection = *state_->rejection;
      result_.verdicts = rejection.verdicts;
      result_.snapshot = rejection.snapshot;
      Fail(CheckError(node_, rejection.verdicts));
      result_.reason = decision_.reason;
      return;
    }
    case Action::kCheck:
    case Action::kBuild:
    case Action::kIntervals:
      break;
  }
  const RunServices& services = *run_.services;
  Json fields;
  fields["node"] = node_.name;
  fields["kind"] = node_.kind;
  fields["action"] = Name(decision_.action);
  fields["reason"] = decision_.reason;
  services.events->Emit("node_started", fields);
  progress_ = services.progress->Start(node_.name, node_.kind);
  Status status = decision_.action == Action::kCheck ? Check() : Build();
  if (!status.ok()) Fail(std::move(status).error());
}

store::NodeRecord NodeBuilder::Record(const std::string& action) const {
  store::NodeRecord record;
  record.run = run_.run;
  record.node = node_.name;
  record.kind = node_.kind;
  record.action = action;
  record.reason = result_.reason;
  record.rows = result_.rows;
  record.seconds = Seconds();
  record.snapshot = result_.snapshot;
  if (result_.error) record.error = ErrorToJson(*result_.error);
  record.started = started_;
  record.finished = run_.services->clock->Now();
  return record;
}

store::NodeCommit NodeBuilder::NewCommit(const std::string& action) const {
  store::NodeCommit commit;
  commit.node = node_.name;
  commit.kind = node_.kind;
  commit.run = run_.run;
  commit.action = action;
  commit.fingerprint = decision_.fingerprint;
  commit.definition = node_.definition;
  commit.checks_definition = node_.checks_definition;
  for (const auto& [name, id] : inputs_) commit.inputs[name] = id.value_or("");
  for (const auto& [name, id] : check_inputs_) {
    commit.inputs[kCheckInputKey + name] = id.value_or("");
  }
  return commit;
}

Status NodeBuilder::Commit(store::NodeCommit commit) {
  if (!identity_.empty()) commit.inputs[kIdentityKey] = identity_;
  commit.record = Record(commit.rejected ? "fail" : commit.action);
  std::vector<store::NodeCommit> commits = {commit};
  std::optional<store::NodeState> aside;
  if (aside_commit_ && !commit.rejected) commits.push_back(*aside_commit_);
  HR_TRY(run_.services->store->CommitNodes(run_.claim, commits));
  HR_ASSIGN(auto state, run_.services->store->ReadNode(run_.project->target(), node_.name));
  if (commits.size() > 1) {
    HR_ASSIGN(aside, run_.services->store->ReadNode(run_.project->target(), commits[1].node));
  }
  std::lock_guard lock(run_.mutex);
  if (aside) run_.states[aside->node] = std::move(*aside);
  if (state) {
    run_.states[node_.name] = *state;
    state_copy_ = std::move(*state);
    state_ = &*state_copy_;
  }
  if (commit.snapshot && !commit.rejected) run_.built = true;
  return Ok();
}

void NodeBuilder::FillSample(BuildContext& context) const {
  if (run_.project->sample() == 0 || node_.kind != "source") return;
  // How a source is sampled is none of its definition to its own cursor.
  if (state_ == nullptr || state_->definition_digest != store::DefinitionDigest(node_.definition)) {
    context.full = true;
  }
  if (!node_.common().sample) return;
  data::RowSample sample{run_.project->sample(), node_.SampleColumn()};
  // A row may come again with another value there: then it leaves the sample, but nothing that is
  // newly read says so.
  const auto key = node_.component->KeyColumns();
  const bool in_key = std::any_of(key.begin(), key.end(), [&](const std::string& column) {
    return data::SameName(column, sample.column);
  });
  if (!key.empty() && !in_key) context.full = true;
  context.sample = std::move(sample);
}

Status NodeBuilder::FillContext(BuildContext& context) {
  const RunServices& services = *run_.services;
  context.project = run_.project;
  context.node = &node_;
  context.run = run_.run;
  context.target = run_.project->target();
  context.claim = run_.claim;
  context.state = state_;
  context.store = services.store;
  context.fs = services.fs;
  context.clock = services.clock;
  context.now = run_.now;
  context.budget = services.budget;
  context.cancel = cancel_;
  context.instances = services.instances;
  context.writer = run_.writer.get();
  context.warehouse = services.warehouse;
  context.project_root = run_.project->root();
  context.state_folder = services.state_folder;
  context.build_id = NewId(*services.clock);
  context.fingerprint = decision_.fingerprint;
  context.parameters = run_.project->Parameters(run_.now);
  if (ChecksAreSimple(node_)) context.aggregates = CheckAggregates(node_, "");
  context.full = run_.options->decide.full || decision_.lost;
  FillSample(context);
  context.sends = run_.project->Sends();
  context.progress = progress_.get();
  context.events = services.events;
  context.redactor = services.redactor;
  if (node_.intervals) {
    context.interval_plan = decision_.intervals.get();
    for (const auto& [name, id] : inputs_) context.input_ids[name] = id.value_or("");
  }
  std::lock_guard lock(run_.mutex);
  const auto aside = run_.states.find(QuarantineOf(node_.name));
  if (aside != run_.states.end() && aside->second.snapshot) {
    HR_ASSIGN(context.quarantine, SnapshotOf(aside->first, *aside->second.snapshot));
  }
  for (int index : run_.project->TableInputs(node_)) {
    const std::string& name = run_.project->nodes()[index].name;
    auto found = run_.snapshots.find(name);
    if (found == run_.snapshots.end()) {
      auto state = run_.states.find(name);
      if (state == run_.states.end() || !state->second.snapshot) {
        return UserError("never_built", "'" + name + "' was never built").Node(node_.name);
      }
      HR_ASSIGN(data::Snapshot snapshot, SnapshotOf(name, *state->second.snapshot));
      found = run_.snapshots.emplace(name, std::move(snapshot)).first;
    }
    context.inputs.emplace(name, found->second);
  }
  return Ok();
}

/// Only the checks changed: they run on the rows that are there.
Status NodeBuilder::Check() {
  BuildContext context;
  cancel_ = run_.cancel;
  HR_TRY(FillContext(context));
  result_.action = "check";
  if (node_.view || node_.kind == "check") return JudgeView(context);
  HR_ASSIGN(data::Snapshot snapshot, SnapshotOf(node_.name, *state_->snapshot));
  store::NodeCommit commit = NewCommit("check");
  std::optional<data::PendingSnapshot> clean;
  HR_TRY(SplitAgain(context, snapshot, clean));
  std::string relation = "(" + data::ReadSnapshotSql(context.warehouse, snapshot) + ")";
  if (clean) {
    relation = "(" + data::ReadSnapshotSql(clean->folder(), clean->staged()) + ")";
    snapshot = clean->snapshot();
  }
  result_.rows = snapshot.rows;
  result_.snapshot = snapshot.id;
  HR_TRY(JudgeRows(context, relation, snapshot.rows, std::nullopt));
  commit.verdicts = result_.verdicts;
  commit.rejected = Rejected(commit.verdicts);
  const bool rejected = commit.rejected;
  if (!rejected) {
    if (clean) {
      HR_TRY(run_.writer->Publish(std::move(*clean)));
      commit.snapshot = RecordOf(snapshot);
    }
    HR_TRY(PublishAside(commit));
  }
  HR_TRY(Commit(std::move(commit)));
  if (rejected) return CheckError(node_, result_.verdicts);
  if (clean) {
    std::lock_guard lock(run_.mutex);
    run_.snapshots[node_.name] = std::move(snapshot);
  }
  return Ok();
}

Status NodeBuilder::JudgeView(BuildContext& context) {
  store::NodeCommit commit = NewCommit(result_.action);
  if (!node_.checks.empty()) {
    HR_ASSIGN(CheckScope scope, OpenCheckScope(context));
    HR_ASSIGN(std::string text, context.InputSql(node_.name));
    for (auto& own : UsedParameters(*run_.project, node_, context.parameters)) {
      const bool there = std::any_of(scope.parameters.begin(), scope.parameters.end(),
                                     [&](const auto& other) { return other.name == own.name; });
      if (!there) scope.parameters.push_back(std::move(own));
    }
    const std::string relation = "(" + text + "\n)";
    std::vector<std::string> aggregates = CheckAggregates(node_, relation);
    aggregates.insert(aggregates.begin(), "count(*)");
    HR_ASSIGN(auto values, EvaluateChecks(scope, relation, aggregates, context.Query()));
    result_.rows = values.front().AsInt64();
    JudgeRequest request;
    request.node = &node_;
    request.values = std::span(values).subspan(1);
    request.facts.rows = result_.rows;
    request.facts.now = run_.now;
    request.scope = &scope;
    request.relation = relation;
    result_.verdicts = JudgeChecks(request);
    commit.verdicts = result_.verdicts;
    commit.rejected = Rejected(commit.verdicts);
  }
  HR_TRY(Commit(std::move(commit)));
  if (Rejected(result_.verdicts)) return CheckError(node_, result_.verdicts);
  return Ok();
}

Status NodeBuilder::Build() {
  result_.action = "build";
  const int attempts = 1 + std::max(0, node_.spec.common.retries);
  for (int attempt = 1;; ++attempt) {
    cancel_ = CancelToken();
    CancelToken own = cancel_;
    auto handle = run_.cancel.OnCancel([own]() mutable { own.Cancel(); });
    int watch = 0;
    if (node_.spec.common.timeout) {
      watch = run_.watchdog->Watch(cancel_, node_.spec.common.timeout->micros);
    }
    Status status = BuildOnce();
    const bool timed_out = watch != 0 && run_.watchdog->Release(watch);
    if (status.ok()) return status;
    if (timed_out && !run_.cancel.Cancelled()) {
      return SystemError("timeout", "'" + node_.name + "' did not finish within its timeout of " +
                                        node_.spec.common.timeout->text)
          .Node(node_.name)
          .Hint("raise 'timeout' or make the node faster");
    }
    if (!status.error().retriable || attempt >= attempts || run_.cancel.Cancelled()) return status;
    result_.notes.push_back(Error(status.error()).As(Severity::kWarning));
    run_.services->clock->SleepMicros(std::min<int64_t>(30'000'000, 500'000LL << attempt));
  }
}

/// No interval is to be built, yet the inputs moved on, or intervals left out became stale: the
/// ledger is brought up to them.
Status NodeBuilder::PassIntervals() {
  const IntervalPlan& plan = *decision_.intervals;
  if (!plan.moved && plan.left.empty()) return Ok();
  store::NodeCommit commit = NewCommit("reuse");
  commit.verdicts = state_->verdicts;
  commit.intervals.emplace();
  commit.intervals->put = plan.left;
  return Commit(std::move(commit));
}

/// What a new snapshot, whose files are published, changes for those who read the node by its time;
/// "" when nobody does.
Result<std::string> NodeBuilder::TouchedBy(const data::Snapshot& snapshot) {
  const std::string& time = node_.spec.common.time;
  if (!FeedsIntervals(*run_.project, node_)) return std::string();
  const data::Column* column = snapshot.schema.Find(time);
  if (column == nullptr || !data::IsTime(column->type)) return std::string();
  std::optional<data::Snapshot> before;
  if (state_ != nullptr && state_->snapshot) {
    HR_ASSIGN(before, SnapshotOf(node_.name, *state_->snapshot));
  }
  HR_ASSIGN(auto instance, run_.services->instances->Parallel());
  HR_ASSIGN(auto connection, instance->Connect());
  data::QueryOptions options;
  options.cancel = cancel_;
  HR_ASSIGN(data::Touched touched,
            data::CompareTimes(connection, run_.services->warehouse, before ? &*before : nullptr,
                               snapshot, time, options));
  if (touched.without_time > 0) {
    result_.notes.push_back(
        DataError("no_time", fmt::format("{} of '{}' without a '{}': no interval reads {}",
                                         Counted(touched.without_time, "row"), node_.name, time,
                                         touched.without_time == 1 ? "it" : "them"))
            .As(Severity::kWarning)
            .Node(node_.name));
  }
  return data::ToText(touched);
}

/// A change was undone: the rows that were built then are still there.
Status NodeBuilder::ReuseEarlier(const store::SnapshotRecord& record) {
  result_.rows = record.rows;
  result_.snapshot = record.id;
  store::NodeCommit commit = NewCommit("reuse");
  commit.snapshot = record;
  HR_ASSIGN(auto whole,
            run_.services->store->ReadSnapshot(run_.project->target(), {node_.name, record.build}));
  commit.snapshot = whole;
  HR_ASSIGN(auto history,
            run_.services->store->ReadHistory(run_.project->target(), node_.name, 50));
  for (const auto& past : history) {
    if (past.build == record.build && !past.rejected) {
      commit.verdicts = past.verdicts;
      break;
    }
  }
  HR_ASSIGN(data::Snapshot snapshot, SnapshotOf(node_.name, record));
  HR_ASSIGN(commit.touched, TouchedBy(snapshot));
  HR_TRY(Commit(std::move(commit)));
  std::lock_guard lock(run_.mutex);
  run_.snapshots[node_.name] = std::move(snapshot);
  return Ok();
}

Status NodeBuilder::BuildOnce() {
  BuildContext context;
  HR_TRY(FillContext(context));
  if (node_.view) return JudgeView(context);
  auto built = node_.component->Build(context);
  if (!built.ok()) return std::move(built).error();
  if (node_.kind == "source") CrashPoint("source.read");
  Outcome outcome = std::move(*built);
  if (!outcome.action.empty()) result_.action = outcome.action;
  if (!outcome.reason.empty()) result_.reason = outcome.reason;
  if (outcome.rows >= 0) result_.rows = outcome.rows;
  for (Error& note : outcome.notes) result_.notes.push_back(std::move(note));
  result_.details = outcome.details;
  for (const auto& [name, text] : outcome.events) {
    auto fields = ParseJson(text, "event");
    if (fields.ok()) run_.services->events->Emit(name, *fields);
  }
  identity_ = outcome.identity;
  store::NodeCommit commit = NewCommit(result_.action);
  commit.cursor = outcome.cursor;
  commit.model = outcome.model;
  commit.intervals = outcome.intervals;

  std::optional<data::Snapshot> snapshot;
  aside_commit_.reset();
  if (outcome.append_to) outcome.append_to->aside.clear();  // stays in its own table
  if (outcome.pending) {
    HR_TRY(SetAside(context, outcome));
    snapshot = outcome.pending->snapshot();
    if (outcome.append_to) {
      HR_ASSIGN(snapshot, data::Combine(*outcome.append_to, std::move(*snapshot)));
    }
    const bool same_rows = state_ != nullptr && state_->snapshot.has_value() && !decision_.lost &&
                           state_->snapshot->id == snapshot->id && !state_->rejection.has_value();
    const bool same = same_rows && check_inputs_.empty() && !AsksTime() &&
                      state_->checks_digest == store::DefinitionDigest(node_.checks_definition);
    const bool set_aside = split_ && (split_->aside || split_->beyond_allow);
    if (same && !set_aside) {
      // An identical rebuild: the snapshot that is there stays, nothing below has to run.
      result_.verdicts = state_->verdicts;
      commit.verdicts = state_->verdicts;
      result_.snapshot = snapshot->id;
      snapshot.reset();
      outcome.pending.reset();
    } else {
      HR_TRY(Judge(context, outcome, &*snapshot));
      commit.verdicts = result_.verdicts;
      commit.rejected = Rejected(commit.verdicts);
      if (commit.rejected) result_.quarantined = -1;
      result_.snapshot = snapshot->id;
      if (same_rows && !commit.rejected) {
        snapshot.reset();  // only the rows set aside are others
      } else {
        HR_ASSIGN(data::Snapshot published, run_.writer->Publish(std::move(*outcome.pending)));
        commit.snapshot = RecordOf(*snapshot);
      }
      outcome.pending.reset();
      if (!commit.rejected) HR_TRY(PublishAside(commit));
    }
  } else if (state_ != nullptr) {
    commit.verdicts = state_->verdicts;
    if (state_->snapshot) result_.snapshot = state_->snapshot->id;
  }
  if (outcome.failure) result_.error = outcome.failure;
  const bool rejected = commit.rejected;
  if (rejected && decision_.intervals) commit.fingerprint = decision_.intervals->work;
  if (snapshot && !rejected) {
    HR_ASSIGN(commit.touched, TouchedBy(*snapshot));
  }
  HR_TRY(Commit(std::move(commit)));
  if (rejected) return CheckError(node_, result_.verdicts);
  if (snapshot) {
    std::lock_guard lock(run_.mutex);
    run_.snapshots[node_.name] = std::move(*snapshot);
  }
  if (outcome.failure) return *outcome.failure;
  return Ok();
}

/// Verdicts on what was written. Appended rows are judged together with the old ones: a key may be
/// unique in each part and not in both.
Status NodeBuilder::Judge(BuildContext& context, Outcome& outcome, const data::Snapshot* combined) {
  if (node_.checks.empty()) return Ok();
  // Before it is published, a snapshot's files stand in the pending folder.
  data::Snapshot now = outcome.pending->snapshot();
  for (data::SnapshotFile& file : now.files) file.path = BaseName(file.path);
  std::string relation = "(" + data::ReadSnapshotSql(outcome.pending->folder(), now) + ")";
  std::optional<std::vector<data::Value>> values;
  if (ChecksAreSimple(node_) && !split_) values = outcome.pending->aggregates();
  if (outcome.append_to) {
    relation = "(SELECT * FROM (" + data::ReadSnapshotSql(context.warehouse, *outcome.append_to) +
               ") UNION ALL SELECT * FROM " + relation + ")";
    values.reset();
  }
  return JudgeRows(context, relation, combined->rows, std::move(values));
}

/// `values`: of the aggregates, when they are known already.
Status NodeBuilder::JudgeRows(BuildContext& context, const std::string& relation, int64_t rows,
                              std::optional<std::vector<data::Value>> values) {
  if (node_.checks.empty()) return Ok();
  HR_ASSIGN(CheckScope scope, OpenCheckScope(context));
  if (!values) {
    HR_ASSIGN(values,
              EvaluateChecks(scope, relation, CheckAggregates(node_, relation), context.Query()));
  }
  JudgeRequest request;
  request.node = &node_;
  request.values = *values;
  request.facts.rows = rows;
  request.facts.now = run_.now;
  request.scope = &scope;
  request.relation = relation;
  if (result_.action != "check" && state_ != nullptr && state_->snapshot) {
    request.facts.last_rows = state_->snapshot->rows;
  }
  if (split_) {
    request.aside = split_->counts;
    if (split_->beyond_allow) request.facts.rows -= split_->bad;
    if (!split_->beyond_allow) result_.quarantined = split_->counts.rows;
  }
  result_.verdicts = JudgeChecks(request);
  return Ok();
}

// ---- Quarantine

Status NodeBuilder::SetAside(BuildContext& context, Outcome& outcome) {
  split_.reset();
  const bool before = context.quarantine && context.quarantine->rows > 0;
  if (!pipeline::SetsAside(node_) && !before) return Ok();
  HR_ASSIGN(CheckScope scope, OpenCheckScope(context));
  const data::Snapshot made = outcome.pending->snapshot();
  SplitRequest request;
  request.schema = made.schema;
  const std::string fresh =
      "(" + data::ReadSnapshotSql(outcome.pending->folder(), outcome.pending->staged()) + ")";
  request.rows = fresh;
  int64_t beside = 0;
  bool together = false;
  if (outcome.append_to || outcome.merged) {
    request.keep = "true";
    if (!outcome.replaces.empty()) {
      request.keep += " AND NOT coalesce((" + outcome.replaces + "), false)";
    }
    const auto key = node_.component->KeyColumns();
    if (!key.empty()) {
      std::string row = data::QuoteIdentifiers(key);
      if (key.size() > 1) row = "ROW(" + row + ")";
      request.keep += " AND " + row + " NOT IN (SELECT " + row + " FROM " + fresh + ")";
    }
    for (const BoundCheck& check : node_.checks) {
      together = together || (check.SetsAside() && check.check->OfOtherRows());
    }
    if (together) {
      request.rows = "(SELECT * FROM " + fresh;
      if (outcome.append_to) {
        request.rows +=
            " UNION ALL " + data::ReadSnapshotSql(context.warehouse, *outcome.append_to);
      }
      if (before) {
        request.rows += " UNION ALL SELECT " + data::QuoteIdentifiers(made.schema.Names()) +
                        " FROM (" + data::ReadSnapshotSql(context.warehouse, *context.quarantine) +
                        ") WHERE " + request.keep;
      }
      request.rows += ")";
      request.keep.clear();
      request.rewrite = before;
    } else if (outcome.append_to) {
      beside = outcome.append_to->rows;
    }
  }
  HR_ASSIGN(Split split, SplitRows(context, scope, request, beside));
  split_.emplace(std::move(split));
  if (!split_->clean) return Ok();
  outcome.pending.reset();
  outcome.pending.emplace(std::move(*split_->clean));
  split_->clean.reset();
  if (together) outcome.append_to.reset();
  if (outcome.rows == made.rows) result_.rows = outcome.pending->snapshot().rows;
  return Ok();
}

/// Another rule for rows that are there: all of them, those set aside too, are looked at again.
Status NodeBuilder::SplitAgain(BuildContext& context, const data::Snapshot& snapshot,
                               std::optional<data::PendingSnapshot>& clean) {
  split_.reset();
  aside_commit_.reset();
  const bool before = context.quarantine && context.quarantine->rows > 0;
  if (!pipeline::SetsAside(node_) && !before) return Ok();
  HR_ASSIGN(CheckScope scope, OpenCheckScope(context));
  data::Snapshot all = snapshot;
  if (before) all.aside = context.quarantine->files;
  SplitRequest request;
  request.rows = "(" + data::ReadSnapshotSql(context.warehouse, all) + ")";
  request.schema = snapshot.schema;
  request.rewrite = before;
  HR_ASSIGN(Split split, SplitRows(context, scope, request, 0));
  split_.emplace(std::move(split));
  if (split_->clean && split_->clean->snapshot().id != snapshot.id) {
    clean.emplace(std::move(*split_->clean));
  }
  split_->clean.reset();
  return Ok();
}

/// Makes the new quarantine durable; it becomes visible with `commit`.
Status NodeBuilder::PublishAside(const store::NodeCommit& commit) {
  if (!split_ || !split_->aside) return Ok();
  HR_ASSIGN(data::Snapshot published, run_.writer->Publish(std::move(*split_->aside)));
  split_->aside.reset();
  store::NodeCommit aside;
  aside.node = QuarantineOf(node_.name);
  aside.kind = "quarantine";
  aside.run = run_.run;
  aside.action = commit.action;
  aside.fingerprint = commit.fingerprint;
  aside.snapshot = RecordOf(published);
  aside_commit_ = std::move(aside);
  return Ok();
}

// ---- Checks that ask for the time

bool NodeBuilder::AsksTime() const {
  return std::any_of(node_.checks.begin(), node_.checks.end(),
                     [](const BoundCheck& check) { return check.check->OfTime(); });
}

/// The rows stay, the time does not: checks that ask for it are asked again. Only another verdict
/// is committed.
Status NodeBuilder::JudgeTime() {
  BuildContext context;
  cancel_ = run_.cancel;
  HR_TRY(FillContext(context));
  HR_ASSIGN(CheckScope scope, OpenCheckScope(context));
  std::string relation;
  if (node_.view) {
    HR_ASSIGN(std::string text, context.InputSql(node_.name));
    relation = "(" + text + "\n)";
    scope.parameters = UsedParameters(*run_.project, node_, context.parameters);
  } else {
    HR_ASSIGN(data::Snapshot snapshot, SnapshotOf(node_.name, *state_->snapshot));
    relation = "(" + data::ReadSnapshotSql(context.warehouse, snapshot) + ")";
  }
  const auto& known = state_->rejection ? state_->rejection->verdicts : state_->verdicts;
  bool changed = known.size() != node_.checks.size();
  std::vector<store::Verdict> verdicts = state_->verdicts;
  verdicts.resize(node_.checks.size());
  for (size_t i = 0; i < node_.checks.size(); ++i) {
    const BoundCheck& check = node_.checks[i];
    if (!check.check->OfTime()) continue;
    HR_ASSIGN(auto values,
              EvaluateChecks(scope, relation, check.check->Aggregates(relation), context.Query()));
    verdicts[i] = JudgeTimeCheck(check, values, run_.now, std::max<int64_t>(result_.rows, 0));
    changed = changed || verdicts[i].status != known[i].status;
  }
  result_.verdicts = verdicts;
  if (changed) {
    result_.action = "check";
    result_.reason = "the time has come to judge its age anew";
    store::NodeCommit commit = NewCommit("check");
    commit.fingerprint = state_->fingerprint;
    commit.verdicts = verdicts;
    commit.rejected = Rejected(verdicts);
    HR_TRY(Commit(std::move(commit)));
  }
  if (Rejected(verdicts)) return CheckError(node_, verdicts);
  return Ok();
}

void NodeBuilder::Skip(std::string reason) {
  result_.action = "skip";
  result_.reason = std::move(reason);
}

void NodeBuilder::Fail(Error error) {
  if (error.place.node.empty()) error.place.node = node_.name;
  if (error.place.file.empty()) error.place.file = node_.file;
  result_.action = "fail";
  result_.error = run_.services->redactor->Redact(std::move(error));
}

double NodeBuilder::Seconds() const {
  return static_cast<double>(run_.services->clock->MonotonicNanos() - started_ns_) / 1e9;
}

void NodeBuilder::Finish() {
  const RunServices& services = *run_.services;
  result_.seconds = Seconds();
  const bool failed = result_.action == "fail";
  {
    std::lock_guard lock(run_.mutex);
    const bool skipped = result_.action == "skip";
    // A refused model or an action whose sends failed leaves something to go on with.
    const bool usable = node_.kind == "model" && state_ != nullptr && ContentId(*state_) != "" &&
                        result_.error && result_.error->code == "gate_failed";
    run_.failed[index_] = (failed || skipped) && !usable;
    if (node_.view) {
      if (!failed && !skipped) run_.ids[index_] = decision_.fingerprint;
    } else if (state_ != nullptr) {
      run_.ids[index_] = ContentId(*state_);
    }
    const bool committed = result_.action != "reuse" && result_.action != "skip" && !failed;
    if (!committed) run_.records.push_back(Record(result_.action));
    if (failed && (result_.error->code == "lease_lost") && !run_.fatal) {
      run_.fatal = result_.error;
      run_.cancel.Cancel();
    }
    if (failed &&
        (run_.options->fail_fast || node_.spec.common.on_failure.then == spec::OnFailure::kStop)) {
      run_.cancel.Cancel();
    }
  }
  for (const auto& verdict : result_.verdicts) {
    Json fields;
    fields["node"] = node_.name;
    fields["check"] = verdict.check;
    fields["severity"] = verdict.severity;
    fields["status"] = VerdictText(verdict.status);
    fields["failing_rows"] = verdict.failing_rows;
    fields["rows"] = verdict.total_rows;
    if (!verdict.message.empty()) fields["message"] = verdict.message;
    if (result_.action != "reuse") services.events->Emit("check", fields);
  }
  Json fields;
  auto details = ParseJson(result_.details, "details");
  fields["node"] = node_.name;
  fields["kind"] = node_.kind;
  fields["action"] = result_.action;
  fields["rows"] = result_.rows < 0 ? Json() : Json(result_.rows);
  fields["seconds"] = result_.seconds;
  fields["snapshot"] = result_.snapshot.empty() ? Json() : Json(result_.snapshot);
  fields["reason"] = result_.reason;
  if (result_.quarantined >= 0) fields["quarantined"] = result_.quarantined;
  fields["error"] = Json();
  if (result_.error) {
    auto error = ParseJson(ErrorToJson(*result_.error), "error");
    if (error.ok()) fields["error"] = std::move(*error);
  }
  if (details.ok()) {
    for (auto& [key, value] : details->items()) fields[key] = value;
  }
  services.events->Emit("node_finished", fields);
  std::string outcome = result_.action == "build"       ? "built"
                        : result_.action == "intervals" ? "built"
                        : result_.action == "retrain"   ? "trained"
                        : result_.action == "check"     ? "checked"
                        : result_.action == "reuse"     ? "reused"
                        : result_.action == "skip"      ? "skipped: " + result_.reason
                                                        : "failed";
  if (progress_ != nullptr) {
    services.progress->Finish(progress_, outcome, failed);
  } else {
    services.progress->FinishAtOnce(node_.name, node_.kind, outcome, failed);
  }
}

}  // namespace

store::SnapshotRecord RecordOf(const data::Snapshot& snapshot) {
  store::SnapshotRecord record;
  record.id = snapshot.id;
  record.build = snapshot.build_id;
  record.schema = data::ToJson(snapshot.schema).dump();
  record.rows = snapshot.rows;
  record.bytes = snapshot.bytes;
  const Json manifest = data::ToJson(snapshot);
  record.manifest = manifest.dump(-1, ' ', false, Json::error_handler_t::replace);
  Json files = Json::array();
  std::set<std::string> builds;
  for (const auto& file : snapshot.files) {
    files.push_back({{"path", file.path}, {"rows", file.rows}, {"bytes", file.bytes}});
    builds.insert(BaseName(DirName(file.path)));
  }
  builds.erase(snapshot.build_id);
  record.files = files.dump();
  record.shared_builds.assign(builds.begin(), builds.end());
  return record;
}

Result<data::Snapshot> SnapshotOf(const std::string& node, const store::SnapshotRecord& record) {
  data::Snapshot snapshot;
  snapshot.id = record.id;
  snapshot.node = node;
  snapshot.build_id = record.build;
  snapshot.rows = record.rows;
  snapshot.bytes = record.bytes;
  HR_ASSIGN(Json schema, ParseJson(record.schema, "schema of " + node));
  HR_ASSIGN(snapshot.schema, data::SchemaFromJson(schema));
  HR_ASSIGN(Json files, ParseJson(record.files, "files of " + node));
  for (const auto& file : files) {
    snapshot.files.push_back(
        {file.value("path", ""), file.value("rows", int64_t{0}), file.value("bytes", int64_t{0})});
  }
  return snapshot;
}

NodeResult RunNode(RunState& state, int index) { return NodeBuilder(state, index).Do(); }

}  // namespace headrace::pipeline
