#include "sql/pattern.h"

#include <string_view>

#include "data/quote.h"
#include "sql/duck_session.h"

namespace headrace::sql {

Status CheckPattern(SqlParser& parser, const std::string& pattern) {
  const std::string query = "SELECT regexp_full_match('', " + data::QuoteLiteral(pattern) + ")";
  TextResult result;
  if (duckdb_query(parser.state().connection.get(), query.c_str(), result.out()) == DuckDBSuccess) {
    return Ok();
  }
  std::string why = result.error();
  why = why.substr(0, why.find('\n'));
  if (const size_t colon = why.find("Error: "); colon != std::string::npos) {
    why = why.substr(colon + 7);
  }
  // Of a serialized exception only what it says.
  constexpr std::string_view kMessage = "\"exception_message\":\"";
  if (const size_t at = why.find(kMessage); at != std::string::npos) {
    why = why.substr(at + kMessage.size());
    why = why.substr(0, why.find_last_of('"'));
  }
  return UserError("bad_pattern", "'" + pattern + "' is no regular expression: " + why)
      .Hint("the syntax is RE2's: no look-around, no back-references");
}

}  // namespace headrace::sql
