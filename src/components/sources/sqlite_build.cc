#include "components/sources/sqlite_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "base/suggest.h"
#include "components/sources/csv_build.h"
#include "components/sources/old_snapshot.h"
#include "components/sources/sqlite_rows.h"
#include "config/project.h"
#include "config/settings.h"
#include "data/quote.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using Class = SqliteStatement::Class;
using data::PendingSnapshot;
using data::QuoteIdentifier;
using pipeline::BuildContext;
using pipeline::Outcome;

bool SameName(std::string_view a, std::string_view b) {
  return data::Schema{{{std::string(a), "", true}}}.Find(b) != nullptr;
}

int IndexOf(const std::vector<SqliteColumn>& columns, std::string_view name) {
  for (size_t n = 0; n < columns.size(); ++n) {
    if (SameName(columns[n].name, name)) return static_cast<int>(n);
  }
  return -1;
}

std::vector<std::string> NamesOf(const std::vector<SqliteColumn>& columns) {
  std::vector<std::string> names;
  for (const SqliteColumn& column : columns) names.push_back(column.name);
  return names;
}

/// One build. The database stays in one read transaction from begin to end.
class SqliteBuild {
 public:
  SqliteBuild(const SqliteOptions& options, BuildContext& context)
      : options_(options), context_(context), spec_(context.node->spec) {}
  ~SqliteBuild() {
    if (staged_ && duck_)
      (void)duck_->Execute("DROP TABLE IF EXISTS hr_new; DROP TABLE IF EXISTS hr_fresh");
  }
  SqliteBuild(const SqliteBuild&) = delete;

  Result<Outcome> Run();

 private:
  Result<Outcome> ReadAll();
  Result<std::optional<Outcome>> ReadNew(const SqliteCursor& last);
  Status FindTypes();
  Status CompareColumns();
  Status CheckNulls();
  Result<std::string> Bound(const SqliteCursor& last) const;
  Result<std::unique_ptr<SqliteStatement>> Start(const std::string& bound, Class value_class);
  std::string SelectList() const;
  std::string Latest(const std::string& relation) const;
  Result<std::unique_ptr<PendingSnapshot>> Materialize(const std::string& select,
                                                       std::vector<std::string> extra);
  Result<bool> Widen(const SqliteProgress& progress);
  Error Explain(Error error, const SqliteProgress& progress) const;
  Status JudgeKey(int64_t null_keys) const;
  Result<SqliteCursor> NextCursor(const SqliteProgress& progress, const SqliteCursor* last) const;
  Result<Outcome> Finish(std::unique_ptr<PendingSnapshot> pending, const SqliteProgress& progress,
                         const SqliteCursor* last);
  void Note(Severity severity, Error error) {
    notes_.push_back(std::move(error.Node(spec_.name).As(severity)));
  }
  void NoteReplaced(int64_t rows) {
    Note(Severity::kHint,
         Error(Blame::kData, "rows_replaced",
               fmt::format("{} replaced by later rows of the same key",
                           rows == 1 ? "1 row was" : fmt::format("{} rows were", rows))));
  }
  std::string KeyEquals() const;

  const SqliteOptions& options_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  std::string definition_, reason_;
  Timestamp now_ = 0;
  SqliteTarget target_;
  SqliteStat stat_;
  std::unique_ptr<SqliteDatabase> database_;
  SqliteBase base_;
  std::vector<SqliteType> types_;
  std::map<std::string, std::string> fixed_;
  /// What the table has: name, and the type of a column that the source lacks ("" = it has it).
  std::vector<std::pair<std::string, std::string>> table_;
  std::shared_ptr<data::DuckInstance> instance_;
  std::optional<data::DuckConnection> duck_;
  bool staged_ = false;
  std::vector<Error> notes_;
};

Result<Outcome> SqliteBuild::Run() {
  definition_ = CsvDefinition(spec_);
  now_ = context_.clock != nullptr ? context_.clock->Now() : context_.now;
  for (const auto& [name, column] : spec_.common.columns) {
    if (column.type.empty()) continue;
    auto fixed = FixedType(column.type, name);
    if (!fixed.ok()) return Error(fixed.error()).At(spec_.PlaceOf("columns." + name + ".type"));
    fixed_[name] = *fixed;
  }
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
  HR_ASSIGN(instance_, context_.instances->Open());
  HR_ASSIGN(duck_, instance_->Connect());
  HR_TRY(CompareColumns());
  HR_TRY(CheckNulls());
  const store::NodeState* state = context_.state;
  if (!context_.full && !options_.cursor.empty() && state != nullptr && state->cursor &&
      state->snapshot) {
    const auto last = SqliteCursor::FromJson(*state->cursor);
    if (last && last->definition == definition_ && last->value_class != Class::kNull) {
      HR_ASSIGN(auto outcome, ReadNew(*last));
      if (outcome) return std::move(*outcome);
    }
  }
  return ReadAll();
}

/// The columns of the table, judged against those of the last run.
Status SqliteBuild::CompareColumns() {
  for (const SqliteColumn& column : base_.columns) table_.emplace_back(column.name, "");
  const store::NodeState* state = context_.state;
  if (context_.full || state == nullptr || !state->cursor || !state->snapshot) return Ok();
  const auto last = SqliteCursor::FromJson(*state->cursor);
  if (!last || last->definition != definition_) return Ok();
  HR_ASSIGN(Json json, ParseJson(state->snapshot->schema, "schema"));
  HR_ASSIGN(data::Schema old, data::SchemaFromJson(json));
  const ColumnDiff diff = CompareColumnNames(old.Names(), NamesOf(base_.columns));
  HR_ASSIGN(auto note, JudgeColumnDiff(diff, options_.schema_change, spec_.name,
                                       spec_.PlaceOf(options_.table.empty() ? "query" : "table")));
  if (note) notes_.push_back(std::move(*note));
  if (options_.schema_change != SchemaChange::kIgnore) return Ok();
  table_.clear();
  for (const data::Column& column : old.columns) {
    const bool there = IndexOf(base_.columns, column.name) >= 0;
    table_.emplace_back(column.name, there ? "" : column.type);
  }
  return Ok();
}

Status SqliteBuild::CheckNulls() {
  if (options_.cursor.empty()) return Ok();
  HR_ASSIGN(auto statement,
            database_->Prepare(fmt::format("SELECT count(*) FROM ({}) WHERE {} IS NULL",
                                           base_.select, QuoteIdentifier(options_.cursor))));
  HR_ASSIGN(bool any, statement->Step());
  const int64_t count = any ? statement->Int(0) : 0;
  if (count == 0) return Ok();
  return DataError("null_cursor", fmt::format("the cursor '{}' is NULL in {}", options_.cursor,
                                              count == 1 ? "1 row" : fmt::format("{} rows", count)))
      .At(spec_.PlaceOf("cursor"))
      .Subject(options_.cursor)
      .Hint(
          "such rows would never be read again: fill the column, leave them out with a `query`, "
          "or read without `cursor`");
}

/// Types by declaration; where there is none all rows are looked at first.
Status SqliteBuild::FindTypes() {
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

/// A running SELECT; `bound` is the cursor's, "" = all rows.
Result<std::unique_ptr<SqliteStatement>> SqliteBuild::Start(const std::string& bound,
                                                            Class value_class) {
  if (value_class == Class::kNull) return database_->Prepare(base_.select);
  HR_ASSIGN(auto statement,
            database_->Prepare(fmt::format("SELECT * FROM ({}) WHERE {} >= ?1", base_.select,
                                           QuoteIdentifier(options_.cursor))));
  if (value_class == Class::kInteger) {
    int64_t number = 0;
    std::from_chars(bound.data(), bound.data() + bound.size(), number);
    statement->BindInt(1, number);
  } else if (value_class == Class::kReal) {
    double number = 0;
    std::from_chars(bound.data(), bound.data() + bound.size(), number);
    statement->BindDouble(1, number);
  } else {
    statement->BindText(1, bound);
  }
  return statement;
}

std::string SqliteBuild::SelectList() const {
  std::string items;
  for (const auto& [name, missing] : table_) {
    const std::string quoted = QuoteIdentifier(name);
    std::string item = quoted;
    if (!missing.empty()) item = fmt::format("CAST(NULL AS {})", missing);
    for (const auto& [column, type] : fixed_) {
      if (!SameName(column, name) || !missing.empty()) continue;
      item = fmt::format("CAST({} AS {})", quoted, type);
      if (data::ClassOf(type) == data::TypeClass::kInteger) {
        // A cast alone would round 1.5 to 2.
        const std::string exact = fmt::format("CAST({} AS DECIMAL(38,9))", quoted);
        item = fmt::format(
            "CASE WHEN {0} IS NULL OR {1} = trunc({1}) THEN {2} ELSE error({3}) END", quoted, exact,
            item, data::QuoteLiteral("a value of column '" + name + "' is no whole number"));
      }
    }
    items += fmt::format("{}{} AS {}", items.empty() ? "" : ", ", item, quoted);
  }
  return items;
}

/// Of the rows of one key the one with the latest cursor, then the last one read.
std::string SqliteBuild::Latest(const std::string& relation) const {
  std::vector<std::string> names;
  for (const auto& [name, missing] : table_) names.push_back(name);
  const std::string cursor =
      options_.cursor.empty() ? "" : QuoteIdentifier(options_.cursor) + " DESC, ";
  return fmt::format(
      "SELECT {} FROM (SELECT *, row_number() OVER () AS \"__order\" FROM {}) QUALIFY row_number() "
      "OVER (PARTITION BY {} ORDER BY {}\"__order\" DESC) = 1",
      data::QuoteIdentifiers(names), relation, data::QuoteIdentifiers(options_.key), cursor);
}

Result<std::unique_ptr<PendingSnapshot>> SqliteBuild::Materialize(const std::string& select,
                                                                  std::vector<std::string> extra) {
  data::MaterializeRequest request;
  request.node = context_.node->name;
  request.build_id = context_.build_id;
  request.select = select;
  request.aggregates = context_.aggregates;
  for (std::string& aggregate : extra) request.aggregates.push_back(std::move(aggregate));
  request.query = context_.Query();
  HR_ASSIGN(PendingSnapshot pending, context_.writer->Materialize(*duck_, request));
  return std::make_unique<PendingSnapshot>(std::move(pending));
}

/// After a value that did not fit: the types of all rows. False when that changes nothing.
Result<bool> SqliteBuild::Widen(const SqliteProgress& progress) {
  if (!progress.conflict) return false;
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
        .Subject(column.name)
        .Hint("correct the row, or fix the type under `columns:` to make it an error");
    Note(Severity::kWarning, std::move(note));
  }
  return changed;
}

/// A fault of DuckDB while it read: the reader's own fault, or a cast to a fixed type.
Error SqliteBuild::Explain(Error error, const SqliteProgress& progress) const {
  if (error.code == "source_failed" && error.cause != nullptr) return Error(*error.cause);
  if (error.code == "conversion" || error.code == "out_of_range" || error.code == "bad_input") {
    Error bad = DataError("bad_value", error.message);
    return bad.At({.file = target_.shown, .rows = fmt::format("row {} or before", progress.rows)})
        .Hint("correct the row, or change the type under `columns:`");
  }
  return error;
}

Status SqliteBuild::JudgeKey(int64_t null_keys) const {
  if (null_keys == 0) return Ok();
  return DataError("null_key",
                   fmt::format("the key ({}) is NULL in {}", fmt::join(options_.key, ", "),
                               null_keys == 1 ? "1 row" : fmt::format("{} rows", null_keys)))
      .At(spec_.PlaceOf("key"))
      .Hint("correct the rows, leave them out with a `query`, or choose another `key`");
}

// ---- Reading everything

Result<Outcome> SqliteBuild::ReadAll() {
  HR_TRY(FindTypes());
  if (context_.progress != nullptr) context_.progress->SetStage("reading");
  std::vector<std::string> extra;
  if (!options_.key.empty()) {
    std::string missing;
    for (const std::string& key : options_.key) {
      missing += (missing.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
    }
    const std::string names = data::QuoteIdentifiers(options_.key);
    extra = {fmt::format("count(*) FILTER (WHERE {})", missing),
             fmt::format("count(*) - count(DISTINCT {})",
                         options_.key.size() > 1 ? "ROW(" + names + ")" : names)};
  }
  bool latest_only = false;
  for (int round = 0; round < 4; ++round) {
    HR_ASSIGN(auto statement, Start("", Class::kNull));
    SqliteProgress progress;
    HR_ASSIGN(auto source,
              instance_->AddSource(ReadSqlite(
                  *statement, progress,
                  {target_.shown, base_.columns, types_,
                   options_.cursor.empty() ? -1 : IndexOf(base_.columns, options_.cursor),
                   context_.cancel})));
    std::string select = fmt::format("SELECT {} FROM {}", SelectList(), source.sql());
    if (latest_only) select = Latest("(" + select + ")");
    auto pending = Materialize(select, latest_only ? std::vector<std::string>() : extra);
    if (!pending.ok()) {
      if (progress.conflict) {
        HR_ASSIGN(bool widened, Widen(progress));
        if (widened) continue;
      }
      return Explain(std::move(pending).error(), progress);
    }
    if (!options_.key.empty() && !latest_only) {
      const auto& values = (*pending)->aggregates();
      HR_TRY(JudgeKey(values[values.size() - 2].AsInt64()));
      const int64_t repeated = values.back().AsInt64();
      if (repeated > 0) {
        NoteReplaced(repeated);
        latest_only = true;
        continue;
      }
    }
    return Finish(std::move(*pending), progress, nullptr);
  }
  return InternalError("types of SQLite columns were widened without end");
}

// ---- Reading what is new

Result<std::string> SqliteBuild::Bound(const SqliteCursor& last) const {
  if (options_.lookback.micros == 0) return last.value;
  if (last.value_class == Class::kText) {
    if (auto moved = MoveBack(last.value, options_.lookback.micros)) return *moved;
  }
  return DataError("bad_cursor", fmt::format("the cursor '{}' holds '{}', which is no time, so it "
                                             "can't be moved back by `lookback`",
                                             options_.cursor, last.value))
      .At(spec_.PlaceOf("lookback"))
      .Subject(options_.cursor)
      .Hint("leave `lookback` out, or use a cursor that holds times like 2026-01-31 09:30:00");
}

std::string SqliteBuild::KeyEquals() const {
  std::string same;
  for (const std::string& key : options_.key) {
    same += fmt::format("{}n.{} = o.{}", same.empty() ? "" : " AND ", QuoteIdentifier(key),
                        QuoteIdentifier(key));
  }
  return same;
}

/// nullopt when everything must be read after all.
Result<std::optional<Outcome>> SqliteBuild::ReadNew(const SqliteCursor& last) {
  HR_ASSIGN(std::string bound, Bound(last));
  HR_ASSIGN(data::Snapshot old, OldSnapshot(context_));
  // The types of the table that is there: a value that does not fit means a full read.
  types_.clear();
  for (const SqliteColumn& column : base_.columns) {
    SqliteType type = DeclaredType(column.declared);
    const data::Column* stored = old.schema.Find(column.name);
    for (SqliteType candidate :
         {SqliteType::kBoolean, SqliteType::kInteger, SqliteType::kDouble, SqliteType::kDate,
          SqliteType::kTimestamp, SqliteType::kText, SqliteType::kBlob}) {
      if (stored != nullptr && stored->type == SqlTypeOf(candidate)) type = candidate;
    }
    types_.push_back(type);
  }
  HR_ASSIGN(auto statement, Start(bound, last.value_class));
  SqliteProgress progress;
  HR_ASSIGN(auto source, instance_->AddSource(ReadSqlite(
                             *statement, progress,
                             {target_.shown, base_.columns, types_,
                              IndexOf(base_.columns, options_.cursor), context_.cancel})));
  staged_ = true;
  HR_TRY(duck_->Execute("DROP TABLE IF EXISTS hr_new; DROP TABLE IF EXISTS hr_fresh"));
  auto staged = duck_->Execute(
      fmt::format("CREATE TEMP TABLE hr_new AS SELECT {} FROM {}", SelectList(), source.sql()), {},
      context_.Query());
  if (!staged.ok()) {
    if (progress.conflict) {
      reason_ = "a new value does not fit the type of its column: all rows were read";
      return std::optional<Outcome>();
    }
    return Explain(std::move(staged).error(), progress);
  }
  HR_ASSIGN(data::Schema result, duck_->Describe("SELECT * FROM hr_new"));
  HR_ASSIGN(data::Schema stored, data::StoredSchema(result));
  if (stored != old.schema) {
    reason_ = "the columns changed: all rows were read";
    return std::optional<Outcome>();
  }
  if (!options_.key.empty()) {
    std::string missing;
    for (const std::string& key : options_.key) {
      missing += (missing.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
    }
    HR_ASSIGN(auto nulls, duck_->Query("SELECT count(*) FROM hr_new WHERE " + missing));
    HR_TRY(JudgeKey(nulls.at(0, 0).AsInt64()));
  }
  // Rows at the border were read before: what is there already is taken off, copy by copy.
  const std::string names = data::QuoteIdentifiers(old.schema.Names());
  const std::string items = data::StoredSelectList(result, stored);
  const std::string old_rows = data::ReadSnapshotSql(context_.warehouse, old);
  const std::string candidates = options_.key.empty() ? "SELECT * FROM hr_new" : Latest("hr_new");
  HR_TRY(duck_->Execute(
      fmt::format("CREATE TEMP TABLE hr_fresh AS SELECT {0} FROM ({1}) EXCEPT ALL SELECT {2} FROM "
                  "({3}) WHERE {4} >= (SELECT min({4}) FROM hr_new)",
                  items, candidates, names, old_rows, QuoteIdentifier(options_.cursor)),
      {}, context_.Query()));
  std::string select = fmt::format("SELECT {} FROM hr_fresh", names);
  bool append = true;
  if (!options_.key.empty()) {
    HR_ASSIGN(auto touched,
              duck_->Query(fmt::format("SELECT count(*) FROM ({}) AS o WHERE EXISTS (SELECT 1 FROM "
                                       "hr_fresh AS n WHERE {})",
                                       old_rows, KeyEquals()),
                           {}, context_.Query()));
    const int64_t count = touched.at(0, 0).AsInt64();
    if (count > 0) {
      append = false;
      NoteReplaced(count);
      select = fmt::format(
          "SELECT {} FROM ({}) AS o WHERE NOT EXISTS (SELECT 1 FROM hr_fresh AS n "
          "WHERE {}) UNION ALL {}",
          names, old_rows, KeyEquals(), select);
    }
  }
  HR_ASSIGN(auto pending, Materialize(select, {}));
  HR_ASSIGN(Outcome outcome, Finish(std::move(pending), progress, &last));
  if (append) outcome.append_to = std::move(old);
  return std::optional<Outcome>(std::move(outcome));
}

// ---- The cursor

Result<SqliteCursor> SqliteBuild::NextCursor(const SqliteProgress& progress,
                                             const SqliteCursor* last) const {
  SqliteCursor next;
  next.definition = definition_;
  next.stat = stat_;
  if (options_.cursor.empty()) return next;
  if (last != nullptr) {
    next.value_class = last->value_class;
    next.value = last->value;
  }
  if (progress.cursor_class == Class::kNull) return next;  // no rows
  if (progress.cursor_mixed || progress.cursor_class == Class::kBlob ||
      (last != nullptr && last->value_class != progress.cursor_class)) {
    return DataError("bad_cursor",
                     fmt::format("the cursor '{}' holds values of several types, which have no "
                                 "common order",
                                 options_.cursor))
        .At(spec_.PlaceOf("cursor"))
        .Subject(options_.cursor)
        .Hint("correct the values, or cast the column in a `query`");
  }
  next.value_class = progress.cursor_class;
  switch (progress.cursor_class) {
    case Class::kInteger:
      next.value = std::to_string(progress.cursor_int);
      break;
    case Class::kReal:
      next.value = fmt::format("{}", progress.cursor_double);
      break;
    default: {
      next.value = std::max(last == nullptr ? std::string() : last->value, progress.cursor_text);
      // A date in the future must not hide what comes until then.
      const auto time = ParseSqliteTimestamp(next.value);
      if (time && *time > now_) {
        if (auto moved = MoveBack(next.value, *time - now_)) next.value = *moved;
      }
    }
  }
  return next;
}

Result<Outcome> SqliteBuild::Finish(std::unique_ptr<PendingSnapshot> pending,
                                    const SqliteProgress& progress, const SqliteCursor* last) {
  HR_ASSIGN(SqliteCursor cursor, NextCursor(progress, last));
  Outcome outcome;
  outcome.reason = reason_;
  outcome.rows = progress.rows;
  outcome.cursor = cursor.ToJson();
  if (progress.rows == 0 && last == nullptr) {
    Note(Severity::kHint,
         Error(Blame::kData, "no_rows", "there are no rows").At({.file = target_.shown}));
  }
  outcome.notes = std::move(notes_);
  outcome.pending.emplace(std::move(*pending));
  return outcome;
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
      return SameName(name, options.table);
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
  return SqliteBuild(options, context).Run();
}

}  // namespace headrace::components
