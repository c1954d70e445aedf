#pragma once
// Our own reading of CSV, record by record, for what must be exact rather than fast: the header,
// the sample from which types are found, and the explanation of what DuckDB refused. It follows
// RFC 4180 as DuckDB's strict mode does.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "components/sources/text_file.h"

namespace headrace::components {

/// How the text is cut into values. 0 = there is none.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';
  char escape = '"';
  char comment = 0;
  int64_t skip = 0;  ///< lines before the header
};

struct CsvField {
  std::string_view text;  ///< unquoted; lives until the next call of Next
  bool quoted = false;
};

struct CsvRecord {
  std::vector<CsvField> fields;
  int64_t line = 0;      ///< 1-based, where it starts
  std::string_view raw;  ///< without its line end; lives until the next call of Next
  /// Whether it has that many values. A delimiter at the end of a line may follow them, as in
  /// DuckDB.
  bool HasColumns(size_t columns) const {
    return fields.size() == columns || (fields.size() == columns + 1 && raw.size() > 1 &&
                                        fields.back().text.empty() && !fields.back().quoted);
  }
  bool blank = false;  ///< an empty line: one empty field
};

/// Not thread-safe.
class CsvScanner {
 public:
  /// Longer records are an error, here and in DuckDB.
  static constexpr int64_t kMaxRecordBytes = 2'000'000;

  /// `shown` names the file in errors; `first_line` is the number of the first line (of the rest
  /// of a file that is read from its middle).
  CsvScanner(std::unique_ptr<TextFile> text, const CsvDialect& dialect, std::string shown,
             int64_t first_line = 1);

  /// The next record; false at the end. Lines of comments are left out, blank lines are not.
  /// Errors (blame data, with file, line and text): "unterminated_quote", "bad_quote" (text behind
  /// a closing quote), "nul_byte", "bad_encoding", "line_too_long", "mixed_line_ends".
  Result<bool> Next(CsvRecord& record);
  int64_t line() const { return line_; }

 private:
  enum class Step { kRecord, kMore, kEnd };
  Result<Step> TryRecord(CsvRecord& record);
  Status EndRecord(CsvRecord& record, size_t end, size_t line_end);
  Result<bool> Fill();
  Status SkipLines();
  bool AtNewline(size_t at, size_t* after, bool* more) const;
  Error Fault(std::string code, std::string message, size_t begin, int64_t line) const;

  std::unique_ptr<TextFile> text_;
  CsvDialect dialect_;
  std::string shown_;
  std::string buffer_;
  std::vector<std::string> unescaped_;  // fields that held escapes
  size_t begin_ = 0;
  int64_t line_;
  bool end_ = false, skipped_ = false;
  std::string line_end_;  // of the first record
};

/// The text of a line as errors show it: its start, broken bytes replaced.
std::string ShownLine(std::string_view raw);
/// Position of the first byte that is not UTF-8, or npos.
size_t FindBadUtf8(std::string_view text);

}  // namespace headrace::components
