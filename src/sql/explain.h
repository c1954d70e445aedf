#pragma once
// DuckDB's complaints about names and types, in the project's words.
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sql/text.h"

namespace headrace::sql {

/// What the complaining query could see.
struct BindContext {
  /// "customers" → its columns; nodes, or "row" for an expression.
  std::vector<std::pair<std::string, std::vector<std::string>>> tables;
  /// Names of all nodes, for "did you mean"; asked only when one is unknown.
  std::function<std::vector<std::string>()> nodes;
  /// Bytes that stood in front of the text in what DuckDB was given.
  size_t prefix = 0;
  bool row = false;  ///< an expression over one row: there is no FROM
};

/// `duck_message`: what duckdb_prepare_error gave, with errors_as_json on.
Error ExplainBindError(std::string_view duck_message, const SqlText& text,
                       const BindContext& context);

Error UnknownNodeFault(const SqlText& text, Span span, const std::string& name,
                       const std::vector<std::string>& nodes);

}  // namespace headrace::sql
