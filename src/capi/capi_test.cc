#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "base/temp_folder.h"
#include "headrace/headrace.h"

namespace headrace {
namespace {

struct Closed {
  headrace_engine* engine = nullptr;
  ~Closed() { headrace_close(engine); }
};

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(CapiTest, AnErrorOfOpenCanBeRead) {
  TempFolder folder;
  Closed closed;
  const std::string options = "{\"directory\": \"" + folder.path() + "\"}";
  EXPECT_EQ(headrace_open(options.c_str(), &closed.engine), HEADRACE_WRONG);
  ASSERT_NE(closed.engine, nullptr);
  EXPECT_NE(std::string(headrace_last_error(closed.engine)).find("\"no_project\""),
            std::string::npos);
  EXPECT_EQ(headrace_lint(closed.engine, nullptr), HEADRACE_WRONG);
}

TEST(CapiTest, WrongOptionsAreNamed) {
  Closed closed;
  EXPECT_EQ(headrace_open("{\"thraeds\": 2}", &closed.engine), HEADRACE_WRONG);
  EXPECT_NE(std::string(headrace_last_error(closed.engine)).find("thraeds"), std::string::npos);
}

TEST(CapiTest, LintGivesFindings) {
  TempFolder folder;
  Write(folder / "headrace.yml", "project: p\ntargts: {}\n");
  Closed closed;
  const std::string options = "{\"directory\": \"" + folder.path() + "\"}";
  ASSERT_EQ(headrace_open(options.c_str(), &closed.engine), HEADRACE_OK)
      << headrace_last_error(closed.engine);
  char* result = nullptr;
  EXPECT_EQ(headrace_lint(closed.engine, &result), HEADRACE_WRONG);
  ASSERT_NE(result, nullptr);
  auto json = ParseJson(result, "result");
  headrace_free(result);
  ASSERT_TRUE(json.ok());
  EXPECT_NE((*json)["findings"].dump().find("\"unknown_field\""), std::string::npos);
  EXPECT_STREQ(headrace_last_error(closed.engine), "");
}

TEST(CapiTest, NullsAreRefused) {
  EXPECT_EQ(headrace_open(nullptr, nullptr), HEADRACE_WRONG);
  EXPECT_EQ(headrace_run(nullptr, nullptr, nullptr, nullptr, nullptr), HEADRACE_WRONG);
  EXPECT_STREQ(headrace_last_error(nullptr), "");
  headrace_close(nullptr);
  headrace_free(nullptr);
}

}  // namespace
}  // namespace headrace
