#pragma once
// What stands behind DuckInstance and DuckConnection. Internal to src/data.
#include <duckdb.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "data/duck.h"
#include "data/duck_error.h"
#include "data/observer.h"

namespace headrace::data::internal {

/// A reader that SQL can scan as hr_source(id).
struct SourceState {
  uint64_t id = 0;
  std::mutex mutex;
  std::unique_ptr<BatchReader> reader;
  Schema schema;
  std::vector<TypeTree> types;
  int64_t expected_rows = -1;
  duckdb_arrow_converted_schema converted = nullptr;
  bool consumed = false;
  Status error;
  ~SourceState();
};

struct InstanceState {
  DuckOptions options;
  duckdb_database database = nullptr;
  duckdb_connection control = nullptr;  ///< settings and Arrow conversions; guarded by mutex
  std::mutex mutex;
  uint64_t next_id = 1;
  std::map<uint64_t, std::shared_ptr<SourceState>> sources;
  std::map<uint64_t, Observer*> observers;

  ~InstanceState();
  std::shared_ptr<SourceState> FindSource(uint64_t id);
};

struct ConnectionState {
  std::shared_ptr<InstanceState> instance;
  std::shared_ptr<DuckInstance> owner;
  duckdb_connection connection = nullptr;
  bool progress_on = false;
  ~ConnectionState();
};

/// Registers hr_row_hash, hr_observe and hr_source.
Status RegisterFunctions(InstanceState& instance);
Status RegisterSource(InstanceState& instance);

/// Runs the body of a callback. Nothing may throw into DuckDB; the only exception left in ours is
/// lack of memory.
template <class F, class OnError>
void Guarded(F&& body, OnError&& on_error) {
  try {
    body();
  } catch (const std::exception& e) {
    on_error(e.what());
  }
}

/// The error "source_failed" with the reader's error as its cause, if `text` came from hr_source.
std::optional<Error> SourceErrorOf(InstanceState& instance, std::string_view text);

/// While it lives, hr_observe(id, columns…) feeds the observer; it returns true for every row.
class ObserverHandle {
 public:
  ObserverHandle(InstanceState& instance, Observer& observer);
  ~ObserverHandle();
  /// "hr_observe(7, "a", "b")"
  std::string Sql(const Schema& schema) const;

 private:
  InstanceState& instance_;
  uint64_t id_;
};

/// What duckdb_extract_statements makes of a text.
class Extracted {
 public:
  Extracted() = default;
  ~Extracted();
  Extracted(const Extracted&) = delete;
  /// Error "syntax", or "not_a_select" for a text without statements.
  Status Read(ConnectionState& connection, const std::string& sql, const QueryOptions& options);
  duckdb_extracted_statements all() const { return all_; }
  idx_t count() const { return count_; }

 private:
  duckdb_extracted_statements all_ = nullptr;
  idx_t count_ = 0;
};

/// Statements that a sealed instance runs for anybody.
bool OnlyReads(duckdb_statement_type type);
Error SealedError(std::string_view what);

/// A prepared statement with its parameters bound.
class Statement {
 public:
  Statement() = default;
  ~Statement() { Reset(); }
  Statement(const Statement&) = delete;
  /// `is_one`: fail with "not_a_select" if the text holds several statements.
  Status Prepare(ConnectionState& connection, const std::string& sql, const QueryOptions& options);
  Status PrepareExtracted(ConnectionState& connection, duckdb_extracted_statements all, idx_t index,
                          const std::string& sql, const QueryOptions& options);
  Status Bind(const Parameters& parameters);
  duckdb_statement_type type() const { return duckdb_prepared_statement_type(statement_); }
  idx_t parameter_count() const { return duckdb_nparams(statement_); }
  Schema ResultSchema() const;
  duckdb_prepared_statement get() const { return statement_; }

 private:
  void Reset();
  duckdb_prepared_statement statement_ = nullptr;
};

/// Owns a duckdb_result.
struct ResultOwner {
  duckdb_result result{};
  ResultOwner() = default;
  ResultOwner(ResultOwner&& other) noexcept : result(other.result) { other.result = {}; }
  ResultOwner& operator=(ResultOwner&&) = delete;
  ~ResultOwner() {
    if (result.internal_data != nullptr) duckdb_destroy_result(&result);
  }
};

/// Runs a prepared statement; with progress and cancel.
Result<ResultOwner> Run(ConnectionState& connection, const Statement& statement,
                        const std::string& sql, const QueryOptions& options, bool streaming);

/// Makes the error of a failed call.
Error MakeError(const ConnectionState& connection, const char* text, const std::string& sql,
                const QueryOptions& options, bool running);

Schema SchemaOf(duckdb_result& result);

/// nullptr for types that can't be made from text alone.
duckdb_logical_type MakeLogicalType(const TypeTree& tree);
/// nullptr when the text is no value of that type.
duckdb_value MakeValue(const TypeTree& type, const std::string& text);

/// The state behind a connection, for the other files of this folder.
struct Access {
  static ConnectionState& State(DuckConnection& connection);
  static InstanceState& State(DuckInstance& instance);
};

}  // namespace headrace::data::internal
