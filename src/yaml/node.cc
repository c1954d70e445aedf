#include "yaml/node.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace headrace::yaml {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// [-+]? digits, or 0o…, 0x…
bool LooksInt(std::string_view t) {
  if (t.size() > 2 && t[0] == '0' && (t[1] == 'x' || t[1] == 'o')) {
    const std::string_view digits = t[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
    return t.find_first_not_of(digits, 2) == std::string_view::npos;
  }
  if (!t.empty() && (t[0] == '-' || t[0] == '+')) t.remove_prefix(1);
  return !t.empty() && t.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsNan(std::string_view t) { return t == ".nan" || t == ".NaN" || t == ".NAN"; }

bool IsInf(std::string_view t) {
  if (!t.empty() && (t[0] == '-' || t[0] == '+')) t.remove_prefix(1);
  return t == ".inf" || t == ".Inf" || t == ".INF";
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool LooksFloat(std::string_view t) {
  if (IsNan(t) || IsInf(t)) return true;
  size_t i = 0, before = 0, after = 0;
  if (i < t.size() && (t[i] == '-' || t[i] == '+')) ++i;
  for (; i < t.size() && IsDigit(t[i]); ++i) ++before;
  if (i < t.size() && t[i] == '.') {
    for (++i; i < t.size() && IsDigit(t[i]); ++i) ++after;
  }
  if (before + after == 0) return false;
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i < t.size() && (t[i] == '-' || t[i] == '+')) ++i;
    const size_t first = i;
    while (i < t.size() && IsDigit(t[i])) ++i;
    if (i == first) return false;
  }
  return i == t.size();
}

bool IsNullText(std::string_view t) {
  return t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL";
}

}  // namespace

std::string_view Source::Line(int line) const {
  if (line < 1 || static_cast<size_t>(line) > line_starts.size()) return {};
  const size_t begin = line_starts[static_cast<size_t>(line) - 1];
  const size_t end = text.find('\n', begin);
  return std::string_view(text).substr(begin, end == std::string::npos ? end : end - begin);
}

const Entry* Node::FindEntry(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key.text == key) return &entry;
  }
  return nullptr;
}

const Node* Node::Find(std::string_view key) const {
  const Entry* entry = FindEntry(key);
  return entry == nullptr ? nullptr : &entry->value;
}

Node MakeScalar(std::string text, bool quoted) {
  Node node;
  node.kind = !quoted && IsNullText(text) ? Kind::kNull : Kind::kScalar;
  node.text = std::move(text);
  node.quoted = quoted;
  return node;
}

ScalarType TypeOf(const Node& node) {
  if (node.kind == Kind::kNull) return ScalarType::kNull;
  if (node.quoted) return ScalarType::kString;
  if (AsBool(node)) return ScalarType::kBool;
  if (LooksInt(node.text)) return AsInt(node) ? ScalarType::kInt : ScalarType::kFloat;
  return LooksFloat(node.text) ? ScalarType::kFloat : ScalarType::kString;
}

std::optional<bool> AsBool(const Node& node) {
  if (!node.IsScalar() || node.quoted) return std::nullopt;
  const std::string& t = node.text;
  if (t == "true" || t == "True" || t == "TRUE") return true;
  if (t == "false" || t == "False" || t == "FALSE") return false;
  return std::nullopt;
}

std::optional<int64_t> AsInt(const Node& node) {
  if (!node.IsScalar() || node.quoted || !LooksInt(node.text)) return std::nullopt;
  std::string_view t = node.text;
  int base = 10;
  if (t.size() > 2 && t[0] == '0' && (t[1] == 'x' || t[1] == 'o')) {
    base = t[1] == 'x' ? 16 : 8;
    t.remove_prefix(2);
  } else if (t[0] == '+') {
    t.remove_prefix(1);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value, base);
  if (error != std::errc() || end != t.data() + t.size()) return std::nullopt;
  return value;
}

std::optional<double> AsDouble(const Node& node) {
  if (!node.IsScalar() || node.quoted) return std::nullopt;
  if (const auto whole = AsInt(node)) return static_cast<double>(*whole);
  std::string_view t = node.text;
  if (!LooksFloat(t) && !LooksInt(t)) return std::nullopt;
  if (IsNan(t)) return std::numeric_limits<double>::quiet_NaN();
  if (IsInf(t)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return t[0] == '-' ? -infinity : infinity;
  }
  if (t[0] == '+') t.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value);
  // 1e999 is no number that a double holds; 1e-999 is refused as well rather than read as 0.
  if (error != std::errc() || end != t.data() + t.size()) return std::nullopt;
  return value;
}

std::string Describe(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kScalar:
      break;
  }
  switch (TypeOf(node)) {
    case ScalarType::kBool:
      return "true or false";
    case ScalarType::kInt:
    case ScalarType::kFloat:
      return "a number";
    default:
      return "text";
  }
}

Place PlaceOf(const Source* source, const Mark& mark) {
  Place place;
  if (source == nullptr) return place;
  place.file = source->name;
  place.line = mark.line;
  place.column = mark.column;
  place.length = mark.length;
  place.source_line = std::string(source->Line(mark.line));
  return place;
}

Place FilePlace(std::string file) {
  Place place;
  place.file = std::move(file);
  return place;
}

Place PlaceOf(const Node& node) { return PlaceOf(node.source.get(), node.mark); }

}  // namespace headrace::yaml
