#pragma once
// What checks have in common: columns that must exist, and the words for how many values are wrong.
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/check.h"

namespace headrace::components {

/// Where a check stands: for places and messages of its faults.
struct CheckSite {
  explicit CheckSite(const pipeline::CheckContext& context)
      : node(context.node), ref(*context.ref) {}
  std::string node;
  spec::ComponentRef ref;

  /// A fault at a field of the check ("columns[1]", "min"); at the check when it has no such field.
  Error Fault(std::string code, std::string message, const std::string& field) const;
};

/// The columns, nullptr for those that don't exist: each is a fault with near names. Empty when
/// `schema` is null.
std::vector<const data::Column*> LintColumns(const CheckSite& site,
                                             const std::vector<std::string>& columns,
                                             const std::string& field, const data::Schema* schema,
                                             Diagnostics& diagnostics);

/// "1 value is", "3 values are".
std::string Values(int64_t n);
std::string RowsBreak(int64_t n);  ///< "1 row breaks", "3 rows break"

/// SQL of "minutes 2000 is not …": the column's name, the row's value, `rest`.
std::string ReasonSql(const std::string& column, const std::string& rest);

/// SQL of a sample: the most frequent values of `columns` (SQL) among the rows where `bad`.
std::string FrequentSql(const std::string& columns, const std::string& table,
                        const std::string& bad);

/// A YAML scalar as people wrote it, and as SQL literal.
std::string Shown(const spec::Value& value);
std::string SqlLiteral(const spec::Value& value);

/// Why values of a column of this type can't be compared with this value; "" = they can.
std::string WhyNotComparable(const data::Column& column, const spec::Value& value);

}  // namespace headrace::components
