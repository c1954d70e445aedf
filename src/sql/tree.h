#pragma once
// Small helpers over DuckDB's syntax trees (JSON).
#include <string>
#include <string_view>

#include "base/json.h"

namespace headrace::sql {

/// Member of an object, nullptr if there is none or it is null.
const Json* Member(const Json& object, const char* key);
/// Text of a member, empty if there is none.
std::string_view TextMember(const Json& object, const char* key);
/// A list with something in it; nullptr is none.
bool HasItems(const Json* list);
/// Byte at which a part of the tree starts in the text; npos where DuckDB gives none.
size_t OffsetOf(const Json& part);

/// Parses what json_serialize_sql gave; infinite constants, which JSON has no word for, become
/// strings. A discarded value if it is no JSON all the same.
Json ParseTree(const std::string& json);

}  // namespace headrace::sql
