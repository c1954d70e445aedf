#include "components/sources/parquet_source.h"

#include <fmt/format.h>

#include <cstring>
#include <set>

#include "base/text_width.h"
#include "components/sources/table_files.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

std::string ListOf(const std::vector<TablePart>& parts) {
  std::string files;
  for (const TablePart& part : parts) {
    files += (files.empty() ? "" : ", ") + data::QuoteLiteral(part.read_path);
  }
  return "[" + files + "]";
}

Error BadParquet(const TablePart& part, std::string message) {
  return DataError("bad_parquet", fmt::format("{}: {}", part.file.shown, message))
      .At({.file = part.file.shown})
      .Hint("write the file again, or copy it again; nothing of it was used");
}

class ParquetFormat : public TableFormat {
 public:
  const FileEndings& Endings() const override { return ParquetEndings(); }

  /// A Parquet file starts and ends with PAR1; before the end stands the size of its footer.
  Status Check(FileSystem& fs, const TablePart& part, const CancelToken&) override {
    const int64_t size = part.file.size;
    HR_ASSIGN(std::string head, fs.ReadRange(part.file.path, 0, 64));
    if (!head.starts_with("PAR1")) {
      if (head.starts_with("PARE")) return BadParquet(part, "the Parquet file is encrypted");
      if (size == 0) return BadParquet(part, "the file is empty");
      Error error = BadParquet(
          part, fmt::format("is no Parquet file: it starts with '{}'",
                            Printable(std::string_view(head).substr(
                                          0, std::min<size_t>(16, head.find_first_of("\r\n"))),
                                      false)));
      return error.Hint("is it CSV or JSON? Then write `source: csv` or `source: json`");
    }
    std::string tail;
    if (size >= 12) {
      HR_ASSIGN(tail, fs.ReadRange(part.file.path, size - 8, 8));
    }
    if (!tail.ends_with("PAR1")) {
      return BadParquet(part, fmt::format("the Parquet file is cut off after {} bytes: its end is "
                                          "missing",
                                          size));
    }
    uint32_t footer = 0;
    std::memcpy(&footer, tail.data(), 4);
    if (static_cast<int64_t>(footer) + 12 > size) {
      return BadParquet(part, "the Parquet file is damaged: its footer is larger than the file");
    }
    return Ok();
  }

  Status Find(data::DuckConnection& connection, std::vector<TablePart>& parts,
              const CancelToken& cancel) override {
    for (TablePart& part : parts) {
      HR_TRY(cancel.Check());
      auto found = connection.Describe(Select({part}));
      if (!found.ok()) return Named(std::move(found).error(), part);
      part.columns = std::move(*found);
      HR_TRY(CheckColumns(connection, part));
      for (data::Column& column : part.columns.columns) column.nullable = true;
    }
    return Ok();
  }

  std::string Select(const std::vector<TablePart>& parts) const override {
    return fmt::format("SELECT * FROM read_parquet({}, hive_partitioning = false)", ListOf(parts));
  }

  Error Explain(FileSystem&, data::DuckConnection& connection, Error error,
                const std::vector<TablePart>& parts, const CancelToken& cancel) override {
    for (const char* own : {"bad_parquet", "wide_decimal", "duplicate_column"}) {
      if (error.code == own) return error;
    }
    for (const TablePart& part : parts) {
      if (cancel.Cancelled() || part.columns.columns.empty()) break;
      data::QueryOptions options;
      options.cancel = cancel;
      auto read = connection.Query(
          fmt::format("SELECT max(hash({})) FROM ({})",
                      data::QuoteIdentifiers(part.columns.Names()), Select({part})),
          {}, options);
      if (!read.ok()) return Named(std::move(read).error(), part);
    }
    Error bad = DataError("bad_value", error.message);
    return bad.At({.file = parts.front().file.shown})
        .Hint("correct the files, or change the type under `columns:`");
  }

 private:
  /// DuckDB reads decimals of more than 38 digits as wrong numbers, and gives a column whose name
  /// is there already another one.
  static Status CheckColumns(data::DuckConnection& connection, const TablePart& part) {
    auto stored =
        connection.Query(fmt::format("SELECT name, coalesce(precision, 0) FROM parquet_schema({})",
                                     data::QuoteLiteral(part.read_path)));
    if (!stored.ok()) return Named(std::move(stored).error(), part);
    std::set<std::string> names;
    for (const auto& row : stored->rows) {
      const std::string name = row[0].Text();
      names.insert(name);
      if (row[1].AsInt64() <= 38) continue;
      return DataError("wide_decimal",
                       fmt::format("column '{}' is DECIMAL of {} digits, and 38 are the most that "
                                   "can be read",
                                   name, row[1].AsInt64()))
          .At({.file = part.file.shown})
          .Hint("write the column with fewer digits, or as a text");
    }
    for (const data::Column& column : part.columns.columns) {
      if (names.count(column.name) > 0) continue;
      const std::string first = column.name.substr(0, column.name.rfind('_'));
      return DataError("duplicate_column",
                       fmt::format("two columns are named '{}'; names are compared without regard "
                                   "to case",
                                   first))
          .At({.file = part.file.shown})
          .Hint("rename one of them");
    }
    return Ok();
  }

  static Error Named(Error error, const TablePart& part) {
    if (error.code == "cancelled" || error.code == "out_of_memory") return error;
    std::string message = error.message.substr(0, error.message.find('\n'));
    const size_t path = message.find(part.read_path);
    if (path != std::string::npos) message.replace(path, part.read_path.size(), part.file.shown);
    return BadParquet(part, "the Parquet file is damaged: " + message);
  }
};

class ParquetSource : public pipeline::Component {
 public:
  explicit ParquetSource(const spec::NodeSpec& node)
      : options_(node.options.As<TableFileOptions>()) {}
  bool HasTable() const override { return true; }
  std::vector<std::string> KeyColumns() const override { return options_.key; }
  std::vector<std::string> Connections() const override {
    if (options_.connection.empty()) return {};
    return {options_.connection};
  }
  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override {
    ParquetFormat format;
    return LintTableFiles(options_, format, context);
  }
  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override {
    return ProbeTableFiles(options_, ParquetFormat(), context);
  }
  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override {
    ParquetFormat format;
    return BuildTableFiles(options_, format, context);
  }

 private:
  const TableFileOptions options_;
};

}  // namespace

const FileEndings& ParquetEndings() {
  static const FileEndings endings{{".parquet", ".pq"}, false, ".parquet or .pq"};
  return endings;
}

const Spec& ParquetSourceSpec() {
  static const Spec spec = [] {
    Spec s(
        "source", "parquet", "Rows of Parquet files.",
        {Field("path", &TableFileOptions::path,
               "File, folder or glob (`*`, `?`, `[…]`, `**`), relative to the project.")
             .Path()
             .NotEmpty()
             .Example("data/orders/*.parquet"),
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
             .Example("order_id"),
         Field("union_by_name", &TableFileOptions::union_by_name,
               "Columns that a file lacks are NULL there; else it is an error.")
             .Default(),
         Field("schema_change", &TableFileOptions::schema_change,
               "What may change in the columns from one run to the next.")
             .Default()
             .Affects(spec::Affects::kPolicy)});
    s.Details(
        "Only new files are read; a changed or missing file means that everything is read "
        "again.\n\n"
        "Types are those of the files. Where files differ, a column gets the type that holds all "
        "values unchanged (INTEGER and BIGINT: BIGINT); where there is none it is an error until "
        "`columns:` says the type. Structs, lists and maps stay what they are.");
    s.Example("source: parquet\npath: data/orders/*.parquet\nkey: order_id\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Component> MakeParquetSource(const spec::NodeSpec& node) {
  return std::make_unique<ParquetSource>(node);
}

}  // namespace headrace::components
