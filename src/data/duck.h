#pragma once
// DuckDB behind values and Results. No DuckDB type, exception or message prefix gets past here.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "data/arrow_abi.h"
#include "data/value.h"

namespace headrace::data {

struct DuckOptions {
  int threads = 1;                   ///< of the whole instance
  int64_t memory_bytes = 1LL << 30;  ///< DuckDB may exceed it by a quarter: leave headroom
  std::string temp_directory;        ///< for spilling; empty = no spilling
  /// Sealed: SQL sees these directories (absolute paths; files below them may be read and written)
  /// and nothing else: no other file, no network, no extension, no ATTACH, no setting can change.
  bool sealed = false;
  std::vector<std::string> allowed_directories;
};

struct QueryOptions {
  CancelToken cancel;  ///< interrupts the query; error "cancelled"
  /// Called from another thread about five times a second while a query runs: the share done in
  /// [0, 1], or -1 when DuckDB can't tell.
  std::function<void(double)> progress;
  /// Bytes that stand in front of the user's text in the SQL given: places of errors are reported
  /// relative to the text behind them.
  size_t prefix_bytes = 0;
};

struct StreamOptions {
  QueryOptions query;
  int64_t batch_rows = 65536;  ///< batches hold at least this many rows, but for the last one
  /// A batch is cut off earlier at about this size.
  int64_t batch_bytes = 64LL << 20;
};

class DuckConnection;
namespace internal {
struct Access;
struct InstanceState;
struct ConnectionState;
}  // namespace internal

/// Keeps a source registered; the relation is gone when the last copy is destroyed.
class SourceHandle {
 public:
  SourceHandle() = default;
  /// What to write after FROM.
  const std::string& sql() const { return sql_; }
  /// The error that the reader returned, when a query over it failed ("source_failed"); Ok before.
  Status error() const;

 private:
  friend class DuckInstance;
  std::string sql_;
  std::shared_ptr<void> registration_;
};

/// One in-memory DuckDB with its threads and memory. Time zone UTC, NULLs last, binary collation,
/// insertion order preserved, no extension is ever fetched. Thread-safe; opening costs about 30 ms.
/// Connections, streams and handles keep it alive.
class DuckInstance : public std::enable_shared_from_this<DuckInstance> {
 public:
  static Result<std::shared_ptr<DuckInstance>> Open(const DuckOptions& options);
  ~DuckInstance();
  DuckInstance(const DuckInstance&) = delete;

  Result<DuckConnection> Connect();

  /// Runs one SELECT on a connection of its own; the reader owns it.
  Result<std::unique_ptr<BatchReader>> Stream(const std::string& sql, const Parameters& parameters,
                                              const StreamOptions& options = {});

  /// Makes the rows of a reader a relation in SQL. A relation can be read once: the reader is
  /// consumed by the first query that scans it (a second scan is the error "source_consumed").
  Result<SourceHandle> AddSource(std::unique_ptr<BatchReader> reader);

  /// Changes the shares of a running instance (also of a sealed one; SQL can't).
  Status SetMemory(int64_t bytes);
  Status SetThreads(int threads);
  const DuckOptions& options() const;

 private:
  friend struct internal::Access;
  explicit DuckInstance(std::shared_ptr<internal::InstanceState> state);
  std::shared_ptr<internal::InstanceState> state_;
};

/// A connection: one query at a time, from any thread. Move-only. Cheap (about 0.1 ms).
///
/// Errors: codes "syntax", "unknown_column", "unknown_table", "unknown_function", "bad_sql" (blame
/// user; place.line, place.column, place.source_line, place.length relative to the text given,
/// subject and candidates when known), "conversion", "out_of_range", "constraint", "bad_input"
/// (blame data), "out_of_memory", "no_space", "io_error", "permission_denied" (blame system),
/// "sealed" (blame user), "cancelled", "source_failed" (cause = the reader's error), "internal".
/// Messages carry no prefix of DuckDB.
class DuckConnection {
 public:
  DuckConnection(DuckConnection&&) noexcept;
  DuckConnection& operator=(DuckConnection&&) noexcept;
  ~DuckConnection();

  /// Runs one or several statements; the results are dropped. Returns the rows changed or copied by
  /// the last one. For the engine's own statements: a sealed instance takes all but those that
  /// change settings or reach outside.
  Result<int64_t> Execute(const std::string& sql, const Parameters& parameters = {},
                          const QueryOptions& options = {});
  /// Runs one statement and holds its whole result. A sealed instance takes only SELECT, EXPLAIN,
  /// DESCRIBE and the like.
  Result<Rows> Query(const std::string& sql, const Parameters& parameters = {},
                     const QueryOptions& options = {});
  /// Names and types of the result of one SELECT, without running it. Error "not_a_select" for any
  /// other statement, or for several.
  Result<Schema> Describe(const std::string& select, const Parameters& parameters = {},
                          const QueryOptions& options = {});

  DuckInstance& instance();

 private:
  friend class DuckInstance;
  friend struct internal::Access;
  explicit DuckConnection(std::unique_ptr<internal::ConnectionState> state);
  std::unique_ptr<internal::ConnectionState> state_;
};

/// DuckDB's version, "1.5.5".
std::string DuckVersion();

}  // namespace headrace::data
