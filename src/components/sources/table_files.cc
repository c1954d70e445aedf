#include "components/sources/table_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/number_text.h"
#include "base/suggest.h"
#include "components/sources/csv_build.h"
#include "components/sources/csv_read.h"
#include "components/sources/files_root.h"
#include "components/sources/old_snapshot.h"
#include "components/sources/settled.h"
#include "data/merge.h"
#include "data/quote.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using data::PendingSnapshot;
using data::QuoteIdentifier;
using pipeline::BuildContext;
using pipeline::Outcome;

/// A column of the table.
struct TableColumn {
  std::string name;
  std::string fixed;  ///< type of `columns:`, or of the table that is there; "" = found
  std::string found;  ///< joined over the files
  std::string Type() const { return fixed.empty() ? found : fixed; }
};

class TableFileBuild {
 public:
  TableFileBuild(const TableFileOptions& options, TableFormat& format, BuildContext& context)
      : options_(options), format_(format), context_(context), spec_(context.node->spec) {}
  ~TableFileBuild() {
    if (!copies_.empty()) (void)context_.fs->RemoveAll(copies_);
  }
  TableFileBuild(const TableFileBuild&) = delete;

  Result<Outcome> Run();

 private:
  Status FixTypes();
  Result<std::optional<Outcome>> Append(const CsvChange& change, const CsvCursor& cursor);
  Result<Outcome> ReadAll();
  Status Prepare(std::vector<TablePart>& parts);
  Status FindColumns(const std::vector<TablePart>& parts);
  Status CompareColumns();
  Error MissingColumn(const std::vector<TablePart>& parts, size_t index,
                      const std::string& column) const;
  std::string Item(const TableColumn& column, const data::Schema& have) const;
  std::string Select(const std::vector<TablePart>& parts, bool numbered) const;
  std::string LatestOfKey(const std::vector<TablePart>& parts) const;
  Status Write(const std::vector<TablePart>& parts, const std::string& select, bool count_keys);
  Status CheckFiles() const;
  Result<Outcome> Finish(int64_t rows);
  void Note(Severity severity, Error error) {
    notes_.push_back(std::move(error.Node(spec_.name).As(severity)));
  }
  void NoteReplaced(int64_t rows) {
    Note(Severity::kHint, Error(Blame::kData, "rows_replaced",
                                fmt::format("{} {} replaced by later rows of the same key",
                                            Counted(rows, "row"), rows == 1 ? "was" : "were")));
  }
  void SetStage(const std::string& stage) {
    if (context_.progress != nullptr) context_.progress->SetStage(stage);
  }

  const TableFileOptions& options_;
  TableFormat& format_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  std::string definition_, reason_, copies_;
  std::map<std::string, std::string> fixed_;
  Timestamp now_ = 0;
  std::vector<CsvFile> files_;
  std::vector<CsvFileState> states_;
  std::vector<TableColumn> columns_;
  std::optional<data::DuckConnection> connection_;
  std::vector<Error> notes_;
  std::unique_ptr<PendingSnapshot> pending_;  // what Write wrote
  int64_t repeated_keys_ = 0;
};

Error UnknownKey(const spec::NodeSpec& spec, const std::string& key,
                 const std::vector<std::string>& names) {
  const std::vector<std::string> alike = Suggest(key, names);
  return UserError("unknown_column", fmt::format("the key names '{}', which is no column", key))
      .At(spec.PlaceOf("key"))
      .Node(spec.name)
      .Subject(key)
      .Candidates(alike)
      .Hint(alike.empty() ? fmt::format("its columns: {}", fmt::join(names, ", ")) : "");
}

Status TableFileBuild::FixTypes() {
  for (const auto& [name, column] : spec_.common.columns) {
    if (column.type.empty()) continue;
    auto fixed = FixedType(column.type, name);
    if (!fixed.ok()) return Error(fixed.error()).At(spec_.PlaceOf("columns." + name + ".type"));
    fixed_[name] = *fixed;
    if (data::ClassOf(*fixed) == data::TypeClass::kText) format_.ReadAsText(name);
  }
  return Ok();
}

Result<Outcome> TableFileBuild::Run() {
  definition_ = CsvDefinition(spec_);
  now_ = context_.clock != nullptr ? context_.clock->Now() : context_.now;
  HR_TRY(FixTypes());
  HR_ASSIGN(const std::string root, FilesRoot(*context_.project, spec_, options_.connection));
  HR_ASSIGN(files_, ListCsvFiles(*context_.fs, root, options_.path, spec_.PlaceOf("path"),
                                 format_.Endings()));
  HR_ASSIGN(auto instance, context_.instances->Open());
  HR_ASSIGN(connection_, instance->Connect());
  const store::NodeState* state = context_.state;
  if (!context_.full && state != nullptr && state->cursor && state->snapshot) {
    const auto cursor = CsvCursor::FromJson(*state->cursor);
    if (cursor && cursor->definition == definition_) {
      HR_ASSIGN(CsvChange change,
                CompareCsvFiles(*context_.fs, CsvOptions(), files_, *cursor, context_.cancel));
      if (!change.full && !change.changed.empty()) {
        HR_ASSIGN(auto appended, Append(change, *cursor));
        if (appended) return std::move(*appended);
        reason_ = change.changed + "; all files were read, because " + reason_;
        notes_.clear();
      }
    }
  }
  return ReadAll();
}

/// Checks files and makes copies of new ends; a digest of each goes into states_ before.
Status TableFileBuild::Prepare(std::vector<TablePart>& parts) {
  SetStage("looking at the files");
  for (size_t n = 0; n < parts.size(); ++n) {
    TablePart& part = parts[n];
    HR_TRY(context_.cancel.Check());
    if (part.offset > 0) {
      copies_ = fmt::format("{}/tmp/{}/{}.parts", context_.warehouse, context_.claim.epoch,
                            context_.build_id);
      CsvPart copy{part.file, part.offset, part.first_line, {}, ""};
      part.read_path = fmt::format("{}/{}.text", copies_, n);
      HR_TRY(CopyCsvText(*context_.fs, copy, CsvOptions(), part.read_path, context_.cancel));
    }
    HR_TRY(format_.Check(*context_.fs, part, context_.cancel));
  }
  Status found = format_.Find(*connection_, parts, context_.cancel);
  if (found.ok()) return found;
  HR_TRY(CheckFiles());
  return format_.Explain(*context_.fs, *connection_, std::move(found).error(), parts,
                         context_.cancel);
}

Error TableFileBuild::MissingColumn(const std::vector<TablePart>& parts, size_t index,
                                    const std::string& column) const {
  std::string other;
  for (const TablePart& part : parts) {
    if (part.columns.Find(column) != nullptr) other = part.file.shown;
  }
  return DataError("missing_column", fmt::format("{} lacks column '{}', which {} has",
                                                 parts[index].file.shown, column, other))
      .At({.file = parts[index].file.shown})
      .Subject(column)
      .Candidates(Suggest(column, parts[index].columns.Names()))
      .Hint("correct the file, or write `union_by_name: true` to have NULL there");
}

/// The columns of all parts together.
Status TableFileBuild::FindColumns(const std::vector<TablePart>& parts) {
  columns_.clear();
  std::vector<std::string> owner;  // the file that gave each type
  for (size_t n = 0; n < parts.size(); ++n) {
    for (const data::Column& column : parts[n].columns.columns) {
      auto found = std::find_if(columns_.begin(), columns_.end(), [&](const TableColumn& c) {
        return data::SameName(c.name, column.name);
      });
      if (found == columns_.end()) {
        if (n > 0 && !options_.union_by_name) return MissingColumn(parts, 0, column.name);
        std::string fixed;
        for (const auto& [name, type] : fixed_) {
          if (data::SameName(name, column.name)) fixed = type;
        }
        columns_.push_back({column.name, fixed, column.type});
        owner.push_back(parts[n].file.shown);
        continue;
      }
      const std::string joined = JoinTypes(found->found, column.type);
      std::string& file = owner[static_cast<size_t>(found - columns_.begin())];
      if (joined.empty() && found->fixed.empty()) {
        return DataError("type_conflict",
                         fmt::format("column '{}' is {} in {} and {} in {}", column.name,
                                     column.type, parts[n].file.shown, found->found, file))
            .At({.file = parts[n].file.shown})
            .Subject(column.name)
            .Hint(fmt::format("write the type it should have: `columns: {{{}: {{type: VARCHAR}}}}`",
                              column.name));
      }
      if (!joined.empty() && joined != found->found) file = parts[n].file.shown;
      if (!joined.empty()) found->found = joined;
    }
    if (options_.union_by_name) continue;
    for (const TableColumn& column : columns_) {
      if (parts[n].columns.Find(column.name) == nullptr) {
        return MissingColumn(parts, n, column.name);
      }
    }
  }
  for (TableColumn& column : columns_) {
    if (!column.fixed.empty()) continue;
    const data::StoredType stored = data::StoredTypeOf(column.found, column.name);
    if (stored.action != data::StoredType::Action::kRefuse) continue;
    return DataError("column_types", fmt::format("column '{}' is {}, which can't be stored: {}",
                                                 column.name, column.found, stored.reason))
        .At({.file = files_.front().shown})
        .Subject(column.name)
        .Hint(fmt::format("write `columns: {{{}: {{type: VARCHAR}}}}`", column.name));
  }
  std::vector<std::string> names;
  for (const TableColumn& column : columns_) names.push_back(column.name);
  for (const std::string& key : options_.key) {
    const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return data::SameName(name, key);
    });
    if (!known) return UnknownKey(spec_, key, names);
  }
  return Ok();
}

/// What became of the columns since the last run.
Status TableFileBuild::CompareColumns() {
  const store::NodeState* state = context_.state;
  if (context_.full || state == nullptr || !state->cursor || !state->snapshot) return Ok();
  const auto cursor = CsvCursor::FromJson(*state->cursor);
  if (!cursor || cursor->definition != definition_) return Ok();
  data::Schema before, now;
  for (const CsvCursorColumn& old : cursor->columns) before.columns.push_back({old.name, old.type});
  for (const TableColumn& column : columns_) now.columns.push_back({column.name, column.Type()});
  HR_ASSIGN(auto note, JudgeColumnDiff(CompareColumnTypes(before, now), options_.schema_change,
                                       spec_.name, {.file = files_.back().shown}));
  if (note) notes_.push_back(std::move(*note));
  if (options_.schema_change != SchemaChange::kIgnore) return Ok();
  columns_.clear();
  for (const data::Column& old : before.columns) columns_.push_back({old.name, old.type, old.type});
  return Ok();
}

/// A column of the table from the columns of a part.
std::string TableFileBuild::Item(const TableColumn& column, const data::Schema& have) const {
  const std::string name = QuoteIdentifier(column.name);
  const data::Column* from = have.Find(column.name);
  const std::string type = column.Type();
  if (from == nullptr) return fmt::format("CAST(NULL AS {}) AS {}", type, name);
  if (from->type == type) return name;
  std::string cast = fmt::format("CAST({} AS {})", name, type);
  const data::TypeClass to = data::ClassOf(type), had = data::ClassOf(from->type);
  if (to == data::TypeClass::kInteger && had != data::TypeClass::kInteger) {
    // A cast alone would round 1.5 to 2.
    const std::string exact = fmt::format("CAST({} AS DECIMAL(38,9))", name);
    cast = fmt::format(
        "CASE WHEN {0} IS NULL OR {1} = trunc({1}) THEN {2} ELSE error({3}) END", name, exact, cast,
        data::QuoteLiteral("a value of column '" + column.name + "' is no whole number"));
  } else if (to == data::TypeClass::kDate && had == data::TypeClass::kTimestamp) {
    cast = fmt::format(
        "CASE WHEN {0} IS NULL OR {0} = date_trunc('day', {0}) THEN {1} ELSE error({2}) END", name,
        cast, data::QuoteLiteral("a value of column '" + column.name + "' has a time of day"));
  }
  return cast + " AS " + name;
}

/// All columns of all parts, rows in the order of the parts.
std::string TableFileBuild::Select(const std::vector<TablePart>& parts, bool numbered) const {
  std::string sql;
  for (size_t begin = 0; begin < parts.size();) {
    size_t end = begin + 1;
    while (end < parts.size() && parts[end].columns == parts[begin].columns) ++end;
    std::string items;
    for (const TableColumn& column : columns_) {
      items += (items.empty() ? "" : ", ") + Item(column, parts[begin].columns);
    }
    sql += fmt::format("{}SELECT {} FROM ({})", sql.empty() ? "" : " UNION ALL ", items,
                       format_.Select({parts.begin() + static_cast<ptrdiff_t>(begin),
                                       parts.begin() + static_cast<ptrdiff_t>(end)}));
    begin = end;
  }
  if (numbered) sql = fmt::format("SELECT *, row_number() OVER () AS \"__order\" FROM ({})", sql);
  return sql;
}

std::string TableFileBuild::LatestOfKey(const std::vector<TablePart>& parts) const {
  std::vector<std::string> names;
  for (const TableColumn& column : columns_) names.push_back(column.name);
  return fmt::format(
      "SELECT {} FROM ({}) QUALIFY row_number() OVER (PARTITION BY {} ORDER BY \"__order\" DESC) = "
      "1",
      data::QuoteIdentifiers(names), Select(parts, true), data::QuoteIdentifiers(options_.key));
}

/// Writes the rows to pending_. Faults of the data are explained.
Status TableFileBuild::Write(const std::vector<TablePart>& parts, const std::string& select,
                             bool count_keys) {
  pending_.reset();
  data::MaterializeRequest request;
  request.node = spec_.name;
  request.build_id = context_.build_id;
  request.select = select;
  request.sample = context_.sample;
  request.aggregates = context_.aggregates;
  request.query = context_.Query();
  if (count_keys) {
    std::string missing, row = data::QuoteIdentifiers(options_.key);
    for (const std::string& key : options_.key) {
      missing += (missing.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
    }
    if (options_.key.size() > 1) row = "ROW(" + row + ")";
    request.aggregates.push_back(fmt::format("count(*) FILTER (WHERE {})", missing));
    request.aggregates.push_back(fmt::format("count(*) - count(DISTINCT {})", row));
  }
  auto written = context_.writer->Materialize(*connection_, request);
  if (!written.ok()) {
    Error error = std::move(written).error();
    static const std::set<std::string> kOwn = {
        "cancelled", "no_space",          "io_error",     "out_of_memory",
        "internal",  "permission_denied", "column_types", "duplicate_column"};
    if (kOwn.count(error.code) > 0 && error.code != "io_error") return error;
    HR_TRY(CheckFiles());
    return format_.Explain(*context_.fs, *connection_, std::move(error), parts, context_.cancel);
  }
  pending_ = std::make_unique<PendingSnapshot>(std::move(*written));
  if (!count_keys) return Ok();
  const auto& values = pending_->aggregates();
  const int64_t nulls = values[values.size() - 2].AsInt64();
  if (nulls > 0) {
    return DataError("null_key", fmt::format("the key ({}) is NULL in {}",
                                             fmt::join(options_.key, ", "), Counted(nulls, "row")))
        .At(spec_.PlaceOf("key"))
        .Hint("correct the rows, or choose another `key`");
  }
  repeated_keys_ = values.back().AsInt64();
  return Ok();
}

// ---- Reading what is new

/// nullopt when everything must be read after all; reason_ says why.
Result<std::optional<Outcome>> TableFileBuild::Append(const CsvChange& change,
                                                      const CsvCursor& cursor) {
  if (!options_.key.empty() && change.OldBehindNew()) {
    reason_ = "rows of a later file may replace the new ones of the same key";
    return std::optional<Outcome>();
  }
  std::vector<TablePart> parts;
  states_.clear();
  for (size_t n = 0; n < files_.size(); ++n) {
    const CsvChange::Item& item = change.items[n];
    states_.push_back(item.state);
    if (item.kind == CsvChange::Kind::kSame) continue;
    if (item.kind == CsvChange::Kind::kGrown) {
      HR_ASSIGN(const bool alone, format_.GrewByRows(*context_.fs, files_[n], item.offset));
      if (!alone) {
        reason_ = "the new end of such a file can't be read alone";
        return std::optional<Outcome>();
      }
    }
    if (item.kind == CsvChange::Kind::kNew) {
      HR_ASSIGN(CsvContent content, ReadCsvContent(*context_.fs, files_[n], 0, context_.cancel));
      states_.back().digest = content.digest;
      states_.back().lines = content.lines;
    }
    parts.push_back({files_[n], item.offset, item.first_line, files_[n].path, {}});
  }
  HR_TRY(Prepare(parts));
  data::Schema known;
  columns_.clear();
  for (const CsvCursorColumn& column : cursor.columns) {
    known.columns.push_back({column.name, column.type});
    columns_.push_back({column.name, column.type, column.type});
  }
  for (const TablePart& part : parts) {
    for (const data::Column& column : part.columns.columns) {
      const data::Column* old = known.Find(column.name);
      bool fits = old != nullptr && JoinTypes(old->type, column.type) == old->type;
      for (const auto& [name, type] : fixed_) fits = fits || data::SameName(name, column.name);
      if (!fits) {
        reason_ = part.file.shown + (old == nullptr ? " has other columns" : " has other types");
        return std::optional<Outcome>();
      }
    }
    if (part.columns.size() < known.size() && !options_.union_by_name && !format_.Grows()) {
      reason_ = part.file.shown + " has other columns";
      return std::optional<Outcome>();
    }
  }
  HR_TRY(Write(parts, Select(parts, false), !options_.key.empty()));
  HR_ASSIGN(data::Snapshot old, OldSnapshot(context_));
  HR_ASSIGN(auto inexact, format_.Inexact(*connection_, parts, pending_->snapshot()));
  if (!inexact.empty() || pending_->snapshot().schema != old.schema) {
    reason_ = "new values do not fit the types of their columns";
    return std::optional<Outcome>();
  }
  const int64_t rows = pending_->snapshot().rows;
  const int64_t repeated = repeated_keys_;
  if (repeated > 0) HR_TRY(Write(parts, LatestOfKey(parts), false));
  if (options_.key.empty() && data::FilesToJoin(old.files, rows, data::kFileRows).empty()) {
    HR_ASSIGN(Outcome outcome, Finish(rows));
    outcome.append_to = std::move(old);
    return std::optional<Outcome>(std::move(outcome));
  }
  data::MergeRequest request;
  request.node = spec_.name;
  request.build_id = context_.build_id;
  request.old = std::move(old);
  request.key = options_.key;
  request.rows = "SELECT * FROM " + PendingRows(*pending_);
  request.repeatable = true;
  request.aggregates = context_.aggregates;
  request.query = context_.Query();
  HR_ASSIGN(data::MergeResult merged, data::Merge(*context_.writer, *connection_, request));
  if (merged.replaced + repeated > 0) NoteReplaced(merged.replaced + repeated);
  pending_ = std::make_unique<PendingSnapshot>(std::move(*merged.pending));
  HR_ASSIGN(Outcome outcome, Finish(rows));
  outcome.append_to = std::move(merged.kept);
  outcome.merged = true;
  return std::optional<Outcome>(std::move(outcome));
}

// ---- Reading everything

Result<Outcome> TableFileBuild::ReadAll() {
  std::vector<TablePart> parts;
  states_.clear();
  for (const CsvFile& file : files_) {
    HR_ASSIGN(CsvContent content, ReadCsvContent(*context_.fs, file, 0, context_.cancel));
    states_.push_back({file.shown, file.size, file.modified, content.digest, content.lines, false});
    parts.push_back({file, 0, 1, file.path, {}});
  }
  HR_TRY(Prepare(parts));
  HR_TRY(FindColumns(parts));
  HR_TRY(CompareColumns());
  SetStage("reading");
  HR_TRY(Write(parts, Select(parts, false), !options_.key.empty()));
  HR_ASSIGN(auto inexact, format_.Inexact(*connection_, parts, pending_->snapshot()));
  if (!inexact.empty()) {
    for (const std::string& column : inexact) {
      format_.ReadAsText(column);
      Note(Severity::kWarning,
           Error(Blame::kData, "type_widened",
                 fmt::format("column '{}' is VARCHAR, because it holds numbers that a DOUBLE "
                             "would change",
                             column))
               .Subject(column)
               .Hint("a type under `columns:` says how they are to be stored"));
    }
    HR_TRY(Prepare(parts));
    HR_TRY(FindColumns(parts));
    HR_TRY(Write(parts, Select(parts, false), !options_.key.empty()));
  }
  const int64_t rows = pending_->snapshot().rows;
  if (repeated_keys_ > 0) {
    NoteReplaced(repeated_keys_);
    HR_TRY(Write(parts, LatestOfKey(parts), false));
  }
  return Finish(rows);
}

Status TableFileBuild::CheckFiles() const {
  for (const CsvFile& file : files_) HR_TRY(CheckUnchanged(*context_.fs, file));
  return Ok();
}

Result<Outcome> TableFileBuild::Finish(int64_t rows) {
  HR_TRY(CheckFiles());
  CsvCursor cursor;
  cursor.definition = definition_;
  for (CsvFileState& state : states_) state.settled = Settled(state.modified, now_);
  cursor.files = std::move(states_);
  for (const TableColumn& column : columns_) {
    cursor.columns.push_back({column.name, column.Type(), CsvType::kText});
  }
  Outcome outcome;
  outcome.reason = reason_;
  outcome.rows = rows;
  outcome.cursor = cursor.ToJson();
  outcome.notes = std::move(notes_);
  outcome.pending.emplace(std::move(*pending_));
  return outcome;
}

}  // namespace

std::string JoinTypes(const std::string& a, const std::string& b) {
  if (a == b) return a;
  static const std::vector<std::vector<std::string>> kChains = {
      {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"},
      {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"},
      {"UTINYINT", "SMALLINT", "INTEGER", "BIGINT"},
      {"USMALLINT", "INTEGER", "BIGINT"},
      {"UINTEGER", "BIGINT"},
      {"TINYINT", "SMALLINT", "INTEGER", "DOUBLE"},
      {"UTINYINT", "USMALLINT", "UINTEGER", "DOUBLE"},
      {"TINYINT", "SMALLINT", "FLOAT", "DOUBLE"},
      {"DATE", "TIMESTAMP"}};
  for (const auto& chain : kChains) {
    const auto at_a = std::find(chain.begin(), chain.end(), a);
    const auto at_b = std::find(chain.begin(), chain.end(), b);
    if (at_a != chain.end() && at_b != chain.end()) return *std::max(at_a, at_b);
  }
  return "";
}

Result<Outcome> BuildTableFiles(const TableFileOptions& options, TableFormat& format,
                                BuildContext& context) {
  return TableFileBuild(options, format, context).Run();
}

std::optional<data::Schema> LintTableFiles(const TableFileOptions& options, TableFormat& format,
                                           const pipeline::LintContext& context) {
  const spec::NodeSpec& spec = context.node->spec;
  for (const auto& [name, column] : spec.common.columns) {
    if (column.type.empty()) continue;
    auto fixed = FixedType(column.type, name);
    if (!fixed.ok()) {
      context.diagnostics->Add(
          Error(fixed.error()).At(spec.PlaceOf("columns." + name + ".type")).Node(spec.name));
    }
  }
  if (spec::NeedsExpansion(options.path)) return std::nullopt;
  auto root = FilesRoot(*context.project, spec, options.connection);
  if (!root.ok()) {
    context.diagnostics->Add(Error(root.error()).Node(spec.name));
    return std::nullopt;
  }
  auto files =
      ListCsvFiles(*context.fs, *root, options.path, spec.PlaceOf("path"), format.Endings());
  if (!files.ok()) {
    context.diagnostics->Add(Error(files.error()).Node(spec.name));
    return std::nullopt;
  }
  if (context.last_schema == nullptr) return std::nullopt;
  for (const std::string& key : options.key) {
    if (context.last_schema->Find(key) != nullptr) continue;
    context.diagnostics->Add(UnknownKey(spec, key, context.last_schema->Names()));
  }
  return *context.last_schema;
}

Result<pipeline::Probe> ProbeTableFiles(const TableFileOptions& options, const TableFormat& format,
                                        const pipeline::ProbeContext& context) {
  const spec::NodeSpec& spec = context.node->spec;
  pipeline::Probe probe;
  HR_ASSIGN(const std::string root, FilesRoot(*context.project, spec, options.connection));
  HR_ASSIGN(auto files,
            ListCsvFiles(*context.fs, root, options.path, spec.PlaceOf("path"), format.Endings()));
  if (context.state == nullptr || !context.state->cursor) return probe;
  const auto cursor = CsvCursor::FromJson(*context.state->cursor);
  if (!cursor) {
    probe.changed = "how far its files were read is not known any more";
    return probe;
  }
  if (cursor->definition != CsvDefinition(spec)) return probe;
  HR_ASSIGN(CsvChange change,
            CompareCsvFiles(*context.fs, CsvOptions(), files, *cursor, CancelToken()));
  probe.changed = change.changed;
  probe.unchanged = change.unchanged;
  return probe;
}

}  // namespace headrace::components
