#include "sql/tree.h"

namespace headrace::sql {
namespace {

/// Quotes the words Infinity, -Infinity and NaN outside of strings.
std::string QuoteInfinities(const std::string& json) {
  std::string result;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      result += c;
      if (c == '\\' && i + 1 < json.size()) result += json[++i];
      if (c == '"') in_string = false;
      continue;
    }
    size_t length = 0;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
      if (length == 0 && json.compare(i, word.size(), word) == 0) length = word.size();
    }
    if (length > 0) {
      result += '"' + json.substr(i, length) + '"';
      i += length - 1;
      continue;
    }
    if (c == '"') in_string = true;
    result += c;
  }
  return result;
}

}  // namespace

Json ParseTree(const std::string& json) {
  Json tree = Json::parse(json, nullptr, false);
  if (tree.is_discarded()) tree = Json::parse(QuoteInfinities(json), nullptr, false);
  return tree;
}

}  // namespace headrace::sql
