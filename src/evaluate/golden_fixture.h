#pragma once
// Test support: tests/golden/evaluate/fixture.json, made by make.py beside it with scikit-learn.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace headrace::evaluate {

inline nlohmann::json ReadGolden(const std::string& path) {
  std::ifstream file(path);
  return file ? nlohmann::json::parse(file) : nlohmann::json();
}

inline nlohmann::json EvaluateFixture() {
  return ReadGolden(HEADRACE_SOURCE_DIR "/tests/golden/evaluate/fixture.json");
}

/// Numbers of a JSON list; "inf" and "nan" as strings.
inline std::vector<double> Doubles(const nlohmann::json& list) {
  std::vector<double> values;
  for (const auto& v : list) {
    values.push_back(v.is_string() ? std::stod(v.get<std::string>()) : v.get<double>());
  }
  return values;
}

inline std::vector<int32_t> Ints(const nlohmann::json& list) {
  return list.get<std::vector<int32_t>>();
}

}  // namespace headrace::evaluate
