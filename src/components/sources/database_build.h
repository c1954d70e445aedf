#pragma once
// What reading a database has in common, whatever the database: the columns against those of the
// last run, rows at or above a cursor, the latest row of a key, merging with what is there, rows
// that were deleted. A database says how its rows are read (DatabaseRows).
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "components/sources/schema_change.h"
#include "pipeline/component.h"

namespace headrace::components {

/// What a database source is told.
struct DatabaseRead {
  bool query = false;  ///< a query and no table
  std::string cursor;  ///< column, "" = none
  std::vector<std::string> key;
  SchemaChange schema_change = SchemaChange::kAdd;
  std::string delete_when;       ///< SQL over the row as it was read; "" = nothing is deleted
  int64_t reconcile_micros = 0;  ///< how often all keys are compared; 0 = never
};

/// How far a source was read, as much as every database has.
struct DatabaseProgress {
  Timestamp reconciled = 0;  ///< when the keys were last compared, or everything was read
};

/// One database within one read transaction. Not thread-safe.
class DatabaseRows {
 public:
  virtual ~DatabaseRows() = default;
  virtual std::vector<std::string> Names() const = 0;  ///< of the columns, in order
  virtual std::string Shown() const = 0;               ///< for people: the file, the connection
  /// The column as an expression over the rows that Read gives.
  virtual std::string Item(const std::string& name) const = 0;
  /// Before everything is read.
  virtual Status PrepareAll() { return Ok(); }
  /// Rows as a relation to be read once. `last`: only those that its cursor does not cover; their
  /// types are those of `stored`.
  virtual Result<data::SourceHandle> ReadAll(data::DuckInstance& instance) = 0;
  virtual Result<data::SourceHandle> ReadNew(data::DuckInstance& instance,
                                             const data::Schema& stored) = 0;
  /// The columns of the key of all rows.
  virtual Result<data::SourceHandle> ReadKeys(data::DuckInstance& instance,
                                              const std::vector<std::string>& key);
  /// A read failed because a value does not fit the type its column was given.
  virtual bool Conflict() const { return false; }
  /// Finds types that fit, after a conflict; false when there are none. Adds notes.
  virtual Result<bool> Widen(std::vector<Error>& notes);
  /// A fault of DuckDB while it read: what it means to the user.
  virtual Error Explain(Error error) const = 0;
  virtual int64_t RowsRead() const = 0;  ///< by the last read
  /// An aggregate over the stored rows that NextCursor needs; "" = none.
  virtual std::string CursorAggregate() const { return ""; }
  /// JSON to be committed with the snapshot.
  virtual Result<std::string> NextCursor(const data::Value& aggregate, bool only_new,
                                         const DatabaseProgress& progress) const = 0;
  /// What is to be said of the rows that were read.
  virtual std::vector<Error> Notes() const { return {}; }
};

/// Types that `columns:` fixes, by column, in DuckDB's spelling. Errors at their place.
Result<std::map<std::string, std::string>> FixedTypes(const spec::NodeSpec& spec);
/// The type of a column among them; "" when it is not fixed.
std::string FixedTypeOf(const std::map<std::string, std::string>& fixed, std::string_view column);

/// What is wrong with a `lookback:` of a source with this cursor.
std::optional<spec::Fault> JudgeLookback(const std::optional<spec::Duration>& lookback,
                                         const std::string& cursor);

/// Builds the node. `last`: what the last run committed, when it was of the same definition and
/// something can be read that is newer. `definition_same`: the columns may be compared with it.
struct DatabaseLast {
  bool comparable = false;   ///< the last run was of the same definition
  bool incremental = false;  ///< and left a cursor
  DatabaseProgress progress;
};
Result<pipeline::Outcome> BuildFromDatabase(const DatabaseRead& read, const DatabaseLast& last,
                                            DatabaseRows& rows, pipeline::BuildContext& context);

}  // namespace headrace::components
