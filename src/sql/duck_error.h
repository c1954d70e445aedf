#pragma once
#include <string_view>

#include "base/error.h"
#include "sql/compose.h"

namespace headrace::sql {

/// Turns an error text of DuckDB (plain, or JSON from `SET errors_as_json=true`) for a text or a
/// composed query into an Error with place, candidates and hint. For errors at run time as well.
Error ExplainDuckError(std::string_view duck_message, const SqlText& text);
Error ExplainDuckError(std::string_view duck_message, const ComposedQuery& query);

}  // namespace headrace::sql
