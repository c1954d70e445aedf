#pragma once
// A thin layer over SQLite's C API: connections with cached statements, and its error codes as
// errors of ours. sqlite3.h itself stays in sqlite_connection.cc.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace headrace::store {

class Connection;

/// A statement in use. A fault while preparing or binding is reported by the next Step. Ends (and
/// goes back to its connection's cache) in the destructor. Not thread-safe.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Binds the next parameters, from the first.
  template <class... Args>
  Statement& Bind(const Args&... args) {
    (BindNext(args), ...);
    return *this;
  }
  /// True when there is a row to read.
  Result<bool> Step();
  /// Steps to the end; rows are dropped.
  Status Run();
  /// Calls `row(*this)` for each row.
  template <class F>
  Status ForEach(const F& row) {
    while (true) {
      HR_ASSIGN(const bool more, Step());
      if (!more) return Ok();
      row(static_cast<const Statement&>(*this));
    }
  }

  // Columns of the current row, from 0. NULL reads as 0, 0.0 and "".
  int64_t Int(int column) const;
  double Double(int column) const;
  std::string Text(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Connection;
  Statement(Connection* connection, std::string sql);
  void BindNext(int64_t value);
  void BindNext(int value) { BindNext(static_cast<int64_t>(value)); }
  void BindNext(bool value) { BindNext(static_cast<int64_t>(value)); }
  void BindNext(double value);
  void BindNext(std::string_view value);
  void BindNext(const std::string& value) { BindNext(std::string_view(value)); }
  void BindNext(const char* value) { BindNext(std::string_view(value)); }
  template <class T>
  void BindNext(const std::optional<T>& value) {
    value ? BindNext(*value) : BindNull();
  }
  void BindNull();

  Connection* connection_;
  std::string sql_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  int fault_ = 0;
};

struct ConnectionOptions {
  std::string path;
  std::string vfs;  ///< empty = SQLite's default
  int64_t busy_timeout_micros = 30'000'000;
  bool reader = false;  ///< refuses to write
};

/// One connection to a database file, for one thread at a time.
class Connection {
 public:
  /// Creates the file when it is missing and the connection is no reader. Sets foreign keys,
  /// synchronous=FULL and the busy timeout.
  static Result<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;

  template <class... Args>
  Statement Query(std::string sql, const Args&... args) {
    Statement statement(this, std::move(sql));
    statement.Bind(args...);
    return statement;
  }
  /// Runs one statement without reading rows.
  template <class... Args>
  Status Run(std::string sql, const Args&... args) {
    return Query(std::move(sql), args...).Run();
  }
  /// Runs several statements, separated by semicolons.
  Status RunScript(const std::string& script);
  /// The first column of the first row; 0 when there is none.
  Result<int64_t> Number(std::string sql);

  /// Rows changed by the last INSERT, UPDATE or DELETE.
  int64_t Changes() const;
  int64_t LastRowId() const;
  /// Ends a transaction, if one is open, without an error.
  void Rollback();

 private:
  friend class Statement;
  Connection(std::string path, int64_t busy_timeout_micros)
      : path_(std::move(path)), busy_timeout_micros_(busy_timeout_micros) {}
  /// The last fault of this connection as an error.
  Error Fault(int code) const;

  std::string path_;
  int64_t busy_timeout_micros_;
  sqlite3* handle_ = nullptr;
  std::multimap<std::string, sqlite3_stmt*, std::less<>> idle_;  // prepared, by text
};

/// "store_corrupt" with what can be done about it.
Error CorruptError(const std::string& path, std::string_view text);

}  // namespace headrace::store
