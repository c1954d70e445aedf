#pragma once
// nlohmann's json.hpp is expensive to compile: include it in .cc files only (through here for the
// parse function), never in a header.
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/result.h"

namespace headrace {

using Json = nlohmann::ordered_json;  // keys keep their order: texts are stable

/// Strict JSON; limits depth to 200 and rejects NaN. Error "bad_json" with line and column.
Result<Json> ParseJson(std::string_view text, std::string_view source_name);

}  // namespace headrace
