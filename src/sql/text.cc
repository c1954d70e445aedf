#include "sql/text.h"

#include <algorithm>

namespace headrace::sql {
namespace {

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

/// Characters (code points) of UTF-8.
int CountCharacters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), StartsCharacter));
}

/// The byte at which the `characters`-th (0-based) character starts.
size_t ByteOfCharacter(std::string_view text, int characters) {
  size_t i = 0;
  while (i < text.size() && characters > 0) {
    ++i;
    while (i < text.size() && !StartsCharacter(text[i])) ++i;
    --characters;
  }
  return i;
}

struct LinePart {
  int number = 0;         // 0-based
  std::string_view line;  // without the line end
  size_t offset_in_line = 0;
};

LinePart FindLine(std::string_view text, size_t offset) {
  LinePart part;
  size_t start = 0;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++part.number;
      start = i + 1;
    }
  }
  size_t end = text.find('\n', start);
  if (end == std::string_view::npos) end = text.size();
  if (end > start && text[end - 1] == '\r') --end;
  part.line = text.substr(start, end - start);
  part.offset_in_line = std::min(offset - start, part.line.size());
  return part;
}

/// Moves a scalar's place to where its first line stands in the source line (behind quotes); false
/// if it is not there as it is.
bool FindInline(const SqlText& text, Place& place, size_t& byte) {
  const std::string_view source = place.source_line;
  const std::string_view first = FindLine(text.text, 0).line;
  if (first.empty()) return false;
  byte = source.find(first, ByteOfCharacter(source, std::max(0, place.column - 1)));
  return byte != std::string_view::npos;
}

bool IsBlockScalar(const Place& place) {
  const size_t byte = ByteOfCharacter(place.source_line, std::max(0, place.column - 1));
  return byte < place.source_line.size() &&
         (place.source_line[byte] == '|' || place.source_line[byte] == '>');
}

}  // namespace

Place PlaceOf(const SqlText& text, Span span) {
  const std::string_view whole = text.text;
  size_t offset = std::min(span.offset, whole.size());
  // "Unexpected end" points behind the last visible character, not at an empty line.
  if (offset >= whole.size()) {
    const size_t last = whole.find_last_not_of(" \t\r\n");
    offset = last == std::string_view::npos ? 0 : last;
    while (offset > 0 && !StartsCharacter(whole[offset])) --offset;
    span.length = 0;
  }
  const LinePart part = FindLine(whole, offset);
  const std::string_view marked = part.line.substr(part.offset_in_line, span.length);
  Place place = text.origin;
  if (!text.file.empty()) place.file = text.file;
  if (!text.node.empty()) place.node = text.node;
  const int column = CountCharacters(part.line.substr(0, part.offset_in_line));
  const int length = CountCharacters(marked);
  if (text.origin.line == 0) {
    place.line = part.number + 1;
    place.column = column + 1;
    place.length = length;
    place.source_line = part.line;
    return place;
  }
  size_t byte = 0;
  if (IsBlockScalar(text.origin)) {
    place.line = text.origin.line + 1 + part.number;
    place.column = column + 1;
    place.length = length;
    place.source_line = part.line;
  } else if (!FindInline(text, place, byte)) {
    return place;  // escapes in a quoted scalar: the scalar as a whole is the best we know
  } else if (part.number > 0) {
    place.line = text.origin.line + part.number;
    place.column = column + 1;
    place.length = length;
    place.source_line = part.line;
  } else {
    place.column =
        CountCharacters(std::string_view(place.source_line).substr(0, byte)) + column + 1;
    place.length = length;
  }
  return place;
}

}  // namespace headrace::sql
