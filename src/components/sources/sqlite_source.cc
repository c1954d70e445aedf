#include "components/sources/sqlite_source.h"

#include <fmt/format.h>

#include "components/sources/csv_build.h"
#include "components/sources/database_build.h"
#include "components/sources/sqlite_build.h"
#include "components/sources/sqlite_rows.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using pipeline::BuildContext;
using pipeline::LintContext;
using pipeline::ProbeContext;
using spec::Field;
using spec::Spec;

class SqliteSource : public pipeline::Component {
 public:
  explicit SqliteSource(const spec::NodeSpec& node) : options_(node.options.As<SqliteOptions>()) {}

  bool HasTable() const override { return true; }
  std::vector<std::string> Connections() const override { return {options_.connection}; }
  std::string CursorColumn() const override { return options_.cursor; }
  std::vector<std::string> KeyColumns() const override { return options_.key; }

  std::optional<data::Schema> Lint(const LintContext& context) const override;
  Result<pipeline::Probe> ProbeOutside(const ProbeContext& context) const override;
  Result<pipeline::Outcome> Build(BuildContext& context) const override {
    return BuildSqlite(options_, context);
  }

 private:
  std::vector<SqliteType> Types(SqliteDatabase& database, const SqliteBase& base) const;
  const SqliteOptions options_;
};

/// Types by declaration; columns without one by the rows that can be looked at in a moment.
std::vector<SqliteType> SqliteSource::Types(SqliteDatabase& database,
                                            const SqliteBase& base) const {
  constexpr int64_t kMomentMicros = 20'000;
  std::vector<SqliteType> types;
  bool all_declared = true;
  for (const SqliteColumn& column : base.columns) {
    types.push_back(DeclaredType(column.declared));
    all_declared = all_declared && types.back() != SqliteType::kNone;
  }
  if (all_declared) return types;
  auto statement = database.Prepare(base.select);
  if (!statement.ok()) return types;
  auto scan = ScanSqlite(**statement, CancelToken(), kMomentMicros);
  return scan.ok() ? scan->types : types;
}

std::optional<data::Schema> SqliteSource::Lint(const LintContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  const auto add = [&](Error error) { context.diagnostics->Add(std::move(error.Node(spec.name))); };
  std::map<std::string, std::string> fixed;
  for (const auto& [name, column] : spec.common.columns) {
    if (column.type.empty()) continue;
    auto type = FixedType(column.type, name);
    if (type.ok()) {
      fixed[name] = *type;
    } else {
      add(Error(type.error()).At(spec.PlaceOf("columns." + name + ".type")));
    }
  }
  auto target = FindSqlite(options_, *context.project, spec);
  if (!target.ok()) {
    add(target.error());
    return std::nullopt;
  }
  auto database =
      SqliteDatabase::Open(*context.fs, target->path, target->shown, target->wait_micros);
  Status begun = database.ok() ? (*database)->BeginRead() : Status(database.error());
  if (!begun.ok()) {
    Error error = begun.error();
    if (error.blame == Blame::kUser) {
      add(error.At(spec.PlaceOf("connection")));
    } else {
      // The database is broken or in use, not the project: the run says so again.
      context.diagnostics->Warn(error.Node(spec.name));
    }
    if (context.last_schema != nullptr && error.blame != Blame::kUser) return *context.last_schema;
    return std::nullopt;
  }
  auto base = FindBase(options_, **database, spec);
  if (!base.ok()) {
    add(base.error());
    return std::nullopt;
  }
  const std::vector<SqliteType> types = Types(**database, *base);
  data::Schema schema;
  for (size_t n = 0; n < base->columns.size(); ++n) {
    const std::string& name = base->columns[n].name;
    std::string type = SqlTypeOf(types[n]);
    const data::Column* last =
        context.last_schema != nullptr ? context.last_schema->Find(name) : nullptr;
    if (last != nullptr) type = last->type;
    for (const auto& [column, fixed_type] : fixed) {
      if (!data::SameName(name, column)) continue;
      const auto stored = data::StoredTypeOf(fixed_type, name);
      type = stored.action == data::StoredType::Action::kCast ? stored.type : fixed_type;
    }
    schema.columns.push_back({name, type, true});
  }
  return schema;
}

Result<pipeline::Probe> SqliteSource::ProbeOutside(const ProbeContext& context) const {
  pipeline::Probe probe;
  HR_ASSIGN(SqliteTarget target, FindSqlite(options_, *context.project, context.node->spec));
  if (context.state == nullptr || !context.state->cursor) return probe;
  const auto cursor = SqliteCursor::FromJson(*context.state->cursor);
  if (!cursor) {
    probe.changed = "how far it was read is not known any more";
    return probe;
  }
  if (!context.fs->Exists(target.path)) return probe;  // the build says so
  const SqliteStat& old = cursor->stat;
  HR_ASSIGN(SqliteStat now, StatSqlite(*context.fs, target.path, context.now, !old.digest.empty()));
  const bool same_size = now.size == old.size && now.modified == old.modified &&
                         now.counter == old.counter && now.wal_size == old.wal_size &&
                         now.wal_digest == old.wal_digest;
  if (same_size && (old.settled || now.digest == old.digest)) {
    probe.unchanged = target.shown + " unchanged";
  } else {
    probe.changed = target.shown + " changed";
  }
  return probe;
}

}  // namespace

const Spec& SqliteConnectionSpec() {
  static const Spec spec = [] {
    Spec s("connection", "sqlite", "A SQLite database file.",
           {Field("path", &SqliteConnection::path,
                  "The file, relative to the project (or within `root:`).")
                .Path()
                .NotEmpty()
                .Identity()
                .Example("data/usage.db"),
            Field("wait", &SqliteConnection::wait,
                  "How long to wait while another program writes; 5 seconds without it.")
                .Optional()
                .Affects(spec::Affects::kPolicy)
                .Example("5 seconds")});
    s.Example("type: sqlite\npath: data/usage.db\n");
    return s;
  }();
  return spec;
}

const Spec& SqliteSourceSpec() {
  static const Spec spec = [] {
    Spec s("source", "sqlite", "Rows of a table, view or query of a SQLite database.",
           {Field("connection", &SqliteOptions::connection, "Connection of type sqlite.")
                .Connection()
                .Example("usage_db"),
            Field("table", &SqliteOptions::table, "Table or view to read.")
                .Optional()
                .Example("usage"),
            Field("query", &SqliteOptions::query, "One SELECT in SQLite's dialect, instead.")
                .Optional()
                .SqlQuery(),
            Field("cursor", &SqliteOptions::cursor,
                  "Column that only grows (a number, or a time as ISO text): only rows at or "
                  "above its last value are read again.")
                .Optional()
                .Column()
                .Example("updated_at"),
            Field("key", &SqliteOptions::key,
                  "Columns that identify a row: the row with the latest cursor wins, then the "
                  "last one read.")
                .Optional()
                .Column()
                .NotEmpty()
                .Example("customer_id"),
            Field("lookback", &SqliteOptions::lookback,
                  "How far before its last value the cursor is read again, for rows that arrive "
                  "late.")
                .Optional()
                .Example("15 minutes"),
            Field("schema_change", &SqliteOptions::schema_change,
                  "What may change in the columns from one run to the next.")
                .Default()
                .Affects(spec::Affects::kPolicy)});
    s.ExactlyOne({"table", "query"});
    s.Rule<SqliteOptions>(
        [](const SqliteOptions& o) { return JudgeLookback(o.lookback, o.cursor); });
    s.Details(
        "Without `cursor` everything is read whenever the file changed, and compared by digest. "
        "With `cursor` only new rows are read: rows deleted in the database stay until a full "
        "read (`run --full`).\n\nA column has the type it is declared with if all its values "
        "fit: INTEGER is BIGINT, REAL, NUMERIC and DECIMAL are DOUBLE, DATE, DATETIME and "
        "TIMESTAMP are read from ISO texts, BOOLEAN from 0, 1, true and false. Else it gets the "
        "narrowest type that holds all values, which is reported.");
    s.Example("source: sqlite\nconnection: usage_db\ntable: usage\ncursor: updated_at\n");
    s.Example(
        "source: sqlite\nconnection: usage_db\nquery: SELECT id, sum(minutes) AS minutes FROM "
        "usage GROUP BY id\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Component> MakeSqliteSource(const spec::NodeSpec& node) {
  return std::make_unique<SqliteSource>(node);
}

}  // namespace headrace::components
