#pragma once
// What can be said of a text before and after DuckDB parses it: is it one SELECT, where are its
// parameters, what does DuckDB's complaint mean.
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "sql/lexer.h"
#include "sql/select.h"

namespace headrace::sql {

/// The fault of a text that is not one statement that begins like a SELECT.
std::optional<Error> CheckStatement(const SqlText& text, const std::vector<Token>& tokens);

/// The parameters of a text and their faults.
std::vector<ParameterUse> FindParameters(const SqlText& text, const std::vector<Token>& tokens,
                                         const SelectRules& rules, std::vector<Error>& faults);
std::vector<std::string> DistinctNames(const std::vector<ParameterUse>& parameters);

/// The fault behind json_serialize_sql's {"error": true, …}. `prefix`: bytes that stood in front of
/// the text.
Error ExplainParseError(const SqlText& text, const Json& answer, size_t prefix);

/// The faults of a text that should be one expression and stood behind "SELECT "; null if it is
/// none, else the one item of its SELECT.
const Json* OneExpression(const SqlText& text, const Json& statement, std::vector<Error>& faults);
/// What DuckDB is given in front of an expression.
inline constexpr std::string_view kExpressionPrefix = "SELECT ";

/// `message` of DuckDB as one sentence in our words: "unexpected 'from'".
std::string CleanMessage(std::string_view message);

}  // namespace headrace::sql
