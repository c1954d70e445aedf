#include "components/sinks/postgres_sink.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "components/postgres/postgres_session.h"
#include "components/sinks/database_sink.h"
#include "data/batch.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

constexpr const char* kStage = "hr_stage";

/// A column as the text that PostgreSQL reads for its type.
std::string TextItem(const data::Column& column) {
  const std::string name = data::QuoteIdentifier(column.name);
  const std::string text = fmt::format("CAST({} AS VARCHAR)", name);
  switch (data::ClassOf(column.type)) {
    case data::TypeClass::kBlob:
      return fmt::format("'\\x' || hex({})", name);
    case data::TypeClass::kDate:
    case data::TypeClass::kTimestamp:
      return fmt::format(
          "CASE WHEN contains({0}, '(BC)') THEN replace({0}, ' (BC)', '') || ' BC' ELSE {0} END",
          text);
    case data::TypeClass::kList:
    case data::TypeClass::kStruct:
    case data::TypeClass::kMap:
      return fmt::format("CAST(to_json({}) AS VARCHAR)", name);
    default:
      return text;
  }
}

/// One value in COPY's text format.
void AppendEscaped(std::string_view value, std::string* out) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        *out += c;
    }
  }
}

class PostgresSinkTable : public SinkTable {
 public:
  PostgresSinkTable(PostgresTarget target, std::string name, Place place, CancelToken cancel)
      : target_(std::move(target)),
        name_(std::move(name)),
        place_(std::move(place)),
        cancel_(std::move(cancel)) {}

  Status Open() override;
  std::string Shown() const override { return "connection '" + target_.connection + "'"; }
  Result<bool> Written(const SinkJob& job) override;
  Result<std::optional<std::vector<std::string>>> Columns() override;
  Status Create(const SinkJob& job) override;
  std::string TypeOf(const std::string& type) const override;
  Result<int64_t> Stage(const SinkJob& job, const std::vector<std::string>& columns) override;
  Result<SinkCounts> Exchange(const SinkJob& job, const std::vector<std::string>& columns) override;

 private:
  Error Placed(Error error) const {
    if (error.place.file.empty()) error.At(place_);
    return error;
  }
  Result<int64_t> Do(const std::string& sql) {
    auto rows = session_->Execute(sql);
    if (!rows.ok()) return Placed(std::move(rows).error());
    return *rows;
  }
  Status Run(const std::string& sql) {
    auto rows = Do(sql);
    return rows.ok() ? Status() : Status(std::move(rows).error());
  }
  std::string List(const std::vector<std::string>& columns, const std::string& before = "") const;
  /// t."a" = s."a" AND …
  std::string SameKey(const SinkJob& job, const std::vector<std::string>& columns) const;
  bool IsKey(const SinkJob& job, size_t column) const {
    for (const std::string& key : job.options->key) {
      if (column < job.schema.size() &&
          data::Schema{{job.schema.columns[column]}}.Find(key) != nullptr) {
        return true;
      }
    }
    return false;
  }
  Result<SinkCounts> Upsert(const SinkJob& job, const std::vector<std::string>& columns);
  Status CreateAlone(const std::string& sql);

  PostgresTarget target_;
  std::string name_;  ///< as the user wrote it
  Place place_;
  CancelToken cancel_;
  std::unique_ptr<PostgresSession> session_;
  std::string schema_, table_, progress_;  ///< quoted
};

Status PostgresSinkTable::Open() {
  HR_ASSIGN(PostgresTableName parts, ParsePostgresTable(name_));
  HR_ASSIGN(session_, PostgresSession::Open(target_, cancel_));
  // Locks of a program that hangs end the wait with an error, not the run with a hang.
  HR_TRY(session_->Query("SET lock_timeout = '60s'; SET client_min_messages = error"));
  HR_ASSIGN(auto found, FindPostgresTable(*session_, name_));
  if (parts.schema.empty()) {
    HR_ASSIGN(auto rows, session_->Query("SELECT current_schema()"));
    if (!rows[0][0]) {
      return Placed(UserError("unknown_schema", "the search path names no schema that is there")
                        .Hint("write the table as schema.table"));
    }
    parts.schema = *rows[0][0];
  }
  if (found) {
    HR_ASSIGN(auto rows, session_->Query(fmt::format(
                             "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON "
                             "n.oid = c.relnamespace WHERE c.oid = {}::regclass",
                             session_->Literal(*found))));
    parts = {*rows[0][0], *rows[0][1]};
  }
  schema_ = session_->Identifier(parts.schema);
  table_ = schema_ + "." + session_->Identifier(parts.table);
  progress_ = schema_ + "." + kProgressTable;
  HR_ASSIGN(auto there, session_->Query("SELECT to_regclass(" + session_->Literal(progress_) +
                                        ") IS NOT NULL"));
  if (there[0][0].value_or("") == "t") return Ok();
  return CreateAlone(
      fmt::format("CREATE TABLE IF NOT EXISTS {} (sink text NOT NULL, snapshot text NOT NULL, "
                  "definition text NOT NULL, rows bigint NOT NULL, written_at timestamptz NOT NULL "
                  "DEFAULT now(), PRIMARY KEY (sink, snapshot))",
                  progress_));
}

/// IF NOT EXISTS does not help against another session that makes the same table right now.
Status PostgresSinkTable::CreateAlone(const std::string& sql) {
  HR_TRY(session_->Query("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('headrace', 0))"));
  HR_TRY(Run(sql));
  HR_TRY(session_->Query("COMMIT"));
  return Ok();
}

Result<bool> PostgresSinkTable::Written(const SinkJob& job) {
  auto rows = session_->Query(
      fmt::format("SELECT 1 FROM {} WHERE sink = {} AND snapshot = {} AND definition = {}",
                  progress_, session_->Literal(job.sink), session_->Literal(job.snapshot),
                  session_->Literal(job.definition)));
  if (!rows.ok()) return Placed(std::move(rows).error());
  if (rows->empty()) return false;
  // A table that somebody dropped has no rows, whatever the note says.
  HR_ASSIGN(auto columns, Columns());
  return columns.has_value();
}

Result<std::optional<std::vector<std::string>>> PostgresSinkTable::Columns() {
  HR_ASSIGN(auto rows, session_->Query(fmt::format(
                           "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass({}) AND "
                           "attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                           session_->Literal(table_))));
  if (rows.empty()) return std::optional<std::vector<std::string>>();
  std::vector<std::string> names;
  for (const PostgresRow& row : rows) names.push_back(*row[0]);
  return std::optional(std::move(names));
}

std::string PostgresSinkTable::TypeOf(const std::string& type) const {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"BOOLEAN", "boolean"},
      {"TINYINT", "smallint"},
      {"UTINYINT", "smallint"},
      {"SMALLINT", "smallint"},
      {"USMALLINT", "integer"},
      {"INTEGER", "integer"},
      {"UINTEGER", "bigint"},
      {"BIGINT", "bigint"},
      {"UBIGINT", "numeric(20,0)"},
      {"FLOAT", "real"},
      {"DOUBLE", "double precision"},
      {"DATE", "date"},
      {"TIME", "time"},
      {"TIMESTAMP", "timestamp"},
      {"TIMESTAMP WITH TIME ZONE", "timestamptz"},
      {"BLOB", "bytea"},
      {"UUID", "uuid"},
      {"JSON", "jsonb"},
  };
  for (const auto& [ours, theirs] : kTypes) {
    if (type == ours) return std::string(theirs);
  }
  switch (data::ClassOf(type)) {
    case data::TypeClass::kDecimal:
      return "numeric" + type.substr(type.find('('));
    case data::TypeClass::kList:
    case data::TypeClass::kStruct:
    case data::TypeClass::kMap:
      return "jsonb";
    default:
      return "text";  // TIMESTAMP_NS too: PostgreSQL would round it
  }
}

Status PostgresSinkTable::Create(const SinkJob& job) {
  std::string columns;
  for (const data::Column& column : job.schema.columns) {
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ",
                           session_->Identifier(column.name), TypeOf(column.type));
  }
  if (job.options->mode == SinkMode::kAppend) {
    columns += fmt::format(", {} text NOT NULL", session_->Identifier(kSnapshotColumn));
  }
  if (!job.options->key.empty()) {
    std::vector<std::string> key;
    for (const std::string& name : job.options->key) key.push_back(job.schema.Find(name)->name);
    columns += ", PRIMARY KEY (" + List(key) + ")";
  }
  return CreateAlone(fmt::format("CREATE TABLE IF NOT EXISTS {} ({})", table_, columns));
}

std::string PostgresSinkTable::List(const std::vector<std::string>& columns,
                                    const std::string& before) const {
  std::string list;
  for (const std::string& column : columns) {
    list += (list.empty() ? "" : ", ") + before + session_->Identifier(column);
  }
  return list;
}

std::string PostgresSinkTable::SameKey(const SinkJob& job,
                                       const std::vector<std::string>& columns) const {
  std::string same;
  for (size_t n = 0; n < columns.size(); ++n) {
    if (!IsKey(job, n)) continue;
    const std::string name = session_->Identifier(columns[n]);
    same += fmt::format("{}t.{} = s.{}", same.empty() ? "" : " AND ", name, name);
  }
  return same;
}

Result<int64_t> PostgresSinkTable::Stage(const SinkJob& job,
                                         const std::vector<std::string>& columns) {
  constexpr size_t kPiece = 1 << 18;
  // The table's own types: PostgreSQL says which value does not fit which column.
  HR_TRY(Run(fmt::format("CREATE TEMP TABLE {} AS SELECT {} FROM {} LIMIT 0", kStage, List(columns),
                         table_)));
  std::vector<std::string> items;
  for (const data::Column& column : job.schema.columns) items.push_back(TextItem(column));
  HR_ASSIGN(auto reader, job.read(items));
  Status begun = session_->BeginCopyIn(fmt::format("COPY {} FROM STDIN", kStage));
  if (!begun.ok()) return Placed(begun.error());
  std::string text;
  const auto send = [&]() -> Status {
    Status sent = session_->CopyIn(text);
    text.clear();
    return sent;
  };
  Status status;
  while (status.ok()) {
    auto batch = reader->Next();
    if (!batch.ok()) return Placed(std::move(batch).error());
    if (!*batch) break;
    std::vector<data::ColumnView> views;
    for (int n = 0; n < static_cast<int>(reader->schema().size()); ++n) {
      views.emplace_back(**batch, reader->schema(), n);
    }
    for (int64_t row = 0; row < (*batch)->rows() && status.ok(); ++row) {
      for (size_t n = 0; n < views.size(); ++n) {
        if (n > 0) text += '\t';
        if (views[n].IsNull(row)) {
          text += "\\N";
        } else {
          AppendEscaped(views[n].AsText(row), &text);
        }
      }
      if (job.options->mode == SinkMode::kAppend) {
        text += '\t';
        AppendEscaped(job.snapshot, &text);
      }
      text += '\n';
      if (text.size() >= kPiece) status = send();
    }
  }
  if (status.ok() && !text.empty()) status = send();
  if (!status.ok()) return Placed(status.error());
  auto rows = session_->EndCopyIn();
  if (!rows.ok()) return Placed(std::move(rows).error());
  return *rows;
}

Result<SinkCounts> PostgresSinkTable::Upsert(const SinkJob& job,
                                             const std::vector<std::string>& columns) {
  SinkCounts counts;
  const std::string same = SameKey(job, columns);
  std::string changes, differs;
  for (size_t n = 0; n < columns.size(); ++n) {
    if (IsKey(job, n)) continue;
    const std::string name = session_->Identifier(columns[n]);
    changes += fmt::format("{}{} = s.{}", changes.empty() ? "" : ", ", name, name);
    // By their texts: json has no equality.
    differs += fmt::format("{}t.{}::text IS DISTINCT FROM s.{}::text",
                           differs.empty() ? "" : " OR ", name, name);
  }
  if (!changes.empty()) {
    HR_ASSIGN(counts.changed, Do(fmt::format("UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND ({})",
                                             table_, changes, kStage, same, differs)));
  }
  if (job.options->remove) {
    HR_ASSIGN(
        counts.removed,
        Do(fmt::format("DELETE FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM {} AS s WHERE {})",
                       table_, kStage, same)));
  }
  HR_ASSIGN(
      counts.added,
      Do(fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM {2} AS s WHERE NOT EXISTS (SELECT "
                     "1 FROM {0} AS t WHERE {3})",
                     table_, List(columns), kStage, same)));
  return counts;
}

/// One transaction. Rows are deleted and inserted, not swapped by name: that keeps rights, indexes,
/// views and keys of other tables, and readers with an older snapshot keep seeing theirs.
Result<SinkCounts> PostgresSinkTable::Exchange(const SinkJob& job,
                                               const std::vector<std::string>& columns) {
  SinkCounts counts;
  HR_TRY(Run("ANALYZE " + std::string(kStage)));
  HR_TRY(session_->Query("BEGIN"));
  // One writer of this sink at a time, whether or not its note is there yet.
  auto locked = session_->Query(fmt::format("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))",
                                            session_->Literal("headrace " + job.sink)));
  if (!locked.ok()) return Placed(std::move(locked).error());
  HR_TRY(job.check_claim());
  HR_TRY(Run(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table_)));
  const std::string insert =
      fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM {2}", table_, List(columns), kStage);
  switch (job.options->mode) {
    case SinkMode::kReplace: {
      HR_ASSIGN(counts.removed, Do("DELETE FROM " + table_));
      HR_ASSIGN(counts.added, Do(insert));
      break;
    }
    case SinkMode::kAppend: {
      // Under `run --full` the rows of this snapshot are written anew.
      HR_ASSIGN(counts.removed,
                Do(fmt::format("DELETE FROM {} WHERE {} = {} AND EXISTS (SELECT 1 FROM {} WHERE "
                               "sink = {} AND snapshot = {})",
                               table_, session_->Identifier(columns.back()),
                               session_->Literal(job.snapshot), progress_,
                               session_->Literal(job.sink), session_->Literal(job.snapshot))));
      HR_ASSIGN(counts.added, Do(insert));
      break;
    }
    case SinkMode::kUpsert: {
      HR_ASSIGN(counts, Upsert(job, columns));
      break;
    }
  }
  if (job.options->mode != SinkMode::kAppend) {
    HR_TRY(
        Run(fmt::format("DELETE FROM {} WHERE sink = {}", progress_, session_->Literal(job.sink))));
  }
  HR_TRY(
      Run(fmt::format("INSERT INTO {} (sink, snapshot, definition, rows) VALUES ({}, {}, {}, "
                      "{}) ON CONFLICT (sink, snapshot) DO UPDATE SET definition = "
                      "excluded.definition, rows = excluded.rows, written_at = now()",
                      progress_, session_->Literal(job.sink), session_->Literal(job.snapshot),
                      session_->Literal(job.definition), counts.added)));
  CrashPoint("sink.exchanged");
  HR_TRY(job.check_claim());
  HR_TRY(Run("COMMIT"));
  return counts;
}

}  // namespace

const spec::Spec& PostgresSinkSpec() {
  static const spec::Spec spec = DatabaseSinkSpec("postgres", "PostgreSQL");
  return spec;
}

std::unique_ptr<pipeline::Component> MakePostgresSink(const spec::NodeSpec& node) {
  return MakeDatabaseSink(
      node,
      [](const DatabaseSinkOptions& options,
         const pipeline::BuildContext& context) -> Result<std::unique_ptr<SinkTable>> {
        const spec::NodeSpec& spec = context.node->spec;
        HR_ASSIGN(PostgresTarget target,
                  FindPostgres(options.connection, *context.project, spec, context.redactor));
        return std::unique_ptr<SinkTable>(std::make_unique<PostgresSinkTable>(
            std::move(target), options.table, spec.PlaceOf("table"), context.cancel));
      },
      [](const DatabaseSinkOptions& options, const pipeline::Project& project,
         const spec::NodeSpec& spec) -> Status {
        auto name = ParsePostgresTable(options.table);
        if (!name.ok()) return Error(name.error()).At(spec.PlaceOf("table"));
        return CheckPostgresConnection(options.connection, project, spec);
      });
}

}  // namespace headrace::components
