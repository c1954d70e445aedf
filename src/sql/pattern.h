#pragma once
// Regular expressions as DuckDB reads them (RE2).
#include <string>

#include "base/result.h"
#include "sql/select.h"

namespace headrace::sql {

/// Error "bad_pattern" with what RE2 says; its place is left to the caller.
Status CheckPattern(SqlParser& parser, const std::string& pattern);

}  // namespace headrace::sql
