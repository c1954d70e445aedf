#include "components/sinks/sqlite_sink.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>

#include "base/crash_point.h"
#include "base/text_width.h"
#include "components/sinks/database_sink.h"
#include "components/sinks/sink_path.h"
#include "components/sources/sqlite_source.h"
#include "config/project.h"
#include "config/settings.h"
#include "data/batch.h"
#include "data/quote.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;

constexpr const char* kStage = "temp.hr_stage";

/// How a value is bound: SQLite knows four kinds.
std::string BoundType(const std::string& type) {
  switch (data::ClassOf(type)) {
    case data::TypeClass::kBoolean:
    case data::TypeClass::kInteger:
      return type == "UBIGINT" ? "VARCHAR" : "BIGINT";
    case data::TypeClass::kFloating:
      return "DOUBLE";
    case data::TypeClass::kBlob:
      return "BLOB";
    default:
      return "VARCHAR";
  }
}

class SqliteSinkTable : public SinkTable {
 public:
  SqliteSinkTable(std::string path, std::string shown, int64_t wait_micros, std::string table,
                  Place place)
      : path_(std::move(path)),
        shown_(std::move(shown)),
        wait_micros_(wait_micros),
        name_(std::move(table)),
        table_("main." + QuoteIdentifier(name_)),
        place_(std::move(place)) {}
  ~SqliteSinkTable() override { sqlite3_close_v2(handle_); }

  Status Open() override;
  std::string Shown() const override { return shown_; }
  Result<bool> Written(const SinkJob& job) override;
  Result<std::optional<std::vector<std::string>>> Columns() override;
  Status Create(const SinkJob& job) override;
  std::string TypeOf(const std::string& type) const override;
  Result<int64_t> Stage(const SinkJob& job, const std::vector<std::string>& columns) override;
  Result<SinkCounts> Exchange(const SinkJob& job, const std::vector<std::string>& columns) override;
  std::vector<Error> Notes() const override;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  Error LastError() const;
  Result<Statement> Prepare(const std::string& sql);
  /// Rows changed; `texts` are bound in order.
  Result<int64_t> Do(const std::string& sql, const std::vector<std::string>& texts = {});
  Status Run(const std::string& sql, const std::vector<std::string>& texts = {}) {
    auto rows = Do(sql, texts);
    return rows.ok() ? Status() : Status(std::move(rows).error());
  }
  Status Bind(sqlite3_stmt* statement, int index, const data::ColumnView& view, int64_t row);
  Result<SinkCounts> ExchangeRows(const SinkJob& job, const std::vector<std::string>& columns);
  Result<SinkCounts> Upsert(const SinkJob& job, const std::vector<std::string>& columns);

  std::string path_, shown_;
  int64_t wait_micros_;
  std::string name_, table_;
  Place place_;
  sqlite3* handle_ = nullptr;
  int64_t not_numbers_ = 0;
};

Error SqliteSinkTable::LastError() const {
  const int code = sqlite3_errcode(handle_) & 0xFF;
  const std::string message = Printable(sqlite3_errmsg(handle_), false);
  const std::string text = fmt::format("cannot write to {}: {}", shown_, message);
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ExternalError("locked_database",
                           fmt::format("cannot write to {}: another program is using it", shown_))
          .At(place_)
          .Hint("run again when it has finished; `wait:` of the connection says how long to wait")
          .Retriable();
    case SQLITE_CONSTRAINT:
      return DataError("constraint_violation", text).At(place_);
    case SQLITE_NOTADB:
      return DataError("not_a_database", fmt::format("{} is not a SQLite database", shown_))
          .At(place_);
    case SQLITE_CORRUPT:
      return DataError("damaged_database", text).At(place_);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return SystemError("permission_denied", text).At(place_);
    case SQLITE_FULL:
      return SystemError("no_space", text).At(place_);
    case SQLITE_IOERR:
      return SystemError("io_error", text).At(place_);
    case SQLITE_NOMEM:
      return SystemError("out_of_memory", text).At(place_);
    default:
      return ExternalError("query_failed", text).At(place_);
  }
}

Result<SqliteSinkTable::Statement> SqliteSinkTable::Prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return LastError();
  }
  return Statement(statement);
}

Result<int64_t> SqliteSinkTable::Do(const std::string& sql, const std::vector<std::string>& texts) {
  HR_ASSIGN(Statement statement, Prepare(sql));
  for (size_t n = 0; n < texts.size(); ++n) {
    sqlite3_bind_text(statement.get(), static_cast<int>(n) + 1, texts[n].data(),
                      static_cast<int>(texts[n].size()), SQLITE_TRANSIENT);
  }
  int result = 0;
  while ((result = sqlite3_step(statement.get())) == SQLITE_ROW) {
  }
  if (result != SQLITE_DONE) return LastError();
  return static_cast<int64_t>(sqlite3_changes(handle_));
}

Status SqliteSinkTable::Open() {
  if (sqlite3_open_v2(path_.c_str(), &handle_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      nullptr) != SQLITE_OK) {
    return LastError();
  }
  sqlite3_busy_timeout(handle_, static_cast<int>(wait_micros_ / 1000));
  // The rows to be written may be many; they wait in a file.
  for (const std::string& sql :
       {std::string("PRAGMA synchronous = FULL"), std::string("PRAGMA temp_store = FILE"),
        fmt::format("CREATE TABLE IF NOT EXISTS main.{} (sink TEXT NOT NULL, snapshot TEXT NOT "
                    "NULL, definition TEXT NOT NULL, rows INTEGER NOT NULL, written_at TEXT NOT "
                    "NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (sink, snapshot))",
                    kProgressTable)}) {
    HR_TRY(Run(sql));
  }
  return Ok();
}

Result<bool> SqliteSinkTable::Written(const SinkJob& job) {
  HR_ASSIGN(Statement statement,
            Prepare(fmt::format("SELECT 1 FROM main.{} WHERE sink = ?1 AND snapshot = ?2 AND "
                                "definition = ?3",
                                kProgressTable)));
  int index = 0;
  for (const std::string* text : {&job.sink, &job.snapshot, &job.definition}) {
    sqlite3_bind_text(statement.get(), ++index, text->data(), static_cast<int>(text->size()),
                      SQLITE_TRANSIENT);
  }
  const int result = sqlite3_step(statement.get());
  if (result == SQLITE_DONE) return false;
  if (result != SQLITE_ROW) return LastError();
  statement.reset();
  // A table that somebody dropped has no rows, whatever the note says.
  HR_ASSIGN(auto columns, Columns());
  return columns.has_value();
}

Result<std::optional<std::vector<std::string>>> SqliteSinkTable::Columns() {
  HR_ASSIGN(Statement statement,
            Prepare(fmt::format("PRAGMA main.table_xinfo({})", QuoteIdentifier(name_))));
  std::vector<std::string> names;
  int result = 0;
  while ((result = sqlite3_step(statement.get())) == SQLITE_ROW) {
    if (sqlite3_column_int(statement.get(), 6) != 0) continue;  // generated
    names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 1)));
  }
  if (result != SQLITE_DONE) return LastError();
  if (names.empty()) return std::optional<std::vector<std::string>>();
  return std::optional(std::move(names));
}

/// Names by which `source: sqlite` gives the same type back.
std::string SqliteSinkTable::TypeOf(const std::string& type) const {
  switch (data::ClassOf(type)) {
    case data::TypeClass::kBoolean:
      return "BOOLEAN";
    case data::TypeClass::kInteger:
      return type == "UBIGINT" ? "TEXT" : "BIGINT";
    case data::TypeClass::kFloating:
      return "DOUBLE";
    case data::TypeClass::kDecimal: {
      // More than 15 digits would be rounded: SQLite keeps decimals as doubles.
      auto parsed = data::ParseType(type);
      return parsed.ok() && parsed->precision <= 15 ? type : "TEXT";
    }
    case data::TypeClass::kDate:
      return "DATE";
    case data::TypeClass::kTimestamp:
      return type == "TIMESTAMP" ? "TIMESTAMP" : "TEXT";
    case data::TypeClass::kBlob:
      return "BLOB";
    default:
      return "TEXT";
  }
}

Status SqliteSinkTable::Create(const SinkJob& job) {
  std::string columns;
  for (const data::Column& column : job.schema.columns) {
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", QuoteIdentifier(column.name),
                           TypeOf(column.type));
  }
  if (job.options->mode == SinkMode::kAppend) {
    columns += fmt::format(", {} TEXT NOT NULL", QuoteIdentifier(kSnapshotColumn));
  }
  if (!job.options->key.empty()) {
    columns += ", PRIMARY KEY (" + data::QuoteIdentifiers(job.options->key) + ")";
  }
  HR_TRY(Run(fmt::format("CREATE TABLE {} ({})", table_, columns)));
  return Ok();
}

Status SqliteSinkTable::Bind(sqlite3_stmt* statement, int index, const data::ColumnView& view,
                             int64_t row) {
  int result = SQLITE_OK;
  if (view.IsNull(row)) {
    result = sqlite3_bind_null(statement, index);
  } else if (view.type_class() == data::TypeClass::kInteger) {
    result = sqlite3_bind_int64(statement, index, view.AsInt64(row));
  } else if (view.type_class() == data::TypeClass::kFloating) {
    const double value = view.AsDouble(row);
    if (std::isnan(value)) ++not_numbers_;
    result = sqlite3_bind_double(statement, index, value);
  } else {
    const std::string_view text = view.AsText(row);
    const char* data = text.empty() ? "" : text.data();
    const auto size = static_cast<sqlite3_uint64>(text.size());
    result = view.type_class() == data::TypeClass::kBlob
                 ? sqlite3_bind_blob64(statement, index, data, size, SQLITE_STATIC)
                 : sqlite3_bind_text64(statement, index, data, size, SQLITE_STATIC, SQLITE_UTF8);
  }
  return result == SQLITE_OK ? Status() : Status(LastError());
}

Result<int64_t> SqliteSinkTable::Stage(const SinkJob& job,
                                       const std::vector<std::string>& columns) {
  HR_TRY(Run(fmt::format("CREATE TABLE {} AS SELECT {} FROM {} LIMIT 0", kStage,
                         data::QuoteIdentifiers(columns), table_)));
  std::vector<std::string> items;
  for (const data::Column& column : job.schema.columns) {
    const std::string name = QuoteIdentifier(column.name);
    const data::TypeClass type = data::ClassOf(column.type);
    const bool nested = type == data::TypeClass::kList || type == data::TypeClass::kStruct ||
                        type == data::TypeClass::kMap;
    items.push_back(fmt::format("CAST({} AS {})", nested ? "to_json(" + name + ")" : name,
                                BoundType(column.type)));
  }
  HR_ASSIGN(auto reader, job.read(items));
  std::string marks;
  for (size_t n = 0; n < columns.size(); ++n) marks += n > 0 ? ", ?" : "?";
  HR_ASSIGN(Statement insert, Prepare(fmt::format("INSERT INTO {} VALUES ({})", kStage, marks)));
  HR_TRY(Run("BEGIN"));  // of the temporary database alone: nobody waits for it
  int64_t rows = 0;
  const auto width = static_cast<int>(job.schema.size());
  while (true) {
    HR_ASSIGN(auto batch, reader->Next());
    if (!batch) break;
    std::vector<data::ColumnView> views;
    for (int n = 0; n < width; ++n) views.emplace_back(*batch, reader->schema(), n);
    for (int64_t row = 0; row < batch->rows(); ++row) {
      for (int n = 0; n < width; ++n) HR_TRY(Bind(insert.get(), n + 1, views[n], row));
      if (job.options->mode == SinkMode::kAppend) {
        sqlite3_bind_text(insert.get(), width + 1, job.snapshot.data(),
                          static_cast<int>(job.snapshot.size()), SQLITE_STATIC);
      }
      if (sqlite3_step(insert.get()) != SQLITE_DONE) return LastError();
      sqlite3_reset(insert.get());
      ++rows;
    }
    HR_TRY(job.cancel.Check());
  }
  insert.reset();
  HR_TRY(Run("COMMIT"));
  return rows;
}

Result<SinkCounts> SqliteSinkTable::Upsert(const SinkJob& job,
                                           const std::vector<std::string>& columns) {
  SinkCounts counts;
  std::string same, changes, differs;
  for (size_t n = 0; n < columns.size(); ++n) {
    const std::string name = QuoteIdentifier(columns[n]);
    bool key = false;
    for (const std::string& known : job.options->key) {
      key = key ||
            (n < job.schema.size() && data::Schema{{job.schema.columns[n]}}.Find(known) != nullptr);
    }
    if (key) {
      same += fmt::format("{}t.{} = s.{}", same.empty() ? "" : " AND ", name, name);
    } else {
      changes += fmt::format("{}{} = s.{}", changes.empty() ? "" : ", ", name, name);
      differs += fmt::format("{}t.{} IS NOT s.{}", differs.empty() ? "" : " OR ", name, name);
    }
  }
  std::vector<std::string> keys;
  for (const std::string& key : job.options->key) keys.push_back(key);
  // Without it each row of the table would look through all staged ones.
  HR_TRY(Run(fmt::format("CREATE INDEX temp.hr_stage_key ON hr_stage ({})",
                         data::QuoteIdentifiers(keys))));
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
                     table_, data::QuoteIdentifiers(columns), kStage, same)));
  return counts;
}

Result<SinkCounts> SqliteSinkTable::ExchangeRows(const SinkJob& job,
                                                 const std::vector<std::string>& columns) {
  SinkCounts counts;
  HR_TRY(job.check_claim());  // behind the lock: whoever overtook this run has finished
  const std::string insert = fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM {2}", table_,
                                         data::QuoteIdentifiers(columns), kStage);
  switch (job.options->mode) {
    case SinkMode::kReplace: {
      HR_ASSIGN(counts.removed, Do("DELETE FROM " + table_));
      HR_ASSIGN(counts.added, Do(insert));
      break;
    }
    case SinkMode::kAppend: {
      HR_ASSIGN(counts.removed,
                Do(fmt::format("DELETE FROM {} WHERE {} = ?2 AND EXISTS (SELECT 1 FROM main.{} "
                               "WHERE sink = ?1 AND snapshot = ?2)",
                               table_, QuoteIdentifier(columns.back()), kProgressTable),
                   {job.sink, job.snapshot}));
      HR_ASSIGN(counts.added, Do(insert));
      break;
    }
    case SinkMode::kUpsert: {
      HR_ASSIGN(counts, Upsert(job, columns));
      break;
    }
  }
  if (job.options->mode != SinkMode::kAppend) {
    HR_TRY(Run(fmt::format("DELETE FROM main.{} WHERE sink = ?1", kProgressTable), {job.sink}));
  }
  HR_TRY(Run(fmt::format("INSERT OR REPLACE INTO main.{} (sink, snapshot, definition, "
                         "rows) VALUES (?1, ?2, ?3, {})",
                         kProgressTable, counts.added),
             {job.sink, job.snapshot, job.definition}));
  CrashPoint("sink.exchanged");
  return counts;
}

Result<SinkCounts> SqliteSinkTable::Exchange(const SinkJob& job,
                                             const std::vector<std::string>& columns) {
  HR_TRY(Run("BEGIN IMMEDIATE"));
  auto counts = ExchangeRows(job, columns);
  if (!counts.ok()) {
    (void)Do("ROLLBACK");
    return std::move(counts).error();
  }
  HR_TRY(Run("COMMIT"));
  return *counts;
}

std::vector<Error> SqliteSinkTable::Notes() const {
  if (not_numbers_ == 0) return {};
  Error note(Blame::kData, "nan_as_null",
             fmt::format("{} NaN {} written as NULL: SQLite has no NaN", not_numbers_,
                         not_numbers_ == 1 ? "was" : "were"));
  return {note.As(Severity::kWarning)};
}

struct Found {
  std::string path, shown;
  int64_t wait_micros = 5'000'000;
};

Result<Found> FindFile(const DatabaseSinkOptions& options, const pipeline::Project& project,
                       const spec::NodeSpec& spec) {
  const Place place = spec.PlaceOf("connection");
  const auto& known = project.settings().connections;
  if (auto it = known.find(options.connection);
      it != known.end() && it->second.spec != nullptr && it->second.spec->name() != "sqlite") {
    return UserError("wrong_connection",
                     fmt::format("connection '{}' is of type {}, this sink needs sqlite",
                                 options.connection, it->second.type))
        .At(place)
        .Subject(options.connection);
  }
  HR_ASSIGN(spec::ComponentRef ref, project.Connection(options.connection, place));
  const auto& connection = ref.As<SqliteConnection>();
  std::string root;
  if (ref.common_spec != nullptr) root = ref.CommonAs<config::ConnectionFields>().root;
  Found found;
  found.shown = connection.path;
  HR_ASSIGN(found.path,
            config::ResolvePath(project.root(), connection.path, root, ref.places.Of("path")));
  HR_TRY(CheckSinkPath(project.root(), found.path, ref.places.Of("path")));
  if (!connection.wait.text.empty()) found.wait_micros = connection.wait.micros;
  return found;
}

}  // namespace

const spec::Spec& SqliteSinkSpec() {
  static const spec::Spec spec = DatabaseSinkSpec("sqlite", "SQLite");
  return spec;
}

std::unique_ptr<pipeline::Component> MakeSqliteSink(const spec::NodeSpec& node) {
  return MakeDatabaseSink(
      node,
      [](const DatabaseSinkOptions& options,
         const pipeline::BuildContext& context) -> Result<std::unique_ptr<SinkTable>> {
        const spec::NodeSpec& spec = context.node->spec;
        HR_ASSIGN(Found found, FindFile(options, *context.project, spec));
        HR_TRY(context.fs->CreateDirectories(DirName(found.path)));
        return std::unique_ptr<SinkTable>(std::make_unique<SqliteSinkTable>(
            std::move(found.path), std::move(found.shown), found.wait_micros, options.table,
            spec.PlaceOf("table")));
      },
      [](const DatabaseSinkOptions& options, const pipeline::Project& project,
         const spec::NodeSpec& spec) -> Status {
        auto found = FindFile(options, project, spec);
        return found.ok() ? Status() : Status(found.error());
      });
}

}  // namespace headrace::components
