// Types of JSON columns are found from all values, not from a sample: a type depends on the content
// alone, and nothing has to be read twice because of a late surprise. Reading is then told the
// types. Where DuckDB would guess or round, columns are read as text: dates are taken only in ISO
// form, numbers that a double would change stay text.
#include "components/sources/json_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "components/sources/csv_read.h"
#include "components/sources/json_syntax.h"
#include "components/sources/table_files.h"
#include "data/quote.h"
#include "data/types.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using data::QuoteLiteral;
using spec::Field;
using spec::Spec;

constexpr double kExactDouble = 9007199254740992.0;

std::string ListOf(const std::vector<TablePart>& parts) {
  std::string files;
  for (const TablePart& part : parts) {
    files += (files.empty() ? "" : ", ") + QuoteLiteral(part.read_path);
  }
  return "[" + files + "]";
}

/// What DuckDB is told to read: JSON of any shape, and within structs also dates, are text.
data::TypeTree Readable(data::TypeTree tree, bool nested) {
  const bool text = tree.name == "JSON" || tree.name == "NULL" || tree.name == "\"NULL\"" ||
                    (nested && (tree.type_class == data::TypeClass::kDate ||
                                tree.type_class == data::TypeClass::kTime ||
                                tree.type_class == data::TypeClass::kTimestamp ||
                                tree.type_class == data::TypeClass::kUuid));
  if (text) return data::ParseType("VARCHAR").value();
  for (data::TypeTree& child : tree.children) child = Readable(std::move(child), true);
  return tree;
}

bool IsTime(const std::string& type) {
  return type == "DATE" || type == "TIMESTAMP" || type == "TIME";
}

struct JsonColumn {
  std::string name, read, type;  ///< what DuckDB reads, what the column is
};

class JsonFormat : public TableFormat {
 public:
  const FileEndings& Endings() const override { return JsonEndings(); }
  bool Grows() const override { return true; }
  /// Lines behind lines; what stands behind an array, or is one, makes a file that can't be read.
  Result<bool> GrewByRows(FileSystem& fs, const CsvFile& file, int64_t from) const override {
    for (const int64_t offset : {int64_t{0}, from}) {
      HR_ASSIGN(const std::string begin, fs.ReadRange(file.path, offset, 4096));
      const size_t at = begin.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
      if (at == std::string::npos || begin[at] == '[') return false;
    }
    return true;
  }
  void ReadAsText(const std::string& column) override { text_.insert(column); }

  /// DuckDB doesn't see that an archive is cut off.
  Status Check(FileSystem& fs, const TablePart& part, const CancelToken& cancel) override {
    HR_ASSIGN(auto outline, TextFile::Open(fs, part.file.path, part.file.shown, TextEncoding::kUtf8,
                                           part.offset));
    if (auto fault = FindUnreadableJson(*outline, part.file.shown, part.first_line, cancel)) {
      return *std::move(fault);
    }
    if (CompressionOf(part.file.path) == Compression::kNone) return Ok();
    CsvPart text{part.file, 0, 1, {}, part.file.path};
    return CheckCsvText(fs, text, CsvOptions(), cancel);
  }

  Status Find(data::DuckConnection& connection, std::vector<TablePart>& parts,
              const CancelToken& cancel) override {
    HR_TRY(cancel.Check());
    HR_ASSIGN(data::Schema found,
              connection.Describe(fmt::format(
                  "SELECT * FROM read_json({}, sample_size = -1, maximum_sample_files = 1000000, "
                  "maximum_depth = -1, map_inference_threshold = -1, "
                  "field_appearance_threshold = 0, maximum_object_size = {})",
                  ListOf(parts), kMostBytes)));
    if (found.size() == 1 && found.columns[0].name == "json") {
      HR_TRY(CheckObjects(connection, parts));
    }
    HR_TRY(CheckNames(connection, parts, found, cancel));
    columns_.clear();
    for (const data::Column& column : found.columns) {
      HR_ASSIGN(data::TypeTree tree, data::ParseType(column.type));
      const std::string type = Readable(std::move(tree), false).Text();
      const bool text = std::any_of(text_.begin(), text_.end(), [&](const std::string& name) {
        return data::SameName(name, column.name);
      });
      columns_.push_back(
          {column.name, text || IsTime(type) ? "VARCHAR" : type, text ? "VARCHAR" : type});
    }
    HR_TRY(CheckTimes(connection, parts));
    data::Schema schema;
    for (const JsonColumn& column : columns_) schema.columns.push_back({column.name, column.type});
    for (TablePart& part : parts) part.columns = schema;
    return Ok();
  }

  std::string Select(const std::vector<TablePart>& parts) const override {
    std::string items;
    for (const JsonColumn& column : columns_) {
      const std::string name = QuoteIdentifier(column.name);
      std::string item = name;
      if (column.type == "TIMESTAMP") {  // a cast to TIMESTAMP alone would drop the offset
        item = fmt::format("CAST(CAST({0} AS TIMESTAMP WITH TIME ZONE) AS TIMESTAMP) AS {0}", name);
      } else if (column.type != column.read) {
        item = fmt::format("CAST({0} AS {1}) AS {0}", name, column.type);
      }
      items += (items.empty() ? "" : ", ") + item;
    }
    return fmt::format("SELECT {} FROM {}", items, Reader(parts, columns_));
  }

  Error Explain(FileSystem& fs, data::DuckConnection&, Error error,
                const std::vector<TablePart>& parts, const CancelToken& cancel) override {
    if (Status fault = FindFault(fs, parts, cancel); !fault.ok()) return fault.error();
    if (error.blame == Blame::kData && error.code != "conversion" && error.code != "bad_input" &&
        error.code != "out_of_range") {
      return error;  // one of ours
    }
    Error bad = DataError("bad_value", error.message.substr(0, error.message.find("\nTry ")));
    for (const TablePart& part : parts) {
      const size_t at = bad.message.find(part.read_path);
      if (at != std::string::npos) {
        bad.message.replace(at, part.read_path.size(), part.file.shown);
      }
    }
    return bad.At({.file = parts.front().file.shown})
        .Hint("correct the files, or change the type under `columns:`");
  }

  /// Numbers that a DOUBLE changed: whole ones that were rounded, others beyond its range.
  Result<std::vector<std::string>> Inexact(data::DuckConnection& connection,
                                           const std::vector<TablePart>& parts,
                                           const data::Snapshot& written) override {
    std::vector<std::string> out;
    for (const JsonColumn& column : columns_) {
      const data::ColumnProfile* profile = written.profile.Find(column.name);
      if (column.type != "DOUBLE" || profile == nullptr || !profile->min || !profile->max ||
          std::max(std::abs(*profile->min), std::abs(*profile->max)) < kExactDouble) {
        continue;
      }
      const std::string name = QuoteIdentifier(column.name);
      HR_ASSIGN(data::Rows rows,
                connection.Query(fmt::format(
                    "SELECT count(*) FROM {1} WHERE (regexp_full_match({0}, '-?[0-9]{{16,}}') AND "
                    "coalesce(CAST(TRY_CAST(CAST({0} AS DOUBLE) AS DECIMAL(38,0)) AS VARCHAR), "
                    "'') <> {0}) OR (regexp_full_match({0}, '-?[0-9].*') AND "
                    "isinf(CAST({0} AS DOUBLE)))",
                    name, Reader(parts, {{column.name, "VARCHAR", "VARCHAR"}}))));
      if (rows.at(0, 0).AsInt64() > 0) out.push_back(column.name);
    }
    return out;
  }

 private:
  static constexpr int64_t kMostBytes = 16 << 20;  // of one record

  static std::string Reader(const std::vector<TablePart>& parts,
                            const std::vector<JsonColumn>& columns) {
    std::string types;
    for (const JsonColumn& column : columns) {
      types += fmt::format("{}{}: {}", types.empty() ? "" : ", ", QuoteLiteral(column.name),
                           QuoteLiteral(column.read));
    }
    return fmt::format("read_json({}, columns = {{{}}}, records = true, maximum_object_size = {})",
                       ListOf(parts), types, kMostBytes);
  }

  /// DuckDB makes a column "json" of records that are no objects.
  static Status CheckObjects(data::DuckConnection& connection,
                             const std::vector<TablePart>& parts) {
    HR_ASSIGN(data::Rows rows,
              connection.Query(fmt::format(
                  "SELECT count(*), count(*) FILTER (WHERE coalesce(json_type(json), 'NULL') <> "
                  "'OBJECT'), coalesce(max(len(json_keys(json))), 0) FROM "
                  "read_json({}, columns = {{'json': 'JSON'}}, records = false)",
                  ListOf(parts))));
    if (rows.at(0, 0).AsInt64() == 0) {
      return DataError("empty_file", "there is no record, so the columns are not known")
          .At({.file = parts.front().file.shown});
    }
    if (rows.at(0, 1).AsInt64() == 0) {
      if (rows.at(0, 2).AsInt64() > 0) return Ok();
      return DataError("empty_file", "no record has a key, so the columns are not known")
          .At({.file = parts.front().file.shown});
    }
    return DataError("not_objects", "records are not objects")
        .At({.file = parts.front().file.shown})
        .Hint("each record is one object: {\"id\": 1, …}, one a line or all in one array");
  }

  /// DuckDB names a column of the empty key "C0" or the like, and then finds no value for it.
  static Status CheckEmptyKey(FileSystem& fs, data::DuckConnection& connection,
                              const std::vector<TablePart>& parts, const std::string& column,
                              const CancelToken& cancel) {
    if (column.size() < 2 || column[0] != 'C' ||
        column.find_first_not_of("0123456789_", 1) != std::string::npos) {
      return Ok();
    }
    HR_ASSIGN(data::Rows rows,
              connection.Query(fmt::format("SELECT count({}) FROM {}", QuoteIdentifier(column),
                                           Reader(parts, {{column, "VARCHAR", ""}}))));
    return rows.at(0, 0).AsInt64() > 0 ? Ok() : FindFault(fs, parts, cancel);
  }

  static Status FindFault(FileSystem& fs, const std::vector<TablePart>& parts,
                          const CancelToken& cancel) {
    for (const TablePart& part : parts) {
      HR_ASSIGN(auto text, TextFile::Open(fs, part.file.path, part.file.shown, TextEncoding::kUtf8,
                                          part.offset));
      if (auto fault = FindJsonFault(*text, part.file.shown, part.first_line, cancel)) {
        return *std::move(fault);
      }
    }
    return Ok();
  }

  /// DuckDB renames a key that differs from another only by case: "A" beside "a" becomes "A_1".
  static Status CheckNames(data::DuckConnection& connection, const std::vector<TablePart>& parts,
                           const data::Schema& found, const CancelToken& cancel) {
    for (const data::Column& column : found.columns) {
      HR_TRY(CheckEmptyKey(RealFileSystem(), connection, parts, column.name, cancel));
      const size_t mark = column.name.rfind('_');
      if (mark == std::string::npos || mark + 1 == column.name.size() ||
          column.name.find_first_not_of("0123456789", mark + 1) != std::string::npos ||
          found.Find(column.name.substr(0, mark)) == nullptr) {
        continue;
      }
      HR_ASSIGN(data::Rows rows, connection.Query(fmt::format(
                                     "SELECT count({}) FROM {}", QuoteIdentifier(column.name),
                                     Reader(parts, {{column.name, "VARCHAR", ""}}))));
      if (rows.at(0, 0).AsInt64() > 0) continue;
      return DataError("duplicate_column",
                       fmt::format("records have the key '{}' and another that differs only by "
                                   "upper and lower case",
                                   column.name.substr(0, mark)))
          .At({.file = parts.front().file.shown})
          .Hint("rename one of them: columns are told apart without regard to case");
    }
    return Ok();
  }

  /// DuckDB guesses at dates like 01-02-2026; only ISO dates and times are taken, others are text.
  Status CheckTimes(data::DuckConnection& connection, const std::vector<TablePart>& parts) {
    std::string items;
    std::vector<JsonColumn*> times;
    for (JsonColumn& column : columns_) {
      if (!IsTime(column.type)) continue;
      times.push_back(&column);
      const std::string name = QuoteIdentifier(column.name);
      const char* type =
          column.type == "TIMESTAMP" ? "TIMESTAMP WITH TIME ZONE" : column.type.c_str();
      items +=
          fmt::format("{}count(*) FILTER (WHERE {} IS NOT NULL AND TRY_CAST({} AS {}) IS NULL)",
                      items.empty() ? "" : ", ", name, name, type);
    }
    if (times.empty()) return Ok();
    HR_ASSIGN(data::Rows rows,
              connection.Query(fmt::format("SELECT {} FROM {}", items, Reader(parts, columns_))));
    for (size_t n = 0; n < times.size(); ++n) {
      if (rows.at(0, n).AsInt64() > 0) times[n]->type = "VARCHAR";
    }
    return Ok();
  }

  std::vector<JsonColumn> columns_;
  std::set<std::string> text_;
};

class JsonSource : public pipeline::Component {
 public:
  explicit JsonSource(const spec::NodeSpec& node) : options_(node.options.As<TableFileOptions>()) {}
  bool HasTable() const override { return true; }
  std::vector<std::string> KeyColumns() const override { return options_.key; }
  std::vector<std::string> Connections() const override {
    if (options_.connection.empty()) return {};
    return {options_.connection};
  }
  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override {
    JsonFormat format;
    return LintTableFiles(options_, format, context);
  }
  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override {
    return ProbeTableFiles(options_, JsonFormat(), context);
  }
  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override {
    JsonFormat format;
    return BuildTableFiles(options_, format, context);
  }

 private:
  const TableFileOptions options_;
};

}  // namespace

const FileEndings& JsonEndings() {
  static const FileEndings endings{
      {".json", ".ndjson", ".jsonl"}, true, ".json, .ndjson or .jsonl"};
  return endings;
}

const Spec& JsonSourceSpec() {
  static const Spec spec = [] {
    Spec s(
        "source", "json", "Records of JSON files: one object a line, or arrays of objects.",
        {Field("path", &TableFileOptions::path,
               "File, folder or glob (`*`, `?`, `[…]`, `**`), relative to the project; .gz and "
               ".zst are unpacked.")
             .Path()
             .NotEmpty()
             .Example("data/events/*.ndjson"),
         Field("connection", &TableFileOptions::connection,
               "Connection of type folder: the path starts in its `root:` and not in the project.")
             .Optional()
             .Connection()
             .Example("shared"),
         Field("key", &TableFileOptions::key,
               "Columns that identify a row: later rows replace earlier ones of the same key.")
             .Optional()
             .Column()
             .NotEmpty()
             .Example("event_id"),
         Field("schema_change", &TableFileOptions::schema_change,
               "What may change in the columns from one run to the next.")
             .Default()
             .Affects(spec::Affects::kPolicy)});
    s.Details(
        "Only what is new is read: new files, and lines at the end of files that have grown. A "
        "changed or missing file means that everything is read again.\n\n"
        "A key that a record lacks is NULL. Types are found from all values; objects become "
        "STRUCTs, arrays LISTs, values of several types the text of their JSON. Dates and times in "
        "ISO form become DATE and TIMESTAMP (UTC) where they stand outermost.");
    s.Example("source: json\npath: data/events/*.ndjson.gz\nkey: event_id\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Component> MakeJsonSource(const spec::NodeSpec& node) {
  return std::make_unique<JsonSource>(node);
}

}  // namespace headrace::components
