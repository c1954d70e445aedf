#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/suggest.h"
#include "data/quote.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/failed_sends.h"
#include "model/package.h"
#include "pipeline/borrow.h"
#include "pipeline/build_context.h"
#include "pipeline/quarantine.h"
#include "pipeline/runner.h"
#include "spec/print.h"
#include "sql/compose.h"

namespace headrace::engine {
namespace {

NodeSummary SummaryOf(const pipeline::Project& project, const pipeline::Node& node,
                      const store::NodeState* state) {
  NodeSummary summary;
  summary.name = node.name;
  summary.kind = node.kind;
  summary.type = node.kind == "sql"       ? ""
                 : node.spec.type.empty() ? node.spec.subject
                                          : node.spec.type;
  summary.file = node.file;
  const auto& common = node.spec.common;
  summary.owner = common.owner.value_or("");
  summary.description = common.description;
  summary.tags = common.tags.value_or(std::vector<std::string>{});
  for (int input : node.inputs) summary.inputs.push_back(project.nodes()[input].name);
  if (node.view) {
    summary.materialize = "view";
  } else if (node.has_table) {
    summary.materialize = node.incremental ? "incremental" : "table";
  }
  if (state != nullptr) {
    summary.committed = state->committed;
    if (state->snapshot) summary.rows = state->snapshot->rows;
  }
  return summary;
}

Error UnknownNode(const pipeline::Project& project, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& node : project.nodes()) names.push_back(node.name);
  const size_t suffix = name.find("__quarantine");
  const bool aside = suffix != std::string::npos && project.Find(name.substr(0, suffix)) >= 0;
  return UserError("unknown_node", "there is no node '" + name + "'")
      .Subject(name)
      .Candidates(aside ? std::vector<std::string>() : Suggest(name, names))
      .Hint(aside ? "rows that stand aside are a table: headrace query \"FROM " + name + "\""
                  : "headrace list shows all nodes");
}

std::string Unquoted(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Result<std::vector<NodeSummary>> Engine::List(const SelectOptions& selection) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  HR_ASSIGN(auto selected, state_->Select(selection));
  std::map<std::string, store::NodeState> states;
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  if (store != nullptr) {
    HR_ASSIGN(auto all, store->ReadState(project->target()));
    for (auto& state : all) states[state.node] = std::move(state);
  }
  std::vector<NodeSummary> list;
  for (size_t i = 0; i < project->nodes().size(); ++i) {
    if (!selected[i]) continue;
    const auto& node = project->nodes()[i];
    auto found = states.find(node.name);
    list.push_back(SummaryOf(*project, node, found == states.end() ? nullptr : &found->second));
  }
  return list;
}

namespace {

/// Verdicts of the last commits, of the node's own checks and of the singular ones about it, and
/// what stands in quarantine.
Status AddHistory(const pipeline::Project& project, const pipeline::Node& node, store::Store& store,
                  NodeDetails& details) {
  constexpr int kCommits = 10;
  HR_ASSIGN(auto commits, store.ReadHistory(project.target(), node.name, kCommits));
  std::erase_if(commits, [](const auto& commit) { return commit.verdicts.empty(); });
  details.history = std::move(commits);
  for (int output : node.outputs) {
    const pipeline::Node& check = project.nodes()[output];
    if (check.kind != "check" || check.checks.empty()) continue;
    NodeDetails::CheckLine line;
    line.id = check.checks.front().id;
    line.severity = std::string(spec::Text(check.checks.front().severity));
    HR_ASSIGN(auto state, store.ReadNode(project.target(), check.name));
    if (state) {
      const auto& verdicts = state->rejection ? state->rejection->verdicts : state->verdicts;
      if (!verdicts.empty()) line.verdict = verdicts.front();
    }
    details.checks.push_back(std::move(line));
    HR_ASSIGN(auto past, store.ReadHistory(project.target(), check.name, kCommits));
    details.history.insert(details.history.end(), past.begin(), past.end());
  }
  HR_ASSIGN(auto aside, store.ReadNode(project.target(), pipeline::QuarantineOf(node.name)));
  if (aside) details.quarantine = aside->snapshot;
  return Ok();
}

}  // namespace

Result<NodeDetails> Engine::Show(const std::string& name) {
  HR_ASSIGN(const pipeline::Project* project, state_->Ready());
  const pipeline::Node* node = project->FindNode(name);
  if (node == nullptr) return UnknownNode(*project, name);
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  std::optional<store::NodeState> state;
  if (store != nullptr) {
    HR_ASSIGN(state, store->ReadNode(project->target(), name));
  }
  NodeDetails details;
  details.summary = SummaryOf(*project, *node, state ? &*state : nullptr);
  for (int output : node->outputs) details.outputs.push_back(project->nodes()[output].name);
  details.schema = node->schema;
  for (const auto& [column, fields] : node->spec.common.columns) {
    if (!fields.description.empty()) details.column_descriptions[column] = fields.description;
  }
  if (node->spec.options.spec != nullptr) {
    HR_ASSIGN(Json fields, ParseJson(spec::ToJson(node->spec.options), "fields"));
    for (const auto& [key, value] : fields.items()) {
      const bool empty = value.is_null() ||
                         (value.is_string() && value.get<std::string>().empty()) ||
                         ((value.is_array() || value.is_object()) && value.empty());
      if (!empty) details.fields.emplace_back(key, state_->redactor.Redact(Unquoted(value)));
    }
  }
  details.sql = node->kind == "sql" ? node->text.text : "";
  const std::vector<store::Verdict>* verdicts = nullptr;
  if (state) {
    verdicts = state->rejection ? &state->rejection->verdicts : &state->verdicts;
    details.rejection = state->rejection;
    HR_ASSIGN(details.intervals, store->ReadIntervals(project->target(), name));
    if (state->snapshot) {
      HR_ASSIGN(details.snapshot,
                store->ReadSnapshot(project->target(), {name, state->snapshot->build}));
      if (!details.schema) {
        HR_ASSIGN(Json schema, ParseJson(details.snapshot->schema, "schema"));
        HR_ASSIGN(details.schema, data::SchemaFromJson(schema));
      }
    }
  }
  for (const auto& check : node->checks) {
    NodeDetails::CheckLine line;
    line.id = check.id;
    line.severity = std::string(spec::Text(check.severity));
    line.definition = check.definition;
    if (verdicts != nullptr) {
      for (const auto& verdict : *verdicts) {
        if (verdict.check == check.id) line.verdict = verdict;
      }
    }
    details.checks.push_back(std::move(line));
  }
  if (store != nullptr) {
    HR_TRY(AddHistory(*project, *node, *store, details));
    HR_ASSIGN(details.runs, store->LastRuns(project->target(), name, 10));
    if (node->kind == "model") {
      HR_ASSIGN(details.versions, store->ListModelVersions(project->target(), name));
      HR_ASSIGN(details.aliases, store->ListAliases(project->target(), name));
    }
    if (node->kind == "action") {
      HR_ASSIGN(details.sends, store->ListSends(project->target(), name, std::nullopt, 20));
    }
  }
  return details;
}

namespace {

/// A query of a person as text that runs on a connection without views: every table a CTE over its
/// files. `prefix` gets the bytes in front of the text.
/// Keeps what a query reads from being swept until its last row is read.
class PinnedReader : public data::BatchReader {
 public:
  PinnedReader(std::vector<std::unique_ptr<store::Pin>> pins,
               std::unique_ptr<data::BatchReader> reader)
      : pins_(std::move(pins)), reader_(std::move(reader)) {}
  const data::Schema& schema() const override { return reader_->schema(); }
  Result<std::optional<data::Batch>> Next() override { return reader_->Next(); }
  int64_t ExpectedRows() const override { return reader_->ExpectedRows(); }

 private:
  std::vector<std::unique_ptr<store::Pin>> pins_;
  std::unique_ptr<data::BatchReader> reader_;  // let go first
};

struct RunnableQuery {
  std::map<std::string, std::vector<store::BuildRef>> builds;  ///< that it reads, by target
  std::string text;
  size_t prefix = 0;
  data::Parameters parameters;
};

}  // namespace

/// "01J8…" whole or its first characters, or a time: the last run that had ended by then.
static Result<std::string> ResolveRun(store::Store& store, const std::string& target,
                                      const std::string& at) {
  constexpr int kLooked = 10'000;
  HR_ASSIGN(auto runs, store.ListRuns(target, kLooked));
  if (const auto time = ParseTimestamp(at); time.ok()) {
    for (const auto& run : runs) {
      if (run.finished != 0 && run.finished <= *time) return run.id;
    }
    return UserError("unknown_run", "no run of target '" + target + "' had ended by " + at)
        .Subject(at)
        .Hint("headrace show NODE lists runs");
  }
  std::vector<std::string> found;
  for (const auto& run : runs) {
    if (run.id == at) return at;
    if (at.size() >= 4 && run.id.starts_with(at)) found.push_back(run.id);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return UserError("unknown_run", "several runs begin with '" + at + "'")
        .Subject(at)
        .Candidates(found);
  }
  HR_TRY(store.ReadRun(target, at));
  return at;
}

/// SELECTs of the tables ACTION__failed that a query names.
static Result<std::map<std::string, std::string>> FailedSends(
    const pipeline::Project& project, store::Store* store,
    const headrace::sql::ParsedSelect& select) {
  constexpr int kMost = 10'000;
  std::map<std::string, std::string> found;
  for (const auto& use : select.tables) {
    for (const auto& node : project.nodes()) {
      if (node.kind != "action" || FailedSendsOf(node.name) != use.name) continue;
      std::vector<store::SendRecord> sends;
      for (auto status : {store::SendStatus::kFailed, store::SendStatus::kIntent}) {
        if (store == nullptr) continue;
        HR_ASSIGN(auto some, store->ListSends(project.target(), node.name, status, kMost));
        sends.insert(sends.end(), some.begin(), some.end());
      }
      found[use.name] = FailedSendsSql(sends);
    }
  }
  return found;
}

static Result<RunnableQuery> Runnable(const pipeline::Project& project, store::Store* store,
                                      const std::string& warehouse,
                                      const std::string& reuse_warehouse, const std::string& sql,
                                      const std::string& at_run, Timestamp now) {
  HR_ASSIGN(auto parser, headrace::sql::SqlParser::Open());
  headrace::sql::SqlText text;
  text.text = sql;
  headrace::sql::SelectRules rules;
  rules.allow_volatile = true;
  rules.any_table = true;
  for (const auto& [name, value] : project.params()) rules.parameters.push_back(name);
  auto select = parser->ParseSelect(text, rules);
  if (!select.ok()) return select.faults.front();
  std::map<std::string, store::SnapshotRecord> records;
  std::map<std::string, std::string> target_of;  // of records that are not this target's
  if (store != nullptr && at_run.empty()) {
    HR_ASSIGN(auto states, store->ReadState(project.target()));
    for (auto& state : states) {
      if (state.snapshot) records[state.node] = *state.snapshot;
    }
    HR_ASSIGN(const auto borrowed,
              pipeline::FindBorrowed(project, store, reuse_warehouse, now, false));
    for (const auto& [node, state] : borrowed.there) {
      // What was changed and not yet built here shows its rows of there.
      if (!borrowed.Has(node) && records.count(node) > 0) continue;
      records[node] = *state.snapshot;
      target_of[node] = borrowed.target;
    }
  } else if (store != nullptr) {
    HR_ASSIGN(const std::string run, ResolveRun(*store, project.target(), at_run));
    HR_ASSIGN(auto then, store->ReadSnapshotsAt(project.target(), run));
    for (auto& [node, record] : then) records[node] = std::move(record);
  }
  HR_ASSIGN(const auto sends, FailedSends(project, store, select));
  std::set<int> tables, views;
  std::set<std::string> parameter_names(select.parameter_names.begin(),
                                        select.parameter_names.end());
  for (const auto& use : select.tables) {
    if (sends.count(use.name) > 0) continue;
    const int index = project.Find(use.name);
    // A snapshot of a node that left the project can still be read.
    if (index < 0 && records.count(use.name) == 0) {
      Error error = UnknownNode(project, use.name);
      const size_t suffix = use.name.find("__quarantine");
      if (suffix != std::string::npos && project.Find(use.name.substr(0, suffix)) >= 0) {
        error = UserError("no_quarantine",
                          "no row of '" + use.name.substr(0, suffix) + "' was ever set aside")
                    .Subject(use.name)
                    .Hint("checks with 'severity: quarantine' set rows aside");
      }
      return error.At(headrace::sql::PlaceOf(text, use.span));
    }
    if (index < 0) continue;
    const pipeline::Node& node = project.nodes()[index];
    if (node.view) {
      views.insert(index);
      for (int v : project.ViewInputs(node)) views.insert(v);
      for (int t : project.TableInputs(node)) tables.insert(t);
    } else {
      tables.insert(index);
    }
  }
  RunnableQuery query;
  auto add = [&](const std::string& name) -> Status {
    auto found = records.find(name);
    if (found == records.end() && !at_run.empty()) {
      return UserError("snapshot_gone", "there are no rows of '" + name +
                                            "' from then: they were "
                                            "not built yet, or cleaned up since")
          .Subject(name)
          .Hint("targets: … retention: {snapshots: …} says how many are kept; headrace show " +
                name + " lists its runs");
    }
    if (found == records.end()) {
      return UserError("never_built", "'" + name + "' has no rows yet")
          .Subject(name)
          .Hint("headrace run +" + name);
    }
    HR_ASSIGN(data::Snapshot snapshot, pipeline::SnapshotOf(name, found->second));
    const auto other = target_of.find(name);
    query.builds[other == target_of.end() ? project.target() : other->second].push_back(
        {name, found->second.build});
    query.text += (query.text.empty() ? "WITH " : ", ") + data::QuoteIdentifier(name) +
                  " AS NOT MATERIALIZED (" + data::ReadSnapshotSql(warehouse, snapshot) + ")";
    return Ok();
  };
  for (int table : tables) HR_TRY(add(project.nodes()[table].name));
  for (const auto& [name, sends_sql] : sends) {
    query.text += (query.text.empty() ? "WITH " : ", ") + data::QuoteIdentifier(name) + " AS (" +
                  sends_sql + ")";
  }
  for (const auto& use : select.tables) {
    if (project.Find(use.name) < 0 && sends.count(use.name) == 0) HR_TRY(add(use.name));
  }
  for (int index : views) {
    const pipeline::Node& view = project.nodes()[index];
    query.text += (query.text.empty() ? "WITH " : ", ") + data::QuoteIdentifier(view.name) +
                  " AS NOT MATERIALIZED (" +
                  std::string(headrace::sql::TrimStatement(view.text.text)) + "\n)";
    parameter_names.insert(view.select.parameter_names.begin(), view.select.parameter_names.end());
  }
  query.text += query.text.empty() ? "" : " SELECT * FROM (";
  query.prefix = query.text.size();
  query.text += std::string(headrace::sql::TrimStatement(sql));
  if (query.prefix > 0) query.text += "\n)";
  for (const auto& parameter : project.Parameters(now)) {
    if (parameter_names.count(parameter.name) > 0) query.parameters.push_back(parameter);
  }
  return query;
}

/// Batches carry what snapshots store. A query of a person may give other types (the sum of
/// integers is a HUGEINT): these are cast as they would be stored, and to texts where they
/// couldn't.
static Status CastToBatchTypes(const data::Schema& result, RunnableQuery* query) {
  std::string list;
  bool same = true;
  for (const auto& column : result.columns) {
    const std::string name = data::QuoteIdentifier(column.name);
    const data::StoredType stored = data::StoredTypeOf(column.type, column.name);
    if (!list.empty()) list += ", ";
    if (stored.action == data::StoredType::Action::kSame) {
      list += name;
      continue;
    }
    same = false;
    const bool cast = stored.action == data::StoredType::Action::kCast;
    list += "CAST(" + name + " AS " + (cast ? stored.type : "VARCHAR") + ") AS " + name;
  }
  if (same) return Ok();
  for (size_t i = 0; i < result.size(); ++i) {
    if (result.IndexOf(result.columns[i].name) != static_cast<int>(i)) {
      return UserError("duplicate_column",
                       "two columns of the result are named '" + result.columns[i].name + "'")
          .Subject(result.columns[i].name)
          .Hint("name them: … AS other_name");
    }
  }
  const std::string head = "SELECT " + list + " FROM (";
  query->text = head + query->text + "\n)";
  query->prefix += head.size();
  return Ok();
}

/// Pins every build of the query. A store that can't be written to is read without.
static Result<std::vector<std::unique_ptr<store::Pin>>> PinAll(store::Store* store,
                                                               const RunnableQuery& query) {
  std::vector<std::unique_ptr<store::Pin>> pins;
  for (const auto& [target, builds] : query.builds) {
    auto pin = store->PinBuilds(target, "query", builds);
    if (!pin.ok() && pin.error().code == "store_read_only") break;
    HR_ASSIGN(auto pinned, std::move(pin));
    pins.push_back(std::move(pinned));
  }
  return pins;
}

Result<std::unique_ptr<data::BatchReader>> Engine::Query(const std::string& sql,
                                                         const std::string& at_run) {
  HR_ASSIGN(const pipeline::Project* project, state_->Readable());
  HR_ASSIGN(store::Store * store, state_->OpenStore(false));
  budget();
  HR_TRY(state_->OpenInstances());
  RunnableQuery query;
  std::vector<std::unique_ptr<store::Pin>> pins;
  // Between reading the state and pinning, a run may have replaced a snapshot.
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    HR_ASSIGN(query, Runnable(*project, store, state_->Warehouse(), state_->ReuseWarehouse(), sql,
                              at_run, state_->clock->Now()));
    if (store == nullptr) break;
    auto pinned = PinAll(store, query);
    if (pinned.ok()) {
      pins = std::move(*pinned);
      break;
    }
    if (pinned.error().code != "snapshot_gone" || attempt == kAttempts) {
      return std::move(pinned).error();
    }
  }
  HR_ASSIGN(auto instance, state_->instances->Parallel());
  {
    data::QueryOptions describe;
    describe.cancel = state_->cancel;
    describe.prefix_bytes = query.prefix;
    HR_ASSIGN(auto connection, instance->Connect());
    HR_ASSIGN(data::Schema result, connection.Describe(query.text, query.parameters, describe));
    HR_TRY(CastToBatchTypes(result, &query));
  }
  data::StreamOptions stream;
  stream.query.cancel = state_->cancel;
  stream.query.prefix_bytes = query.prefix;
  HR_ASSIGN(auto reader, instance->Stream(query.text, query.parameters, stream));
  return std::unique_ptr<data::BatchReader>(
      std::make_unique<PinnedReader>(std::move(pins), std::move(reader)));
}

Status Engine::QueryToFile(const std::string& sql, const std::string& at_run,
                           const std::string& format, const std::string& path) {
  HR_ASSIGN(auto reader, Query(sql, at_run));
  std::string items = "*";
  std::vector<std::string> names;
  for (const data::Column& column : reader->schema().columns) {
    for (const std::string& other : names) {
      if (!data::SameName(other, column.name)) continue;
      return UserError("duplicate_column",
                       "two columns of the result are named '" + column.name + "'")
          .Subject(column.name)
          .Hint("give one of them another name: … AS " + column.name + "_2");
    }
    names.push_back(column.name);
    if (format != "json" || (column.type != "DOUBLE" && column.type != "FLOAT")) continue;
    // JSON has neither NaN nor infinity.
    const std::string name = data::QuoteIdentifier(column.name);
    items += (items == "*" ? " REPLACE (" : ", ") + ("CASE WHEN isfinite(" + name + ") THEN ") +
             name + " END AS " + name;
  }
  if (items != "*") items += ")";
  HR_ASSIGN(auto instance, state_->instances->Open());
  HR_ASSIGN(auto source, instance->AddSource(std::move(reader)));
  HR_ASSIGN(auto connection, instance->Connect());
  const std::string options = format == "csv"       ? "(FORMAT csv, HEADER)"
                              : format == "parquet" ? "(FORMAT parquet, COMPRESSION zstd)"
                                                    : "(FORMAT json)";
  data::QueryOptions query;
  query.cancel = state_->cancel;
  auto copied = connection.Execute("COPY (SELECT " + items + " FROM " + source.sql() + ") TO " +
                                       data::QuoteLiteral(path) + " " + options,
                                   {}, query);
  if (!source.error().ok()) return source.error();
  if (!copied.ok()) return std::move(copied).error();
  return Ok();
}

}  // namespace headrace::engine
