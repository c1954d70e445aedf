// The parser names what its grammar expected; people need the usual slip behind it. A table maps
// its words to ours; before it, a few slips are recognised by looking at the line itself, since
// the parser notices them late (often a line below, or only as a "multiline key").
#include "yaml/syntax_errors.h"

#include <fmt/format.h>

#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "yaml/text.h"

namespace headrace::yaml {
namespace {

struct Words {
  std::string_view part;  ///< of the parser's words
  std::string_view message, hint;
};

constexpr Words kWords[] = {
    {"tab character", "a tab is used as indentation", "indent with blanks"},
    {"without a closing bracket", "a '[' is not closed", "add ']' where the list ends"},
    {"without a closing brace", "a '{' is not closed", "add '}' where the map ends"},
    {"missing comma in flow mapping", "a ',' or '}' is missing here",
     "separate the entries by commas; quote a text that holds ',' '{' '}' or ': '"},
    {"missing comma in flow sequence", "a ',' or ']' is missing here",
     "separate the items by commas; quote a text that holds ',' '[' ']' or ': '"},
    {"double-quoted scalar without closing quote", "the quote that opens here is not closed",
     "add '\"' at its end"},
    {"single-quoted scalar without closing quote", "the quote that opens here is not closed",
     "add ' at its end; a ' inside is written as ''"},
    {"indented double-quoted scalar", "the quote that opens here is not closed on its line",
     "add '\"' at its end"},
    {"indented single-quoted scalar", "the quote that opens here is not closed on its line",
     "add ' at its end; a ' inside is written as ''"},
    {"invalid escape", "there is no such escape in double quotes",
     "write \\\\ for a backslash, or use single quotes"},
    {"cannot start with", "an unquoted text can't start with this character",
     "put the text in quotes"},
    {"nested block mapping on the same line", "a second ': ' on this line",
     "put a value that holds ': ' in quotes"},
    {"trailing content after double-quoted", "text follows the closing quote",
     "put the whole value in single quotes: '\"a\" b'"},
    {"trailing content after single-quoted", "text follows the closing quote",
     "put the whole value in double quotes: \"'a' b\""},
    {"block sequence on the same line", "a list that starts on the line of its key",
     "start it on the next line, or write [a, b]"},
    {"extra closing brace", "a '}' that closes nothing", "remove it, or quote the text"},
    {"extra closing bracket", "a ']' that closes nothing", "remove it, or quote the text"},
    {"wrong indendation in sequence", "this line is indented differently from the list it is in",
     "line the '-' up with those above"},
    {"invalid multiline plain key", "a text that runs over lines can't be a key",
     "check the ':' and the indentation of this line and the next"},
    {"invalid mapping in plain multiline", "this line doesn't fit the indentation above",
     "line it up with the keys of the same map"},
    {"invalid value after mapping", "this line is neither 'key: value' nor part of the value above",
     "write 'key: value'; indent the lines of a longer text"},
};

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

Error At(const Source& source, size_t begin, size_t end, std::string message, std::string hint) {
  return UserError("bad_yaml", std::move(message))
      .At(PlaceOf(&source, MarkOf(source, begin, end)))
      .Hint(std::move(hint));
}

/// `key:value` without the blank. `begin` is the line's first byte.
std::optional<Error> MissingBlank(const Source& source, int line) {
  const std::string_view text = source.Line(line);
  size_t i = text.find_first_not_of(" -");
  const size_t key = i;
  while (i < text.size() && IsWord(text[i])) ++i;
  if (i == key || i + 1 >= text.size() || text[i] != ':' || text[i + 1] == ' ') return std::nullopt;
  const size_t begin = source.line_starts[static_cast<size_t>(line) - 1];
  return At(source, begin + key, begin + i + 2, "a blank is missing after ':'",
            fmt::format("write '{}: {}'", text.substr(key, i - key),
                        text.substr(i + 1, text.find_first_of(" #", i + 1) - i - 1)));
}

/// `{uri: ${X}}`: the parser takes the inner { for a map.
std::optional<Error> BareVariable(const Source& source, int line) {
  const std::string_view text = source.Line(line);
  size_t at = text.find("${");
  for (; at != std::string_view::npos; at = text.find("${", at + 1)) {
    size_t quotes = 0;
    for (size_t i = 0; i < at; ++i) quotes += text[i] == '"' || text[i] == '\'';
    if (quotes % 2 == 0 && text.find_first_of("{[") < at) break;
  }
  if (at == std::string_view::npos) return std::nullopt;
  const size_t end = std::min(text.find('}', at), text.size() - 1) + 1;
  const size_t begin = source.line_starts[static_cast<size_t>(line) - 1];
  return At(source, begin + at, begin + end, "${…} inside { } or [ ] must be quoted",
            fmt::format("write \"{}\"", text.substr(at, end - at)));
}

/// A tab in the indentation of a line.
std::optional<Error> TabIndent(const Source& source, int line) {
  const std::string_view text = source.Line(line);
  const size_t first = text.find_first_not_of(" \t");
  const size_t tab = text.find('\t');
  if (tab == std::string_view::npos || tab > first) return std::nullopt;
  const size_t begin = source.line_starts[static_cast<size_t>(line) - 1] + tab;
  return At(source, begin, begin + 1, "a tab is used as indentation", "indent with blanks");
}

/// A key that is indented deeper than the complete `key: value` above it.
std::optional<Error> DeeperThanValue(const Source& source, int line) {
  const std::string_view above = source.Line(line), below = source.Line(line + 1);
  const size_t a = above.find_first_not_of(' '), b = below.find_first_not_of(' ');
  const size_t colon = above.find(": ");
  if (a == std::string_view::npos || b == std::string_view::npos || b <= a) return std::nullopt;
  if (colon == std::string_view::npos || below.find(':') == std::string_view::npos) {
    return std::nullopt;
  }
  const size_t begin = source.line_starts[static_cast<size_t>(line)] + b;
  return At(source, begin, begin + below.size() - b,
            "this line is indented deeper, but the key above has its value already",
            "line it up with the key above");
}

/// The byte of the innermost bracket that is open at `until`; quotes and comments are skipped. A
/// quote counts only where a value can start, so an apostrophe inside a text is none.
std::optional<size_t> OpenBracket(std::string_view text, size_t until) {
  std::vector<size_t> open;
  char last = '\n';  // the last character that is no blank
  for (size_t i = 0; i < std::min(until, text.size()); ++i) {
    const char c = text[i];
    const bool starts_value = std::string_view(":,[{-\n").find(last) != std::string_view::npos;
    if ((c == '"' || c == '\'') && starts_value) {
      i = text.find(c, i + 1);
      if (i == std::string_view::npos) break;
    } else if (c == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n')) {
      i = std::min(text.find('\n', i), text.size());
    } else if ((c == '[' || c == '{') && (starts_value || !open.empty())) {
      open.push_back(i);
    } else if ((c == ']' || c == '}') && !open.empty()) {
      open.pop_back();
    }
    if (c != ' ') last = c;
  }
  if (open.empty()) return std::nullopt;
  return open.back();
}

/// The parser notices an open bracket at the next line or at the end of the file.
std::optional<Error> Unclosed(const Source& source, int line, int column) {
  const size_t index = static_cast<size_t>(line) - 1;
  if (line < 1 || index >= source.line_starts.size()) return std::nullopt;
  const std::string_view text = source.Line(line);
  const size_t first = text.find_first_not_of(' ');
  if (first != std::string_view::npos && first + 1 < static_cast<size_t>(column)) {
    return std::nullopt;
  }
  const auto at = OpenBracket(source.text, source.line_starts[index]);
  if (!at) return std::nullopt;
  const bool list = source.text[*at] == '[';
  return At(source, *at, *at + 1,
            fmt::format("the '{}' that opens here is not closed", source.text[*at]),
            list ? "add ']' where the list ends" : "add '}' where the map ends");
}

std::optional<Error> Recognise(const Source& source, std::string_view words, int line, int column) {
  if (words.find("flow") != std::string_view::npos ||
      words.find("missing comma") != std::string_view::npos) {
    if (auto error = BareVariable(source, line)) return error;
    if (words.find("extra closing") == std::string_view::npos) {
      if (auto error = Unclosed(source, line, column)) return error;
    }
  }
  if (words.find("plain") != std::string_view::npos ||
      words.find("after mapping") != std::string_view::npos) {
    for (int at : {line, line + 1}) {
      if (auto error = TabIndent(source, at)) return error;
    }
    for (int at : {line, line - 1}) {
      if (auto error = MissingBlank(source, at)) return error;
    }
    if (auto error = DeeperThanValue(source, line)) return error;
  }
  return std::nullopt;
}

}  // namespace

Error SyntaxError(const Source& source, std::string_view words, int line, int column) {
  if (auto error = Recognise(source, words, line, column)) return *std::move(error);
  Mark mark{line, column, 1};
  if (line < 1 || static_cast<size_t>(line) > source.line_starts.size()) mark = {1, 1, 1};
  for (const Words& known : kWords) {
    if (words.find(known.part) == std::string_view::npos) continue;
    return UserError("bad_yaml", std::string(known.message))
        .At(PlaceOf(&source, mark))
        .Hint(std::string(known.hint));
  }
  return UserError("bad_yaml", "not valid YAML: " + std::string(words))
      .At(PlaceOf(&source, mark))
      .Hint("if it is text, put it in quotes");
}

}  // namespace headrace::yaml
