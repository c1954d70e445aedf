#pragma once
// The words of an SQL text. DuckDB parses; this only finds where things stand that its tree gives
// no position for (parameters, statements, names in EXCLUDE), and hides comments.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/text.h"

namespace headrace::sql {

struct Token {
  enum class Kind { kWord, kQuoted, kString, kNumber, kParameter, kSymbol };
  Kind kind = Kind::kSymbol;
  Span span;
};

/// Tokens in order, without blanks and comments. An unterminated string or comment ends the text.
/// At most `most` of them.
std::vector<Token> Lex(std::string_view text, size_t most = SIZE_MAX);

inline std::string_view TextOf(std::string_view text, const Token& token) {
  return text.substr(token.span.offset, token.span.length);
}
/// Without regard to ASCII case; only words match.
bool IsWord(std::string_view text, const Token& token, std::string_view word);
/// The name a word or quoted identifier stands for: a"b for "a""b"; the content of a string.
std::string NameOf(std::string_view text, const Token& token);
std::string Lower(std::string_view text);

/// The text with every Unicode blank and byte order mark outside of strings and quoted names
/// replaced by as many ASCII blanks as it has bytes: DuckDB would shift positions.
std::string WithAsciiBlanks(std::string_view text);

/// The (dotted) name or the single token that starts at `offset`: main.customers, "a b".
Span NameSpanAt(std::string_view text, size_t offset);

}  // namespace headrace::sql
