#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace headrace::sql {

enum class ParameterType { kBool, kInt64, kDouble, kString, kDate, kTimestamp };

/// A named parameter that SQL may use as `$name`.
struct Parameter {
  std::string name;
  ParameterType type = ParameterType::kString;
};

/// DuckDB's name of the type: "BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP".
std::string_view SqlTypeName(ParameterType type);

/// `$from`, `$to` (bounds of an incremental node's interval) and `$run_time`: no project parameter
/// may have such a name. All are timestamps (UTC).
bool IsReservedParameter(std::string_view name);
const std::vector<Parameter>& ReservedParameters();

}  // namespace headrace::sql
