// Collects what the report of a run shows. Only what was true when the run ended is taken: commits,
// versions and moves of later runs are left out (ids of runs sort by time), so a report made again
// later is the same.
#include "engine/report_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "engine/report_models.h"
#include "engine/report_text.h"

namespace headrace::engine {
namespace {

constexpr int kHistory = 40;        // commits of a node
constexpr size_t kRunsDrawn = 20;   // of a check
constexpr int kRowsDrawn = 12;      // runs of a table
constexpr size_t kManyNodes = 400;  // beyond, rows of earlier runs are not looked up

Json Parsed(const std::string& text) {
  auto json = ParseJson(text.empty() ? "{}" : text, "run record");
  return json.ok() && json->is_object() ? std::move(*json) : Json::object();
}

std::string Word(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

report::NodeState StateOf(const store::NodeRecord& record, const std::string& error_code) {
  using report::NodeState;
  if (error_code == "cancelled") return NodeState::kStopped;
  if (!record.error.empty() || record.action == "fail") return NodeState::kFailed;
  if (record.action == "reuse") return NodeState::kReused;
  if (record.action == "skip") return NodeState::kSkipped;
  if (record.action == "check") return NodeState::kChecked;
  if (record.kind == "model") return NodeState::kTrained;
  return NodeState::kBuilt;
}

std::string TypeOf(const pipeline::Node& node) {
  if (node.kind == "sql") return node.view ? "view" : "";
  return node.spec.type.empty() ? node.spec.subject : node.spec.type;
}

class Collector {
 public:
  Collector(const ReportSources& sources, const std::string& run)
      : sources_(sources), target_(sources.project->target()), words_(*sources.project) {
    out_.run = run;
  }

  Result<report::RunReport> Collect() {
    HR_TRY(Head());
    for (const auto& node : sources_.project->nodes()) {
      HR_TRY(Node(node));
    }
    Notes();
    HR_ASSIGN(out_.models, CollectModels(sources_, record_, out_.nodes));
    return std::move(out_);
  }

 private:
  Status Head() {
    HR_ASSIGN(record_, sources_.store->ReadRun(target_, out_.run));
    out_.project = sources_.project->name();
    out_.target = target_;
    out_.command = record_.command;
    out_.version = record_.version;
    out_.engine = record_.engine;
    out_.status = std::string(store::Text(record_.status));
    out_.params = record_.params;
    out_.started = record_.started;
    out_.sends = sources_.project->Sends();
    summary_ = Parsed(record_.summary);
    if (summary_.contains("seconds") && summary_["seconds"].is_number()) {
      out_.seconds = summary_["seconds"];
    }
    HR_ASSIGN(const auto runs, sources_.store->ListRuns(target_, 1000));
    for (const auto& run : runs) {
      if (run.id < out_.run) {
        out_.previous_run = run.id;
        break;
      }
    }
    HR_ASSIGN(const auto records, sources_.store->ReadRunNodes(target_, out_.run));
    for (const auto& record : records) records_[record.node] = record;
    return Ok();
  }

  Status Node(const pipeline::Node& node) {
    report::NodeLine line;
    line.name = node.name;
    line.kind = node.kind;
    line.type = TypeOf(node);
    line.description = node.spec.common.description;
    line.owner = node.spec.common.owner.value_or("");
    for (const int input : node.inputs) {
      line.inputs.push_back(sources_.project->nodes()[static_cast<size_t>(input)].name);
    }
    const auto found = records_.find(node.name);
    if (found != records_.end()) Record(found->second, &line);
    const auto details = summary_.find("details");
    if (details != summary_.end() && details->contains(node.name)) {
      Counts((*details)[node.name], &line);
    }
    HR_TRY(History(node, &line));
    out_.nodes.push_back(std::move(line));
    return Ok();
  }

  void Record(const store::NodeRecord& record, report::NodeLine* line) const {
    line->reason = words_.Masked(record.reason);
    line->rows = record.rows;
    line->seconds = record.seconds;
    if (!record.error.empty()) {
      const Json error = Parsed(record.error);
      line->error_code = Word(error, "code");
      line->error = words_.Masked(ErrorLine(line->error_code, Word(error, "message")));
      line->hint = words_.Masked(Word(error, "hint"));
    }
    line->state = StateOf(record, line->error_code);
  }

  static void Counts(const Json& details, report::NodeLine* line) {
    if (!details.is_object()) return;
    for (const auto& [key, value] : details.items()) {
      if (value.is_number_integer()) line->counts[key] = value.get<int64_t>();
    }
    const auto aside = details.find("quarantine");
    if (aside != details.end() && aside->is_object()) {
      const auto rows = aside->find("rows");
      if (rows != aside->end() && rows->is_number_integer()) line->counts["quarantined"] = *rows;
    }
  }

  /// What was committed up to this run: rows before, changed columns, verdicts.
  Status History(const pipeline::Node& node, report::NodeLine* line) {
    const bool ran = line->state != report::NodeState::kUnselected;
    if (!ran || (node.checks.empty() && line->state == report::NodeState::kReused)) {
      line->rows_before = line->rows;
      return RowsDrawn({}, line);
    }
    HR_ASSIGN(auto commits, sources_.store->ReadHistory(target_, node.name, kHistory));
    std::erase_if(commits, [&](const auto& commit) { return commit.run > out_.run; });
    HR_TRY(Before(commits, line));
    Verdicts(node, commits, line);
    return RowsDrawn(commits, line);
  }

  Status Before(const std::vector<store::CommitRecord>& commits, report::NodeLine* line) {
    const store::CommitRecord *now = nullptr, *before = nullptr;
    for (const auto& commit : commits) {
      if (commit.rejected || commit.build.empty()) continue;
      if (now == nullptr) {
        now = &commit;
        if (commit.run != out_.run) before = &commit;
      } else if (before == nullptr && commit.run != out_.run) {
        before = &commit;
      }
      if (before != nullptr) break;
    }
    // What a run read is not what the table holds: appended rows.
    if (now != nullptr && now->rows >= 0 && line->rows != now->rows) {
      if (now->run == out_.run && line->rows >= 0) line->counts["read"] = line->rows;
      line->rows = now->rows;
    }
    if (before == nullptr) return Ok();
    line->rows_before = before->rows;
    line->new_rows = now != before && now->snapshot != before->snapshot;
    if (!line->new_rows) return Ok();
    // A swept snapshot has no columns to compare with.
    const auto old_columns = ColumnsOf(line->name, before->build);
    const auto new_columns = ColumnsOf(line->name, now->build);
    if (!old_columns || !new_columns) return Ok();
    for (const auto& [name, type] : *new_columns) {
      const auto found = old_columns->find(name);
      if (found == old_columns->end()) {
        line->columns_added.push_back(name);
      } else if (found->second != type) {
        line->columns_changed.push_back(name + " (" + found->second + " → " + type + ")");
      }
    }
    for (const auto& [name, type] : *old_columns) {
      if (!new_columns->contains(name)) line->columns_removed.push_back(name);
    }
    return Ok();
  }

  std::optional<std::map<std::string, std::string>> ColumnsOf(const std::string& node,
                                                              const std::string& build) const {
    auto snapshot = sources_.store->ReadSnapshot(target_, {node, build});
    if (!snapshot.ok()) return std::nullopt;
    auto json = ParseJson(snapshot->schema, "schema");
    if (!json.ok()) return std::nullopt;
    auto schema = data::SchemaFromJson(*json);
    if (!schema.ok()) return std::nullopt;
    std::map<std::string, std::string> out;
    for (const auto& column : schema->columns) out[column.name] = column.type;
    return out;
  }

  void Verdicts(const pipeline::Node& node, const std::vector<store::CommitRecord>& commits,
                report::NodeLine* line) {
    std::set<std::string> wanted;
    for (const auto& check : node.checks) wanted.insert(check.id);
    std::map<std::string, report::CheckHistory> history;
    for (size_t c = commits.size(); c-- > 0;) {
      for (const auto& verdict : commits[c].verdicts) {
        report::CheckHistory& own = history[verdict.check];
        const std::string status(store::Text(verdict.status));
        // A run commits a node once; a verdict carried over from before is not judged again.
        const bool again = !own.points.empty() && own.points.back().run == commits[c].run;
        if (again) own.points.pop_back();
        own.points.push_back({commits[c].run, commits[c].committed, status, verdict.failing_rows,
                              verdict.total_rows});
      }
    }
    if (!commits.empty()) {
      for (const auto& verdict : commits.front().verdicts) {
        line->checks.push_back({verdict.check, verdict.severity,
                                std::string(store::Text(verdict.status)),
                                words_.Masked(FirstLineOf(verdict.message)), verdict.failing_rows,
                                verdict.total_rows});
      }
    }
    for (auto& [check, own] : history) {
      if (!wanted.empty() && !wanted.contains(check)) continue;  // it left the project
      own.node = line->name;
      own.check = check;
      if (own.points.size() > kRunsDrawn) {
        own.points.erase(own.points.begin(), own.points.end() - kRunsDrawn);
      }
      out_.check_history.push_back(std::move(own));
    }
  }

  /// Rows of the table after each of the last runs, as far as they are known: a record of a run
  /// that appended to a source has the rows it read.
  Status RowsDrawn(const std::vector<store::CommitRecord>& commits, report::NodeLine* line) {
    const size_t nodes = sources_.project->nodes().size();
    if (line->rows < 0 || line->kind == "model" || nodes > kManyNodes) return Ok();
    std::map<std::string, int64_t> committed;
    for (const auto& commit : commits) {
      if (!commit.rejected && commit.rows >= 0) committed.emplace(commit.run, commit.rows);
    }
    HR_ASSIGN(const auto runs, sources_.store->LastRuns(target_, line->name, 2 * kRowsDrawn));
    for (const auto& run : runs) {  // newest first
      const store::NodeRecord& record = run.record;
      if (record.run > out_.run || line->rows_history.size() == kRowsDrawn) continue;
      const auto found = committed.find(record.run);
      const bool whole = record.action == "reuse" || line->kind != "source";
      const int64_t rows = found != committed.end() ? found->second : whole ? record.rows : -1;
      if (rows >= 0) line->rows_history.insert(line->rows_history.begin(), rows);
    }
    return Ok();
  }

  void Notes() {
    const auto notes = summary_.find("notes");
    if (notes == summary_.end() || !notes->is_array()) return;
    for (const Json& note : *notes) {
      if (!note.is_object()) continue;
      out_.notes.push_back({Word(note, "node"), Word(note, "severity"), Word(note, "code"),
                            Word(note, "subject"),
                            words_.Masked(FirstLineOf(Word(note, "message")))});
    }
  }

  const ReportSources& sources_;
  const std::string target_;
  const ReportWords words_;
  store::RunRecord record_;
  Json summary_;
  std::map<std::string, store::NodeRecord> records_;
  report::RunReport out_;
};

}  // namespace

Result<report::RunReport> CollectReport(const ReportSources& sources, const std::string& run) {
  return Collector(sources, run).Collect();
}

}  // namespace headrace::engine
