// Views have no files: who reads one runs its text as a CTE in front of his own:
//
//   WITH recent AS (              -- the view "recent"
//   SELECT * FROM usage WHERE …
//   )
//   SELECT count(*) FROM recent   -- the node, byte for byte
//
// A text that begins with WITH of its own keeps it: the views are put in front of its first CTE. If
// one of its CTEs is named like a view it needs (WITH recent AS (SELECT * FROM recent …)), two CTEs
// of one WITH would clash, so the whole text goes one level down: WITH recent AS (…) SELECT * FROM
// (text). That form is kept for this case: an outer SELECT gives up the order of the rows.
#include "sql/compose.h"

#include <algorithm>
#include <utility>

#include "data/quote.h"
#include "sql/lexer.h"

namespace headrace::sql {
namespace {

/// The statement in a text: behind semicolons in front of it, before those at its end.
std::pair<size_t, size_t> Body(const SqlText& source) {
  size_t begin = 0;
  for (const Token& token : Lex(source.text)) {
    if (token.kind != Token::Kind::kSymbol || source.text[token.span.offset] != ';') break;
    begin = token.span.offset + 1;
  }
  return {begin, TrimStatement(source.text).size()};
}

/// Where views go in a text, and whether it has CTEs already.
struct Opening {
  bool has_with = false;
  size_t after_with = 0;           // behind WITH [RECURSIVE]
  std::vector<std::string> names;  // of its own top CTEs, lower case
};

Opening FindOpening(std::string_view text) {
  Opening opening;
  const std::vector<Token> tokens = Lex(text);
  if (tokens.empty() || !IsWord(text, tokens[0], "with")) return opening;
  opening.has_with = true;
  size_t i = 1;
  if (i < tokens.size() && IsWord(text, tokens[i], "recursive")) ++i;
  opening.after_with = tokens[i - 1].span.offset + tokens[i - 1].span.length;
  int depth = 0;
  for (; i < tokens.size(); ++i) {
    const char c = text[tokens[i].span.offset];
    const bool symbol = tokens[i].kind == Token::Kind::kSymbol;
    if (symbol && c == '(') ++depth;
    if (symbol && c == ')') --depth;
    // A name of a CTE follows WITH or a comma; taking column lists for names does no harm.
    const bool starts =
        depth == 0 && !symbol &&
        (tokens[i - 1].kind == Token::Kind::kSymbol
             ? text[tokens[i - 1].span.offset] == ','
             : IsWord(text, tokens[i - 1], "with") || IsWord(text, tokens[i - 1], "recursive"));
    if (starts) opening.names.push_back(Lower(NameOf(text, tokens[i])));
  }
  return opening;
}

class Composer {
 public:
  void Add(std::string_view ours) { query_.text += ours; }

  /// Bytes [from, to) of a user's text.
  void AddSource(const SqlText& source, size_t from, size_t to) {
    query_.parts.push_back({query_.text.size(), from, to - from, source});
    query_.text.append(source.text, from, to - from);
  }

  /// name AS (…), …; a line end guards against a comment at the end of a view.
  void AddViews(std::span<const View> views) {
    for (const View& view : views) {
      if (&view != views.data()) Add(", ");
      Add(data::QuoteIdentifier(view.name));
      Add(" AS (");
      const auto [begin, end] = Body(view.text);
      AddSource(view.text, begin, end);
      Add("\n)");
    }
  }

  ComposedQuery Take() { return std::move(query_); }

 private:
  ComposedQuery query_;
};

/// Byte offset of a place (1-based line, column in characters).
size_t OffsetOfPlace(std::string_view text, const Place& place) {
  size_t offset = 0;
  for (int line = 1; line < place.line; ++line) {
    const size_t end = text.find('\n', offset);
    if (end == std::string_view::npos) break;
    offset = end + 1;
  }
  for (int column = 1; column < place.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) {
      ++offset;
    }
  }
  return offset;
}

}  // namespace

std::string_view TrimStatement(std::string_view text) {
  size_t end = 0;
  for (const Token& token : Lex(text)) {
    const bool semicolon = token.kind == Token::Kind::kSymbol && text[token.span.offset] == ';';
    if (!semicolon) end = token.span.offset + token.span.length;
  }
  return text.substr(0, end);
}

ComposedQuery ComposeQuery(const SqlText& node, std::span<const View> views) {
  Composer composer;
  const auto [begin, end] = Body(node);
  if (views.empty()) {
    composer.AddSource(node, begin, end);
    return composer.Take();
  }
  const Opening opening = FindOpening(std::string_view(node.text).substr(begin));
  const bool clash = std::any_of(views.begin(), views.end(), [&](const View& view) {
    const auto& names = opening.names;
    return std::find(names.begin(), names.end(), Lower(view.name)) != names.end();
  });
  if (opening.has_with && !clash) {
    composer.AddSource(node, begin, begin + opening.after_with);
    composer.Add(" ");
    composer.AddViews(views);
    composer.Add(",");
    composer.AddSource(node, begin + opening.after_with, end);
    return composer.Take();
  }
  composer.Add("WITH ");
  composer.AddViews(views);
  composer.Add(clash ? "\nSELECT * FROM (" : "\n");
  composer.AddSource(node, begin, end);
  if (clash) composer.Add("\n)");
  return composer.Take();
}

Place ComposedQuery::PlaceAt(size_t offset, size_t length) const {
  for (const ComposedPart& part : parts) {
    if (offset >= part.offset && offset < part.offset + part.length) {
      return PlaceOf(part.source, {part.source_offset + offset - part.offset, length});
    }
  }
  return parts.empty() ? Place() : PlaceOf(parts.back().source, {0, 0});
}

Error PlaceError(Error error, const ComposedQuery& query) {
  const Place& place = error.place;
  if (place.line == 0) {
    if (!query.parts.empty()) {
      const SqlText& node = query.parts.back().source;
      if (error.place.file.empty()) error.place.file = node.file;
      if (error.place.node.empty()) error.place.node = node.node;
    }
    return error;
  }
  const size_t offset = OffsetOfPlace(query.text, place);
  const size_t length = static_cast<size_t>(std::max(place.length, 1));
  std::string rows = place.rows;
  error.place = query.PlaceAt(offset, length);
  error.place.rows = std::move(rows);
  return error;
}

}  // namespace headrace::sql
