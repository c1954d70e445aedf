#include "components/sources/sqlite_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "components/sources/csv_build.h"
#include "components/sources/database_build.h"
#include "components/sources/sqlite_rows.h"
#include "config/project.h"
#include "config/settings.h"
#include "data/quote.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using Class = SqliteStatement::Class;
using data::QuoteIdentifier;
using pipeline::BuildContext;
using pipeline::Outcome;

int IndexOf(const std::vector<SqliteColumn>& columns, std::string_view name) {
  for (size_t n = 0; n < columns.size(); ++n) {
    if (data::SameName(columns[n].name, name)) return static_cast<int>(n);
  }
  return -1;
}

std::vector<std::string> NamesOf(const std::vector<SqliteColumn>& columns) {
  std::vector<std::string> names;
  for (const SqliteColumn& column : columns) names.push_back(column.name);
  return names;
}

/// The database stays in one read transaction from begin to end.
class SqliteRows : public DatabaseRows {
 public:
  SqliteRows(const SqliteOptions& options, BuildContext& context)
      : options_(options), context_(context), spec_(context.node->spec) {
    definition_ = CsvDefinition(spec_);
    now_ = context.clock != nullptr ? context.clock->Now() : context.now;
  }

  Status Open();
  DatabaseLast Last();

  std::vector<std::string> Names() const override { return NamesOf(base_.columns); }
  std::string Shown() const override { return target_.shown; }
  std::string Item(const std::string& name) const override { return QuoteIdentifier(name); }
  Status PrepareAll() override;
  Result<data::SourceHandle> ReadAll(data::DuckInstance& instance) override;
  Result<data::SourceHandle> ReadNew(data::DuckInstance& instance,
                                     const data::Schema& stored) override;
  bool Conflict() const override { return progress_.conflict.has_value(); }
  Result<bool> Widen(std::vector<Error>& notes) override;
  Error Explain(Error error) const override;
  int64_t RowsRead() const override { return progress_.rows; }
  Result<std::string> NextCursor(const data::Value& aggregate, bool only_new,
                                 const DatabaseProgress& progress) const override;

 private:
  Result<std::string> Bound() const;
  Result<data::SourceHandle> Start(data::DuckInstance& instance, const std::string& bound,
                                   Class value_class);

  const SqliteOptions& options_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  std::string definition_;
  Timestamp now_ = 0;
  std::optional<SqliteCursor> last_;
  SqliteTarget target_;
  SqliteStat stat_;
  std::unique_ptr<SqliteDatabase> database_;
  SqliteBase base_;
  std::vector<SqliteType> types_;
  std::unique_ptr<SqliteStatement> statement_;
  SqliteProgress progress_;
};

Status SqliteRows::Open() {
  HR_ASSIGN(target_, FindSqlite(options_, *context_.project, spec_));
  // Before the read: what is committed in between is seen as a change next time.
  if (context_.fs->Exists(target_.path)) {
    HR_ASSIGN(stat_, StatSqlite(*context_.fs, target_.path, now_, false));
  }
  auto opened =
      SqliteDatabase::Open(*context_.fs, target_.path, target_.shown, target_.wait_micros);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    if (error.code == "no_database") error.At(spec_.PlaceOf("connection"));
    return error;
  }
  database_ = std::move(*opened);
  HR_TRY(database_->BeginRead());
  HR_ASSIGN(base_, FindBase(options_, *database_, spec_));
  return Ok();
}

DatabaseLast SqliteRows::Last() {
  DatabaseLast last;
  const store::NodeState* state = context_.state;
  if (context_.full || state == nullptr || !state->cursor || !state->snapshot) return last;
  last_ = SqliteCursor::FromJson(*state->cursor);
  last.comparable = last_ && last_->definition == definition_;
  last.incremental =
      last.comparable && !options_.cursor.empty() && last_->value_class != Class::kNull;
  return last;
}

/// Types by declaration; where there is none all rows are looked at first.
Status SqliteRows::PrepareAll() {
  types_.clear();
  bool all_declared = true;
  for (const SqliteColumn& column : base_.columns) {
    types_.push_back(DeclaredType(column.declared));
    all_declared = all_declared && types_.back() != SqliteType::kNone;
  }
  if (all_declared) return Ok();
  HR_ASSIGN(auto statement, database_->Prepare(base_.select));
  HR_ASSIGN(SqliteScan scan, ScanSqlite(*statement, context_.cancel));
  for (size_t n = 0; n < types_.size(); ++n) {
    if (types_[n] == SqliteType::kNone) types_[n] = scan.types[n];
  }
  return Ok();
}

/// A running SELECT; `bound` is the cursor's, class kNull = all rows. Rows without
/// a cursor come each time: they are set aside.
Result<data::SourceHandle> SqliteRows::Start(data::DuckInstance& instance, const std::string& bound,
                                             Class value_class) {
  std::string sql = base_.select;
  if (value_class != Class::kNull) {
    sql = fmt::format("SELECT * FROM ({0}) WHERE {1} >= ?1 OR {1} IS NULL", base_.select,
                      QuoteIdentifier(options_.cursor));
  }
  HR_ASSIGN(statement_, database_->Prepare(sql));
  if (value_class == Class::kInteger) {
    int64_t number = 0;
    std::from_chars(bound.data(), bound.data() + bound.size(), number);
    statement_->BindInt(1, number);
  } else if (value_class == Class::kReal) {
    double number = 0;
    std::from_chars(bound.data(), bound.data() + bound.size(), number);
    statement_->BindDouble(1, number);
  } else if (value_class != Class::kNull) {
    statement_->BindText(1, bound);
  }
  progress_ = {};
  return instance.AddSource(ReadSqlite(
      *statement_, progress_,
      {target_.shown, base_.columns, types_,
       options_.cursor.empty() ? -1 : IndexOf(base_.columns, options_.cursor), context_.cancel}));
}

Result<data::SourceHandle> SqliteRows::ReadAll(data::DuckInstance& instance) {
  return Start(instance, "", Class::kNull);
}

Result<data::SourceHandle> SqliteRows::ReadNew(data::DuckInstance& instance,
                                               const data::Schema& stored_schema) {
  HR_ASSIGN(std::string bound, Bound());
  // The types of the table that is there: a value that does not fit means a full read.
  types_.clear();
  for (const SqliteColumn& column : base_.columns) {
    SqliteType type = DeclaredType(column.declared);
    const data::Column* stored = stored_schema.Find(column.name);
    for (SqliteType candidate :
         {SqliteType::kBoolean, SqliteType::kInteger, SqliteType::kDouble, SqliteType::kDate,
          SqliteType::kTimestamp, SqliteType::kText, SqliteType::kBlob}) {
      if (stored != nullptr && stored->type == SqlTypeOf(candidate)) type = candidate;
    }
    types_.push_back(type);
  }
  return Start(instance, bound, last_->value_class);
}

/// After a value that did not fit: the types of all rows. False when that changes nothing.
Result<bool> SqliteRows::Widen(std::vector<Error>& notes) {
  HR_ASSIGN(auto statement, database_->Prepare(base_.select));
  HR_ASSIGN(SqliteScan scan, ScanSqlite(*statement, context_.cancel));
  bool changed = false;
  for (const SqliteConflict& conflict : scan.conflicts) {
    const SqliteType wider = scan.types[conflict.column];
    const SqliteType old = types_[conflict.column];
    if (wider == old) continue;
    const SqliteColumn& column = base_.columns[conflict.column];
    changed = true;
    types_[conflict.column] = wider;
    Error note(
        Blame::kData, "type_widened",
        fmt::format("column '{}' is {}, not {} as declared ({}), because of '{}'", column.name,
                    SqlTypeOf(wider), SqlTypeOf(old), column.declared, conflict.value));
    note.At({.file = target_.shown, .rows = fmt::format("row {}", conflict.row)})
        .Node(spec_.name)
        .As(Severity::kWarning)
        .Subject(column.name)
        .Hint("correct the row, or fix the type under `columns:` to make it an error");
    notes.push_back(std::move(note));
  }
  return changed;
}

/// A fault of DuckDB while it read: the reader's own fault, or a cast to a fixed type.
Error SqliteRows::Explain(Error error) const {
  if (error.code == "source_failed" && error.cause != nullptr) return Error(*error.cause);
  if (error.code == "conversion" || error.code == "out_of_range" || error.code == "bad_input") {
    Error bad = DataError("bad_value", error.message);
    return bad.At({.file = target_.shown, .rows = fmt::format("row {} or before", progress_.rows)})
        .Hint("correct the row, or change the type under `columns:`");
  }
  return error;
}

Result<std::string> SqliteRows::Bound() const {
  if (!options_.lookback || options_.lookback->micros == 0) return last_->value;
  if (last_->value_class == Class::kText) {
    if (auto moved = MoveBack(last_->value, options_.lookback->micros)) return *moved;
  }
  return DataError("bad_cursor", fmt::format("the cursor '{}' holds '{}', which is no time, so it "
                                             "can't be moved back by `lookback`",
                                             options_.cursor, last_->value))
      .At(spec_.PlaceOf("lookback"))
      .Subject(options_.cursor)
      .Hint("leave `lookback` out, or use a cursor that holds times like 2026-01-31 09:30:00");
}

Result<std::string> SqliteRows::NextCursor(const data::Value&, bool only_new,
                                           const DatabaseProgress&) const {
  SqliteCursor next;
  next.definition = definition_;
  next.stat = stat_;
  if (options_.cursor.empty()) return next.ToJson();
  const SqliteCursor* last = only_new ? &*last_ : nullptr;
  if (last != nullptr) {
    next.value_class = last->value_class;
    next.value = last->value;
  }
  if (progress_.cursor_class == Class::kNull) return next.ToJson();  // no rows
  if (progress_.cursor_mixed || progress_.cursor_class == Class::kBlob ||
      (last != nullptr && last->value_class != progress_.cursor_class)) {
    return DataError("bad_cursor",
                     fmt::format("the cursor '{}' holds values of several types, which have no "
                                 "common order",
                                 options_.cursor))
        .At(spec_.PlaceOf("cursor"))
        .Subject(options_.cursor)
        .Hint("correct the values, or cast the column in a `query`");
  }
  next.value_class = progress_.cursor_class;
  switch (progress_.cursor_class) {
    case Class::kInteger:
      next.value = std::to_string(progress_.cursor_int);
      break;
    case Class::kReal:
      next.value = fmt::format("{}", progress_.cursor_double);
      break;
    default: {
      next.value = std::max(last == nullptr ? std::string() : last->value, progress_.cursor_text);
      // A date in the future must not hide what comes until then.
      const auto time = ParseSqliteTimestamp(next.value);
      if (time && *time > now_) {
        if (auto moved = MoveBack(next.value, *time - now_)) next.value = *moved;
      }
    }
  }
  return next.ToJson();
}

}  // namespace

Result<SqliteTarget> FindSqlite(const SqliteOptions& options, const pipeline::Project& project,
                                const spec::NodeSpec& spec) {
  const Place place = spec.PlaceOf("connection");
  HR_ASSIGN(spec::ComponentRef ref, project.Connection(options.connection, place));
  if (ref.spec == nullptr || ref.spec->name() != "sqlite") {
    return UserError("wrong_connection",
                     fmt::format("connection '{}' is of type {}, this source needs sqlite",
                                 options.connection, ref.type))
        .At(place)
        .Subject(options.connection);
  }
  const auto& connection = ref.As<SqliteConnection>();
  std::string root;
  if (ref.common_spec != nullptr) root = ref.CommonAs<config::ConnectionFields>().root;
  SqliteTarget target;
  target.shown = connection.path;
  HR_ASSIGN(target.path,
            config::ResolvePath(project.root(), connection.path, root, ref.places.Of("path")));
  if (!connection.wait.text.empty()) target.wait_micros = connection.wait.micros;
  return target;
}

Result<SqliteBase> FindBase(const SqliteOptions& options, SqliteDatabase& database,
                            const spec::NodeSpec& spec) {
  SqliteBase base;
  const std::string field = options.table.empty() ? "query" : "table";
  if (!options.table.empty()) {
    HR_ASSIGN(auto tables, database.Tables());
    const bool known = std::any_of(tables.begin(), tables.end(), [&](const std::string& name) {
      return data::SameName(name, options.table);
    });
    if (!known) {
      Error error = UserError("unknown_table",
                              fmt::format("{} has no table '{}'", database.shown(), options.table));
      error.At(spec.PlaceOf("table")).Subject(options.table);
      error.Candidates(Suggest(options.table, tables));
      if (tables.empty()) error.Hint("the database has no tables");
      return error;
    }
    base.select = "SELECT * FROM " + QuoteIdentifier(options.table);
  } else {
    base.select = options.query;
    while (!base.select.empty() &&
           (std::isspace(static_cast<unsigned char>(base.select.back())) != 0 ||
            base.select.back() == ';')) {
      base.select.pop_back();
    }
    base.select += "\n";  // a comment may end it
  }
  auto statement = database.Prepare(base.select);
  if (!statement.ok()) {
    Error error = std::move(statement).error();
    if (error.blame == Blame::kUser) error.At(spec.PlaceOf(field)).Node(spec.name);
    return error;
  }
  base.columns = (*statement)->Columns();
  const auto names = NamesOf(base.columns);
  for (size_t n = 0; n < names.size(); ++n) {
    if (IndexOf(base.columns, names[n]) == static_cast<int>(n)) continue;
    return UserError("duplicate_column",
                     fmt::format("the query gives two columns named '{}'", names[n]))
        .At(spec.PlaceOf(field))
        .Subject(names[n])
        .Hint("name them with AS");
  }
  const auto check = [&](const std::string& name, const std::string& at) -> Status {
    if (IndexOf(base.columns, name) >= 0) return Ok();
    return UserError(
               "unknown_column",
               fmt::format("{} has no column '{}'",
                           options.table.empty() ? "the query" : "table '" + options.table + "'",
                           name))
        .At(spec.PlaceOf(at))
        .Subject(name)
        .Candidates(Suggest(name, names));
  };
  if (!options.cursor.empty()) HR_TRY(check(options.cursor, "cursor"));
  for (const std::string& key : options.key) HR_TRY(check(key, "key"));
  return base;
}

std::string SqliteCursor::ToJson() const {
  Json json;
  json["version"] = 1;
  json["definition"] = definition;
  json["stat"] = {
      {"size", stat.size},         {"modified", stat.modified},     {"counter", stat.counter},
      {"wal_size", stat.wal_size}, {"wal_digest", stat.wal_digest}, {"settled", stat.settled},
      {"digest", stat.digest}};
  json["class"] = static_cast<int>(value_class);
  json["value"] = value;
  return DumpJson(json);
}

std::optional<SqliteCursor> SqliteCursor::FromJson(const std::string& text) {
  auto parsed = ParseJson(text, "cursor");
  if (!parsed.ok()) return std::nullopt;
  try {
    const Json& json = *parsed;
    if (json.at("version").get<int>() != 1) return std::nullopt;
    SqliteCursor cursor;
    cursor.definition = json.at("definition").get<std::string>();
    const Json& stat = json.at("stat");
    cursor.stat = {stat.at("size").get<int64_t>(),           stat.at("modified").get<int64_t>(),
                   stat.at("counter").get<int64_t>(),        stat.at("wal_size").get<int64_t>(),
                   stat.at("wal_digest").get<std::string>(), stat.at("settled").get<bool>(),
                   stat.at("digest").get<std::string>()};
    const int value_class = json.at("class").get<int>();
    if (value_class < 0 || value_class > static_cast<int>(Class::kBlob)) return std::nullopt;
    cursor.value_class = static_cast<Class>(value_class);
    cursor.value = json.at("value").get<std::string>();
    return cursor;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<std::string> MoveBack(const std::string& time, int64_t micros) {
  const auto parsed = ParseSqliteTimestamp(time);
  if (!parsed) return std::nullopt;
  const bool zulu = time.ends_with('Z');
  const std::string plain = zulu ? time.substr(0, time.size() - 1) : time;
  // Texts with offsets have no common order with others: they can't be a cursor.
  if (plain.size() > 10 && plain.find_first_of("+-", 11) != std::string::npos) return std::nullopt;
  std::string moved = FormatTimestamp(*parsed - micros);  // 2026-01-31T09:30:00[.123456]Z
  moved.pop_back();
  const size_t dot = plain.find('.');
  if (dot == std::string::npos) {
    moved.resize(std::min(moved.size(), plain.size()));
  } else {
    if (moved.find('.') == std::string::npos) moved += ".000000";
    moved.resize(std::min(moved.size(), plain.size()));
  }
  if (plain.size() > 10) moved[10] = plain[10];
  return zulu ? moved + "Z" : moved;
}

Result<Outcome> BuildSqlite(const SqliteOptions& options, BuildContext& context) {
  SqliteRows rows(options, context);
  HR_TRY(FixedTypes(context.node->spec));  // a wrong type before a database that is not there
  HR_TRY(rows.Open());
  DatabaseRead read;
  read.query = options.table.empty();
  read.cursor = options.cursor;
  read.key = options.key;
  read.schema_change = options.schema_change;
  return BuildFromDatabase(read, rows.Last(), rows, context);
}

}  // namespace headrace::components
