#include "sql/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "base/text_width.h"
#include "config/params.h"
#include "sql/faults.h"
#include "sql/tree.h"

namespace headrace::sql {
namespace {

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

/// Words that begin a statement other than a SELECT.
bool BeginsOther(const std::string& word) {
  static const std::vector<std::string> words{
      "ABORT",    "ALTER",    "ANALYZE", "ATTACH",  "BEGIN",      "CALL",      "CHECKPOINT",
      "COMMENT",  "COMMIT",   "COPY",    "CREATE",  "DEALLOCATE", "DELETE",    "DESC",
      "DESCRIBE", "DETACH",   "DROP",    "EXECUTE", "EXPLAIN",    "EXPORT",    "FORCE",
      "IMPORT",   "INSERT",   "INSTALL", "LOAD",    "MERGE",      "PRAGMA",    "PREPARE",
      "RESET",    "ROLLBACK", "SET",     "SHOW",    "START",      "SUMMARIZE", "TRUNCATE",
      "UPDATE",   "USE",      "VACUUM"};
  return std::binary_search(words.begin(), words.end(), word);
}

const std::vector<std::string>& ClauseWords() {
  static const std::vector<std::string> words{
      "SELECT", "FROM",   "WHERE",   "GROUP",   "ORDER", "HAVING",    "LIMIT", "JOIN", "UNION",
      "WITH",   "VALUES", "LEFT",    "INNER",   "USING", "DISTINCT",  "CASE",  "WHEN", "THEN",
      "ELSE",   "AND",    "BETWEEN", "QUALIFY", "OVER",  "PARTITION", "WINDOW"};
  return words;
}

/// Bytes that are no text; DuckDB would stop at a NUL and throw at broken UTF-8.
std::optional<Error> CheckBytes(const SqlText& text) {
  for (size_t i = 0; i < text.text.size();) {
    const size_t start = i;
    const char32_t code_point = NextCodePoint(text.text, &i);
    const bool broken = code_point == 0xFFFD && i == start + 1;
    if (!broken && code_point != 0) continue;
    Place place = PlaceOf(text, {start, 0});
    place.source_line.clear();
    return UserError("bad_encoding",
                     broken ? "this is not UTF-8" : "there is a NUL byte in the SQL")
        .At(std::move(place))
        .Hint("save the file as UTF-8 text");
  }
  return std::nullopt;
}

/// The clause that a word near a syntax error may have meant: FORM → FROM.
std::string MeantClause(std::string_view text, const Token& token) {
  if (token.kind != Token::Kind::kWord) return "";
  const std::string word = Upper(TextOf(text, token));
  for (const std::string& clause : ClauseWords()) {
    if (word == clause) return "";
  }
  if (word.size() < 3) return "";
  const int most = word.size() == 3 ? 1 : 2;  // FRM is FROM; of three letters two may be anything
  for (const std::string& meant : Suggest(word, ClauseWords(), 1)) {
    if (EditDistance(word, meant, most) <= most) return meant;
  }
  return "";
}

/// Index of the token that starts at a byte, or of the last one.
size_t TokenAt(const std::vector<Token>& tokens, size_t offset) {
  size_t i = 0;
  while (i + 1 < tokens.size() && tokens[i].span.offset + tokens[i].span.length <= offset) ++i;
  return i;
}

Error ExplainSyntax(const SqlText& text, const std::string& message, size_t offset) {
  const std::vector<Token> tokens = Lex(text.text);
  if (tokens.empty()) return EmptyFault(text);
  if (offset >= text.text.size()) {
    return SyntaxFault(text, {text.text.size(), 0}, CleanMessage(message))
        .Hint("something is missing at the end: a name, a closing bracket or quote?");
  }
  const size_t at = TokenAt(tokens, offset);
  Error error = SyntaxFault(text, tokens[at].span, CleanMessage(message))
                    .Subject(std::string(TextOf(text.text, tokens[at])));
  if (const std::string meant = MeantClause(text.text, tokens[at]); !meant.empty()) {
    return error.Candidates({meant});
  }
  if (message.starts_with("unterminated /*")) return error.Hint("close it with */");
  if (message.starts_with("unterminated")) return error.Hint("close it with the same quote");
  if (text.text.substr(offset).starts_with("{{") || text.text.substr(offset).starts_with("{%")) {
    return error.Hint(
        "SQL has no templates here: write nodes by name after FROM, parameters as $name, and "
        "properties in the .yml beside this file");
  }
  for (size_t back = 1; back <= 2 && back <= at; ++back) {
    const Token& before = tokens[at - back];
    if (const std::string meant = MeantClause(text.text, before); !meant.empty()) {
      return error.Hint(
          fmt::format("is '{}' before it meant to be {}?", TextOf(text.text, before), meant));
    }
  }
  return error;
}

size_t AfterFirstComma(std::string_view text) {
  int depth = 0;
  bool found = false;
  for (const Token& token : Lex(text)) {
    const char c = token.kind == Token::Kind::kSymbol ? text[token.span.offset] : 'a';
    if (found) return token.span.offset;
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    found = c == ',' && depth == 0;
  }
  return 0;
}

/// "Only SELECT statements can be serialized": what stood there instead.
Error ExplainOther(const SqlText& text, const std::vector<Token>& tokens) {
  for (const Token& token : tokens) {
    if (IsWord(text.text, token, "pivot") || IsWord(text.text, token, "pivot_wider")) {
      return PivotWithoutInFault(text, token.span);
    }
  }
  for (const Token& token : tokens) {
    const std::string word = Upper(TextOf(text.text, token));
    if (token.kind == Token::Kind::kWord && BeginsOther(word)) {
      return NotASelectFault(text, token.span, word);
    }
  }
  return NotASelectFault(text, tokens[0].span, Upper(TextOf(text.text, tokens[0])));
}

}  // namespace

std::optional<Error> CheckStatement(const SqlText& text, const std::vector<Token>& tokens) {
  if (auto fault = CheckBytes(text)) return fault;
  const auto is_semicolon = [&](const Token& token) {
    return token.kind == Token::Kind::kSymbol && text.text[token.span.offset] == ';';
  };
  size_t first = 0;
  while (first < tokens.size() && is_semicolon(tokens[first])) ++first;
  if (first == tokens.size()) return EmptyFault(text);
  const std::string word = Upper(TextOf(text.text, tokens[first]));
  if (tokens[first].kind == Token::Kind::kWord && BeginsOther(word)) {
    return NotASelectFault(text, tokens[first].span, word);
  }
  for (size_t i = first; i < tokens.size(); ++i) {
    if (!is_semicolon(tokens[i])) continue;
    for (size_t next = i + 1; next < tokens.size(); ++next) {
      if (!is_semicolon(tokens[next])) return SecondStatementFault(text, tokens[next].span);
    }
  }
  return std::nullopt;
}

std::vector<ParameterUse> FindParameters(const SqlText& text, const std::vector<Token>& tokens,
                                         const SelectRules& rules, std::vector<Error>& faults) {
  std::vector<ParameterUse> uses;
  for (const Token& token : tokens) {
    if (token.kind != Token::Kind::kParameter) continue;
    const std::string written(TextOf(text.text, token));
    const std::string name = Lower(written.substr(1));
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) {
      faults.push_back(PositionalParameterFault(text, token.span, written));
      continue;
    }
    uses.push_back({name, token.span});
    if (!rules.check_parameters) continue;
    const auto& known = rules.parameters;
    if (name == "from" || name == "to") {
      if (!rules.incremental) faults.push_back(IntervalParameterFault(text, token.span, name));
    } else if (name != "run_time" && std::find(known.begin(), known.end(), name) == known.end()) {
      std::vector<std::string> all = known;
      all.push_back("run_time");
      faults.push_back(UnknownParameterFault(text, token.span, name, Suggest(name, all)));
    }
  }
  return uses;
}

std::vector<std::string> DistinctNames(const std::vector<ParameterUse>& parameters) {
  std::vector<std::string> names;
  for (const ParameterUse& use : parameters) names.push_back(use.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const Json* OneExpression(const SqlText& text, const Json& statement, std::vector<Error>& faults) {
  const auto refuse = [&](size_t offset, std::string message, std::string hint) {
    faults.push_back(UserError("not_an_expression", std::move(message))
                         .At(PlaceOf(text, NameSpanAt(text.text, offset)))
                         .Hint(std::move(hint)));
    return nullptr;
  };
  const Json* node = Member(statement, "node");
  const Json* items = node == nullptr ? nullptr : Member(*node, "select_list");
  const Json* from = node == nullptr ? nullptr : Member(*node, "from_table");
  bool clauses = items == nullptr || from == nullptr || TextMember(*from, "type") != "EMPTY";
  for (const char* clause : {"modifiers", "where_clause", "group_expressions", "having", "qualify",
                             "sample", "cte_map"}) {
    clauses = clauses || (node != nullptr && Member(*node, clause) != nullptr);
  }
  if (clauses || items->empty()) {
    return refuse(0, "one expression over the columns of a row is expected, not a query",
                  "write only the condition, for instance: amount > 0 AND plan = 'pro'");
  }
  if (items->size() > 1) {
    return refuse(AfterFirstComma(text.text), "a second expression starts here",
                  "join conditions by AND");
  }
  if (!TextMember((*items)[0], "alias").empty()) {
    return refuse(0,
                  fmt::format("the expression has a name ('{}'), but nothing would use it",
                              TextMember((*items)[0], "alias")),
                  "leave the name out; if it is not meant as one, AND or OR may be missing");
  }
  return &(*items)[0];
}

std::string CleanMessage(std::string_view message) {
  constexpr std::string_view kNear = "syntax error at or near ";
  if (message == "syntax error at end of input") return "the SQL ends too early";
  if (message.starts_with(kNear)) {
    std::string_view what = message.substr(kNear.size());
    if (what.size() >= 2 && what.front() == '"' && what.back() == '"') {
      what = what.substr(1, what.size() - 2);
    }
    return fmt::format("unexpected '{}'", what);
  }
  // DuckDB's advice is a setting, which no project can change.
  if (message.find("ax expression depth limit") != message.npos) {
    return "an expression is nested deeper than 1000 levels; compute parts of it in a CTE";
  }
  std::string clean(message.substr(0, message.find('\n')));
  // What it is near to is underlined.
  if (clean.starts_with("unterminated"))
    clean.erase(std::min(clean.find(" at or near"), clean.size()));
  while (clean.ends_with('!') || clean.ends_with('.') || clean.ends_with(' ')) clean.pop_back();
  // Our messages begin in lower case, but not names such as PIVOT.
  if (clean.size() > 1 && clean[0] >= 'A' && clean[0] <= 'Z' &&
      !(clean[1] >= 'A' && clean[1] <= 'Z')) {
    clean[0] = static_cast<char>(clean[0] - 'A' + 'a');
  }
  return clean;
}

Error ExplainParseError(const SqlText& text, const Json& answer, size_t prefix) {
  const std::string message(TextMember(answer, "error_message"));
  if ((TextMember(answer, "error_type") == "not implemented" &&
       message.find("Only SELECT") != std::string::npos) ||
      message == "A CTE needs a SELECT") {
    return ExplainOther(text, Lex(text.text));
  }
  const std::string_view position = TextMember(answer, "position");
  size_t offset = 0;
  const auto read = std::from_chars(position.data(), position.data() + position.size(), offset);
  if (position.empty() || read.ec != std::errc()) {
    return SyntaxFault(text, {0, 0}, CleanMessage(message));
  }
  return ExplainSyntax(text, message, offset < prefix ? 0 : offset - prefix);
}

}  // namespace headrace::sql
