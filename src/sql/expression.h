#pragma once
// SQL expressions over one row: a check's `expression`, an action's `where`.
#include <span>
#include <string>
#include <vector>

#include "sql/describe.h"
#include "sql/select.h"

namespace headrace::sql {

/// One scalar expression. Plain data.
struct ParsedExpression {
  std::vector<NameUse> columns;           ///< every mention, in order; lambda parameters left out
  std::vector<std::string> column_names;  ///< lower case, each once, sorted
  std::vector<ParameterUse> parameters;
  std::vector<std::string> parameter_names;  ///< each once, sorted
  std::vector<FunctionUse> functions;
  Hash128 canonical;          ///< as ParsedSelect::canonical
  std::vector<Error> faults;  ///< all at once

  bool ok() const { return faults.empty(); }
};

/// Parses expressions in few queries. Refused with a fault: subqueries, aggregates, window
/// functions, `*`, several expressions, an alias, and everything a node's SELECT refuses. `rules`
/// as in SqlParser::ParseSelects.
std::vector<ParsedExpression> ParseExpressions(SqlParser& parser, std::span<const SqlText> texts,
                                               std::span<const SelectRules> rules = {});
ParsedExpression ParseExpression(SqlParser& parser, const SqlText& text,
                                 const SelectRules& rules = AnyParameters());

/// The type (DuckDB's name) of an expression over a row of schema `row`; errors have places and
/// candidates. `expression` is the parse of `text` and must be ok().
Result<std::string> DescribeExpression(SchemaCatalog& catalog, const SqlText& text,
                                       const data::Schema& row,
                                       const data::Parameters& parameters = {});
/// As above, and the type must be BOOLEAN: error "not_boolean" else.
Status CheckBoolean(SchemaCatalog& catalog, const SqlText& text, const data::Schema& row,
                    const data::Parameters& parameters = {});

}  // namespace headrace::sql
