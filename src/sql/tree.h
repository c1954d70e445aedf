#pragma once
// Small helpers over DuckDB's syntax trees (JSON).
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json.h"

namespace headrace::sql {

/// Member of an object, nullptr if there is none or it is null.
inline const Json* Member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// Text of a member, empty if there is none.
inline std::string_view TextMember(const Json& object, const char* key) {
  const Json* member = Member(object, key);
  return member != nullptr && member->is_string()
             ? std::string_view(member->get_ref<const std::string&>())
             : std::string_view();
}

inline bool HasItems(const Json* list) {
  return list != nullptr && list->is_array() && !list->empty();
}

/// Byte at which a part of the tree starts in the text; npos where DuckDB gives none.
inline size_t OffsetOf(const Json& part) {
  const Json* offset = Member(part, "query_location");
  return offset != nullptr && offset->is_number_unsigned() ? offset->get<size_t>()
                                                           : std::string::npos;
}

/// Parses what json_serialize_sql gave; infinite constants, which JSON has no word for, become
/// strings. A discarded value if it is no JSON all the same.
Json ParseTree(const std::string& json);

}  // namespace headrace::sql
