// A HTTP source as rows that database_build.h knows how to merge: everything is downloaded first,
// then read like a table.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "components/sources/csv_build.h"
#include "components/sources/database_build.h"
#include "components/sources/http_download.h"
#include "components/sources/http_source.h"
#include "components/sources/sqlite_build.h"
#include "data/quote.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using pipeline::BuildContext;
using pipeline::Outcome;

constexpr int64_t kDefaultLookback = 15LL * 60 * 1'000'000;

/// How far the source was read: committed with the snapshot.
struct HttpCursor {
  std::string definition;
  JsonKind kind = JsonKind::kNull;
  std::string value;

  std::string ToJson() const {
    Json json;
    json["version"] = 1;
    json["definition"] = definition;
    json["kind"] = kind == JsonKind::kNumber ? "number" : kind == JsonKind::kString ? "text" : "";
    json["value"] = value;
    return DumpJson(json);
  }
  static std::optional<HttpCursor> FromJson(const std::string& text) {
    auto json = ParseJson(text, "cursor");
    if (!json.ok() || !json->is_object()) return std::nullopt;
    try {
      if (json->at("version").get<int>() != 1) return std::nullopt;
      HttpCursor cursor;
      cursor.definition = json->at("definition").get<std::string>();
      const auto kind = json->at("kind").get<std::string>();
      cursor.kind = kind == "number" ? JsonKind::kNumber
                    : kind == "text" ? JsonKind::kString
                                     : JsonKind::kNull;
      cursor.value = json->at("value").get<std::string>();
      return cursor;
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }
};

/// A time moved back, in its own format; with an offset it comes back in UTC. nullopt: no time.
std::optional<std::string> Earlier(const std::string& time, int64_t micros) {
  if (TypeOfJson(JsonKind::kString, time) == CsvType::kText) return std::nullopt;
  if (auto moved = MoveBack(time, micros)) return moved;
  const auto parsed = ParseTimestamp(time);
  if (!parsed.ok()) return std::nullopt;
  return FormatTimestamp(*parsed - micros);
}

CsvType CsvTypeOf(const std::string& stored) {
  for (CsvType type : {CsvType::kBoolean, CsvType::kWideInteger, CsvType::kDouble, CsvType::kDate,
                       CsvType::kTimestamp, CsvType::kTimestampZone}) {
    if (stored == SqlTypeOf(type)) return type;
  }
  return CsvType::kText;
}

class HttpRows : public DatabaseRows {
 public:
  HttpRows(const HttpOptions& options, BuildContext& context, std::string definition)
      : options_(options),
        context_(context),
        spec_(context.node->spec),
        definition_(std::move(definition)),
        shown_(ShownUrl(spec_, options.url)) {}

  Status Prepare();
  const std::string& reason() const { return reason_; }
  const DatabaseLast& last() const { return last_; }

  std::vector<std::string> Names() const override { return names_; }
  std::string Shown() const override { return shown_; }
  std::string Item(const std::string& name) const override {
    const std::string fixed = FixedTypeOf(fixed_, name);
    const data::TypeClass type = data::ClassOf(fixed.empty() ? "VARCHAR" : fixed);
    const bool nested = type == data::TypeClass::kStruct || type == data::TypeClass::kList ||
                        type == data::TypeClass::kMap;
    const std::string quoted = QuoteIdentifier(name);
    return nested ? fmt::format("CAST({} AS JSON)", quoted) : quoted;
  }
  Status PrepareAll() override {
    if (!only_new_) return Ok();
    return Download("");  // columns of other types than last time
  }
  Result<data::SourceHandle> ReadAll(data::DuckInstance& instance) override {
    return Read(instance, nullptr);
  }
  Result<data::SourceHandle> ReadNew(data::DuckInstance& instance,
                                     const data::Schema& stored) override {
    return Read(instance, &stored);
  }
  bool Conflict() const override { return conflict_; }
  Error Explain(Error error) const override;
  int64_t RowsRead() const override { return download_->spool->rows(); }
  Result<std::string> NextCursor(const data::Value& aggregate, bool only_new,
                                 const DatabaseProgress& progress) const override;
  std::vector<Error> Notes() const override;

 private:
  Result<std::vector<HttpParent>> Parents();
  Status Download(const std::string& since);
  Status NameColumns();
  bool FitsOld() const;
  CsvType TypeOf(const std::string& name, const data::Schema* stored) const;
  Result<data::SourceHandle> Read(data::DuckInstance& instance, const data::Schema* stored);
  Result<std::string> Since(const HttpCursor& last) const;

  const HttpOptions& options_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  const std::string definition_, shown_;
  std::string reason_;
  std::map<std::string, std::string> fixed_;
  std::optional<data::Schema> old_;
  std::optional<HttpCursor> old_cursor_;
  DatabaseLast last_;
  std::optional<HttpDownload> download_;
  std::vector<std::string> names_;
  std::vector<Error> notes_;
  bool only_new_ = false, conflict_ = false;
};

/// The distinct values for the places, in order. Rows with a value that can't stand in a URL are
/// left out, which is reported.
Result<std::vector<HttpParent>> HttpRows::Parents() {
  if (options_.for_each.empty()) return std::vector<HttpParent>{HttpParent{}};
  HR_ASSIGN(std::vector<std::string> places, PlacesOf(options_.url));
  const size_t in_path = places.size();
  for (const auto& [name, value] : options_.params) {
    HR_ASSIGN(auto more, PlacesOf(value));
    for (std::string& place : more) {
      if (std::find(places.begin(), places.end(), place) == places.end()) {
        places.push_back(std::move(place));
      }
    }
  }
  HR_ASSIGN(auto connection, context_.ConnectInputs());
  HR_ASSIGN(std::string input, context_.InputSql(options_.for_each));
  HR_ASSIGN(data::Schema schema, connection.Describe(input));
  std::string items;
  for (const std::string& place : places) {
    items +=
        fmt::format("{}CAST({} AS VARCHAR)", items.empty() ? "" : ", ", QuoteIdentifier(place));
  }
  HR_ASSIGN(auto rows, connection.Query(fmt::format("SELECT DISTINCT {} FROM ({}) ORDER BY ALL "
                                                    "LIMIT {}",
                                                    items, input, options_.max_requests + 1),
                                        {}, context_.Query()));
  std::vector<HttpParent> parents;
  int64_t left_out = 0;
  for (const auto& row : rows.rows) {
    HttpParent parent;
    bool good = true;
    for (size_t n = 0; n < places.size(); ++n) {
      const std::string text = row[n].is_null() ? "" : row[n].Text();
      good = good && !row[n].is_null() &&
             (n >= in_path || (!text.empty() && text != "." && text != ".."));
      const data::Column* column = schema.Find(places[n]);
      const bool number = column != nullptr && data::IsNumber(data::ClassOf(column->type)) &&
                          data::ClassOf(column->type) != data::TypeClass::kDecimal;
      parent.values[places[n]] = text;
      parent.kinds.emplace_back(places[n], number ? JsonKind::kNumber : JsonKind::kString);
    }
    if (good) {
      parents.push_back(std::move(parent));
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) {
    notes_.push_back(DataError("null_parent",
                               fmt::format("{} of '{}' have no value for {{{}}} that can stand in "
                                           "a URL: nothing was asked for them",
                                           Counted(left_out, "row"), options_.for_each,
                                           fmt::join(places, "}, {")))
                         .As(Severity::kWarning)
                         .At(spec_.PlaceOf("for_each")));
  }
  return parents;
}

Status HttpRows::Download(const std::string& since) {
  notes_.clear();
  HR_ASSIGN(auto parents, Parents());
  auto read = DownloadHttp(options_, shown_, parents, since, context_);
  if (!read.ok()) {
    Error error = std::move(read).error();
    return error.At(spec_.PlaceOf("url"));
  }
  download_ = std::move(*read);
  for (Error& note : download_->notes) notes_.push_back(std::move(note));
  only_new_ = !since.empty();
  return NameColumns();
}

/// The columns in a stable order: those of the last run first, then new ones as they appeared.
Status HttpRows::NameColumns() {
  names_.clear();
  const HttpColumns& columns = download_->columns;
  const bool no_rows = download_->spool->rows() == 0;
  if (old_) {
    for (const data::Column& column : old_->columns) {
      const int index = columns.Find(column.name);
      const bool there = index >= 0 && columns.all()[static_cast<size_t>(index)].present;
      // In a part of the rows a field may well be missing everywhere.
      if (there || only_new_ || no_rows) names_.push_back(column.name);
    }
  }
  data::Schema known;
  for (const std::string& name : names_) known.columns.push_back({name, "", true});
  for (const auto& column : columns.all()) {
    if (!column.present || known.Find(column.name) != nullptr) continue;
    names_.push_back(column.name);
    known.columns.push_back({column.name, "", true});
  }
  for (const auto& [name, type] : fixed_) {
    if (known.Find(name) == nullptr) names_.push_back(name);
  }
  if (names_.empty()) {
    return DataError("no_columns", shown_ + ": there are no rows, so the columns are not known")
        .At(spec_.PlaceOf("url"))
        .Hint("name them with their types under `columns:`");
  }
  for (const auto& [field, wanted] :
       {std::pair<std::string, std::vector<std::string>>{"key", options_.key},
        {"cursor", options_.cursor.empty() ? std::vector<std::string>()
                                           : std::vector<std::string>{options_.cursor}}}) {
    for (const std::string& name : wanted) {
      data::Schema all;
      for (const std::string& one : names_) all.columns.push_back({one, "", true});
      if (all.Find(name) != nullptr) continue;
      return UserError("unknown_column",
                       fmt::format("{}: the rows have no field '{}'", shown_, name))
          .At(spec_.PlaceOf(field))
          .Subject(name);
    }
  }
  return Ok();
}

CsvType HttpRows::TypeOf(const std::string& name, const data::Schema* stored) const {
  if (!FixedTypeOf(fixed_, name).empty()) return CsvType::kText;
  if (stored != nullptr) {
    const data::Column* column = stored->Find(name);
    return column == nullptr ? CsvType::kText : CsvTypeOf(column->type);
  }
  const int index = download_->columns.Find(name);
  CsvType type =
      index < 0 ? CsvType::kNone : download_->columns.all()[static_cast<size_t>(index)].type;
  if (type == CsvType::kNone && old_ && old_->Find(name) != nullptr) {
    type = CsvTypeOf(old_->Find(name)->type);  // no value now: what it was
  }
  return type;
}

/// Whether new rows can stand beside the old ones.
bool HttpRows::FitsOld() const {
  for (const std::string& name : names_) {
    const data::Column* column = old_->Find(name);
    if (column == nullptr) {
      if (options_.schema_change == SchemaChange::kAdd) return false;
      continue;  // refused or left out
    }
    if (!FixedTypeOf(fixed_, name).empty()) continue;
    const CsvType now = TypeOf(name, nullptr), then = CsvTypeOf(column->type);
    if (Join(now, then) != then) return false;
  }
  return true;
}

Result<std::string> HttpRows::Since(const HttpCursor& last) const {
  const bool given = !options_.lookback.text.empty();
  if (last.kind == JsonKind::kString) {
    const int64_t micros = given ? options_.lookback.micros : kDefaultLookback;
    if (auto moved = Earlier(last.value, micros)) return *moved;
  }
  if (!given || options_.lookback.micros == 0) return last.value;
  return DataError("bad_cursor", fmt::format("the cursor '{}' holds '{}', which is no time, so it "
                                             "can't be moved back by `lookback`",
                                             options_.cursor, last.value))
      .At(spec_.PlaceOf("lookback"))
      .Subject(options_.cursor);
}

Status HttpRows::Prepare() {
  HR_ASSIGN(fixed_, FixedTypes(spec_));
  const store::NodeState* state = context_.state;
  if (!context_.full && state != nullptr && state->cursor && state->snapshot) {
    old_cursor_ = HttpCursor::FromJson(*state->cursor);
    if (old_cursor_ && old_cursor_->definition != definition_) old_cursor_.reset();
  }
  if (old_cursor_) {
    last_.comparable = true;
    HR_ASSIGN(Json json, ParseJson(state->snapshot->schema, "schema"));
    HR_ASSIGN(old_, data::SchemaFromJson(json));
    if (!options_.since.empty() && old_cursor_->kind != JsonKind::kNull) {
      HR_ASSIGN(const std::string since, Since(*old_cursor_));
      HR_TRY(Download(since));
      if (FitsOld()) {
        last_.incremental = true;
        return Ok();
      }
      reason_ = "the new rows have other columns or types: all rows were read";
    }
  }
  return Download("");
}

Result<data::SourceHandle> HttpRows::Read(data::DuckInstance& instance,
                                          const data::Schema* stored) {
  std::vector<HttpTarget> targets;
  for (const std::string& name : names_) {
    targets.push_back({name, download_->columns.Find(name), TypeOf(name, stored)});
  }
  conflict_ = false;
  return instance.AddSource(
      ReadSpool(*download_->spool, std::move(targets), context_.cancel, conflict_));
}

Error HttpRows::Explain(Error error) const {
  if (error.code == "source_failed" && error.cause != nullptr) return Error(*error.cause);
  if (error.code == "conversion" || error.code == "out_of_range" || error.code == "bad_input") {
    return DataError("bad_value", shown_ + ": " + error.message)
        .At(spec_.PlaceOf("columns"))
        .Hint("change the type under `columns:`");
  }
  return error;
}

Result<std::string> HttpRows::NextCursor(const data::Value&, bool only_new,
                                         const DatabaseProgress&) const {
  HttpCursor next;
  next.definition = definition_;
  if (options_.since.empty()) return next.ToJson();
  HttpHighest highest = download_->highest;
  if (only_new && old_cursor_ && old_cursor_->kind != JsonKind::kNull) {
    highest.See(old_cursor_->kind, old_cursor_->value);
  }
  if (highest.mixed) {
    return DataError("bad_cursor", fmt::format("the cursor '{}' holds values of several types, "
                                               "which have no common order",
                                               options_.cursor))
        .At(spec_.PlaceOf("cursor"))
        .Subject(options_.cursor)
        .Hint("choose another cursor");
  }
  next.kind = highest.kind;
  next.value = highest.text;
  // A date in the future must not hide what comes until then.
  const Timestamp now = download_->server_time > 0 ? download_->server_time : context_.now;
  const auto time = ParseTimestamp(next.value);
  if (next.kind == JsonKind::kString && time.ok() && *time > now) {
    if (auto moved = Earlier(next.value, *time - now)) next.value = *moved;
  }
  return next.ToJson();
}

std::vector<Error> HttpRows::Notes() const {
  std::vector<Error> notes = notes_;
  for (Error& note : notes) {
    if (note.place.file.empty()) note.At(spec_.PlaceOf("url"));
  }
  return notes;
}

}  // namespace

Result<Outcome> BuildHttp(const HttpOptions& options, BuildContext& context) {
  const spec::NodeSpec& spec = context.node->spec;
  if (HostHasPlaces(options.url)) {
    return UserError("bad_url", "the host can't come from data").At(spec.PlaceOf("url"));
  }
  auto url = net::ParseUrl(FillPlaces(options.url, {}, true));
  if (!url.ok()) return Error(url.error()).At(spec.PlaceOf("url"));
  if (Status secure = net::CheckSecure(*url, options.auth.has_value(), options.allow_http);
      !secure.ok()) {
    return Error(secure.error()).At(spec.PlaceOf("url"));
  }
  DatabaseRead read;
  read.cursor = options.cursor;
  read.key = options.key;
  read.schema_change = options.schema_change;
  HttpRows rows(options, context, CsvDefinition(spec));
  HR_TRY(rows.Prepare());
  HR_ASSIGN(Outcome outcome, BuildFromDatabase(read, rows.last(), rows, context));
  if (outcome.reason.empty()) outcome.reason = rows.reason();
  const store::NodeState* state = context.state;
  const bool same = state != nullptr && state->snapshot && !state->rejection &&
                    !outcome.append_to && outcome.pending &&
                    outcome.pending->snapshot().id == state->snapshot->id;
  if (same && !context.full) {
    outcome.action = "reuse";
    outcome.reason = "the same rows as before in " + rows.Shown();
  }
  return outcome;
}

}  // namespace headrace::components
