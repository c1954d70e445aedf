#include "components/sources/postgres_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "components/postgres/postgres_reader.h"
#include "components/postgres/postgres_session.h"
#include "components/postgres/postgres_types.h"
#include "components/sources/csv_build.h"
#include "components/sources/database_build.h"
#include "data/quote.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using pipeline::BuildContext;
using pipeline::Outcome;

constexpr int64_t kLookbackMicros = 15LL * 60 * 1'000'000;

/// One read-only transaction from begin to end: all reads see one state.
class PostgresRows : public DatabaseRows {
 public:
  PostgresRows(const PostgresOptions& options, BuildContext& context)
      : options_(options), context_(context), spec_(context.node->spec) {
    definition_ = CsvDefinition(spec_);
  }

  Status Open();
  DatabaseLast Last();

  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const PostgresField& field : fields_) names.push_back(field.name);
    return names;
  }
  std::string Shown() const override { return "connection '" + target_.connection + "'"; }
  std::string Item(const std::string& name) const override {
    const PostgresField* field = Field(name);
    return field == nullptr ? QuoteIdentifier(name) : field->item;
  }
  Result<data::SourceHandle> ReadAll(data::DuckInstance& instance) override {
    return Start(instance, fields_, "", rows_expected_);
  }
  Result<data::SourceHandle> ReadNew(data::DuckInstance& instance,
                                     const data::Schema& stored) override;
  Result<data::SourceHandle> ReadKeys(data::DuckInstance& instance,
                                      const std::vector<std::string>& key) override;
  Error Explain(Error error) const override;
  int64_t RowsRead() const override { return rows_read_ < 0 ? progress_.rows : rows_read_; }
  std::string CursorAggregate() const override;
  Result<std::string> NextCursor(const data::Value& aggregate, bool only_new,
                                 const DatabaseProgress& progress) const override;
  std::vector<Error> Notes() const override;

 private:
  Status FindBase();
  Status JudgeColumns(const std::vector<PostgresColumn>& columns);
  Status JudgeCursor();
  const PostgresField* Field(std::string_view name) const {
    for (const PostgresField& field : fields_) {
      if (data::SameName(field.name, name)) return &field;
    }
    return nullptr;
  }
  const PostgresField& CursorField() const { return *Field(options_.cursor); }
  bool CursorIsTime() const {
    const data::TypeClass type = data::ClassOf(CursorField().stored);
    return type == data::TypeClass::kTimestamp || type == data::TypeClass::kDate;
  }
  Place BasePlace() const { return spec_.PlaceOf(options_.table.empty() ? "query" : "table"); }
  /// At the field that holds the fault, when the user can correct it there.
  Error Placed(Error error) const {
    const bool here = error.blame == Blame::kUser || error.blame == Blame::kData ||
                      error.code == "permission_denied";
    if (error.place.file.empty() && here) error.At(BasePlace());
    return error;
  }
  Result<data::SourceHandle> Start(data::DuckInstance& instance, std::vector<PostgresField> fields,
                                   const std::string& where, int64_t expected);

  const PostgresOptions& options_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  std::string definition_;
  PostgresTarget target_;
  std::unique_ptr<PostgresSession> session_;
  std::string base_;   ///< what stands after FROM
  std::string clock_;  ///< the server's, when the transaction began
  bool check_utf8_ = false;
  int64_t rows_expected_ = -1;
  std::vector<PostgresField> fields_;
  std::optional<PostgresCursor> last_;
  PostgresProgress progress_;
  int64_t rows_read_ = -1;  ///< of the rows, when the keys were read after them
};

Status PostgresRows::Open() {
  HR_ASSIGN(target_,
            FindPostgres(options_.connection, *context_.project, spec_, context_.redactor));
  HR_ASSIGN(session_, PostgresSession::Open(target_, context_.cancel));
  HR_TRY(session_->Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  HR_ASSIGN(auto facts, session_->Query("SELECT now(), current_setting('server_encoding')"));
  clock_ = facts[0][0].value_or("");
  check_utf8_ = facts[0][1].value_or("") == "SQL_ASCII";
  HR_TRY(FindBase());
  return JudgeCursor();
}

/// What is read, and its columns. Errors at their fields.
Status PostgresRows::FindBase() {
  if (!options_.table.empty()) {
    auto table = FindPostgresTable(*session_, options_.table);
    if (!table.ok()) return Placed(std::move(table).error());
    if (!*table) {
      return UnknownPostgresTable(*session_, options_.table, spec_.PlaceOf("table"));
    }
    base_ = **table;
    HR_ASSIGN(auto rows, session_->Query("SELECT reltuples::bigint FROM pg_class WHERE oid = " +
                                         session_->Literal(base_) + "::regclass"));
    if (!rows.empty()) rows_expected_ = std::atoll(rows[0][0].value_or("-1").c_str());
    if (rows_expected_ == 0) rows_expected_ = -1;  // never counted
  } else {
    std::string text = options_.query;
    while (!text.empty() &&
           (std::isspace(static_cast<unsigned char>(text.back())) != 0 || text.back() == ';')) {
      text.pop_back();
    }
    // Alone first: then it is one statement, and its faults are those of the user's text.
    auto alone = session_->Describe(text);
    if (!alone.ok()) return Placed(std::move(alone).error());
    if (alone->empty()) {
      return UserError("bad_query", "the query is no SELECT").At(spec_.PlaceOf("query"));
    }
    base_ = "(" + text + "\n)";  // a comment may end it
  }
  auto columns = session_->Describe(fmt::format("SELECT * FROM {} AS hr_q", base_));
  if (!columns.ok()) return Placed(std::move(columns).error());
  HR_TRY(JudgeColumns(*columns));
  HR_ASSIGN(auto fixed, FixedTypes(spec_));
  HR_ASSIGN(fields_, DescribePostgresFields(*session_, *columns, fixed));
  return Ok();
}

Status PostgresRows::JudgeColumns(const std::vector<PostgresColumn>& columns) {
  std::vector<std::string> names;
  const std::string what = options_.table.empty() ? "the query" : "table '" + options_.table + "'";
  for (const PostgresColumn& column : columns) {
    for (const std::string& other : names) {
      if (!data::SameName(other, column.name)) continue;
      return UserError("duplicate_column",
                       fmt::format("{} gives two columns named '{}'{}", what, column.name,
                                   other == column.name ? "" : " (upper and lower case are one)"))
          .At(BasePlace())
          .Subject(column.name)
          .Hint("name them with AS in a `query`");
    }
    names.push_back(column.name);
  }
  if (names.empty()) {
    return UserError("no_columns", fmt::format("{} has no columns", what)).At(BasePlace());
  }
  const auto check = [&](const std::string& name, const std::string& at) -> Status {
    for (const std::string& known : names) {
      if (data::SameName(known, name)) return Ok();
    }
    return UserError("unknown_column", fmt::format("{} has no column '{}'", what, name))
        .At(spec_.PlaceOf(at))
        .Subject(name)
        .Candidates(Suggest(name, names));
  };
  if (!options_.cursor.empty()) HR_TRY(check(options_.cursor, "cursor"));
  for (const std::string& key : options_.key) HR_TRY(check(key, "key"));
  return Ok();
}

/// A cursor needs an order that both sides share.
Status PostgresRows::JudgeCursor() {
  if (options_.cursor.empty()) return Ok();
  const PostgresField& field = CursorField();
  const auto refuse = [&](const std::string& why) -> Status {
    return UserError("bad_cursor", fmt::format("'{}' ({}) can't be a cursor: {}", field.name,
                                               field.declared, why))
        .At(spec_.PlaceOf("cursor"))
        .Subject(field.name)
        .Hint("choose a column that only grows: a time, a number; or cast it in a `query`");
  };
  HR_ASSIGN(auto fixed, FixedTypes(spec_));
  if (!FixedTypeOf(fixed, field.name).empty()) {
    return refuse("its type is fixed under `columns:`");
  }
  switch (field.wire) {
    case PostgresWire::kBool:
    case PostgresWire::kJsonb:
    case PostgresWire::kBytes:
    case PostgresWire::kTime:
      return refuse("its values have no order that grows");
    case PostgresWire::kNumeric:
      return refuse("a NUMERIC without precision loses digits");
    case PostgresWire::kText:
      if (field.as_text || field.stored != "VARCHAR" || field.declared == "json") {
        return refuse("its order is PostgreSQL's own");
      }
      break;
    default:
      break;
  }
  if (options_.lookback && !CursorIsTime()) {
    return UserError("bad_option", fmt::format("'lookback' needs a cursor that is a time; '{}' is "
                                               "{}",
                                               field.name, field.declared))
        .At(spec_.PlaceOf("lookback"));
  }
  return Ok();
}

DatabaseLast PostgresRows::Last() {
  DatabaseLast last;
  const store::NodeState* state = context_.state;
  if (context_.full || state == nullptr || !state->cursor || !state->snapshot) return last;
  last_ = PostgresCursor::FromJson(*state->cursor);
  last.comparable =
      last_ && last_->definition == definition_ && last_->identity == target_.identity;
  last.incremental = last.comparable && !options_.cursor.empty() && last_->value &&
                     last_->type == CursorField().declared;
  if (last_) last.progress.reconciled = last_->reconciled;
  return last;
}

/// Rows whose cursor is NULL would never be read again. A table that allows none is not asked.
Result<data::SourceHandle> PostgresRows::Start(data::DuckInstance& instance,
                                               std::vector<PostgresField> fields,
                                               const std::string& where, int64_t expected) {
  std::string items;
  for (const PostgresField& field : fields) {
    items += (items.empty() ? "" : ", ") + field.select + " AS " + session_->Identifier(field.name);
  }
  PostgresReaderOptions options;
  options.copy = fmt::format("COPY (SELECT {} FROM {} AS hr_q{}) TO STDOUT (FORMAT binary)", items,
                             base_, where);
  options.fields = std::move(fields);
  options.shown = Shown();
  options.check_utf8 = check_utf8_;
  options.expected_rows = expected;
  auto reader = ReadPostgres(*session_, progress_, std::move(options));
  if (!reader.ok()) return Placed(std::move(reader).error());
  return instance.AddSource(std::move(*reader));
}

Result<data::SourceHandle> PostgresRows::ReadNew(data::DuckInstance& instance,
                                                 const data::Schema&) {
  const PostgresField& field = CursorField();
  const std::string column = session_->Identifier(field.name);
  std::string bound = fmt::format("{}::{}", session_->Literal(*last_->value), field.declared);
  std::string compared = column;
  if (CursorIsTime()) {
    const int64_t micros = options_.lookback ? options_.lookback->micros : kLookbackMicros;
    const bool date = field.stored == "DATE";
    bound = fmt::format("({}{} - interval '{} microseconds')::{}", bound, date ? "::timestamp" : "",
                        micros, field.declared);
  } else if (field.wire == PostgresWire::kText) {
    compared += " COLLATE \"C\"";
  }
  return Start(instance, fields_, fmt::format(" WHERE {0} >= {1} OR {0} IS NULL", compared, bound),
               -1);
}

Result<data::SourceHandle> PostgresRows::ReadKeys(data::DuckInstance& instance,
                                                  const std::vector<std::string>& key) {
  std::vector<PostgresField> fields;
  for (const std::string& name : key) fields.push_back(*Field(name));
  rows_read_ = progress_.rows;
  return Start(instance, std::move(fields), "", -1);
}

/// The reader's own fault, or a cast to a fixed type.
Error PostgresRows::Explain(Error error) const {
  if (error.code == "source_failed" && error.cause != nullptr) return Placed(*error.cause);
  if (error.code == "conversion" || error.code == "out_of_range" || error.code == "bad_input") {
    return DataError("bad_value", error.message)
        .At({.file = Shown(), .rows = fmt::format("row {} or before", progress_.rows)})
        .Hint("correct the row, or change the type under `columns:`");
  }
  return error;
}

/// The largest value that is not in the future: what is committed until then must not be missed.
std::string PostgresRows::CursorAggregate() const {
  if (options_.cursor.empty()) return "";
  const PostgresField& field = CursorField();
  const std::string column = QuoteIdentifier(field.name);
  std::string filter;
  if (CursorIsTime()) {
    filter = fmt::format(" FILTER (WHERE {} <= CAST(CAST({} AS TIMESTAMP WITH TIME ZONE) AS {}))",
                         column, data::QuoteLiteral(clock_), field.stored);
  } else if (data::ClassOf(field.stored) == data::TypeClass::kFloating) {
    filter = fmt::format(" FILTER (WHERE NOT isnan({}))", column);
  }
  return fmt::format("CAST(max({}){} AS VARCHAR)", column, filter);
}

Result<std::string> PostgresRows::NextCursor(const data::Value& aggregate, bool only_new,
                                             const DatabaseProgress& progress) const {
  PostgresCursor next;
  next.definition = definition_;
  next.identity = target_.identity;
  next.reconciled = progress.reconciled;
  if (options_.cursor.empty()) return next.ToJson();
  next.type = CursorField().declared;
  if (!aggregate.is_null()) next.value = aggregate.Text();
  // Rows that are read again because of the lookback may end before the last value.
  if (only_new && last_ && last_->value) {
    HR_ASSIGN(auto rows, session_->Query(fmt::format(
                             "SELECT {0}::{2}{3} >= {1}::{2}{3}",
                             session_->Literal(next.value.value_or(*last_->value)),
                             session_->Literal(*last_->value), next.type,
                             CursorField().wire == PostgresWire::kText ? " COLLATE \"C\"" : "")));
    if (!next.value || rows[0][0].value_or("f") != "t") next.value = last_->value;
  }
  return next.ToJson();
}

std::vector<Error> PostgresRows::Notes() const {
  std::vector<Error> notes;
  for (size_t n = 0; n < fields_.size() && n < progress_.rounded.size(); ++n) {
    if (rows_read_ >= 0 || progress_.rounded[n] == 0) continue;
    Error note(
        Blame::kData, "numbers_rounded",
        fmt::format("column '{}' is NUMERIC without precision, read as DOUBLE: {} of {} rows "
                    "hold more than 15 digits and were rounded",
                    fields_[n].name, progress_.rounded[n], progress_.rows));
    note.At({.file = Shown()})
        .Subject(fields_[n].name)
        .Hint(fmt::format("to keep all digits: columns: {{{}: {{type: \"DECIMAL(38,10)\"}}}}",
                          fields_[n].name));
    notes.push_back(std::move(note.As(Severity::kWarning)));
  }
  return notes;
}

}  // namespace

std::string PostgresCursor::ToJson() const {
  Json json;
  json["version"] = 1;
  json["definition"] = definition;
  json["identity"] = identity;
  json["type"] = type;
  json["value"] = value ? Json(*value) : Json();
  json["reconciled"] = reconciled;
  return DumpJson(json);
}

std::optional<PostgresCursor> PostgresCursor::FromJson(const std::string& text) {
  auto parsed = ParseJson(text, "cursor");
  if (!parsed.ok()) return std::nullopt;
  try {
    const Json& json = *parsed;
    if (json.at("version").get<int>() != 1) return std::nullopt;
    PostgresCursor cursor;
    cursor.definition = json.at("definition").get<std::string>();
    cursor.identity = json.at("identity").get<std::string>();
    cursor.type = json.at("type").get<std::string>();
    if (!json.at("value").is_null()) cursor.value = json.at("value").get<std::string>();
    cursor.reconciled = json.at("reconciled").get<int64_t>();
    return cursor;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

Result<Outcome> BuildPostgres(const PostgresOptions& options, BuildContext& context) {
  PostgresRows rows(options, context);
  HR_TRY(FixedTypes(context.node->spec));  // a wrong type before a server that is down
  HR_TRY(rows.Open());
  DatabaseRead read;
  read.query = options.table.empty();
  read.cursor = options.cursor;
  read.key = options.key;
  read.schema_change = options.schema_change;
  read.delete_when = options.delete_when;
  if (options.reconcile) read.reconcile_micros = options.reconcile->micros;
  return BuildFromDatabase(read, rows.Last(), rows, context);
}

}  // namespace headrace::components
