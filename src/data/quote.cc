#include "data/quote.h"

#include <cctype>

namespace headrace::data {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

// Behind the token that starts at `at`: a string, a quoted name, a comment, or one character.
size_t SkipToken(std::string_view sql, size_t at) {
  auto behind = [&](std::string_view end, size_t from) {
    size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  char c = sql[at];
  if (c == '\'' || c == '"') return behind(std::string_view(&c, 1), at + 1);
  if (sql.substr(at, 2) == "--") return behind("\n", at);
  if (sql.substr(at, 2) == "/*") {
    int depth = 0;
    for (; at < sql.size(); ++at) {
      if (sql.substr(at, 2) == "/*") ++depth, ++at;
      if (sql.substr(at, 2) == "*/" && --depth == 0) return at + 2;
    }
    return at;
  }
  if (c == '$') {  // $tag$ … $tag$; a parameter is $name without a second $
    size_t end = at + 1;
    while (end < sql.size() &&
           (std::isalnum(static_cast<unsigned char>(sql[end])) != 0 || sql[end] == '_')) {
      ++end;
    }
    if (end < sql.size() && sql[end] == '$') return behind(sql.substr(at, end + 1 - at), end + 1);
  }
  return at + 1;
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::string_view WithoutSemicolon(std::string_view sql) {
  size_t cut = sql.size();
  for (size_t at = 0; at < sql.size();) {
    size_t next = SkipToken(sql, at);
    bool comment = sql.substr(at, 2) == "--" || sql.substr(at, 2) == "/*";
    if (sql[at] == ';') {
      if (cut == sql.size()) cut = at;
    } else if (!comment && !IsBlank(sql[at])) {
      cut = sql.size();
    }
    at = next;
  }
  return sql.substr(0, cut);
}

std::string QuoteIdentifier(std::string_view name) { return Quoted(name, '"'); }

std::string QuoteLiteral(std::string_view text) { return Quoted(text, '\''); }

std::string QuoteIdentifiers(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ", ";
    out += QuoteIdentifier(name);
  }
  return out;
}

}  // namespace headrace::data
