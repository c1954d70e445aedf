#pragma once
// What becomes of a source's table when its columns are others than at the last run.
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/types.h"
#include "spec/type_ops.h"

namespace headrace::components {

/// What may change in the columns of a source between two runs.
enum class SchemaChange {
  kAdd,     ///< new columns are added; a dropped or renamed one is an error
  kFail,    ///< any change is an error
  kIgnore,  ///< the table keeps its columns: new ones are left out, dropped ones become NULL
};
const spec::Options& SpecOptions(SchemaChange*);

struct ColumnDiff {
  struct Retyped {
    std::string name, from, to;
  };
  std::vector<std::string> gone, added;  ///< added: with its type behind it, where it is known
  std::vector<Retyped> retyped;
  bool empty() const { return gone.empty() && added.empty() && retyped.empty(); }
};
/// Without regard to case and order.
ColumnDiff CompareColumnNames(const std::vector<std::string>& old,
                              const std::vector<std::string>& now);

/// The same with types.
ColumnDiff CompareColumnTypes(const data::Schema& old, const data::Schema& now);

/// Error "schema_changed" (blame data) at `place` when the difference is not allowed; else a note
/// for people, nullopt when nothing changed.
Result<std::optional<Error>> JudgeColumnDiff(const ColumnDiff& diff, SchemaChange allowed,
                                             const std::string& node, const Place& place);

}  // namespace headrace::components
