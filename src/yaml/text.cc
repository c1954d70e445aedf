#include "yaml/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace headrace::yaml {
namespace {

bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

void FindLines(Source& source) {
  source.line_starts.assign(1, 0);
  for (size_t i = 0; i < source.text.size(); ++i) {
    if (source.text[i] == '\n') source.line_starts.push_back(i + 1);
  }
}

std::string WithPlainLineEnds(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r') {
      text += bytes[i];
    } else {
      text += '\n';
      if (i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
    }
  }
  return text;
}

/// The text up to the fault at `at`, in its line; the source line is cut before the bad byte.
Place PlaceOfByte(const Source& source, size_t at) {
  Place place = PlaceOf(&source, MarkOf(source, at, at + 1));
  const size_t begin = source.line_starts[static_cast<size_t>(place.line) - 1];
  place.source_line = source.text.substr(begin, at - begin);
  return place;
}

}  // namespace

size_t Utf8Length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return IsContinuation(second) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && second < 0xA0) return 0;   // longer than needed
    if (first == 0xED && second >= 0xA0) return 0;  // a surrogate
    return IsContinuation(second) && IsContinuation(byte(2)) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second >= 0x90) return 0;  // above U+10FFFF
    return IsContinuation(second) && IsContinuation(byte(2)) && IsContinuation(byte(3)) ? 4 : 0;
  }
  return 0;
}

Mark MarkOf(const Source& source, size_t begin, size_t end) {
  begin = std::min(begin, source.text.size());
  const auto after =
      std::upper_bound(source.line_starts.begin(), source.line_starts.end(), begin) - 1;
  const size_t line_end = std::min(source.text.find('\n', begin), source.text.size());
  const auto characters = [&](size_t from, size_t to) {
    return static_cast<int>(
        std::count_if(source.text.begin() + static_cast<std::ptrdiff_t>(from),
                      source.text.begin() + static_cast<std::ptrdiff_t>(to),
                      [](char c) { return !IsContinuation(static_cast<unsigned char>(c)); }));
  };
  Mark mark;
  mark.line = static_cast<int>(after - source.line_starts.begin()) + 1;
  mark.column = characters(*after, begin) + 1;
  mark.length = std::max(1, characters(begin, std::clamp(end, begin, line_end)));
  return mark;
}

std::shared_ptr<const Source> ReadSource(std::string_view bytes, std::string_view name,
                                         Diagnostics& diagnostics) {
  auto source = std::make_shared<Source>();
  source->name = std::string(name);
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    diagnostics.Add(UserError("bad_encoding", "the file is UTF-16, not UTF-8")
                        .At(FilePlace(source->name))
                        .Hint("save it as UTF-8"));
    return nullptr;
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  source->text = WithPlainLineEnds(bytes);
  FindLines(*source);
  const std::string& text = source->text;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t length = Utf8Length(text, i);
    if (length == 0) {
      diagnostics.Add(UserError("bad_encoding", fmt::format("byte 0x{:02X} is not UTF-8", c))
                          .At(PlaceOfByte(*source, i))
                          .Hint("save the file as UTF-8"));
      return nullptr;
    }
    if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) {
      const std::string what = c == 0 ? "a NUL byte" : fmt::format("the control byte 0x{:02X}", c);
      diagnostics.Add(UserError("bad_encoding", what + " stands in the text")
                          .At(PlaceOfByte(*source, i))
                          .Hint(c == 0 ? "is it a binary file, or UTF-16 without its mark?"
                                       : "remove it, or write it as an escape in double quotes"));
      return nullptr;
    }
    i += length;
  }
  return source;
}

}  // namespace headrace::yaml
