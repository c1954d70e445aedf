#pragma once
// Test support: tests/golden/evaluate/fixture.json, made by make.py beside it with scikit-learn.
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace headrace::evaluate {

/// The file as JSON; null when it isn't there.
Json ReadGolden(const std::string& path);
Json EvaluateFixture();

/// Numbers of a JSON list; "inf" and "nan" as strings.
std::vector<double> Doubles(const Json& list);
std::vector<int32_t> Ints(const Json& list);

}  // namespace headrace::evaluate
