// .env files (declared in secrets.h).
#include <fmt/format.h>

#include "config/secrets.h"

namespace headrace::config {
namespace {

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNameChar(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

class DotenvParser {
 public:
  DotenvParser(std::string_view text, std::string_view file) : text_(text), file_(file) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  Result<std::vector<DotenvEntry>> Run() {
    std::vector<DotenvEntry> entries;
    while (SkipToEntry()) {
      DotenvEntry entry;
      entry.line = line_;
      if (text_.substr(at_).starts_with("export ") || text_.substr(at_).starts_with("export\t")) {
        at_ += 7;
        SkipBlanks();
      }
      const size_t start = at_;
      while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
      entry.name = std::string(text_.substr(start, at_ - start));
      SkipBlanks();
      if (entry.name.empty() || !IsNameStart(entry.name.front()) || Peek() != '=') {
        return Fault(entry.line, "this line is no NAME=value");
      }
      ++at_;
      SkipBlanks();
      HR_ASSIGN(entry.value, Value(entry.line));
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }

  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t') ++at_;
  }

  bool SkipToEntry() {
    while (at_ < text_.size()) {
      SkipBlanks();
      if (at_ < text_.size() && Peek() != '\n' && Peek() != '\r' && Peek() != '#') return true;
      SkipLine();
    }
    return false;
  }

  void SkipLine() {
    const size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    ++line_;
  }

  Result<std::string> Value(int line) {
    if (Peek() == '"' || Peek() == '\'') return Quoted(line);
    size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view value = text_.substr(at_, end - at_);
    if (value.starts_with('#')) value = {};
    for (const std::string_view comment : {" #", "\t#"})
      value = value.substr(0, value.find(comment));
    while (!value.empty() &&
           (value.back() == ' ' || value.back() == '\t' || value.back() == '\r')) {
      value.remove_suffix(1);
    }
    SkipLine();
    return std::string(value);
  }

  Result<std::string> Quoted(int line) {
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c == '\\' && quote == '"' && at_ < text_.size()) {
        c = text_[at_++];
        const size_t known = std::string_view("nrt\"\\$").find(c);
        if (known == std::string_view::npos) value += '\\';
        if (known != std::string_view::npos) c = "\n\r\t\"\\$"[known];
      }
      value += c;
    }
    if (at_ >= text_.size()) return Fault(line, "the quote that opens here is not closed");
    ++at_;
    SkipBlanks();
    if (Peek() != '\n' && Peek() != '\r' && Peek() != '#') {
      return Fault(line_, "text follows the closing quote");
    }
    SkipLine();
    return value;
  }

  /// Without the line's text: it may hold a secret.
  Error Fault(int line, std::string message) const {
    Place place;
    place.file = std::string(file_);
    place.line = line;
    place.column = 1;
    return UserError("bad_dotenv", std::move(message))
        .At(std::move(place))
        .Hint("write NAME=value, NAME='value' or # a comment");
  }

  std::string_view text_, file_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

Result<std::vector<DotenvEntry>> ParseDotenv(std::string_view text, std::string_view file) {
  return DotenvParser(text, file).Run();
}

}  // namespace headrace::config
