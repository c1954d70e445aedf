#include "sql/tree.h"

#include <nlohmann/json.hpp>

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

const Json* Member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string_view TextMember(const Json& object, const char* key) {
  const Json* member = Member(object, key);
  return member != nullptr && member->is_string()
             ? std::string_view(member->get_ref<const std::string&>())
             : std::string_view();
}

bool HasItems(const Json* list) { return list != nullptr && list->is_array() && !list->empty(); }

size_t OffsetOf(const Json& part) {
  const Json* offset = Member(part, "query_location");
  return offset != nullptr && offset->is_number_unsigned() ? offset->get<size_t>()
                                                           : std::string::npos;
}

Json ParseTree(const std::string& json) {
  Json tree = Json::parse(json, nullptr, false);
  if (tree.is_discarded()) tree = Json::parse(QuoteInfinities(json), nullptr, false);
  return tree;
}

}  // namespace headrace::sql
