#include "evaluate/golden_fixture.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "source_dir.h"

namespace headrace::evaluate {

Json ReadGolden(const std::string& path) {
  std::ifstream file(path);
  return file ? Json::parse(file) : Json();
}

Json EvaluateFixture() { return ReadGolden(SourceDir() + "/tests/golden/evaluate/fixture.json"); }

std::vector<double> Doubles(const Json& list) {
  std::vector<double> values;
  for (const auto& v : list) {
    values.push_back(v.is_string() ? std::stod(v.get<std::string>()) : v.get<double>());
  }
  return values;
}

std::vector<int32_t> Ints(const Json& list) { return list.get<std::vector<int32_t>>(); }

TEST(GoldenFixture, IsThere) { EXPECT_FALSE(EvaluateFixture().is_null()); }

}  // namespace headrace::evaluate
