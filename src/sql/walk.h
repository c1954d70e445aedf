#pragma once
// Reads the facts out of a syntax tree.
#include <string>
#include <vector>

#include "base/json.h"
#include "sql/functions.h"
#include "sql/select.h"

namespace headrace::sql {

/// What a tree says; members as in ParsedSelect and ParsedExpression.
struct Facts {
  std::vector<NameUse> tables;
  std::vector<NameUse> columns;
  std::vector<FunctionUse> functions;
  std::vector<DoubleSum> sums;
  bool uses_volatile = false;
  std::vector<Error> faults;
  std::vector<Error> hints;
};

struct WalkOptions {
  const SelectRules* rules = nullptr;
  const FunctionCatalog* functions = nullptr;
  /// Bytes in front of the user's text in what DuckDB parsed ("SELECT " of an expression).
  size_t prefix = 0;
  /// An expression over one row: no subqueries, aggregates, windows, stars.
  bool expression = false;
};

/// `statement` is one entry of "statements" in DuckDB's answer.
Facts Walk(const Json& statement, const SqlText& text, const WalkOptions& options);

}  // namespace headrace::sql
