#include "base/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/redact.h"
#include "base/text_width.h"

namespace headrace {
namespace {

constexpr int kDeepest = 200;

/// The place of the byte at `offset`.
Place PlaceAt(std::string_view text, size_t offset, std::string_view source_name) {
  offset = std::min(offset, text.size());
  Place place;
  place.file = source_name;
  place.line = 1;
  size_t begin = 0;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] != '\n') continue;
    ++place.line;
    begin = i + 1;
  }
  place.column = 1;
  for (size_t i = begin; i < offset; ++place.column) NextCodePoint(text, &i);
  // A line of megabytes is usual in JSON: the neighbourhood of the place is enough for the caret,
  // but the caret counts from the line's start, so only short lines are shown.
  const size_t end = std::min(text.find('\n', begin), text.size());
  if (end - begin <= 10'000) place.source_line = text.substr(begin, end - begin);
  return place;
}

/// Offset of the bracket that opens a level too many, or npos.
size_t TooDeep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::string_view::npos;
}

/// "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while …" →
/// "syntax error while …".
std::string Reason(const std::string& what) {
  const size_t column = what.find(", column ");
  size_t start = what.find("] ") == std::string::npos ? 0 : what.find("] ") + 2;
  if (column != std::string::npos && what.find(": ", column) != std::string::npos) {
    start = what.find(": ", column) + 2;
  }
  return what.substr(start);
}

Error BadJson(std::string_view source_name, const std::string& reason) {
  return DataError("bad_json", fmt::format("{} is not valid JSON: {}", source_name, reason));
}

}  // namespace

Result<Json> ParseJson(std::string_view text, std::string_view source_name) {
  if (const size_t deep = TooDeep(text); deep != std::string_view::npos) {
    return BadJson(source_name, fmt::format("more than {} levels of nesting", kDeepest))
        .At(PlaceAt(text, deep, source_name));
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const size_t offset = e.byte > 0 ? e.byte - 1 : 0;
    return BadJson(source_name, Reason(e.what())).At(PlaceAt(text, offset, source_name));
  } catch (const std::exception& e) {
    return BadJson(source_name, Reason(e.what())).At(PlaceAt(text, 0, source_name));
  }
}

std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json RedactJson(const Redactor& redactor, const Json& json) {
  if (redactor.empty()) return json;
  if (json.is_string()) return redactor.Redact(json.get_ref<const std::string&>());
  if (!json.is_structured()) return json;
  Json out = json;
  for (auto& element : out) element = RedactJson(redactor, element);
  return out;
}

}  // namespace headrace
