#pragma once
// What may be called: DuckDB's own catalogue of functions, corrected by a table.
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::sql {

/// Why a function is not allowed.
enum class FunctionFault {
  kNone,
  kTime,       ///< reads the clock; fine with `volatile: true`
  kRandom,     ///< fine with `volatile: true`
  kSession,    ///< depends on session or server
  kSetting,    ///< reads or changes settings, sequences, the environment
  kHiddenSql,  ///< runs SQL that stands in a string
};

/// Fault of a scalar or aggregate function or of a name that SQL reads as a function without
/// parentheses (current_date). `arguments`: how many it is called with.
FunctionFault FaultOf(std::string_view name, size_t arguments);
/// True for current_date and the like; only names that nobody gives a column.
bool IsPseudoColumn(std::string_view name);

/// What stands behind a table function's name, for the hint.
enum class TableFunctionKind { kAllowed, kFile, kDatabase, kCatalog, kHiddenSql, kOther };
TableFunctionKind KindOfTableFunction(std::string_view name);
/// Sorted names of the whitelist.
const std::vector<std::string>& AllowedTableFunctions();

/// Why the result of an aggregate or window function may differ between runs; empty if it can't.
std::string_view OrderDependence(std::string_view name);
/// Aggregates of doubles whose last digits depend on the order of rows: sum, avg, stddev …
bool AddsDoubles(std::string_view name);

/// Functions in whose arguments x -> … is a lambda; elsewhere it is the arrow of JSON.
bool TakesLambda(std::string_view name);

/// The functions DuckDB has. Built by SqlParser::Open from duckdb_functions().
class FunctionCatalog {
 public:
  enum Kind : unsigned { kScalar = 1, kAggregate = 2, kMacro = 4, kVolatile = 8 };

  void Add(std::string_view name, std::string_view type, std::string_view stability);
  /// Kinds as bits, 0 for an unknown function. `name` in lower case.
  unsigned KindsOf(std::string_view name) const;
  std::vector<std::string> Suggest(std::string_view name) const;

 private:
  std::map<std::string, unsigned, std::less<>> kinds_;
};

}  // namespace headrace::sql
