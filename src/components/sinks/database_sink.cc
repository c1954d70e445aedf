#include "components/sinks/database_sink.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/hash.h"
#include "base/number_text.h"
#include "base/suggest.h"
#include "data/quote.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

std::string_view ModeText(SinkMode mode) {
  return mode == SinkMode::kReplace ? "replace" : mode == SinkMode::kUpsert ? "upsert" : "append";
}

class DatabaseSink : public pipeline::Component {
 public:
  DatabaseSink(const spec::NodeSpec& node, MakeSinkTable make, CheckSinkConnection check)
      : name_(node.name),
        options_(node.options.As<DatabaseSinkOptions>()),
        make_(std::move(make)),
        check_(std::move(check)) {}

  std::vector<pipeline::InputRef> Inputs() const override { return {{options_.from, "from"}}; }
  bool HasTable() const override { return false; }
  std::vector<std::string> Connections() const override { return {options_.connection}; }

  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override;
  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override;

 private:
  /// The rows of the input as a relation of a connection; what it needs lives as long.
  struct Rows {
    std::shared_ptr<data::DuckInstance> instance;
    data::SourceHandle source;
    std::string relation;
    data::Schema schema;
  };
  Result<Rows> OpenRows(pipeline::BuildContext& context) const;
  Status JudgeKey(pipeline::BuildContext& context) const;
  Result<SinkJob> MakeJob(pipeline::BuildContext& context) const;
  Result<std::vector<std::string>> MatchColumns(const SinkJob& job, SinkTable& table,
                                                const spec::NodeSpec& spec) const;

  std::string name_;
  DatabaseSinkOptions options_;
  MakeSinkTable make_;
  CheckSinkConnection check_;
};

std::optional<data::Schema> DatabaseSink::Lint(const pipeline::LintContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  const auto add = [&](Error error) { context.diagnostics->Add(std::move(error.Node(name_))); };
  Status connection = check_(options_, *context.project, spec);
  if (!connection.ok()) add(connection.error());
  const data::Schema* schema = context.schema_of(options_.from);
  if (schema != nullptr) {
    for (const std::string& key : options_.key) {
      if (schema->Find(key) != nullptr) continue;
      add(UserError("unknown_column", fmt::format("'{}' has no column '{}'", options_.from, key))
              .At(spec.PlaceOf("key"))
              .Subject(key)
              .Candidates(Suggest(key, schema->Names())));
    }
    if (options_.mode == SinkMode::kAppend && schema->Find(kSnapshotColumn) != nullptr) {
      add(UserError("reserved_column", fmt::format("'{}' has a column '{}', which `mode: append` "
                                                   "fills itself",
                                                   options_.from, kSnapshotColumn))
              .At(spec.PlaceOf("from")));
    }
  }
  for (const auto& other : context.project->nodes()) {
    if (&other == context.node || other.kind != "sink" || other.name >= name_) continue;
    if (other.spec.type != spec.type || other.spec.options.spec == nullptr) continue;
    const auto& theirs = other.spec.options.As<DatabaseSinkOptions>();
    if (theirs.connection != options_.connection || theirs.table != options_.table) continue;
    if (theirs.mode != SinkMode::kReplace && options_.mode != SinkMode::kReplace) continue;
    add(UserError("same_table", fmt::format("sink '{}' writes the same table '{}', and one of the "
                                            "two replaces all rows",
                                            other.name, options_.table))
            .At(spec.PlaceOf("table"))
            .Hint("give this sink a table of its own, or write `mode: upsert` in both"));
  }
  return std::nullopt;
}

Result<DatabaseSink::Rows> DatabaseSink::OpenRows(pipeline::BuildContext& context) const {
  Rows rows;
  HR_ASSIGN(rows.instance, context.instances->Open());
  if (auto table = context.inputs.find(options_.from); table != context.inputs.end()) {
    rows.relation = "(" + data::ReadSnapshotSql(context.warehouse, table->second) + ")";
    rows.schema = table->second.schema;
    return rows;
  }
  HR_ASSIGN(auto reader, context.ReadInput(options_.from, {}));
  rows.schema = reader->schema();
  HR_ASSIGN(rows.source, rows.instance->AddSource(std::move(reader)));
  rows.relation = rows.source.sql();
  return rows;
}

/// A key that is NULL or stands twice would make the result depend on the order of rows.
Status DatabaseSink::JudgeKey(pipeline::BuildContext& context) const {
  if (options_.mode != SinkMode::kUpsert) return Ok();
  HR_ASSIGN(Rows rows, OpenRows(context));
  HR_ASSIGN(auto connection, rows.instance->Connect());
  const std::string names = data::QuoteIdentifiers(options_.key);
  std::string missing;
  for (const std::string& key : options_.key) {
    missing += (missing.empty() ? "" : " OR ") + data::QuoteIdentifier(key) + " IS NULL";
  }
  HR_ASSIGN(auto counts,
            connection.Query(
                fmt::format("SELECT coalesce(sum(n) FILTER (WHERE {0}), 0)::BIGINT, coalesce(sum(n "
                            "- 1), 0)::BIGINT FROM (SELECT {1}, count(*) AS n FROM {2} GROUP BY "
                            "ALL)",
                            missing, names, rows.relation),
                {}, context.Query()));
  const int64_t nulls = counts.at(0, 0).AsInt64(), repeated = counts.at(0, 1).AsInt64();
  const Place place = context.node->spec.PlaceOf("key");
  if (nulls > 0) {
    return DataError("null_key", fmt::format("the key ({}) is NULL in {} of '{}'",
                                             fmt::join(options_.key, ", "), Counted(nulls, "row"),
                                             options_.from))
        .At(place)
        .Hint("leave these rows out in a node above, or choose another key");
  }
  if (repeated > 0) {
    return DataError(
               "duplicate_key",
               fmt::format("{} of '{}' {} a key ({})", Counted(repeated, "row"), options_.from,
                           repeated == 1 ? "repeats" : "repeat", fmt::join(options_.key, ", ")))
        .At(place)
        .Hint("keep one row of each key in a node above, or choose another key");
  }
  return Ok();
}

Result<SinkJob> DatabaseSink::MakeJob(pipeline::BuildContext& context) const {
  SinkJob job;
  job.options = &options_;
  job.cancel = context.cancel;
  job.sink = fmt::format("{}/{}/{}", context.project->name(), context.target, name_);
  auto table = context.inputs.find(options_.from);
  job.snapshot =
      table != context.inputs.end() ? table->second.id : HashBytes(context.fingerprint).Hex();
  job.definition = HashBytes(fmt::format("1|{}|{}|{}|{}", options_.table, ModeText(options_.mode),
                                         fmt::join(options_.key, ","), options_.remove))
                       .Hex();
  {
    HR_ASSIGN(Rows rows, OpenRows(context));
    job.schema = rows.schema;
  }
  job.check_claim = [&context] { return context.store->CheckClaim(context.claim); };
  job.read =
      [this, &context](
          const std::vector<std::string>& items) -> Result<std::unique_ptr<data::BatchReader>> {
    HR_ASSIGN(Rows rows, OpenRows(context));
    std::string list;
    for (size_t n = 0; n < items.size(); ++n) {
      const std::string name = data::QuoteIdentifier(rows.schema.columns[n].name);
      list +=
          fmt::format("{}{} AS {}", n > 0 ? ", " : "", items[n].empty() ? name : items[n], name);
    }
    data::StreamOptions stream;
    stream.query = context.Query();
    stream.batch_rows = 16384;
    stream.batch_bytes = 16 << 20;
    HR_ASSIGN(auto reader, rows.instance->Stream(
                               fmt::format("SELECT {} FROM {}", list, rows.relation), {}, stream));
    // The source of a view must live as long as the stream over it.
    struct Keeping : data::BatchReader {
      std::unique_ptr<data::BatchReader> inner;
      Rows rows;
      const data::Schema& schema() const override { return inner->schema(); }
      Result<std::optional<data::Batch>> Next() override { return inner->Next(); }
      ~Keeping() override { inner.reset(); }
    };
    auto keeping = std::make_unique<Keeping>();
    keeping->inner = std::move(reader);
    keeping->rows = std::move(rows);
    return std::unique_ptr<data::BatchReader>(std::move(keeping));
  };
  return job;
}

/// The target's columns for those of the rows. Error "missing_columns" with what to type.
Result<std::vector<std::string>> DatabaseSink::MatchColumns(const SinkJob& job, SinkTable& table,
                                                            const spec::NodeSpec& spec) const {
  HR_ASSIGN(auto known, table.Columns());
  if (!known) {
    HR_TRY(table.Create(job));
    HR_ASSIGN(known, table.Columns());
    if (!known) return InternalError("a table that was made is not there");
  }
  std::vector<data::Column> wanted = job.schema.columns;
  if (options_.mode == SinkMode::kAppend) wanted.push_back({kSnapshotColumn, "VARCHAR", false});
  std::vector<std::string> columns;
  std::string missing, alter;
  for (const data::Column& column : wanted) {
    const std::string* found = nullptr;
    for (const std::string& name : *known) {
      if (data::SameName(name, column.name) && (found == nullptr || name == column.name))
        found = &name;
    }
    if (found != nullptr) {
      columns.push_back(*found);
      continue;
    }
    missing += fmt::format("{}'{}'", missing.empty() ? "" : ", ", column.name);
    alter += fmt::format("{}ADD COLUMN {} {}", alter.empty() ? "" : ", ",
                         data::QuoteIdentifier(column.name), table.TypeOf(column.type));
  }
  if (missing.empty()) return columns;
  return UserError("missing_columns", fmt::format("table '{}' of {} has no column {}",
                                                  options_.table, table.Shown(), missing))
      .At(spec.PlaceOf("table"))
      .Hint(fmt::format("ALTER TABLE {} {}; or leave the columns out in a node above",
                        options_.table, alter));
}

Result<pipeline::Outcome> DatabaseSink::Build(pipeline::BuildContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  HR_TRY(JudgeKey(context));
  HR_ASSIGN(SinkJob job, MakeJob(context));
  HR_ASSIGN(auto table, make_(options_, context));
  HR_TRY(table->Open());
  pipeline::Outcome outcome;
  HR_ASSIGN(bool written, table->Written(job));
  Json details;
  details["table"] = options_.table;
  if (written && !context.full) {
    outcome.reason = fmt::format("{} has these rows already", table->Shown());
    outcome.rows = 0;
    outcome.details = details.dump();
    return outcome;
  }
  HR_ASSIGN(auto columns, MatchColumns(job, *table, spec));
  if (context.progress != nullptr) context.progress->SetStage("writing");
  HR_ASSIGN(outcome.rows, table->Stage(job, columns));
  CrashPoint("sink.staged");
  HR_ASSIGN(SinkCounts counts, table->Exchange(job, columns));
  CrashPoint("sink.committed");
  details["added"] = counts.added;
  details["changed"] = counts.changed;
  details["removed"] = counts.removed;
  outcome.details = details.dump();
  for (Error& note : table->Notes()) outcome.notes.push_back(std::move(note.Node(name_)));
  return outcome;
}

}  // namespace

const spec::Options& SpecOptions(SinkMode*) {
  static const spec::Options options{
      {"replace", "The table holds the node's rows and no others.",
       static_cast<int64_t>(SinkMode::kReplace)},
      {"upsert", "Rows whose key is there are changed, others are added.",
       static_cast<int64_t>(SinkMode::kUpsert)},
      {"append", "Rows are added once for each snapshot, which stands in `_snapshot`.",
       static_cast<int64_t>(SinkMode::kAppend)}};
  return options;
}

spec::Spec DatabaseSinkSpec(const std::string& type, const std::string& database) {
  Spec s = Spec::For<DatabaseSinkOptions>(
      "sink", type, "Writes rows to a table of a " + database + " database.",
      {Field("from", &DatabaseSinkOptions::from, "Node whose rows are written.").Node(),
       Field("connection", &DatabaseSinkOptions::connection, "Connection of type " + type + ".")
           .Connection()
           .Example("crm"),
       Field("table", &DatabaseSinkOptions::table, "Table to write; made when it is missing.")
           .NotEmpty()
           .Example("scores"),
       Field("mode", &DatabaseSinkOptions::mode, "What becomes of the rows that are there.")
           .Default(),
       Field("key", &DatabaseSinkOptions::key, "Columns that identify a row, for `mode: upsert`.")
           .Optional()
           .Column()
           .NotEmpty()
           .Example("customer_id"),
       Field("delete", &DatabaseSinkOptions::remove,
             "With `mode: upsert`: rows whose key the node does not have are removed.")
           .Default()});
  s.Rule<DatabaseSinkOptions>([](const DatabaseSinkOptions& o) -> std::optional<spec::Fault> {
    if (o.mode == SinkMode::kUpsert && o.key.empty()) {
      return spec::Fault{"mode", "`mode: upsert` needs a key",
                         "name the columns that identify a row as `key:`"};
    }
    if (o.mode != SinkMode::kUpsert && !o.key.empty()) {
      return spec::Fault{"key", "only `mode: upsert` has a key", "write `mode: upsert`"};
    }
    if (o.mode != SinkMode::kUpsert && o.remove) {
      return spec::Fault{"delete", "only `mode: upsert` deletes",
                         "`mode: replace` keeps no others"};
    }
    return std::nullopt;
  });
  s.Details(
      "Rows are staged, then one transaction exchanges them: readers see the old or the new rows, "
      "rights, indexes and views of the table stay. The same transaction notes the snapshot in the "
      "table `headrace_sinks` beside it, so that no kill and no repeated run doubles or loses a "
      "row; `run --full` writes in any case. Columns of the table that the node does not have "
      "keep their values or get their defaults. Lists, structs and maps are written as JSON.");
  s.Example(
      fmt::format("sink: {}\nfrom: scores\nconnection: crm\ntable: scores\nmode: "
                  "upsert\nkey: customer_id\n",
                  type));
  return s;
}

std::unique_ptr<pipeline::Component> MakeDatabaseSink(const spec::NodeSpec& node,
                                                      MakeSinkTable make,
                                                      CheckSinkConnection check) {
  return std::make_unique<DatabaseSink>(node, std::move(make), std::move(check));
}

}  // namespace headrace::components
