#pragma once
// JSON of values, for the .cc files of this folder.
#include "base/json.h"
#include "spec/value.h"

namespace headrace::spec {

/// inf and nan become texts, since JSON has none.
Json JsonOf(double number);
Json JsonOf(const Value& value);

}  // namespace headrace::spec
