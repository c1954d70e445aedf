#pragma once
// Delimiter, header and types of a CSV file, from its first rows.
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "components/sources/csv_files.h"
#include "components/sources/csv_options.h"

namespace headrace::components {

/// Something of the sample that a person should hear of: the line is shown as it stands.
struct CsvSniffNote {
  int64_t line = 0;
  std::string raw;
  int column = -1;                  ///< −1: the line repeats the header
  CsvType narrow = CsvType::kNone;  ///< what nearly all values of the column are
  std::string value;                ///< the first that is something else
};

struct CsvSniff {
  char delimiter = ',';
  int64_t header_line = 1;          ///< or of the first row, when there is no header
  std::vector<CsvSniffNote> notes;  ///< not remembered by CsvSchemaSniffer
  std::vector<std::string> header;  ///< names, trimmed; never empty texts
  std::vector<CsvType> types;
  int64_t rows = 0;  ///< looked at
};

/// Errors (blame data, with file and line): those of CsvScanner and TextFile, "empty_file",
/// "duplicate_column". `delimiter` 0 = to be found, unless the options give it; `rows` 0 = header
/// only.
Result<CsvSniff> SniffCsv(FileSystem& fs, const CsvFile& file, const CsvOptions& options,
                          char delimiter, int64_t rows);

/// The same for lint: remembers what it found in `cache_folder` ("" = nowhere), by path, size, time
/// of change and options.
class CsvSchemaSniffer {
 public:
  CsvSchemaSniffer(FileSystem& fs, std::string cache_folder)
      : fs_(fs), cache_folder_(std::move(cache_folder)) {}
  Result<CsvSniff> Sniff(const CsvFile& file, const CsvOptions& options,
                         const std::string& options_digest);

 private:
  FileSystem& fs_;
  std::string cache_folder_;
};

}  // namespace headrace::components
