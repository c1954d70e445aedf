#include "config/params.h"

#include <gtest/gtest.h>

#include "config/temp_project.h"

namespace headrace::config {
namespace {

std::string Text(const Result<ParamValue>& value) {
  return value.ok() ? ToJson(value->value) : value.error().code;
}

TEST(Params, ParsesEveryType) {
  EXPECT_EQ(Text(ParseParam(ParamType::kBool, "true")), "true");
  EXPECT_EQ(Text(ParseParam(ParamType::kBool, "yes")), "bad_param");
  EXPECT_EQ(Text(ParseParam(ParamType::kInt, "-12")), "-12");
  EXPECT_EQ(Text(ParseParam(ParamType::kInt, "1.5")), "bad_param");
  EXPECT_EQ(Text(ParseParam(ParamType::kDouble, "1e3")), "1000.0");
  EXPECT_EQ(Text(ParseParam(ParamType::kString, "12")), "\"12\"");
  EXPECT_EQ(Text(ParseParam(ParamType::kDate, "2026-01-31")), "\"2026-01-31\"");
  EXPECT_EQ(Text(ParseParam(ParamType::kDate, "2026-01-31 10:00")), "bad_param");
  EXPECT_EQ(Text(ParseParam(ParamType::kDate, "2026-02-30")), "bad_param");
  EXPECT_EQ(Text(ParseParam(ParamType::kTimestamp, "2026-01-31 09:30")),
            "\"2026-01-31T09:30:00Z\"");
  EXPECT_EQ(ParseParam(ParamType::kDate, "1970-01-02")->micros, 86'400'000'000);
}

TEST(Params, GivenOverDefaults) {
  const std::map<std::string, Param> params = {{"as_of", {ParamType::kDate, "2026-01-01", ""}},
                                               {"limit", {ParamType::kInt, {}, ""}},
                                               {"rate", {ParamType::kDouble, 1, ""}}};
  Diagnostics diagnostics;
  const ParamValues values = ResolveParams(params, {"limit=5", "as_of=2026-02-01"}, diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  EXPECT_EQ(values.at("as_of").value.String(), "2026-02-01");
  EXPECT_EQ(values.at("limit").value.Int(), 5);
  EXPECT_EQ(values.at("rate").value.Number(), 1.0);
}

TEST(Params, FaultTexts) {
  const std::map<std::string, Param> params = {{"as_of", {ParamType::kDate, {}, ""}},
                                               {"limit", {ParamType::kInt, {}, ""}}};
  Diagnostics diagnostics;
  ResolveParams(params, {"as_off=1", "limit=x", "from=2026-01-01", "nothing"}, diagnostics);
  EXPECT_EQ(Rendered(diagnostics),
            "error[unknown_param]: there is no parameter 'as_off'\n"
            "  hint: did you mean 'as_of'?\n  hint: one of as_of, limit\n"
            "error[bad_param]: parameter 'limit': expected a whole number, found 'x'\n"
            "  hint: for example 12\n"
            "error[reserved_param]: 'from' is set by Headrace, not as a parameter\n"
            "  hint: use the flags --from and --to of 'run'\n"
            "error[bad_param]: --param nothing has no name=value\n"
            "  hint: write --param name=value\n"
            "error[missing_param]: parameter 'as_of' has no value and no default\n"
            "  hint: give it one: --param as_of=2026-01-31");
}

}  // namespace
}  // namespace headrace::config
