// Building intervals. Each query's rows go to a temporary table (which spills); at the end the rows
// of the intervals that came out different replace the old ones in one new snapshot.
//
// A long build must not start again from nothing: every so often what is finished is published as a
// build of its own and noted in the store (interval parts). Nobody reads it; the next run of the
// same work takes its rows over, unless they were touched since.
#include "pipeline/interval_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/id.h"
#include "data/merge.h"
#include "data/quote.h"
#include "data/time_ranges.h"
#include "pipeline/build_context.h"
#include "pipeline/interval_plan.h"
#include "pipeline/interval_rules.h"
#include "pipeline/project.h"
#include "pipeline/runner.h"
#include "sql/compose.h"

namespace headrace::pipeline {
namespace {

// What is finished is kept after so many intervals or so much time.
constexpr size_t kPartIntervals = 50;
constexpr int64_t kPartNanos = 5'000'000'000;
// So many ranges are named one by one to those who ask what was built.
constexpr size_t kShownRanges = 100;

data::Parameter TimeParameter(const char* name, Timestamp time) {
  std::string text = FormatTimestamp(time);
  text.pop_back();
  return {name, "TIMESTAMP", text};
}

class IntervalBuild {
 public:
  explicit IntervalBuild(BuildContext& context)
      : context_(context),
        node_(*context.node),
        rules_(*context.node->intervals),
        plan_(*context.interval_plan) {}
  ~IntervalBuild() {
    if (connection_)
      (void)connection_->Execute(
          "DROP TABLE IF EXISTS hr_built; DROP TABLE IF "
          "EXISTS hr_one");
  }
  IntervalBuild(const IntervalBuild&) = delete;

  Result<Outcome> Run();

 private:
  Status Open();
  Status SetWindow(const Interval& window);
  data::Parameters ParametersFor(const Interval& bounds) const;
  Status FindSchema();
  Status TakeParts();
  Status BuildAll();
  Status BuildGroup(const std::vector<Interval>& group);
  Status CheckTimes(const std::vector<Interval>& group);
  Error Placed(Error error) const;
  Status KeepPart();
  std::string Fresh() const;
  Result<std::vector<Interval>> Changed();
  Status MergeInto(Outcome& outcome, const std::string& in_changed);
  Result<Outcome> Finish();
  store::LedgerChange Ledger() const;
  std::string Details() const;
  data::QueryOptions Query() const { return context_.Query(); }

  BuildContext& context_;
  const Node& node_;
  const IntervalRules& rules_;
  IntervalPlan plan_;
  sql::ComposedQuery query_;
  std::optional<data::DuckConnection> connection_;
  std::optional<data::Snapshot> old_;  // rows of it may stay
  data::Schema result_, stored_;
  std::map<Timestamp, int64_t> rows_;  // of each interval built, by from
  std::vector<Interval> pending_;      // in hr_built
  std::vector<std::pair<data::Snapshot, std::vector<Interval>>> parts_;  // published
  int64_t last_part_ = 0;
};

Status IntervalBuild::Open() {
  std::vector<sql::View> views;
  for (int index : context_.project->ViewInputs(node_)) {
    const Node& view = context_.project->nodes()[index];
    views.push_back({view.name, view.text});
  }
  query_ = sql::ComposeQuery(node_.text, views);
  HR_ASSIGN(auto instance, node_.deterministic ? context_.instances->Deterministic()
                                               : context_.instances->Parallel());
  HR_ASSIGN(connection_, instance->Connect());
  if (!plan_.all && context_.state != nullptr && context_.state->snapshot) {
    HR_ASSIGN(old_, SnapshotOf(node_.name, *context_.state->snapshot));
    if (context_.quarantine && context_.quarantine->rows > 0) {
      old_->aside = context_.quarantine->files;  // what came before, the rows set aside too
    }
  }
  last_part_ = context_.clock->MonotonicNanos();
  return Ok();
}

/// Inputs that have a time show the rows of the window alone, so that an interval is a function of
/// these, whatever its query says.
Status IntervalBuild::SetWindow(const Interval& window) {
  for (const auto& [name, snapshot] : context_.inputs) {
    data::ReadOptions options;
    const std::string column = WindowColumn(rules_, *context_.project->FindNode(name));
    if (!column.empty()) {
      const data::Column* found = snapshot.schema.Find(column);
      if (found == nullptr || !data::IsTime(found->type)) {
        return UserError("column_type",
                         fmt::format("'time' of '{}' names '{}', which is {}", name, column,
                                     found == nullptr ? "no column of it" : found->type))
            .Node(node_.name)
            .Hint("give it a date or a timestamp, in 'columns:' or by a cast");
      }
      options.where = data::InRangesSql(*found, {window});
    }
    HR_TRY(connection_->Execute("CREATE OR REPLACE TEMP VIEW " + data::QuoteIdentifier(name) +
                                " AS " +
                                data::ReadSnapshotSql(context_.warehouse, snapshot, options)));
  }
  return Ok();
}

data::Parameters IntervalBuild::ParametersFor(const Interval& bounds) const {
  data::Parameters all = context_.parameters;
  all.push_back(TimeParameter("from", bounds.from));
  all.push_back(TimeParameter("to", bounds.to));
  return UsedParameters(*context_.project, node_, all);
}

Error IntervalBuild::Placed(Error error) const {
  error = sql::PlaceError(std::move(error), query_);
  if (error.place.file.empty()) error.place.file = node_.file;
  return std::move(error.Node(node_.name));
}

/// Columns of the result. Rows of other columns can't stay beside it.
Status IntervalBuild::FindSchema() {
  const Interval first =
      plan_.run.empty() ? Interval{rules_.start, rules_.Bound(1)} : plan_.run.front().interval;
  HR_TRY(SetWindow(rules_.Window(first)));
  auto described = connection_->Describe(query_.text, ParametersFor(first), Query());
  if (!described.ok()) return Placed(std::move(described).error());
  result_ = std::move(*described);
  auto stored = data::StoredSchema(result_);
  if (!stored.ok()) return Placed(std::move(stored).error());
  stored_ = std::move(*stored);
  const data::Column* time = stored_.Find(rules_.time);
  if (time == nullptr || !data::IsTime(time->type)) {
    return UserError("column_type",
                     fmt::format("'time' names '{}', which is {}", rules_.time,
                                 time == nullptr ? "no column of the result" : time->type))
        .At(node_.spec.PlaceOf("time"))
        .Node(node_.name)
        .Hint("it needs a date or a timestamp");
  }
  if (old_ && old_->schema != stored_) {
    old_.reset();
    plan_.all = true;
    plan_.run.clear();
    plan_.left.clear();
    plan_.drop.clear();
    for (const Interval& interval : plan_.wanted) {
      plan_.run.push_back({interval, "its columns changed", ""});
    }
  }
  std::string columns;
  for (const data::Column& column : stored_.columns) {
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ",
                           data::QuoteIdentifier(column.name), column.type);
  }
  HR_TRY(connection_->Execute("CREATE OR REPLACE TEMP TABLE hr_built (" + columns + ")"));
  return Ok();
}

/// Rows of unfinished runs.
Status IntervalBuild::TakeParts() {
  std::map<std::string, std::vector<Interval>> builds;
  for (const IntervalTask& task : plan_.run) {
    if (!task.part.empty()) builds[task.part].push_back(task.interval);
  }
  for (auto& [build, intervals] : builds) {
    auto record = context_.store->ReadSnapshot(context_.target, {node_.name, build});
    if (!record.ok()) return std::move(record).error();
    HR_ASSIGN(data::Snapshot snapshot, SnapshotOf(node_.name, *record));
    if (snapshot.schema == stored_) {
      parts_.emplace_back(std::move(snapshot), std::move(intervals));
      continue;
    }
    for (IntervalTask& task : plan_.run) {
      if (task.part == build) task.part.clear();
    }
  }
  for (const auto& [snapshot, intervals] : parts_) {
    std::string counts;
    for (const Interval& interval : intervals) {
      counts += (counts.empty() ? "" : ", ") + std::string("count(*) FILTER (WHERE ") +
                data::InRangesSql(*stored_.Find(rules_.time), {interval}) + ")";
    }
    HR_ASSIGN(auto counted,
              connection_->Query("SELECT " + counts + " FROM (" +
                                     data::ReadSnapshotSql(context_.warehouse, snapshot) + ")",
                                 {}, Query()));
    for (size_t i = 0; i < intervals.size(); ++i) {
      rows_[intervals[i].from] = counted.at(0, i).AsInt64();
    }
  }
  return Ok();
}

Status IntervalBuild::BuildAll() {
  std::vector<Interval> left;
  for (const IntervalTask& task : plan_.run) {
    if (task.part.empty()) left.push_back(task.interval);
  }
  const auto groups = Batches(left, rules_.batch);
  for (size_t n = 0; n < groups.size(); ++n) {
    if (context_.progress != nullptr && groups.size() > 1) {
      context_.progress->SetStage(fmt::format(
          "interval {} ({} of {})", TimeText(groups[n].front().from), n + 1, groups.size()));
    }
    Status built = BuildGroup(groups[n]);
    if (!built.ok()) {
      // What is finished is finished, whoever stopped the rest.
      if (!pending_.empty()) (void)KeepPart();
      return built;
    }
    const bool last = n + 1 == groups.size();
    const bool due = pending_.size() >= kPartIntervals ||
                     context_.clock->MonotonicNanos() - last_part_ > kPartNanos;
    if (due && !last) HR_TRY(KeepPart());
  }
  return Ok();
}

Status IntervalBuild::BuildGroup(const std::vector<Interval>& group) {
  HR_TRY(context_.cancel.Check());
  const Interval bounds{group.front().from, group.back().to};
  HR_TRY(SetWindow({rules_.Window(group.front()).from, bounds.to}));
  const std::string head = "CREATE OR REPLACE TEMP TABLE hr_one AS SELECT " +
                           (result_ == stored_ ? "*" : data::StoredSelectList(result_, stored_)) +
                           " FROM (\n";
  data::QueryOptions options = Query();
  options.prefix_bytes = head.size();
  auto made = connection_->Execute(head + std::string(sql::TrimStatement(query_.text)) + "\n)",
                                   ParametersFor(bounds), options);
  if (!made.ok()) return Placed(std::move(made).error());
  HR_TRY(CheckTimes(group));
  HR_TRY(connection_->Execute("INSERT INTO hr_built SELECT * FROM hr_one", {}, Query()));
  pending_.insert(pending_.end(), group.begin(), group.end());
  CrashPoint("interval.built");
  return Ok();
}

/// Every row belongs to an interval that was asked for: else it would be there twice, or never
/// become stale. Counts the rows of each.
Status IntervalBuild::CheckTimes(const std::vector<Interval>& group) {
  const data::Column& time = *stored_.Find(rules_.time);
  std::string counts = "count(*)";
  for (const Interval& interval : group) {
    counts += ", count(*) FILTER (WHERE " + data::InRangesSql(time, {interval}) + ")";
  }
  HR_ASSIGN(auto counted, connection_->Query("SELECT " + counts + " FROM hr_one", {}, Query()));
  int64_t outside = counted.at(0, 0).AsInt64();
  for (size_t i = 0; i < group.size(); ++i) {
    const int64_t rows = counted.at(0, i + 1).AsInt64();
    rows_[group[i].from] = rows;
    outside -= rows;
  }
  if (outside == 0) return Ok();
  const Interval bounds{group.front().from, group.back().to};
  HR_ASSIGN(auto sample,
            connection_->Query(
                fmt::format("SELECT CAST({} AS VARCHAR) FROM hr_one WHERE NOT "
                            "coalesce({}, false) ORDER BY 1 NULLS LAST LIMIT 1",
                            data::QuoteIdentifier(time.name), data::InRangesSql(time, {bounds})),
                {}, Query()));
  const std::string value = sample.rows.empty() ? "NULL" : sample.at(0, 0).Text();
  return UserError(
             "outside_interval",
             fmt::format("{} of {} rows of the interval {} lie outside of it: {} is {}", outside,
                         counted.at(0, 0).AsInt64(), IntervalText(bounds), time.name, value))
      .At(node_.spec.PlaceOf("time"))
      .Node(node_.name)
      .Subject(time.name)
      .Hint(fmt::format("keep the rows of the interval: WHERE {0} >= $from AND {0} < $to",
                        time.name));
}

/// Publishes what stands in hr_built and notes it in the store.
Status IntervalBuild::KeepPart() {
  data::MaterializeRequest request;
  request.node = node_.name;
  request.build_id = NewId(*context_.clock);
  request.select = "SELECT * FROM hr_built";
  HR_ASSIGN(auto written, context_.writer->Materialize(*connection_, request));
  HR_ASSIGN(data::Snapshot snapshot, context_.writer->Publish(std::move(written)));
  std::vector<store::IntervalPart> parts;
  for (const Interval& interval : pending_) {
    store::IntervalPart part{
        interval.from, interval.to, snapshot.build_id, context_.fingerprint, {}};
    part.inputs = context_.input_ids;
    parts.push_back(std::move(part));
  }
  HR_TRY(context_.store->CommitIntervalParts(context_.claim, node_.name, context_.run,
                                             RecordOf(snapshot), parts));
  HR_TRY(connection_->Execute("DELETE FROM hr_built"));
  parts_.emplace_back(std::move(snapshot), std::move(pending_));
  pending_.clear();
  last_part_ = context_.clock->MonotonicNanos();
  return Ok();
}

/// SELECT of all rows of the intervals that were built.
std::string IntervalBuild::Fresh() const {
  std::string sql = "SELECT * FROM hr_built";
  for (const auto& [snapshot, intervals] : parts_) {
    data::ReadOptions options;
    options.where = data::InRangesSql(*stored_.Find(rules_.time), data::Joined(intervals));
    sql += " UNION ALL " + data::ReadSnapshotSql(context_.warehouse, snapshot, options);
  }
  return sql;
}

/// The intervals whose rows are not what they were.
Result<std::vector<Interval>> IntervalBuild::Changed() {
  std::vector<Interval> intervals = plan_.drop;
  for (const IntervalTask& task : plan_.run) intervals.push_back(task.interval);
  if (!old_) return data::Joined(std::move(intervals));
  data::ReadOptions options;
  options.where = data::InRangesSql(*stored_.Find(rules_.time), data::Joined(intervals));
  HR_ASSIGN(auto hours,
            data::DifferentHours(
                *connection_, "(" + data::ReadSnapshotSql(context_.warehouse, *old_, options) + ")",
                "(" + Fresh() + ")", stored_, rules_.time, Query()));
  std::erase_if(intervals, [&](const Interval& interval) {
    return !data::Overlaps(hours, interval.from, interval.to);
  });
  return data::Joined(std::move(intervals));
}

store::LedgerChange IntervalBuild::Ledger() const {
  store::LedgerChange change;
  change.clear = plan_.all;
  for (const Interval& interval : plan_.drop) change.remove.push_back(interval.from);
  for (const IntervalTask& task : plan_.run) {
    const auto rows = rows_.find(task.interval.from);
    change.put.push_back(
        {task.interval.from, task.interval.to, rows == rows_.end() ? 0 : rows->second, "", "", 0});
  }
  change.put.insert(change.put.end(), plan_.left.begin(), plan_.left.end());
  return change;
}

std::string IntervalBuild::Details() const {
  Json json;
  int64_t rows = 0;
  for (const auto& [from, count] : rows_) rows += count;
  std::vector<Interval> built;
  for (const IntervalTask& task : plan_.run) built.push_back(task.interval);
  Json ranges = Json::array();
  for (const Interval& range : data::Coarsened(data::Joined(built), kShownRanges)) {
    ranges.push_back({TimeText(range.from), TimeText(range.to)});
  }
  json["intervals"] = {{"built", plan_.run.size()},
                       {"of", plan_.wanted.size()},
                       {"left_stale", plan_.left.size()},
                       {"rows", rows},
                       {"ranges", std::move(ranges)}};
  return json.dump();
}

/// Rewrites the files that hold rows of the changed intervals; shares the others.
Status IntervalBuild::MergeInto(Outcome& outcome, const std::string& in_changed) {
  HR_ASSIGN(auto record,
            context_.store->ReadSnapshot(context_.target, {node_.name, old_->build_id}));
  HR_ASSIGN(Json manifest, ParseJson(record.manifest, "manifest of " + node_.name));
  data::MergeRequest request;
  request.node = node_.name;
  request.build_id = context_.build_id;
  HR_ASSIGN(request.old, data::SnapshotFromJson(manifest));
  request.rows = "SELECT * FROM (" + Fresh() + ") WHERE " + in_changed;
  request.repeatable = true;
  request.replace = in_changed;
  request.aggregates = context_.aggregates;
  request.query = Query();
  HR_ASSIGN(auto merged, data::Merge(*context_.writer, *connection_, request));
  outcome.rows = merged.pending->snapshot().rows + (merged.kept ? merged.kept->rows : 0);
  outcome.pending.emplace(std::move(*merged.pending));
  outcome.append_to = std::move(merged.kept);
  outcome.merged = true;
  outcome.replaces = in_changed;
  return Ok();
}

Result<Outcome> IntervalBuild::Finish() {
  Outcome outcome;
  outcome.action = plan_.run.empty() && plan_.drop.empty() ? "reuse" : "intervals";
  outcome.details = Details();
  outcome.intervals = Ledger();
  HR_ASSIGN(std::vector<Interval> changed, Changed());
  const store::NodeState* state = context_.state;
  // A verdict must be taken anew when the checks are others, or the last one was no.
  const bool judge = state != nullptr &&
                     (state->rejection.has_value() ||
                      state->checks_digest != store::DefinitionDigest(node_.checks_definition));
  if (old_ && changed.empty() && !judge) {
    outcome.rows = old_->rows;
    return outcome;
  }
  const data::Column& time = *stored_.Find(rules_.time);
  if (old_ && !judge && !node_.deterministic) {
    HR_TRY(MergeInto(outcome, data::InRangesSql(time, changed)));
    return outcome;
  }
  data::MaterializeRequest request;
  request.node = node_.name;
  request.build_id = context_.build_id;
  request.select = Fresh();
  if (old_) {
    const std::string in_changed = data::InRangesSql(time, changed);
    request.select = "SELECT * FROM (" + Fresh() + ") WHERE " + in_changed +
                     " UNION ALL SELECT * FROM (" +
                     data::ReadSnapshotSql(context_.warehouse, *old_) + ") WHERE NOT coalesce(" +
                     in_changed + ", false)";
  }
  request.ordered = node_.deterministic;
  request.aggregates = context_.aggregates;
  request.query = Query();
  HR_ASSIGN(auto pending, context_.writer->Materialize(*connection_, request));
  outcome.rows = pending.snapshot().rows;
  outcome.pending.emplace(std::move(pending));
  return outcome;
}

Result<Outcome> IntervalBuild::Run() {
  HR_TRY(Open());
  HR_TRY(FindSchema());
  HR_TRY(TakeParts());
  HR_TRY(BuildAll());
  return Finish();
}

class IntervalNode : public Component {
 public:
  std::optional<data::Schema> Lint(const LintContext&) const override {
    return std::nullopt;  // the loader describes SQL itself: it has the parse trees
  }
  bool HasTable() const override { return true; }
  Result<Outcome> Build(BuildContext& context) const override {
    return IntervalBuild(context).Run();
  }
};

}  // namespace

std::unique_ptr<Component> MakeIntervalNode() { return std::make_unique<IntervalNode>(); }

}  // namespace headrace::pipeline
