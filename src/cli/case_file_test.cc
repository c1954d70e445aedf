#include "cli/case_file.h"

#include <gtest/gtest.h>

#include "cli/line_diff.h"
#include "cli/mask.h"

namespace headrace::cli {
namespace {

constexpr const char* kCase =
    "# A misspelt field\n"
    "# is named.\n"
    "\n"
    "--- file: pipeline/a.yml\n"
    "source: cvs\n"
    "\n"
    "path: x\n"
    "\n"
    "--- run: headrace lint\n"
    "--- exit: 2\n"
    "--- stderr:\n"
    "old\n"
    "\n"
    "--- stdout:\n";

TEST(CaseFileTest, Sections) {
  auto file = ParseCase(kCase, "a.case");
  ASSERT_TRUE(file.ok()) << Render(file.error());
  EXPECT_EQ(file->title, "A misspelt field is named.");
  ASSERT_EQ(file->sections.size(), 5u);
  EXPECT_EQ(file->sections[0].argument, "pipeline/a.yml");
  EXPECT_EQ(file->sections[0].content, "source: cvs\n\npath: x\n");
  EXPECT_EQ(file->sections[1].kind, CaseSection::Kind::kRun);
  EXPECT_EQ(file->sections[2].argument, "2");
  EXPECT_EQ(file->sections[3].content, "old\n");
  EXPECT_EQ(file->sections[3].line, 11);
  EXPECT_EQ(file->sections[4].content, "");
}

TEST(CaseFileTest, RewriteKeepsTheRest) {
  auto file = ParseCase(kCase, "a.case");
  ASSERT_TRUE(file.ok());
  const std::string text = Rewrite(*file, {{3, "new\nlines\n"}, {4, "x\n"}});
  std::string expected = kCase;
  expected.replace(expected.find("old\n"), 4, "new\nlines\n");
  EXPECT_EQ(text, expected + "x\n");
}

std::string Fault(const std::string& text) {
  auto file = ParseCase(text, "a.case");
  return file.ok() ? "accepted" : Render(file.error());
}

TEST(CaseFileTest, Faults) {
  EXPECT_EQ(Fault("--- rnu: headrace lint\n"),
            "a.case:1:1: error[bad_case]: there is no section 'rnu'\n  hint: did you mean 'run'?");
  EXPECT_EQ(Fault("# x\n"),
            "a.case:1:1: error[bad_case]: the case runs nothing: '--- run: headrace …' is missing");
  EXPECT_EQ(Fault("--- exit: 2\n"), "a.case:1:1: error[bad_case]: 'exit' stands before any run");
  EXPECT_EQ(Fault("--- file: ../x\n--- run: headrace lint\n"),
            "a.case:1:1: error[bad_case]: '../x' leaves the case's folder");
  EXPECT_EQ(Fault("--- run: headrace lint\nx\n"),
            "a.case:2:1: error[bad_case]: '--- run:' takes no lines below it");
  EXPECT_EQ(Fault("words\n--- run: headrace lint\n"),
            "a.case:1:1: error[bad_case]: above the first section ('--- file: …') only # lines may "
            "stand");
}

TEST(CaseFileTest, Base64) {
  auto bytes = DecodeBase64("AP8K\nYQ==\n");
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, std::string("\0\xff\na", 4));
  EXPECT_FALSE(DecodeBase64("A!").ok());
}

TEST(CaseFileTest, Words) {
  auto words = SplitWords("headrace query 'FROM a' \"it's\"  --at='' ''");
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(*words, (std::vector<std::string>{"headrace", "query", "FROM a", "it's", "--at=", ""}));
  EXPECT_FALSE(SplitWords("a 'b").ok());
}

TEST(MaskTest, WhatDiffers) {
  EXPECT_EQ(Mask("run 20260131-093000-3f9a2c7d done in 1.2 s\n", ""), "run {id} done in N s\n");
  EXPECT_EQ(Mask("(3 m 20 s), 12 ms", ""), "(N s), N s");
  EXPECT_EQ(Mask("{\"seconds\":1.5e-05,\"rows\":3}", ""), "{\"seconds\":N,\"rows\":3}");
  EXPECT_EQ(Mask("/tmp/x/p/a.sql, /tmp/x/b", "/tmp/x/p"), "{project}/a.sql, {temp}/b");
  EXPECT_EQ(Mask("at 2026-01-31T09:30:00.5Z", ""), "at {time}");
  EXPECT_EQ(Mask("id 0123456789abcdef0123456789abcdef.", ""), "id {hash}.");
  EXPECT_EQ(Mask("process 4711 on x", ""), "process N on x");
}

TEST(MaskTest, ColumnsStayWhereTheyAre) {
  EXPECT_EQ(Mask("a  12 ms    why\nb  1.25 s   why\n", ""), "a  N s      why\nb  N s      why\n");
}

TEST(MaskTest, LeavesTheRest) {
  for (const char* text :
       {"2026-01-31", "12 rows", "v1.2 s1", "5 sets", "10 minutes", "0.847", "abcdef0123"}) {
    EXPECT_EQ(Mask(text, ""), text);
  }
}

TEST(MaskTest, TwiceIsOnce) {
  const std::string once = Mask("a  12 ms    why 3 s\n20260131-093000-3f9a2c7d\n", "");
  EXPECT_EQ(Mask(once, ""), once);
}

TEST(LineDiffTest, ShowsChangesWithWhatIsAround) {
  EXPECT_EQ(LineDiff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\nx\n5\n6\n"),
            "  …\n  2\n  3\n- 4\n+ x\n  5\n  6\n");
  EXPECT_EQ(LineDiff("", "a\n"), "+ a\n");
}

}  // namespace
}  // namespace headrace::cli
