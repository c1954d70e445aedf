#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace headrace {
namespace {

Error UnknownField() {
  return UserError("unknown_field", "model 'churn' has no field 'trget'")
      .At({.file = "pipeline/churn.yml",
           .line = 4,
           .column = 1,
           .length = 5,
           .source_line = "trget: churned"})
      .Subject("trget")
      .Candidates({"target"});
}

TEST(Render, PlaceExcerptAndSuggestion) {
  EXPECT_EQ(Render(UnknownField()),
            "pipeline/churn.yml:4:1: error[unknown_field]: model 'churn' has no field 'trget'\n"
            "  4 | trget: churned\n"
            "    | ^^^^^ did you mean 'target'?");
}

TEST(Render, Color) {
  EXPECT_EQ(Render(UnknownField(), {.color = true}),
            "\x1b[1mpipeline/churn.yml:4:1: \x1b[0m\x1b[1;31merror[unknown_field]:\x1b[0m model "
            "'churn' has no field 'trget'\n"
            "  4 | trget: churned\n"
            "    | \x1b[1;32m^^^^^\x1b[0m \x1b[32mdid you mean 'target'?\x1b[0m");
  EXPECT_EQ(Render(SystemError("x", "y").As(Severity::kWarning), {.color = true}),
            "\x1b[1;33mwarning[x]:\x1b[0m y");
}

TEST(Render, SeveralCandidatesAndAHint) {
  Error error = UnknownField().Candidates({"target", "tags", "time"}).Hint("see `reference model`");
  EXPECT_EQ(Render(error),
            "pipeline/churn.yml:4:1: error[unknown_field]: model 'churn' has no field 'trget'\n"
            "  4 | trget: churned\n"
            "    | ^^^^^ did you mean 'target', 'tags' or 'time'?\n"
            "  hint: see `reference model`");
}

TEST(Render, HintAloneStandsAtTheCaret) {
  Error error = UserError("kind_key", "a node file has one kind key")
                    .At({.file = "a.yml", .line = 12, .column = 3, .source_line = "  sink: csv"})
                    .Hint("remove `sink` or `source`");
  EXPECT_EQ(Render(error),
            "a.yml:12:3: error[kind_key]: a node file has one kind key\n"
            "  12 |   sink: csv\n"
            "     |   ^ remove `sink` or `source`");
}

TEST(Render, WithoutPlace) {
  Error error = UserError("unknown_command", "there is no command 'rnu'")
                    .Candidates({"run"})
                    .Hint("headrace --help lists them");
  EXPECT_EQ(Render(error),
            "error[unknown_command]: there is no command 'rnu'\n"
            "  hint: did you mean 'run'?\n"
            "  hint: headrace --help lists them");
}

TEST(Render, NodeRowsAndCauses) {
  Error disk = ErrnoError(ENOSPC, "cannot write 'x'");
  Error file = SystemError("write_failed", "the snapshot can't be written").Cause(disk);
  file.place.file = "pipeline/churn.yml";
  Error error = DataError("check_failed", "37 of 10,000 values of age are null")
                    .Node("churn")
                    .Rows("row 17")
                    .Cause(file);
  EXPECT_EQ(Render(error),
            "error[check_failed]: 37 of 10,000 values of age are null\n"
            "  node: churn, row 17\n"
            "  because: pipeline/churn.yml: the snapshot can't be written\n"
            "  because: cannot write 'x': No space left on device\n"
            "  hint: make room on that file system and run again");
  EXPECT_EQ(Render(DataError("x", "y").Rows("rows 3, 9")), "error[x]: y\n  rows 3, 9");
}

TEST(Render, LinesAreIndented) {
  Error error = UserError("sql", "Parser Error:\nsyntax error at 'FORM'\n").Hint("one\ntwo");
  EXPECT_EQ(Render(error.As(Severity::kHint)),
            "hint[sql]: Parser Error:\n"
            "  syntax error at 'FORM'\n"
            "  hint: one\n"
            "        two");
}

TEST(Render, CaretsStandUnderWideAndTabbedText) {
  Place place{.file = "q.sql", .line = 1, .column = 4, .length = 2, .source_line = "\t日本ab c"};
  EXPECT_EQ(Render(UserError("x", "y").At(place)),
            "q.sql:1:4: error[x]: y\n"
            "  1 |   日本ab c\n"
            "    |       ^^");
  place.column = 99;  // behind the end
  EXPECT_EQ(Render(UserError("x", "y").At(place)),
            "q.sql:1:99: error[x]: y\n"
            "  1 |   日本ab c\n"
            "    |           ^");
}

TEST(Render, LongLinesAreCutAroundThePlace) {
  Place place{.file = "a.json",
              .line = 1,
              .column = 301,
              .length = 3,
              .source_line = std::string(300, 'a') + "BCD" + std::string(300, 'e')};
  EXPECT_EQ(Render(DataError("x", "y").At(place)),
            "a.json:1:301: error[x]: y\n"
            "  1 | …" +
                std::string(60, 'a') + "BCD" + std::string(57, 'e') +
                "…\n"
                "    |  " +
                std::string(60, ' ') + "^^^");
}

TEST(Render, DataCannotMoveTheCursor) {
  EXPECT_EQ(Render(DataError("x", "bad \x1b[2J value \xff")), "error[x]: bad �[2J value �");
}

TEST(ErrorToJson, IsOneLineWithoutEmptyFields) {
  EXPECT_EQ(ErrorToJson(InternalError("two\nlines \xff")),
            R"({"severity":"error","code":"internal","message":"two\nlines �",)"
            R"("blame":"internal","retriable":false})");
  Error error =
      UnknownField().Node("churn").Rows("row 1").Hint("h").Retriable().Cause(DataError("a", "b"));
  EXPECT_EQ(
      ErrorToJson(error),
      R"({"severity":"error","code":"unknown_field",)"
      R"("message":"model 'churn' has no field 'trget'",)"
      R"("blame":"user","retriable":true,"file":"pipeline/churn.yml","line":4,"column":1,)"
      R"("length":5,"source_line":"trget: churned","node":"churn","rows":"row 1",)"
      R"("subject":"trget","candidates":["target"],"hint":"h",)"
      R"("cause":{"severity":"error","code":"a","message":"b","blame":"data","retriable":false}})");
}

TEST(ErrnoError, NamesWhatHappened) {
  EXPECT_EQ(Render(ErrnoError(EACCES, "cannot read 'a'")),
            "error[permission_denied]: cannot read 'a': Permission denied\n"
            "  hint: check who owns it and its mode (ls -l)");
  EXPECT_EQ(ErrnoError(ENOENT, "a").code, "not_found");
  EXPECT_EQ(ErrnoError(EIO, "a").code, "io_error");
  EXPECT_EQ(ErrnoError(EDQUOT, "a").code, "no_space");
  EXPECT_EQ(ErrnoError(EPROTO, "a").code, "system_error");
  EXPECT_EQ(ErrnoError(EIO, "a").blame, Blame::kSystem);
}

TEST(ExitCode, FollowsTheBlame) {
  EXPECT_EQ(ExitCode(UserError("", "")), 2);
  EXPECT_EQ(ExitCode(DataError("", "")), 1);
  EXPECT_EQ(ExitCode(SystemError("", "")), 1);
  EXPECT_EQ(ExitCode(ExternalError("", "")), 1);
  EXPECT_EQ(ExitCode(InternalError("")), 3);
}

}  // namespace
}  // namespace headrace
