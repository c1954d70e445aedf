#include "components/sources/csv_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

#include "base/hash.h"
#include "base/number_text.h"
#include "base/suggest.h"
#include "components/sources/csv_files.h"
#include "components/sources/csv_read.h"
#include "components/sources/csv_sniff.h"
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

constexpr size_t kSampledFiles = 8;

bool HasName(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& other) { return data::SameName(other, name); });
}

std::string Quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

/// Whether the first line behind byte `from` ends as the one before it does. A full read refuses
/// mixed ends, so a part must not slip through.
Result<bool> SameLineEnds(FileSystem& fs, const CsvFile& file, int64_t from) {
  constexpr int64_t kLooked = 64 << 10;
  HR_ASSIGN(const std::string before, fs.ReadRange(file.path, std::max<int64_t>(from - 2, 0), 2));
  HR_ASSIGN(const std::string behind, fs.ReadRange(file.path, from, kLooked));
  const size_t end = behind.find_first_of("\r\n");
  if (end == std::string::npos) return true;
  const bool two = behind.substr(end, 2) == "\r\n";
  if (before == "\r\n") return two;
  return !two && !before.empty() && before.back() == behind[end];
}

/// Digests and lines of files, found by a thread of its own while DuckDB reads the rows: it takes a
/// tenth of the time, and DuckDB uses the other cores better than this pass would.
class ContentsAside {
 public:
  /// The files must stay where they are as long as this object.
  ContentsAside(FileSystem& fs, const std::vector<CsvFile>& files, const CancelToken& cancel)
      : fs_(fs), files_(files), stop_on_cancel_(cancel.OnCancel([this] { stop_.Cancel(); })) {
    thread_ = std::thread([this] {
      for (const CsvFile& file : files_) {
        auto content = ReadCsvContent(fs_, file, 0, stop_);
        if (!content.ok()) {
          fault_ = std::move(content).error();
          return;
        }
        contents_.push_back(std::move(*content));
      }
    });
  }
  ~ContentsAside() {
    stop_.Cancel();
    if (thread_.joinable()) thread_.join();
  }
  ContentsAside(const ContentsAside&) = delete;

  /// Waits for the end. One for each file.
  Result<std::vector<CsvContent>> Wait() {
    thread_.join();
    if (fault_) return *fault_;
    return std::move(contents_);
  }

 private:
  FileSystem& fs_;
  const std::vector<CsvFile>& files_;
  CancelToken stop_;
  std::shared_ptr<void> stop_on_cancel_;
  std::vector<CsvContent> contents_;
  std::optional<Error> fault_;
  std::thread thread_;
};

/// One build: decides between reading what is new and reading everything.
class CsvBuild {
 public:
  CsvBuild(const CsvOptions& options, BuildContext& context)
      : options_(options), context_(context), spec_(context.node->spec) {}
  ~CsvBuild() {
    if (!copies_.empty()) (void)context_.fs->RemoveAll(copies_);
  }
  CsvBuild(const CsvBuild&) = delete;

  Result<Outcome> Run();

 private:
  struct Written {
    std::unique_ptr<PendingSnapshot> pending;
    std::optional<CsvDiagnosis> diagnosis;  // instead: why DuckDB could not read it
    int64_t null_keys = 0, repeated_keys = 0;
  };

  Status FixTypes();
  std::string FixedTypeOf(const std::string& column) const;
  Result<std::optional<Outcome>> Append(const CsvChange& change, const CsvCursor& cursor);
  Result<Outcome> ReadAll();
  Status FindColumns(CsvReadPlan& plan);
  Status CompareColumns(CsvReadPlan& plan);
  Status CompareTypes(const CsvReadPlan& plan);
  Error MissingColumns(const CsvReadPlan& plan, const CsvPart& part,
                       const std::vector<std::string>& missing) const;
  Status CheckContent(const CsvFile& file, const CsvContent& content) const;
  Status Prepare(CsvReadPlan& plan);
  Result<Written> Write(const CsvReadPlan& plan, const std::string& select, bool key_is_clean);
  Result<Written> WriteWidening(CsvReadPlan& plan);
  void Widen(CsvReadPlan& plan, const CsvDiagnosis& diagnosis);
  std::string LatestOfKey(const CsvReadPlan& plan) const;
  Status NullKeyError(const CsvReadPlan& plan, int64_t count);
  Status CheckFiles() const;
  void Note(Severity severity, Error error) {
    notes_.push_back(std::move(error.Node(context_.node->name).As(severity)));
  }
  int64_t LinesBefore(const CsvSniff& sniff) const;
  void NoteSample(const CsvSniff& sniff, const std::string& file);
  static Error Widened(const std::string& column, CsvType wide, CsvType narrow,
                       const std::string& value);
  void NoteReplaced(int64_t rows);
  Result<Outcome> Finish(const CsvReadPlan& plan, Written written, int64_t rows,
                         std::vector<CsvFileState> states);
  void SetStage(const std::string& stage) {
    if (context_.progress != nullptr) context_.progress->SetStage(stage);
  }

  const CsvOptions& options_;
  BuildContext& context_;
  const spec::NodeSpec& spec_;
  std::string definition_;
  std::map<std::string, std::string> fixed_;
  Timestamp now_ = 0;
  std::vector<CsvFile> files_;
  std::vector<CsvFileState> states_;  // of files_, digests included
  std::string copies_;                // folder of copies; "" = none
  std::optional<data::DuckConnection> connection_;
  std::vector<Error> notes_;
  std::string reason_;
};

Status CsvBuild::FixTypes() {
  for (const auto& [name, column] : spec_.common.columns) {
    if (column.type.empty()) continue;
    auto fixed = FixedType(column.type, name);
    if (!fixed.ok()) return Error(fixed.error()).At(spec_.PlaceOf("columns." + name + ".type"));
    fixed_[name] = *fixed;
  }
  return Ok();
}

std::string CsvBuild::FixedTypeOf(const std::string& column) const {
  for (const auto& [name, type] : fixed_) {
    if (data::SameName(name, column)) return type;
  }
  return "";
}

Result<Outcome> CsvBuild::Run() {
  definition_ = CsvDefinition(spec_);
  now_ = context_.clock != nullptr ? context_.clock->Now() : context_.now;
  HR_TRY(FixTypes());
  HR_ASSIGN(const std::string root, FilesRoot(*context_.project, spec_, options_.connection));
  HR_ASSIGN(files_, ListCsvFiles(*context_.fs, root, options_.path, spec_.PlaceOf("path")));
  HR_ASSIGN(auto instance, context_.instances->Open());
  HR_ASSIGN(connection_, instance->Connect());
  const store::NodeState* state = context_.state;
  if (!context_.full && state != nullptr && state->cursor && state->snapshot) {
    const auto cursor = CsvCursor::FromJson(*state->cursor);
    if (cursor && cursor->definition == definition_) {
      HR_ASSIGN(CsvChange change,
                CompareCsvFiles(*context_.fs, options_, files_, *cursor, context_.cancel));
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

// ---- Reading what is new

/// nullopt when everything must be read after all; reason_ says why.
Result<std::optional<Outcome>> CsvBuild::Append(const CsvChange& change, const CsvCursor& cursor) {
  CsvReadPlan plan;
  plan.options = &options_;
  plan.delimiter = cursor.delimiter;
  for (const CsvCursorColumn& column : cursor.columns) {
    plan.columns.push_back({column.name, FixedTypeOf(column.name), column.found});
  }
  if (!options_.key.empty() && change.OldBehindNew()) {
    reason_ = "rows of a later file may replace the new ones of the same key";
    return std::optional<Outcome>();
  }
  for (size_t n = 0; n < files_.size(); ++n) {
    const CsvChange::Item& item = change.items[n];
    states_.push_back(item.state);
    if (item.kind == CsvChange::Kind::kSame) continue;
    if (item.kind == CsvChange::Kind::kGrown) {
      HR_ASSIGN(const bool same_ends, SameLineEnds(*context_.fs, files_[n], item.offset));
      if (!same_ends) {
        reason_ = files_[n].shown + " goes on with other line ends";
        return std::optional<Outcome>();
      }
    }
    HR_ASSIGN(CsvSniff sniff, SniffCsv(*context_.fs, files_[n], options_, plan.delimiter, 0));
    bool same_columns = true;
    for (const CsvColumn& column : plan.columns) {
      same_columns = same_columns && (options_.union_by_name || HasName(sniff.header, column.name));
    }
    for (const std::string& name : sniff.header) {
      same_columns = same_columns &&
                     std::any_of(plan.columns.begin(), plan.columns.end(),
                                 [&](const CsvColumn& c) { return data::SameName(c.name, name); });
    }
    if (!same_columns) {
      reason_ = files_[n].shown + " has other columns";
      return std::optional<Outcome>();
    }
    CsvPart part{files_[n], item.offset, item.first_line, std::move(sniff.header), files_[n].path};
    if (item.offset == 0) part.skip = LinesBefore(sniff);
    if (item.kind == CsvChange::Kind::kNew) {
      HR_ASSIGN(CsvContent content, ReadCsvContent(*context_.fs, files_[n], 0, context_.cancel));
      HR_TRY(CheckContent(files_[n], content));
      states_.back().digest = content.digest;
      states_.back().lines = content.lines;
    }
    plan.parts.push_back(std::move(part));
  }
  HR_TRY(Prepare(plan));
  HR_ASSIGN(Written written, Write(plan, CsvSelect(plan), false));
  if (written.diagnosis) {
    if (written.diagnosis->fault) return *written.diagnosis->fault;
    reason_ = "a new value does not fit the type of its column";
    return std::optional<Outcome>();
  }
  HR_ASSIGN(data::Snapshot old, OldSnapshot(context_));
  const data::Snapshot& fresh = written.pending->snapshot();
  for (const CsvColumn& column : plan.columns) {
    const data::ColumnProfile* profile = fresh.profile.Find(column.name);
    if (column.fixed.empty() && column.found == CsvType::kNone && profile != nullptr &&
        profile->nulls < fresh.rows) {
      reason_ = fmt::format("column '{}' has its first values", column.name);
      return std::optional<Outcome>();
    }
  }
  if (fresh.schema != old.schema) {
    reason_ = "the table that is there has other types";
    return std::optional<Outcome>();
  }
  if (written.null_keys > 0) HR_TRY(NullKeyError(plan, written.null_keys));
  const int64_t rows = fresh.rows;
  const bool join = !data::FilesToJoin(old.files, rows, data::kFileRows).empty();
  if (options_.key.empty() && !join) {
    HR_ASSIGN(Outcome outcome, Finish(plan, std::move(written), rows, states_));
    outcome.append_to = std::move(old);
    return std::optional<Outcome>(std::move(outcome));
  }
  if (written.repeated_keys > 0) {
    const int64_t repeated = written.repeated_keys;
    written.pending.reset();
    HR_ASSIGN(written, Write(plan, LatestOfKey(plan), true));
    written.repeated_keys = repeated;
    if (written.diagnosis) {
      if (written.diagnosis->fault) return *written.diagnosis->fault;
      reason_ = "the files changed while they were read";
      return std::optional<Outcome>();
    }
  }
  data::MergeRequest request;
  request.node = context_.node->name;
  request.build_id = context_.build_id;
  request.old = std::move(old);
  request.key = options_.key;
  request.rows = "SELECT * FROM " + PendingRows(*written.pending);
  request.repeatable = true;
  request.aggregates = context_.aggregates;
  request.query = context_.Query();
  HR_ASSIGN(data::MergeResult merged, data::Merge(*context_.writer, *connection_, request));
  const int64_t replaced = merged.replaced + written.repeated_keys;
  if (replaced > 0) NoteReplaced(replaced);
  written.pending = std::make_unique<PendingSnapshot>(std::move(*merged.pending));
  HR_ASSIGN(Outcome outcome, Finish(plan, std::move(written), rows, states_));
  outcome.append_to = std::move(merged.kept);
  outcome.merged = true;
  return std::optional<Outcome>(std::move(outcome));
}

// ---- Reading everything

Result<Outcome> CsvBuild::ReadAll() {
  CsvReadPlan plan;
  plan.options = &options_;
  SetStage("looking at the files");
  HR_TRY(FindColumns(plan));
  HR_TRY(CompareColumns(plan));
  ContentsAside aside(*context_.fs, files_, context_.cancel);
  HR_TRY(Prepare(plan));
  SetStage("reading");
  auto read = WriteWidening(plan);
  // What is wrong with the bytes explains what went wrong with the rows.
  HR_ASSIGN(std::vector<CsvContent> contents, aside.Wait());
  states_.clear();
  for (size_t n = 0; n < files_.size(); ++n) {
    const CsvFile& file = files_[n];
    HR_TRY(CheckContent(file, contents[n]));
    states_.push_back(
        {file.shown, file.size, file.modified, contents[n].digest, contents[n].lines, false});
  }
  HR_ASSIGN(Written written, std::move(read));
  HR_TRY(CompareTypes(plan));
  const int64_t rows = written.pending->snapshot().rows;
  if (written.null_keys > 0) HR_TRY(NullKeyError(plan, written.null_keys));
  if (written.repeated_keys > 0) {
    NoteReplaced(written.repeated_keys);
    written.pending.reset();
    HR_ASSIGN(written, Write(plan, LatestOfKey(plan), true));
    if (written.diagnosis) {
      HR_TRY(CheckFiles());
      return written.diagnosis->fault.value_or(
          InternalError("the files could be read once, and then not again"));
    }
  }
  return Finish(plan, std::move(written), rows, states_);
}

/// DuckDB takes the line behind those skipped for the header, even when it is empty. Told of
/// comments it goes past them by itself and does not count them: with them skipped it would take
/// the first row for the header.
int64_t CsvBuild::LinesBefore(const CsvSniff& sniff) const {
  return options_.header && options_.comment.empty() ? sniff.header_line - 1 : options_.skip;
}

/// What the sample made of a column is said as a later value would be: see Widen.
void CsvBuild::NoteSample(const CsvSniff& sniff, const std::string& file) {
  for (const CsvSniffNote& found : sniff.notes) {
    Place place{.file = file, .line = static_cast<int>(found.line)};
    place.source_line = found.raw;
    if (found.column < 0) {
      Error note(Blame::kData, "repeated_header",
                 "the line repeats the header: it is read as a row");
      Note(Severity::kWarning,
           note.At(place).Hint("remove it from the file, or leave such rows out in a SELECT"));
      continue;
    }
    const std::string& name = sniff.header[static_cast<size_t>(found.column)];
    if (FixedTypeOf(name).empty())
      Note(Severity::kWarning, Widened(name, CsvType::kText, found.narrow, found.value).At(place));
  }
}

/// Header of every file, types from the first few.
Status CsvBuild::FindColumns(CsvReadPlan& plan) {
  plan.delimiter = 0;
  const int64_t sampled = static_cast<int64_t>(std::min(files_.size(), kSampledFiles));
  const int64_t rows_each = std::max<int64_t>(1, options_.sample_rows / sampled);
  for (size_t n = 0; n < files_.size(); ++n) {
    HR_TRY(context_.cancel.Check());
    HR_ASSIGN(CsvSniff sniff, SniffCsv(*context_.fs, files_[n], options_, plan.delimiter,
                                       n < kSampledFiles ? rows_each : 0));
    plan.delimiter = sniff.delimiter;
    CsvPart part{files_[n], 0, 1, sniff.header, files_[n].path};
    part.skip = LinesBefore(sniff);
    NoteSample(sniff, part.file.shown);
    std::vector<std::string> missing;
    for (const CsvColumn& column : plan.columns) {
      if (!HasName(part.header, column.name)) missing.push_back(column.name);
    }
    if (!missing.empty() && !options_.union_by_name) return MissingColumns(plan, part, missing);
    for (size_t c = 0; c < sniff.header.size(); ++c) {
      auto found = std::find_if(plan.columns.begin(), plan.columns.end(), [&](const CsvColumn& x) {
        return data::SameName(x.name, sniff.header[c]);
      });
      if (found != plan.columns.end()) {
        found->found = Join(found->found, sniff.types[c]);
        continue;
      }
      if (n > 0 && !options_.union_by_name) {
        std::vector<std::string> lacking = {sniff.header[c]};
        return MissingColumns(plan, plan.parts.front(), lacking);
      }
      plan.columns.push_back({sniff.header[c], FixedTypeOf(sniff.header[c]), sniff.types[c]});
    }
    plan.parts.push_back(std::move(part));
  }
  return Ok();
}

Error CsvBuild::MissingColumns(const CsvReadPlan& plan, const CsvPart& part,
                               const std::vector<std::string>& missing) const {
  std::string other;
  for (const CsvPart& candidate : plan.parts) {
    if (HasName(candidate.header, missing.front())) other = candidate.file.shown;
  }
  if (other.empty()) other = files_[plan.parts.size()].shown;
  return DataError("missing_column",
                   fmt::format("{} lacks column{} {}, which {} has", part.file.shown,
                               missing.size() == 1 ? "" : "s", Quoted(missing), other))
      .At({.file = part.file.shown, .line = static_cast<int>(options_.skip) + 1})
      .Subject(missing.front())
      .Candidates(Suggest(missing.front(), part.header))
      .Hint("correct the file, or write `union_by_name: true` to have NULL there");
}

/// What became of the columns since the last run.
Status CsvBuild::CompareColumns(CsvReadPlan& plan) {
  const store::NodeState* state = context_.state;
  if (context_.full || state == nullptr || !state->cursor || !state->snapshot) return Ok();
  const auto cursor = CsvCursor::FromJson(*state->cursor);
  if (!cursor || cursor->definition != definition_) return Ok();
  std::vector<std::string> before, now;
  for (const CsvCursorColumn& old : cursor->columns) before.push_back(old.name);
  for (const CsvColumn& column : plan.columns) now.push_back(column.name);
  const ColumnDiff diff = CompareColumnNames(before, now);
  HR_ASSIGN(auto note, JudgeColumnDiff(diff, options_.schema_change, context_.node->name,
                                       {.file = files_.back().shown,
                                        .line = static_cast<int>(options_.skip) + 1}));
  if (note) notes_.push_back(std::move(*note));
  if (options_.schema_change != SchemaChange::kIgnore) return Ok();
  std::vector<CsvColumn> kept;
  for (const CsvCursorColumn& old : cursor->columns) {
    auto there = std::find_if(plan.columns.begin(), plan.columns.end(),
                              [&](const CsvColumn& c) { return data::SameName(c.name, old.name); });
    if (there == plan.columns.end()) {
      kept.push_back({old.name, old.type, old.found});
    } else {
      kept.push_back(*there);
      kept.back().name = old.name;
      if (old.found != CsvType::kNone) kept.back().fixed = old.type;
    }
  }
  plan.columns = std::move(kept);
  return Ok();
}

/// Types are known when all rows are read.
Status CsvBuild::CompareTypes(const CsvReadPlan& plan) {
  const store::NodeState* state = context_.state;
  if (context_.full || state == nullptr || !state->cursor || !state->snapshot) return Ok();
  const auto cursor = CsvCursor::FromJson(*state->cursor);
  if (!cursor || cursor->definition != definition_) return Ok();
  data::Schema before, now;
  for (const CsvColumn& column : plan.columns) {
    for (const CsvCursorColumn& old : cursor->columns) {
      // A column without values had no type.
      if (!data::SameName(old.name, column.name) || old.found == CsvType::kNone) continue;
      before.columns.push_back({old.name, old.type});
      now.columns.push_back({old.name, column.SqlType()});
    }
  }
  HR_ASSIGN(auto note, JudgeColumnDiff(CompareColumnTypes(before, now), options_.schema_change,
                                       context_.node->name, {.file = files_.back().shown}));
  if (note) notes_.push_back(std::move(*note));
  return Ok();
}

Status CsvBuild::CheckContent(const CsvFile& file, const CsvContent& content) const {
  if (content.nul_line > 0 && options_.encoding != TextEncoding::kUtf16 &&
      CompressionOf(file.path) == Compression::kNone) {
    return NulByte(file.shown, content.nul_line);
  }
  return Ok();
}

/// Looks into what DuckDB doesn't check, and copies what it should not read itself.
Status CsvBuild::Prepare(CsvReadPlan& plan) {
  for (size_t n = 0; n < plan.parts.size(); ++n) {
    CsvPart& part = plan.parts[n];
    if (NeedsCopy(part, options_)) {
      copies_ = fmt::format("{}/tmp/{}/{}.csv", context_.warehouse, context_.claim.epoch,
                            context_.build_id);
      part.read_path = fmt::format("{}/{}.csv", copies_, n);
      HR_TRY(CopyCsvText(*context_.fs, part, options_, part.read_path, context_.cancel));
    } else if (CompressionOf(part.file.path) != Compression::kNone) {
      HR_TRY(CheckCsvText(*context_.fs, part, options_, context_.cancel));
    }
  }
  return Ok();
}

// ---- Writing

/// Runs one SELECT over the parts. What is wrong with the data comes back as a diagnosis, what is
/// wrong with the machine as an error.
Result<CsvBuild::Written> CsvBuild::Write(const CsvReadPlan& plan, const std::string& select,
                                          bool key_is_clean) {
  data::MaterializeRequest request;
  request.node = context_.node->name;
  request.build_id = context_.build_id;
  request.select = select;
  request.sample = context_.sample;
  request.aggregates = context_.aggregates;
  request.query = context_.Query();
  const bool count_keys = !options_.key.empty() && !key_is_clean;
  if (count_keys) {
    std::string missing, row;
    for (const std::string& key : options_.key) {
      missing += (missing.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
      row += (row.empty() ? "" : ", ") + QuoteIdentifier(key);
    }
    if (options_.key.size() > 1) row = "ROW(" + row + ")";
    request.aggregates.push_back(fmt::format("count(*) FILTER (WHERE {})", missing));
    request.aggregates.push_back(fmt::format("count(*) - count(DISTINCT {})", row));
  }
  Written written;
  auto pending = context_.writer->Materialize(*connection_, request);
  if (!pending.ok()) {
    Error error = std::move(pending).error();
    static const std::set<std::string> kOwn = {
        "cancelled", "no_space",          "io_error",     "out_of_memory",
        "internal",  "permission_denied", "column_types", "duplicate_column"};
    if (kOwn.count(error.code) > 0) return error;
    HR_TRY(CheckFiles());
    HR_ASSIGN(written.diagnosis, DiagnoseCsv(*context_.fs, plan, *connection_, context_.cancel));
    const bool explained = written.diagnosis->fault || !written.diagnosis->conflicts.empty();
    if (!explained) written.diagnosis->fault = CsvDuckError(std::move(error), plan);
    return written;
  }
  written.pending = std::make_unique<PendingSnapshot>(std::move(*pending));
  if (count_keys) {
    const auto& values = written.pending->aggregates();
    written.null_keys = values[values.size() - 2].AsInt64();
    if (written.null_keys == 0) written.repeated_keys = values.back().AsInt64();
  }
  return written;
}

/// Reads optimistically; types that don't hold are widened, all at once, and it starts again.
Result<CsvBuild::Written> CsvBuild::WriteWidening(CsvReadPlan& plan) {
  // Each round widens a type at least once, and a chain of types is short.
  for (size_t round = 0; round <= 4 * plan.columns.size() + 1; ++round) {
    HR_ASSIGN(Written written, Write(plan, CsvSelect(plan), false));
    if (!written.diagnosis) return written;
    if (written.diagnosis->fault) return *written.diagnosis->fault;
    Widen(plan, *written.diagnosis);
  }
  return InternalError("types of CSV columns were widened without end");
}

Error CsvBuild::Widened(const std::string& column, CsvType wide, CsvType narrow,
                        const std::string& value) {
  Error note(Blame::kData, "type_widened",
             fmt::format("column '{}' is {}, not {}, because of '{}'", column, SqlTypeOf(wide),
                         SqlTypeOf(narrow), value));
  note.Subject(column);
  if (value == column) return note.Hint("does the line repeat the header? Remove it from the file");
  return note.Hint(
      fmt::format("if '{}' means that nothing is there, add it to `null_values`; a type "
                  "under `columns:` makes such a value an error",
                  value));
}

void CsvBuild::Widen(CsvReadPlan& plan, const CsvDiagnosis& diagnosis) {
  for (const CsvConflict& conflict : diagnosis.conflicts) {
    CsvColumn& column = plan.columns[conflict.column];
    const CsvType wider = diagnosis.types[conflict.column];
    const bool said = SqlTypeOf(wider) != SqlTypeOf(column.found) && column.found != CsvType::kNone;
    if (said) {
      Error note = Widened(column.name, wider, column.found, conflict.value);
      Note(Severity::kWarning,
           note.At({.file = conflict.file, .line = static_cast<int>(conflict.line)}));
    }
    column.found = wider;
  }
}

std::string CsvBuild::LatestOfKey(const CsvReadPlan& plan) const {
  std::vector<std::string> names;
  for (const CsvColumn& column : plan.columns) names.push_back(column.name);
  return fmt::format(
      "SELECT {} FROM ({}) QUALIFY row_number() OVER (PARTITION BY {} ORDER BY \"__order\" DESC) = "
      "1",
      data::QuoteIdentifiers(names), CsvSelect(plan, true), data::QuoteIdentifiers(options_.key));
}

Status CsvBuild::NullKeyError(const CsvReadPlan& plan, int64_t count) {
  HR_ASSIGN(auto lines, FindNullKeys(*context_.fs, plan, context_.cancel));
  Error error =
      DataError("null_key", fmt::format("the key ({}) is NULL in {}", fmt::join(options_.key, ", "),
                                        Counted(count, "row")));
  Place place;
  if (!lines.empty()) {
    place = {.file = lines[0].file, .line = static_cast<int>(lines[0].line)};
    place.source_line = lines[0].raw;
    std::string rows;
    for (const CsvLine& line : lines) {
      rows += fmt::format("{}{}:{}", rows.empty() ? "" : ", ", line.file, line.line);
    }
    const int64_t more = count - static_cast<int64_t>(lines.size());
    place.rows = rows + (more > 0 ? fmt::format(" and {} more", more) : "");
  }
  place.node = context_.node->name;
  return error.At(place).Hint("correct the rows, or choose another `key`");
}

Status CsvBuild::CheckFiles() const {
  for (const CsvFile& file : files_) HR_TRY(CheckUnchanged(*context_.fs, file));
  return Ok();
}

void CsvBuild::NoteReplaced(int64_t rows) {
  Note(Severity::kHint,
       Error(Blame::kData, "rows_replaced",
             fmt::format("{} replaced by later rows of the same key",
                         rows == 1 ? "1 row was" : fmt::format("{} rows were", rows))));
}

Result<Outcome> CsvBuild::Finish(const CsvReadPlan& plan, Written written, int64_t rows,
                                 std::vector<CsvFileState> states) {
  // What was read is what was listed: else digests and rows would not belong together.
  HR_TRY(CheckFiles());
  CsvCursor cursor;
  cursor.definition = definition_;
  cursor.delimiter = plan.delimiter;
  for (size_t n = 0; n < states.size(); ++n) {
    CsvFileState& state = states[n];
    if (state.digest.empty()) {
      HR_ASSIGN(CsvContent content, ReadCsvContent(*context_.fs, files_[n], 0, context_.cancel));
      state.digest = content.digest;
      state.lines = content.lines;
    }
    state.settled = Settled(state.modified, now_);
  }
  cursor.files = std::move(states);
  for (const CsvColumn& column : plan.columns) {
    cursor.columns.push_back({column.name, column.SqlType(), column.found});
  }
  Outcome outcome;
  outcome.reason = reason_;
  outcome.rows = rows;
  outcome.cursor = cursor.ToJson();
  if (rows == 0 && !plan.columns.empty()) {
    Note(Severity::kHint,
         Error(Blame::kData, "no_rows",
               fmt::format("there are no rows{}", plan.parts.empty() || plan.parts[0].offset > 0
                                                      ? " behind the old end"
                                                      : ": columns without a value are VARCHAR"))
             .At({.file = files_.front().shown}));
  }
  outcome.notes = std::move(notes_);
  outcome.pending.emplace(std::move(*written.pending));
  return outcome;
}

}  // namespace

Result<Outcome> BuildCsv(const CsvOptions& options, BuildContext& context) {
  return CsvBuild(options, context).Run();
}

std::string CsvDefinition(const spec::NodeSpec& spec) {
  return HashBytes(spec::CanonicalJson(spec, spec::Affects::kData)).Hex();
}

Result<std::string> FixedType(const std::string& type, const std::string& column) {
  HR_ASSIGN(data::TypeTree tree, data::ParseType(type));
  const std::string text = tree.Text();
  const data::StoredType stored = data::StoredTypeOf(text, column);
  if (tree.type_class == data::TypeClass::kOther ||
      stored.action == data::StoredType::Action::kRefuse) {
    static const std::vector<std::string> kTypes = {"BOOLEAN",
                                                    "TINYINT",
                                                    "SMALLINT",
                                                    "INTEGER",
                                                    "BIGINT",
                                                    "FLOAT",
                                                    "DOUBLE",
                                                    "DECIMAL",
                                                    "VARCHAR",
                                                    "DATE",
                                                    "TIME",
                                                    "TIMESTAMP",
                                                    "BLOB",
                                                    "UUID",
                                                    "INTERVAL",
                                                    "JSON",
                                                    "TIMESTAMP WITH TIME ZONE"};
    const auto near = Suggest(type, kTypes);
    return UserError("unknown_type",
                     fmt::format("column '{}' can't have the type '{}'", column, type))
        .Subject(type)
        .Candidates(near)
        .Hint(tree.type_class != data::TypeClass::kOther ? stored.reason
              : near.empty()
                  ? "types are BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL(18,2), VARCHAR, "
                    "DATE, TIMESTAMP and the like"
                  : "");
  }
  return text;
}

}  // namespace headrace::components
