#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/redact.h"

namespace headrace {
namespace {

TEST(ParseJson, KeepsOrder) {
  auto json = ParseJson(R"({"b": 1, "a": [true, null, 1.5]})", "x.json");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(DumpJson(*json), R"({"b":1,"a":[true,null,1.5]})");
}

TEST(ParseJson, NamesThePlace) {
  auto json = ParseJson("{\n  \"ä\": nul\n}", "x.json");
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(Render(json.error()),
            "x.json:2:11: error[bad_json]: x.json is not valid JSON: syntax error while parsing "
            "value - invalid literal; last read: '\"ä\": nul<U+000A>'\n"
            "  2 |   \"ä\": nul\n"
            "    |           ^");
}

TEST(ParseJson, Refuses) {
  for (const char* text : {"", "{", "[1,]", "{'a': 1}", "NaN", "[Infinity]", "1 2", "// a\n1",
                           "\"\xff\"", "1e999", "{\"a\" 1}", "01", "\"\n\""}) {
    auto json = ParseJson(text, "x");
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_EQ(json.error().code, "bad_json");
    EXPECT_GE(json.error().place.line, 1);
  }
}

TEST(ParseJson, BoundsTheDepth) {
  const auto nested = [](int depth) {
    return std::string(depth, '[') + "\"[[\\\"[\"" + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseJson(nested(200), "x").ok());
  auto json = ParseJson(nested(201), "x");
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.error().message, "x is not valid JSON: more than 200 levels of nesting");
  EXPECT_EQ(json.error().place.column, 201);
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '['), "x").ok());
}

TEST(DumpJson, NeverThrows) {
  EXPECT_EQ(DumpJson(Json("a\xff\n")), "\"a\xEF\xBF\xBD\\n\"");
  EXPECT_EQ(DumpJson(Json({1, 2}), 1), "[\n 1,\n 2\n]");
}

TEST(RedactJson, MasksTextsAndKeepsTheStructure) {
  Redactor redactor;
  redactor.AddSecret("123456");
  redactor.AddSecret("message");
  const Json json = {{"message", "pw 123456"}, {"rows", 123456}, {"list", {"123456", 1}}};
  EXPECT_EQ(DumpJson(RedactJson(redactor, json)),
            R"({"message":"pw ***","rows":123456,"list":["***",1]})");
}

}  // namespace
}  // namespace headrace
