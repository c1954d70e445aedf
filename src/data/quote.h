#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace headrace::data {

/// "a""b": a name as SQL text; always quoted.
std::string QuoteIdentifier(std::string_view name);
/// 'it''s': a text as SQL literal.
std::string QuoteLiteral(std::string_view text);
/// "a", "b": names as SQL text, separated by ", ".
std::string QuoteIdentifiers(const std::vector<std::string>& names);

/// A statement without the semicolon at its end and what follows it, so that it can stand in
/// parentheses. Sees strings, quoted names and comments for what they are.
std::string_view WithoutSemicolon(std::string_view sql);

}  // namespace headrace::data
