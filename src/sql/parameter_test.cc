#include "sql/parameter.h"

#include <gtest/gtest.h>

namespace headrace::sql {
namespace {

TEST(Parameters, AsDuckDbBindsThem) {
  config::ParamValues values;
  values["as_of"] = {config::ParamType::kDate, spec::Value("2026-01-31"), 0};
  values["n"] = {config::ParamType::kInt, spec::Value(int64_t{-7}), 0};
  values["share"] = {config::ParamType::kDouble, spec::Value(0.1), 0};
  values["yes"] = {config::ParamType::kBool, spec::Value(true), 0};
  const data::Parameters parameters = ToParameters(values);
  ASSERT_EQ(parameters.size(), 4u);
  EXPECT_EQ(parameters[0].type, "DATE");
  EXPECT_EQ(parameters[0].text, "2026-01-31");
  EXPECT_EQ(parameters[1].text, "-7");
  EXPECT_EQ(parameters[2].text, "0.1");
  EXPECT_EQ(parameters[3].text, "true");
  EXPECT_EQ(ReservedParameters().size(), 3u);
  for (const data::Parameter& reserved : ReservedParameters()) {
    EXPECT_TRUE(config::IsReservedParam(reserved.name));
  }
}

}  // namespace
}  // namespace headrace::sql
