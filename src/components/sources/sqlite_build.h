#pragma once
// Reading a sqlite source into a snapshot.
#include <optional>
#include <string>
#include <vector>

#include "components/sources/sqlite_database.h"
#include "components/sources/sqlite_source.h"
#include "pipeline/component.h"

namespace headrace::components {

/// The database of a source, found through its connection.
struct SqliteTarget {
  std::string path;   ///< absolute
  std::string shown;  ///< as the connection says
  int64_t wait_micros = 5'000'000;
};
/// Errors "unknown_connection", "wrong_connection", "path_outside", unset variables.
Result<SqliteTarget> FindSqlite(const SqliteOptions& options, const pipeline::Project& project,
                                const spec::NodeSpec& spec);

/// The SELECT of the source, without the cursor's condition. Errors: "unknown_table",
/// "bad_query", "unknown_column" (of cursor and key), "duplicate_column", each at its field.
struct SqliteBase {
  std::string select;
  std::vector<SqliteColumn> columns;
};
Result<SqliteBase> FindBase(const SqliteOptions& options, SqliteDatabase& database,
                            const spec::NodeSpec& spec);

/// How far a source was read: the JSON that is committed with the snapshot.
struct SqliteCursor {
  std::string definition;
  SqliteStat stat;
  SqliteStatement::Class value_class = SqliteStatement::Class::kNull;  ///< kNull: none
  std::string value;                                                   ///< as text
  std::string ToJson() const;
  static std::optional<SqliteCursor> FromJson(const std::string& text);
};

Result<pipeline::Outcome> BuildSqlite(const SqliteOptions& options,
                                      pipeline::BuildContext& context);

/// A text cursor moved back by `micros`, in its own format; nullopt when it is no time.
std::optional<std::string> MoveBack(const std::string& time, int64_t micros);

}  // namespace headrace::components
