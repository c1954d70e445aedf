#pragma once
// DuckDB handles for src/sql: an in-memory database that sees no file and no network.
#include <duckdb.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/types.h"
#include "sql/functions.h"
#include "sql/select.h"

namespace headrace::sql {

/// Owns one C handle.
template <class Handle, void (*Destroy)(Handle*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_ != nullptr) Destroy(&handle_);
  }
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};
using OwnedType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using OwnedValue = Owned<duckdb_value, duckdb_destroy_value>;
using OwnedPrepared = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;

/// A result whose columns are texts without NULLs.
class TextResult {
 public:
  TextResult() = default;
  ~TextResult() { duckdb_destroy_result(&result_); }
  TextResult(const TextResult&) = delete;
  TextResult& operator=(const TextResult&) = delete;
  duckdb_result* out() { return &result_; }
  std::string error();
  /// Calls `row` with the texts of the first `columns` columns (default: all), row by row.
  void ForEach(const std::function<void(const std::vector<std::string_view>&)>& row,
               idx_t columns = ~idx_t{0});

 private:
  duckdb_result result_ = {};
};

/// Schemas of nodes by name, as the binder asks for them.
using NodeSchemas = std::unordered_map<std::string, data::Schema>;

using Keywords = std::unordered_set<std::string>;

struct SqlParser::State {
  Owned<duckdb_database, duckdb_close> database;
  Owned<duckdb_connection, duckdb_disconnect> connection;
  FunctionCatalog functions;
  Keywords keywords;  ///< words that DESCRIBE quotes as names
  /// Nodes that a query may name while it is bound; set for the time of a call.
  const NodeSchemas* nodes = nullptr;
  std::unordered_map<std::string, OwnedType> types;  ///< by DuckDB's text
  int parses = 0;                                    ///< queries sent, for tests

  /// Syntax trees as JSON (or {"error": true, …}), one per text, in order.
  Result<std::vector<std::string>> Serialize(const std::vector<std::string>& texts);
  /// The logical type of a text such as "DECIMAL(18,3)"; nullptr if DuckDB does not know it.
  duckdb_logical_type TypeOf(const std::string& text);
};

/// DuckDB's text of a type, as DESCRIBE prints it.
std::string TypeText(duckdb_logical_type type, const Keywords& keywords);

}  // namespace headrace::sql
