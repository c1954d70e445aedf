#pragma once
// Only for .cc files of this folder: nlohmann's header is expensive.
#include <nlohmann/json.hpp>

#include "spec/value.h"

namespace headrace::spec {

/// inf and nan become texts, since JSON has none.
nlohmann::ordered_json JsonOf(double number);
nlohmann::ordered_json JsonOf(const Value& value);

}  // namespace headrace::spec
