#pragma once
// nlohmann's json.hpp is expensive to compile: include it in .cc files only (through here for the
// parse function), never in a header.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace {

using Json = nlohmann::ordered_json;  // keys keep their order: texts are stable

/// Strict JSON; limits depth to 200 and rejects NaN. Error "bad_json" (blame data) with line and
/// column. Keys of one object are searched one after another: not for objects of 10,000s of keys.
Result<Json> ParseJson(std::string_view text, std::string_view source_name);

/// The text of a JSON value: one line, or indented. Never throws: bytes that are not UTF-8 become
/// U+FFFD (dump() of the library throws there).
std::string DumpJson(const Json& json, int indent = -1);

/// The object that ErrorToJson prints; empty fields are left out.
Json ErrorToJsonValue(const Error& error);

class Redactor;
/// Masks secrets in all texts (not in keys and numbers, so the structure stays valid).
Json RedactJson(const Redactor& redactor, const Json& json);

}  // namespace headrace
