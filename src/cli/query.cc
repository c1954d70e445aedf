#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/number_text.h"
#include "base/text_table.h"
#include "base/text_width.h"
#include "cli/cell_text.h"
#include "cli/commands.h"

namespace headrace::cli {
namespace {

constexpr int64_t kTableRows = 200;    // of a table, unless --limit says otherwise
constexpr int kCellColumns = 80;       // wider cells of a table are cut on a terminal
constexpr int kReadableColumns = 12;   // of a cell, before whole columns are left out
constexpr size_t kMostSql = 16 << 20;  // bytes read from stdin
constexpr size_t kChunk = 1 << 20;

Result<std::string> ReadStdin() {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, "cannot read the SQL from stdin");
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMostSql) {
      return UserError("sql_too_long", "the SQL on stdin is longer than 16 MiB");
    }
  }
  if (text.find_first_not_of(" \t\r\n;") == std::string::npos) {
    return UserError("missing_argument", "there is no SQL on stdin");
  }
  return text;
}

/// A file of our own that goes away; DuckDB writes it, we copy it on. (It could write to
/// /dev/stdout itself, but would truncate a file that the shell opened for appending.)
class TempFile {
 public:
  static Result<std::unique_ptr<TempFile>> Make() {
    const char* folder = std::getenv("TMPDIR");
    std::string pattern =
        JoinPath(folder != nullptr && *folder != '\0' ? folder : "/tmp", "headrace-query-XXXXXX");
    if (mkdtemp(pattern.data()) == nullptr) {
      return ErrnoError(errno, "cannot make a folder for the result in '" + DirName(pattern) + "'");
    }
    return std::unique_ptr<TempFile>(new TempFile(pattern));
  }
  ~TempFile() { (void)RealFileSystem().RemoveAll(folder_).ok(); }
  std::string path() const { return folder_ + "/result"; }

 private:
  explicit TempFile(std::string folder) : folder_(std::move(folder)) {}
  const std::string folder_;
};

Status CopyToStdout(const std::string& path, Console& console) {
  FileSystem& fs = RealFileSystem();
  HR_ASSIGN(const FileInfo info, fs.Stat(path));
  for (int64_t offset = 0; offset < info.size && !console.out_closed();) {
    HR_ASSIGN(const std::string chunk, fs.ReadRange(path, offset, kChunk));
    if (chunk.empty()) break;
    console.Data(chunk);
    offset += static_cast<int64_t>(chunk.size());
  }
  return Ok();
}

Result<Format> FormatOf(const Arguments& arguments, const Console& console) {
  Format format = arguments.format;
  if (format == Format::kAuto && console.json()) format = Format::kJson;
  if (format == Format::kAuto && !arguments.output.empty()) {
    const std::string ending = std::filesystem::path(arguments.output).extension();
    static const std::map<std::string, Format> kEndings = {
        {"", Format::kCsv},       {".csv", Format::kCsv},    {".parquet", Format::kParquet},
        {".json", Format::kJson}, {".jsonl", Format::kJson}, {".ndjson", Format::kJson},
        {".txt", Format::kTable}};
    const auto found = kEndings.find(ending);
    if (found == kEndings.end()) {
      return UserError("unknown_ending", "no format goes with the ending '" + ending + "'")
          .Subject(arguments.output)
          .Hint("csv, json, parquet or txt; or name it: --format csv");
    }
    format = found->second;
  }
  if (format == Format::kAuto) format = console.out_is_terminal() ? Format::kTable : Format::kCsv;
  if (format == Format::kParquet && arguments.output.empty() && console.out_is_terminal()) {
    return UserError("binary_to_terminal", "Parquet is not for terminals")
        .Hint("write it to a file: -o result.parquet");
  }
  return format;
}

struct TableText {
  std::string text;
  int64_t rows = 0;
  bool more = false;  ///< than were asked for
  size_t columns = 0, shown_columns = 0;
};

Result<TableText> ReadTable(data::BatchReader& reader, int64_t limit, int columns, bool color) {
  std::vector<CellText> cells;
  for (const auto& column : reader.schema().columns) {
    HR_ASSIGN(CellText cell, CellText::Make(column.type));
    cells.push_back(std::move(cell));
  }
  TextTable table(reader.schema().Names());
  TableText result;
  while (!result.more) {
    HR_ASSIGN(auto batch, reader.Next());
    if (!batch) break;
    for (int64_t row = 0; row < batch->rows(); ++row) {
      if (result.rows == limit) {
        result.more = true;
        break;
      }
      std::vector<std::string> line;
      for (size_t c = 0; c < cells.size(); ++c) {
        std::string text = cells[c].Of(batch->column(static_cast<int>(c)), row);
        line.push_back(columns > 0 ? CutToWidth(text, kCellColumns) : std::move(text));
      }
      table.AddRow(std::move(line));
      ++result.rows;
    }
  }
  TextTableOptions options{columns, color};
  options.readable = kReadableColumns;
  result.text = table.Render(options);
  result.columns = cells.size();
  result.shown_columns = table.Shown(options);
  return result;
}

Status AsTable(const std::string& sql, const Arguments& arguments, Session& session,
               Console& console) {
  HR_ASSIGN(auto reader, session.engine().Query(sql, arguments.at_run));
  const int64_t limit = arguments.limit.value_or(kTableRows);
  const bool file = !arguments.output.empty();
  HR_ASSIGN(const TableText table,
            ReadTable(*reader, limit, file ? 0 : console.columns(), !file && console.out_color()));
  if (file) {
    HR_TRY(RealFileSystem().WriteAtomically(arguments.output, table.text));
  } else {
    console.Data(table.text);
  }
  std::string note = table.more && !arguments.limit
                         ? fmt::format("the first {} rows; --limit N shows more", table.rows)
                         : Tally(table.rows, "row");
  if (table.shown_columns < table.columns) {
    note += fmt::format("; the first {} of {} columns: name those to see, or --format csv",
                        table.shown_columns, table.columns);
  }
  console.Progress(note + "\n");
  return Ok();
}

const char* Name(Format format) {
  return format == Format::kCsv ? "csv" : format == Format::kJson ? "json" : "parquet";
}

Status AsFile(std::string sql, Format format, const Arguments& arguments, Session& session,
              Console& console) {
  if (arguments.limit) {
    // The plain text first, so that what is wrong in it is shown where the user wrote it.
    HR_ASSIGN(auto reader, session.engine().Query(sql, arguments.at_run));
    reader.reset();
    while (!sql.empty() &&
           std::string_view(" \t\r\n;").find(sql.back()) != std::string_view::npos) {
      sql.pop_back();
    }
    sql = fmt::format("SELECT * FROM ({}\n) LIMIT {}", sql, *arguments.limit);
  }
  HR_ASSIGN(const auto temp, TempFile::Make());
  HR_TRY(session.engine().QueryToFile(sql, arguments.at_run, Name(format), temp->path()));
  if (arguments.output.empty()) return CopyToStdout(temp->path(), console);
  // Not renamed: the folder for temporary files may be on another disk.
  FileSystem& fs = RealFileSystem();
  HR_ASSIGN(const FileInfo info, fs.Stat(temp->path()));
  const int out = open(arguments.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0) return ErrnoError(errno, "cannot write '" + arguments.output + "'");
  int failed = 0;
  for (int64_t offset = 0; offset < info.size && failed == 0;) {
    auto chunk = fs.ReadRange(temp->path(), offset, kChunk);
    if (!chunk.ok() || chunk->empty()) break;
    failed = WriteAll(out, *chunk);
    offset += static_cast<int64_t>(chunk->size());
  }
  if (close(out) != 0 && failed == 0) failed = errno;
  if (failed != 0) return ErrnoError(failed, "cannot write '" + arguments.output + "'");
  console.Progress(fmt::format("{}: {}\n", arguments.output, FormatBytes(info.size)));
  return Ok();
}

Status Answer(const Arguments& arguments, Session& session, Console& console) {
  std::string sql = arguments.sql;
  if (sql == "-") {
    HR_ASSIGN(sql, ReadStdin());
  }
  HR_ASSIGN(const Format format, FormatOf(arguments, console));
  if (format == Format::kTable) return AsTable(sql, arguments, session, console);
  return AsFile(std::move(sql), format, arguments, session, console);
}

}  // namespace

int Query(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Readable()) return 2;
  Status answered = Answer(arguments, session, console);
  return answered.ok() ? 0 : session.Fail(answered.error());
}

}  // namespace headrace::cli
