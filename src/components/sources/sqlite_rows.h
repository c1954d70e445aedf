#pragma once
// Rows of a SQLite query as batches.
//
// SQLite's declared types are hints: any value may stand in any column. A column gets the type that
// its declaration says if all its values fit, else the narrowest that holds them all; so the type
// depends on the content alone. Reading is optimistic: at the first value that does not fit the
// reader stops, the rest is looked through, and the caller starts again with other types.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "components/sources/sqlite_database.h"
#include "data/arrow_abi.h"

namespace headrace::components {

enum class SqliteType {
  kNone,  ///< no value yet: stored as text
  kBoolean,
  kInteger,
  kDouble,
  kDate,
  kTimestamp,
  kText,
  kBlob,
};
/// What a declared type promises; kNone when it promises nothing.
SqliteType DeclaredType(const std::string& declared);
/// DuckDB's name.
std::string SqlTypeOf(SqliteType type);

/// A value that does not fit the type of its column.
struct SqliteConflict {
  int column = 0;
  int64_t row = 0;  ///< 1-based, in reading order
  std::string value;
};

struct SqliteScan {
  std::vector<SqliteType> types;          ///< that hold all values
  std::vector<SqliteConflict> conflicts;  ///< the first of each column that broke its promise
  int64_t rows = 0;
  bool whole = true;  ///< false: stopped by the limit
};
/// Looks at all rows, or at as many as `limit_micros` allows (0 = all).
Result<SqliteScan> ScanSqlite(SqliteStatement& statement, const CancelToken& cancel,
                              int64_t limit_micros = 0);

/// What a reader found on its way; read it when the reader is done.
struct SqliteProgress {
  std::optional<SqliteConflict> conflict;  ///< why it stopped
  int64_t rows = 0;
  /// Largest value of the cursor column: its class, and the value.
  SqliteStatement::Class cursor_class = SqliteStatement::Class::kNull;
  int64_t cursor_int = 0;
  double cursor_double = 0;
  std::string cursor_text;
  bool cursor_mixed = false;  ///< values of several classes
};

struct SqliteReaderOptions {
  std::string shown;  ///< the database, for errors
  std::vector<SqliteColumn> columns;
  std::vector<SqliteType> types;
  int cursor = -1;  ///< index of the cursor column
  CancelToken cancel;
};
/// Both must outlive the reader.
std::unique_ptr<data::BatchReader> ReadSqlite(SqliteStatement& statement, SqliteProgress& progress,
                                              SqliteReaderOptions options);

/// Days or microseconds of an ISO date or time; nullopt when it is none.
std::optional<int64_t> ParseSqliteDate(std::string_view text);
std::optional<int64_t> ParseSqliteTimestamp(std::string_view text);

}  // namespace headrace::components
