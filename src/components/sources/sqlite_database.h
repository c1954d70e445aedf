#pragma once
// A SQLite file as a source sees it: read-only, one read transaction, errors with names.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/file_system.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace headrace::components {

struct SqliteColumn {
  std::string name;
  std::string declared;  ///< type in CREATE TABLE; "" for expressions
};

class SqliteStatement;

/// Not thread-safe.
class SqliteDatabase {
 public:
  /// `shown` names the file in errors. Waits `wait_micros` for writers. The file is not changed.
  /// Errors: "no_database" (missing), "not_a_database" (another format, or encrypted),
  /// "damaged_database" (cut off too), "locked_database" (retriable), "permission_denied".
  static Result<std::unique_ptr<SqliteDatabase>> Open(FileSystem& fs, const std::string& path,
                                                      const std::string& shown,
                                                      int64_t wait_micros);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;

  /// From the first read on all reads see one state, until the database is closed.
  Status BeginRead();
  /// Names of tables and views, sorted.
  Result<std::vector<std::string>> Tables();
  /// One SELECT. Errors "bad_query" (blame user): SQLite's message; several statements; anything
  /// that is no SELECT.
  Result<std::unique_ptr<SqliteStatement>> Prepare(const std::string& sql);

  const std::string& shown() const { return shown_; }
  /// The last fault as an error.
  Error LastError(const std::string& doing) const;
  sqlite3* handle() const { return handle_; }

 private:
  explicit SqliteDatabase(std::string shown) : shown_(std::move(shown)) {}
  std::string shown_;
  sqlite3* handle_ = nullptr;
};

/// A running SELECT. The database must outlive it. Not thread-safe.
class SqliteStatement {
 public:
  SqliteStatement(SqliteDatabase& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;

  std::vector<SqliteColumn> Columns() const;
  void BindInt(int index, int64_t value);  ///< from 1
  void BindDouble(int index, double value);
  void BindText(int index, const std::string& value);
  /// False at the end.
  Result<bool> Step();
  void Reset();

  enum class Class { kNull, kInteger, kReal, kText, kBlob };
  Class ClassOf(int column) const;
  int64_t Int(int column) const;
  double Double(int column) const;
  std::string_view Bytes(int column) const;  ///< of a text or blob; until the next step

 private:
  SqliteDatabase& database_;
  sqlite3_stmt* statement_;
};

/// What tells that a database changed, without reading it.
struct SqliteStat {
  int64_t size = 0;
  Timestamp modified = 0;
  int64_t counter = 0;  ///< SQLite's own change counter
  int64_t wal_size = 0;
  std::string wal_digest;  ///< "" = there is none
  bool settled = false;    ///< size and time of change may be trusted
  std::string digest;      ///< of the whole file, when it is not settled
  friend bool operator==(const SqliteStat&, const SqliteStat&) = default;
};
/// `now` decides about `settled`. `with_digest`: the digest is computed in any case.
Result<SqliteStat> StatSqlite(FileSystem& fs, const std::string& path, Timestamp now,
                              bool with_digest);

}  // namespace headrace::components
