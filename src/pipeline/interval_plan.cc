#include "pipeline/interval_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "data/time_ranges.h"
#include "pipeline/interval_rules.h"

namespace headrace::pipeline {
namespace {

/// What became of one input since the node last looked.
struct InputChange {
  std::string name;
  bool all = false;
  std::vector<data::TimeRange> ranges;
};

class IntervalPlanner {
 public:
  explicit IntervalPlanner(const IntervalQuestion& question)
      : q_(question), node_(*question.node), rules_(*question.node->intervals) {}

  Result<Decision> Decide();

 private:
  Status FindWanted();
  Status FindLedger();
  const std::string& TargetOf(const std::string& input) const {
    const bool borrowed = q_.borrowed != nullptr && q_.borrowed->Has(input);
    return borrowed ? q_.borrowed->target : q_.project->target();
  }
  Result<std::optional<Timestamp>> LastTime(const Node& input, const std::string& column) const;
  Result<InputChange> ChangeOf(const Node& input, const std::string& since) const;
  Status FindChanges();
  std::string WhyAll() const;
  std::string WhyStale(const store::IntervalRecord& record) const;
  bool Asked(const Interval& interval) const;
  void Sort();
  Status TakeParts();
  std::string Reason() const;
  std::string Work() const;

  const IntervalQuestion& q_;
  const Node& node_;
  const IntervalRules& rules_;
  IntervalPlan plan_;
  std::string fingerprint_;
  std::vector<store::IntervalRecord> ledger_;
  std::vector<InputChange> changes_;
  std::vector<std::string> open_;  // inputs that are not known yet
};

/// The latest time of an input's committed rows.
Result<std::optional<Timestamp>> IntervalPlanner::LastTime(const Node& input,
                                                           const std::string& column) const {
  if (q_.store == nullptr) return std::optional<Timestamp>();
  const std::string& target = TargetOf(input.name);
  HR_ASSIGN(std::string text, q_.store->ReadLastTouched(target, input.name));
  if (auto touched = data::TouchedFromText(text); touched && touched->time == column) {
    return touched->last;
  }
  // It was built before somebody asked for its times: the statistics know the latest.
  HR_ASSIGN(auto state, q_.store->ReadNode(target, input.name));
  if (!state || !state->snapshot) return std::optional<Timestamp>();
  HR_ASSIGN(auto record, q_.store->ReadSnapshot(target, {input.name, state->snapshot->build}));
  HR_ASSIGN(Json manifest, ParseJson(record.manifest, "manifest of " + input.name));
  HR_ASSIGN(data::Snapshot snapshot, data::SnapshotFromJson(manifest));
  const data::Column* stored = snapshot.schema.Find(column);
  const data::ColumnProfile* profile = snapshot.profile.Find(column);
  if (stored == nullptr || profile == nullptr || !profile->max) return std::optional<Timestamp>();
  const bool date = data::ClassOf(stored->type) == data::TypeClass::kDate;
  const double micros = *profile->max * (date ? 86'400e6 : 1);
  return std::optional(micros < 9e18 ? static_cast<Timestamp>(micros) : q_.now);
}

Status IntervalPlanner::FindWanted() {
  bool bounded = false;
  std::optional<Timestamp> last;
  for (int index : q_.project->TableInputs(node_, Project::Reads::kRows)) {
    const Node& input = q_.project->nodes()[index];
    const std::string column = WindowColumn(rules_, input);
    if (column.empty()) continue;
    bounded = true;
    HR_ASSIGN(auto time, LastTime(input, column));
    if (time) last = std::max(last.value_or(*time), *time);
  }
  auto wanted = WantedIntervals(rules_, q_.now, bounded, last);
  if (!wanted.ok()) return Error(wanted.error()).At(node_.spec.PlaceOf("start")).Node(node_.name);
  plan_.wanted = std::move(*wanted);
  return Ok();
}

Status IntervalPlanner::FindLedger() {
  if (q_.store == nullptr || q_.state == nullptr) return Ok();
  HR_ASSIGN(ledger_, q_.store->ReadIntervals(q_.project->target(), node_.name));
  return Ok();
}

Result<InputChange> IntervalPlanner::ChangeOf(const Node& input, const std::string& since) const {
  InputChange change{input.name, false, {}};
  const std::string column = WindowColumn(rules_, input);
  change.all = column.empty() || q_.store == nullptr;
  if (change.all) return change;
  HR_ASSIGN(auto commits, q_.store->ReadTouched(TargetOf(input.name), input.name, since));
  change.all = !commits;
  if (change.all) return change;
  for (const std::string& text : *commits) {
    const auto touched = data::TouchedFromText(text);
    change.all = !touched || touched->all || touched->time != column;
    if (change.all) return change;
    change.ranges.insert(change.ranges.end(), touched->ranges.begin(), touched->ranges.end());
  }
  change.ranges = data::Joined(std::move(change.ranges));
  return change;
}

Status IntervalPlanner::FindChanges() {
  for (const auto& [name, id] : q_.inputs) {
    if (!id) {
      open_.push_back(name);
      continue;
    }
    const auto before = q_.state->inputs.find(name);
    if (before != q_.state->inputs.end() && before->second == *id) continue;
    plan_.moved = true;
    if (rules_.fixed.contains(name)) continue;
    const std::string since = before == q_.state->inputs.end() ? "" : before->second;
    HR_ASSIGN(InputChange change, ChangeOf(*q_.project->FindNode(name), since));
    changes_.push_back(std::move(change));
  }
  return Ok();
}

/// Why nothing that is there can stay; "" when it can.
std::string IntervalPlanner::WhyAll() const {
  if (q_.options.full) return "--full";
  if (q_.state == nullptr || q_.state->fingerprint.empty()) return "never built";
  if (q_.state->definition_digest != store::DefinitionDigest(node_.definition)) {
    return "its definition changed";
  }
  if (q_.state->fingerprint != fingerprint_)
    return "a view, a parameter or the time of an input changed";
  return "";
}

std::string IntervalPlanner::WhyStale(const store::IntervalRecord& record) const {
  if (!record.stale.empty()) return record.stale;
  if (node_.spec.common.rerun_always) return "volatile";
  const Interval window = rules_.Window({record.from, record.to});
  for (const InputChange& change : changes_) {
    if (change.all || data::Overlaps(change.ranges, window.from, window.to)) {
      return change.name + " changed";
    }
  }
  return "";
}

/// Whether the command's --from and --to take the interval in.
bool IntervalPlanner::Asked(const Interval& interval) const {
  return (!q_.options.from || interval.to > *q_.options.from) &&
         (!q_.options.to || interval.from < *q_.options.to);
}

void IntervalPlanner::Sort() {
  const std::string why_all = WhyAll();
  plan_.all = !why_all.empty();
  const bool backfill = q_.options.from || q_.options.to;
  // With another definition the old rows can't stay beside new ones, so a part of them can't be
  // built alone. What was never built can.
  const bool mixed = plan_.all && backfill && why_all == "never built";
  std::map<Timestamp, const store::IntervalRecord*> known;
  if (!plan_.all) {
    for (const auto& record : ledger_) known[record.from] = &record;
  }
  for (const Interval& interval : plan_.wanted) {
    const auto found = known.find(interval.from);
    const store::IntervalRecord* record = nullptr;
    if (found != known.end() && found->second->to == interval.to) {
      record = found->second;
      known.erase(found);
    }
    const bool asked = Asked(interval);
    if (plan_.all) {
      if (!mixed || asked) plan_.run.push_back({interval, why_all, ""});
      continue;
    }
    if (backfill && asked) {
      plan_.run.push_back({interval, "asked for", ""});
      continue;
    }
    std::string why = record == nullptr ? "never built" : WhyStale(*record);
    if (!backfill && why.empty() && interval.from <= q_.now && q_.now < interval.to) why = "open";
    if (why.empty()) continue;
    if (!backfill) {
      plan_.run.push_back({interval, std::move(why), ""});
    } else if (record != nullptr && record->stale.empty()) {
      plan_.left.push_back(*record);
      plan_.left.back().stale = std::move(why);
    }
  }
  for (const auto& [from, record] : known) plan_.drop.push_back({record->from, record->to});
}

/// Intervals that an unfinished run built and that nothing touched since need no query.
Status IntervalPlanner::TakeParts() {
  if (q_.store == nullptr || q_.options.full || !open_.empty()) return Ok();
  HR_ASSIGN(auto parts, q_.store->ReadIntervalParts(q_.project->target(), node_.name));
  std::map<std::map<std::string, std::string>, std::optional<std::vector<InputChange>>> since;
  std::map<Timestamp, const store::IntervalPart*> usable;
  for (const store::IntervalPart& part : parts) {
    if (part.fingerprint != fingerprint_) continue;
    auto [known, added] = since.try_emplace(part.inputs);
    if (added) {
      known->second.emplace();
      for (const auto& [name, id] : q_.inputs) {
        const auto before = part.inputs.find(name);
        if (before != part.inputs.end() && before->second == *id) continue;
        HR_ASSIGN(InputChange change, ChangeOf(*q_.project->FindNode(name),
                                               before == part.inputs.end() ? "" : before->second));
        known->second->push_back(std::move(change));
      }
    }
    const Interval window = rules_.Window({part.from, part.to});
    const bool touched =
        std::any_of(known->second->begin(), known->second->end(), [&](const InputChange& change) {
          return change.all || data::Overlaps(change.ranges, window.from, window.to);
        });
    if (!touched) usable[part.from] = &part;
  }
  for (IntervalTask& task : plan_.run) {
    const auto found = usable.find(task.interval.from);
    if (found == usable.end() || found->second->to != task.interval.to) continue;
    task.part = found->second->build;
  }
  return Ok();
}

std::string IntervalPlanner::Work() const {
  Hasher hasher;
  hasher.Add("headrace.intervals").Add(fingerprint_);
  for (const auto& [name, id] : q_.inputs) hasher.Add(name).Add(id.value_or(""));
  for (const IntervalTask& task : plan_.run) hasher.Add(task.interval.from).Add(task.interval.to);
  for (const Interval& interval : plan_.drop) hasher.Add(interval.from);
  return hasher.Finish().Hex();
}

/// "3 of 365 intervals: 2 flights changed, 1 open".
std::string IntervalPlanner::Reason() const {
  std::vector<std::pair<std::string, size_t>> counts;
  size_t parts = 0;
  for (const IntervalTask& task : plan_.run) {
    parts += task.part.empty() ? 0 : 1;
    auto found = std::find_if(counts.begin(), counts.end(),
                              [&](const auto& count) { return count.first == task.why; });
    if (found == counts.end()) found = counts.insert(counts.end(), {task.why, 0});
    ++found->second;
  }
  std::string text;
  if (plan_.run.empty()) {
    const bool backfill = q_.options.from || q_.options.to;
    text = !plan_.drop.empty()    ? fmt::format("{} of its intervals went", plan_.drop.size())
           : plan_.wanted.empty() ? "no interval has rows to read yet"
           : backfill
               ? fmt::format("its intervals go from {} to {}, none was asked for",
                             TimeText(plan_.wanted.front().from), TimeText(plan_.wanted.back().to))
               : "no interval is stale";
  } else {
    text = fmt::format("{} of {} interval{}: ", plan_.run.size(), plan_.wanted.size(),
                       plan_.wanted.size() == 1 ? "" : "s");
    for (size_t i = 0; i < counts.size(); ++i) {
      if (i > 0) text += ", ";
      if (counts.size() > 1) text += fmt::format("{} ", counts[i].second);
      text += counts[i].first;
    }
  }
  if (parts > 0) text += fmt::format("; {} were built before the last run ended", parts);
  return text;
}

Result<Decision> IntervalPlanner::Decide() {
  Decision decision;
  fingerprint_ = IntervalFingerprint(*q_.project, node_, q_.now);
  decision.fingerprint = fingerprint_;
  HR_TRY(FindWanted());
  HR_TRY(FindLedger());
  if (WhyAll().empty()) {
    HR_TRY(FindChanges());
  } else {
    plan_.moved = true;
    for (const auto& [name, id] : q_.inputs) {
      if (!id) open_.push_back(name);
    }
  }
  Sort();
  HR_TRY(TakeParts());
  plan_.work = Work();
  decision.reason = Reason();
  const bool checks_changed =
      q_.state != nullptr &&
      q_.state->checks_digest != store::DefinitionDigest(node_.checks_definition);
  const bool nothing = plan_.run.empty() && plan_.drop.empty() && !plan_.all;
  decision.action = Action::kIntervals;
  if (open_.empty() && RepeatsVerdict(q_.state, node_, plan_.work, q_.options)) {
    decision.action = Action::kFail;
    decision.reason = "its checks failed on the same rows in run " + q_.state->rejection->run;
  } else if (!open_.empty()) {
    decision.certain = !nothing;
    std::string names;
    for (const auto& name : open_) names += (names.empty() ? "" : ", ") + name;
    const std::string above = names + (open_.size() == 1 ? " is" : " are") + " built above";
    if (!plan_.run.empty()) {
      decision.reason = Reason() + "; and those that " + names + " touches";
    } else {
      decision.reason =
          (plan_.all ? WhyAll() + "; " : "") + above + "; the intervals that it touches are";
    }
  } else if (nothing && checks_changed) {
    decision.action = Action::kCheck;
    decision.reason = "only its checks changed";
  } else if (nothing && q_.state != nullptr &&
             CheckInputsChanged(q_.state->inputs, q_.options.check_inputs)) {
    decision.action = Action::kCheck;
    decision.reason = "rows that its checks read changed";
  } else if (nothing) {
    decision.action = Action::kReuse;
  }
  decision.intervals = std::make_shared<const IntervalPlan>(std::move(plan_));
  return decision;
}

}  // namespace

InputIds IntervalInputs(const Project& project, const Node& node,
                        const std::vector<std::optional<std::string>>& ids) {
  InputIds inputs;
  for (int index : project.TableInputs(node, Project::Reads::kRows))
    inputs[project.nodes()[index].name] = ids[index];
  return inputs;
}

std::string IntervalFingerprint(const Project& project, const Node& node, Timestamp run_time) {
  Hasher hasher;
  hasher.Add("headrace.intervals");
  // The tables stay away; views are inlined, so what they say is part of the query.
  hasher.Add(Fingerprint(project, node, {}, Probe{}, run_time));
  for (int index : project.ViewInputs(node, Project::Reads::kRows)) {
    const Node& view = project.nodes()[index];
    hasher.Add(view.name).Add(Fingerprint(project, view, {}, Probe{}, run_time));
  }
  for (int index : project.TableInputs(node, Project::Reads::kRows)) {
    const Node& table = project.nodes()[index];
    hasher.Add(table.name).Add(WindowColumn(*node.intervals, table));
  }
  return hasher.Finish().Hex();
}

Result<Decision> DecideIntervals(const IntervalQuestion& question) {
  return IntervalPlanner(question).Decide();
}

}  // namespace headrace::pipeline
