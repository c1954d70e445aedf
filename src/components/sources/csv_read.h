#pragma once
// The SQL with which DuckDB reads CSV files so that no value changes, and the explanation when it
// can't.
//
// DuckDB's reader is fast and parallel, but it rounds 1.5 to 2 in a BIGINT column, reads 007 as 7,
// cuts the time off in a DATE column and drops offsets of times. So it splits the lines, and values
// of found types are made of the texts by functions of ours (data/text_values.h), which take what
// csv_types.h finds to be of that type and nothing else. (Measured on 2 M x 12: text and our
// functions take 5 % less than DuckDB's own types; doubles checked by SQL took 10 % more.)
//
// When the read fails, our own scanner goes through the files: it knows lines, gives every fault a
// name and finds the types that would have fitted, of all columns at once. It is ten times slower,
// but runs only then.
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "components/sources/csv_files.h"
#include "components/sources/csv_options.h"
#include "data/duck.h"

namespace headrace::components {

/// A column of the table.
struct CsvColumn {
  std::string name;
  std::string fixed;  ///< type of `columns:`; "" = found
  CsvType found = CsvType::kNone;
  std::string SqlType() const { return fixed.empty() ? std::string(SqlTypeOf(found)) : fixed; }
};

/// A file, or the new end of one.
struct CsvPart {
  CsvFile file;
  int64_t offset = 0;               ///< where the new end starts
  int64_t first_line = 1;           ///< of it
  std::vector<std::string> header;  ///< columns of this file, in its order
  std::string read_path;            ///< what DuckDB reads: the file, or a copy of its end in UTF-8
  int64_t skip = 0;                 ///< lines before the header or the first row
  bool HasHeader(const CsvOptions& options) const { return options.header && offset == 0; }
};

struct CsvReadPlan {
  const CsvOptions* options = nullptr;
  char delimiter = ',';
  std::vector<CsvColumn> columns;
  std::vector<CsvPart> parts;
};

/// SELECT of all columns of all parts; rows in the order of the parts. `numbered` adds the columns'
/// reading order as "__order".
std::string CsvSelect(const CsvReadPlan& plan, bool numbered = false);

/// A value that did not fit the type of its column.
struct CsvConflict {
  size_t column = 0;
  std::string file;
  int64_t line = 0;
  std::string value;
};

struct CsvDiagnosis {
  std::optional<Error> fault;          ///< the read can't succeed, with any types
  std::vector<CsvType> types;          ///< that all values have
  std::vector<CsvConflict> conflicts;  ///< the first one of each column whose type must change
};
/// Goes through all parts. Error: cancelled, io errors.
Result<CsvDiagnosis> DiagnoseCsv(FileSystem& fs, const CsvReadPlan& plan,
                                 data::DuckConnection& connection, const CancelToken& cancel);

/// Text that DuckDB should not read from the file itself: the new end of a file, other encodings.
bool NeedsCopy(const CsvPart& part, const CsvOptions& options);
/// Writes the part's text as UTF-8 to `path`. Finds NUL bytes. Errors as CsvScanner's.
Status CopyCsvText(FileSystem& fs, const CsvPart& part, const CsvOptions& options,
                   const std::string& path, const CancelToken& cancel);
/// The same without writing: for archives, of which DuckDB doesn't see that they are cut off.
Status CheckCsvText(FileSystem& fs, const CsvPart& part, const CsvOptions& options,
                    const CancelToken& cancel);
Error NulByte(const std::string& shown, int64_t line);

struct CsvLine {
  std::string file;
  int64_t line = 0;
  std::string raw;
};
/// The first few rows in which a column of the key is NULL.
Result<std::vector<CsvLine>> FindNullKeys(FileSystem& fs, const CsvReadPlan& plan,
                                          const CancelToken& cancel);

/// An error of DuckDB over these parts, as people should see it: its text without its advice, the
/// real file and line.
Error CsvDuckError(Error error, const CsvReadPlan& plan);

}  // namespace headrace::components
