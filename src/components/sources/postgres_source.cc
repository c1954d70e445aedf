#include "components/sources/postgres_source.h"

#include <fmt/format.h>

#include "components/postgres/postgres_session.h"
#include "components/sources/csv_build.h"
#include "components/sources/database_build.h"
#include "components/sources/postgres_build.h"
#include "pipeline/project.h"
#include "sql/expression.h"

namespace headrace::components {
namespace {

using pipeline::BuildContext;
using pipeline::LintContext;
using pipeline::ProbeContext;
using spec::Field;
using spec::Spec;

class PostgresSource : public pipeline::Component {
 public:
  explicit PostgresSource(const spec::NodeSpec& node)
      : options_(node.options.As<PostgresOptions>()) {}

  bool HasTable() const override { return true; }
  std::vector<std::string> Connections() const override { return {options_.connection}; }
  std::string CursorColumn() const override { return options_.cursor; }
  std::vector<std::string> KeyColumns() const override { return options_.key; }

  std::optional<data::Schema> Lint(const LintContext& context) const override;
  Result<pipeline::Probe> ProbeOutside(const ProbeContext& context) const override;
  Result<pipeline::Outcome> Build(BuildContext& context) const override {
    return BuildPostgres(options_, context);
  }

 private:
  void LintDeleteWhen(const LintContext& context) const;
  const PostgresOptions options_;
};

void PostgresSource::LintDeleteWhen(const LintContext& context) const {
  if (options_.delete_when.empty() || context.parser == nullptr) return;
  sql::SqlText text;
  text.text = options_.delete_when;
  text.file = context.node->file;
  text.node = context.node->name;
  text.origin = context.node->spec.PlaceOf("delete_when");
  auto parsed = sql::ParseExpression(*context.parser, text, {});
  for (const Error& fault : parsed.faults) context.diagnostics->Add(fault);
  if (!parsed.ok() || context.last_schema == nullptr || context.catalog == nullptr) return;
  Status status = sql::CheckBoolean(*context.catalog, text, *context.last_schema, {});
  if (!status.ok()) context.diagnostics->Add(status.error());
}

std::optional<data::Schema> PostgresSource::Lint(const LintContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  const auto add = [&](Error error) { context.diagnostics->Add(std::move(error.Node(spec.name))); };
  for (const auto& [name, column] : spec.common.columns) {
    if (column.type.empty()) continue;
    auto type = FixedType(column.type, name);
    if (!type.ok()) add(Error(type.error()).At(spec.PlaceOf("columns." + name + ".type")));
  }
  if (!options_.table.empty()) {
    auto name = ParsePostgresTable(options_.table);
    if (!name.ok()) add(Error(name.error()).At(spec.PlaceOf("table")));
  }
  Status connection = CheckPostgresConnection(options_.connection, *context.project, spec);
  if (!connection.ok()) add(connection.error());
  LintDeleteWhen(context);
  if (context.last_schema == nullptr) return std::nullopt;
  return *context.last_schema;
}

Result<pipeline::Probe> PostgresSource::ProbeOutside(const ProbeContext& context) const {
  pipeline::Probe probe;
  HR_ASSIGN(PostgresTarget target,
            FindPostgres(options_.connection, *context.project, context.node->spec, nullptr));
  probe.identity = target.identity;
  // Whether something changed only the server knows, and planning does not ask it.
  probe.changed = fmt::format("connection '{}' is asked for {}", options_.connection,
                              options_.cursor.empty() ? "its rows" : "new rows");
  return probe;
}

std::optional<spec::Fault> Judge(const PostgresOptions& options) {
  using spec::Fault;
  if (auto fault = JudgeLookback(options.lookback, options.cursor)) return fault;
  if (options.reconcile && options.reconcile->months != 0) {
    return Fault{"reconcile", "reconcile can't be in months",
                 "write days: months have no fixed length"};
  }
  if (options.reconcile && (options.cursor.empty() || options.key.empty())) {
    return Fault{"reconcile", "reconcile needs a cursor and a key",
                 "without a cursor every run reads all rows, and so sees what was deleted"};
  }
  if (!options.delete_when.empty() && options.key.empty()) {
    return Fault{"delete_when", "delete_when needs a key",
                 "name the columns that identify a row as `key:`"};
  }
  return std::nullopt;
}

}  // namespace

const Spec& PostgresSourceSpec() {
  static const Spec spec = [] {
    Spec s(
        "source", "postgres", "Rows of a PostgreSQL table, view or query.",
        {Field("connection", &PostgresOptions::connection, "Connection of type postgres.")
             .Connection()
             .Example("crm"),
         Field("table", &PostgresOptions::table, "Table or view to read: table or schema.table.")
             .Optional()
             .Example("public.usage"),
         Field("query", &PostgresOptions::query, "One SELECT in PostgreSQL's dialect, instead.")
             .Optional()
             .SqlQuery(),
         Field("cursor", &PostgresOptions::cursor,
               "Column that only grows (a time, a number): only rows at or above its last value, "
               "less `lookback`, are read again.")
             .Optional()
             .Column()
             .Example("updated_at"),
         Field("key", &PostgresOptions::key,
               "Columns that identify a row: the row with the latest cursor wins.")
             .Optional()
             .Column()
             .NotEmpty()
             .Example("customer_id"),
         Field("lookback", &PostgresOptions::lookback,
               "How far before its last value a cursor that is a time is read again, for rows "
               "that were committed late; 15 minutes without it.")
             .Optional()
             .Example("15 minutes"),
         Field("reconcile", &PostgresOptions::reconcile,
               "How often the keys of all rows are read, to see what was deleted or missed.")
             .Optional()
             .Affects(spec::Affects::kPolicy)
             .Example("7 days"),
         Field("delete_when", &PostgresOptions::delete_when,
               "Rows of which this is true remove their key from the table.")
             .Optional()
             .SqlExpression()
             .Example("deleted_at IS NOT NULL"),
         Field("schema_change", &PostgresOptions::schema_change,
               "What may change in the columns from one run to the next.")
             .Default()
             .Affects(spec::Affects::kPolicy)});
    s.ExactlyOne({"table", "query"});
    s.Rule<PostgresOptions>(Judge);
    s.Details(
        "All of it is read in one repeatable-read, read-only transaction. Without `cursor` every "
        "run reads all rows and compares them by digest: nothing below runs when they are the "
        "same. With `cursor` only new rows are read; the cursor never passes the server's clock. "
        "Rows deleted in the database stay until a full read (`run --full`), `delete_when` or "
        "`reconcile`. A number as cursor can miss rows that were numbered early and committed "
        "late: `reconcile` finds them.\n\n"
        "Types: boolean, smallint, integer, bigint, real, double precision, numeric(p,s) up to 38 "
        "digits, text, varchar, char, bytea, date, time, timestamp, timestamptz (with infinity), "
        "uuid and lists of them keep their type; json and jsonb are text; numeric without "
        "precision is DOUBLE and says when digits were lost; every other type (interval, inet, "
        "enums, ranges …) is the text PostgreSQL shows. A type under `columns:` is exact.");
    s.Example(
        "source: postgres\nconnection: crm\ntable: public.usage\ncursor: updated_at\nkey: "
        "[customer_id, day]\nreconcile: 7 days\n");
    s.Example(
        "source: postgres\nconnection: crm\nquery: SELECT id, sum(minutes) AS minutes FROM usage "
        "GROUP BY id\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Component> MakePostgresSource(const spec::NodeSpec& node) {
  return std::make_unique<PostgresSource>(node);
}

}  // namespace headrace::components
