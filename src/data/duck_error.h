#pragma once
// DuckDB's error texts as Errors. Internal to src/data.
#include <string_view>

#include "base/error.h"

namespace headrace::data::internal {

struct ErrorContext {
  std::string_view sql;     ///< the whole text that was given to DuckDB
  size_t prefix_bytes = 0;  ///< bytes of it in front of the user's text
  bool sealed = false;
  bool running = false;  ///< false while preparing: faults of values stand in the text then
};

/// `text`: what duckdb_result_error or duckdb_prepare_error returned, with errors_as_json on.
Error ErrorFromDuck(std::string_view text, const ErrorContext& context);

}  // namespace headrace::data::internal
