#include "sql/lexer.h"

#include <algorithm>

namespace headrace::sql {
namespace {

bool IsAsciiSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool StartsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool ContinuesWord(char c) { return StartsWord(c) || IsDigit(c) || c == '$'; }

/// Bytes of the Unicode blank at `text[i]`, 0 if there is none.
size_t UnicodeBlank(std::string_view text, size_t i) {
  const std::string_view rest = text.substr(i, 3);
  if (rest.starts_with("\xC2\xA0")) return 2;
  if (rest.size() < 3) return 0;
  if (rest == "\xEF\xBB\xBF" || rest == "\xE3\x80\x80" || rest == "\xE1\x9A\x80") return 3;
  if (rest == "\xE2\x80\xAF" || rest == "\xE2\x81\x9F") return 3;
  const auto last = static_cast<unsigned char>(rest[2]);
  return rest.starts_with("\xE2\x80") && last >= 0x80 && last <= 0x8B ? 3 : 0;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Token> Run(size_t most) {
    std::vector<Token> tokens;
    while (tokens.size() < most && SkipBlanks()) {
      const size_t start = i_;
      const Token::Kind kind = Next();
      tokens.push_back({kind, {start, i_ - start}});
    }
    return tokens;
  }

 private:
  char At(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  /// False at the end of the text.
  bool SkipBlanks() {
    while (i_ < text_.size()) {
      if (IsAsciiSpace(text_[i_])) {
        ++i_;
      } else if (const size_t bytes = UnicodeBlank(text_, i_)) {
        i_ += bytes;
      } else if (At(i_) == '-' && At(i_ + 1) == '-') {
        i_ = std::min(text_.find('\n', i_), text_.size());
      } else if (At(i_) == '/' && At(i_ + 1) == '*') {
        SkipBlockComment();
      } else {
        return true;
      }
    }
    return false;
  }

  void SkipBlockComment() {  // they nest
    int depth = 0;
    while (i_ < text_.size()) {
      if (At(i_) == '/' && At(i_ + 1) == '*') {
        ++depth;
        i_ += 2;
      } else if (At(i_) == '*' && At(i_ + 1) == '/') {
        i_ += 2;
        if (--depth == 0) return;
      } else {
        ++i_;
      }
    }
  }

  Token::Kind Next() {
    const char c = text_[i_];
    if (c == '\'') return SkipQuoted('\'', false), Token::Kind::kString;
    if (c == '"') return SkipQuoted('"', false), Token::Kind::kQuoted;
    if ((c == 'e' || c == 'E') && At(i_ + 1) == '\'') {
      ++i_;
      return SkipQuoted('\'', true), Token::Kind::kString;
    }
    if (c == '$') return Dollar();
    if (c == '?') return ++i_, Token::Kind::kParameter;
    if (IsDigit(c) || (c == '.' && IsDigit(At(i_ + 1)))) return Number();
    if (StartsWord(c)) {
      while (i_ < text_.size() && ContinuesWord(text_[i_]) && UnicodeBlank(text_, i_) == 0) ++i_;
      return Token::Kind::kWord;
    }
    ++i_;
    return Token::Kind::kSymbol;
  }

  void SkipQuoted(char quote, bool backslash) {
    ++i_;
    while (i_ < text_.size()) {
      if (backslash && text_[i_] == '\\') {
        i_ = std::min(i_ + 2, text_.size());
      } else if (text_[i_] != quote) {
        ++i_;
      } else if (At(i_ + 1) == quote) {
        i_ += 2;
      } else {
        ++i_;
        return;
      }
    }
  }

  /// $name, $1, or a string in dollar quotes: $$it's$$, $tag$…$tag$.
  Token::Kind Dollar() {
    size_t end = i_ + 1;
    while (end < text_.size() && text_[end] != '$' && ContinuesWord(text_[end])) ++end;
    const bool tag = At(end) == '$' && !IsDigit(At(i_ + 1));
    if (!tag) {
      i_ = end;
      return Token::Kind::kParameter;
    }
    const std::string_view quote = text_.substr(i_, end + 1 - i_);
    const size_t close = text_.find(quote, end + 1);
    i_ = close == std::string_view::npos ? text_.size() : close + quote.size();
    return Token::Kind::kString;
  }

  Token::Kind Number() {
    while (i_ < text_.size()) {
      const char c = text_[i_];
      const bool sign = (c == '+' || c == '-') && (text_[i_ - 1] == 'e' || text_[i_ - 1] == 'E');
      if (!IsDigit(c) && !StartsWord(c) && c != '.' && !sign) break;
      ++i_;
    }
    return Token::Kind::kNumber;
  }

  std::string_view text_;
  size_t i_ = 0;
};

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::vector<Token> Lex(std::string_view text, size_t most) { return Scanner(text).Run(most); }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), LowerAscii);
  return lower;
}

bool IsWord(std::string_view text, const Token& token, std::string_view word) {
  return token.kind == Token::Kind::kWord && Lower(TextOf(text, token)) == word;
}

std::string NameOf(std::string_view text, const Token& token) {
  std::string_view written = TextOf(text, token);
  const char quote = written.empty() ? '\0' : written[0];
  if (quote != '"' && quote != '\'') return std::string(written);
  std::string name;
  for (size_t i = 1; i + 1 < written.size(); ++i) {
    name += written[i];
    if (written[i] == quote) ++i;
  }
  return name;
}

std::string WithAsciiBlanks(std::string_view text) {
  std::string result(text);
  size_t from = 0;
  const auto blank = [&](size_t to) {
    for (size_t i = from; i < to;) {
      const size_t bytes = UnicodeBlank(text, i);
      std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(i), bytes, ' ');
      i += std::max<size_t>(bytes, 1);
    }
  };
  if (std::none_of(text.begin(), text.end(),
                   [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return result;
  }
  for (const Token& token : Lex(text)) {
    blank(token.span.offset);
    from = token.span.offset + token.span.length;
  }
  blank(text.size());
  return result;
}

Span NameSpanAt(std::string_view text, size_t offset) {
  if (offset >= text.size()) return {offset, 0};
  const std::vector<Token> tokens = Lex(text.substr(offset), 8);  // catalog.schema.table and one
  if (tokens.empty() || tokens[0].span.offset != 0) return {offset, 1};
  const auto is_name = [](const Token& token) {
    return token.kind == Token::Kind::kWord || token.kind == Token::Kind::kQuoted;
  };
  size_t end = tokens[0].span.length;
  if (!is_name(tokens[0])) return {offset, end};
  for (size_t i = 1; i + 1 < tokens.size(); i += 2) {
    if (text[offset + tokens[i].span.offset] != '.' || !is_name(tokens[i + 1])) break;
    end = tokens[i + 1].span.offset + tokens[i + 1].span.length;
  }
  return {offset, end};
}

}  // namespace headrace::sql
