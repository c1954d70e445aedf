#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/help.h"

namespace headrace::cli {
namespace {

using Words = std::vector<std::string>;

Arguments Parsed(const Words& words) {
  auto arguments = ParseArguments(words);
  EXPECT_TRUE(arguments.ok()) << Render(arguments.error());
  return arguments.ok() ? *arguments : Arguments();
}

std::string Refused(const Words& words) {
  auto arguments = ParseArguments(words);
  if (arguments.ok()) return "accepted as " + arguments->command;
  EXPECT_EQ(ExitCode(arguments.error()), 2);
  return Render(arguments.error());
}

TEST(ArgumentsTest, GlobalFlagsStandAnywhere) {
  for (const Words& words : {Words{"--target", "prod", "--json", "run", "a+", "b"},
                             Words{"run", "a+", "b", "--json", "--target=prod"}}) {
    const Arguments a = Parsed(words);
    EXPECT_EQ(a.command, "run");
    EXPECT_EQ(a.target, "prod");
    EXPECT_TRUE(a.json);
    EXPECT_EQ(a.select, (Words{"a+", "b"}));
  }
}

TEST(ArgumentsTest, NodesMayBeNamedLikeCommands) {
  EXPECT_EQ(Parsed({"run", "plan", "list", "help"}).select, (Words{"plan", "list", "help"}));
  EXPECT_EQ(Parsed({"show", "models"}).subject, "models");
  EXPECT_EQ(Parsed({"model", "show", "run"}).subject, "run");
  EXPECT_EQ(Parsed({"model", "show", "run"}).command, "model show");
}

TEST(ArgumentsTest, RepeatedFlags) {
  const Arguments a = Parsed({"run", "--param", "a=1", "x", "--param", "b=2", "--exclude", "y"});
  EXPECT_EQ(a.params, (Words{"a=1", "b=2"}));
  EXPECT_EQ(a.select, (Words{"x"}));
  EXPECT_EQ(a.exclude, (Words{"y"}));
}

TEST(ArgumentsTest, SqlMayLookLikeAnything) {
  EXPECT_EQ(Parsed({"query", "-"}).sql, "-");
  EXPECT_EQ(Parsed({"query", "-- all\nFROM a"}).sql, "-- all\nFROM a");
  EXPECT_EQ(Parsed({"query", "--", "-1"}).sql, "-1");
  const Arguments a = Parsed({"query", "FROM a", "--format", "json", "--limit", "0", "-o", "f"});
  EXPECT_EQ(a.format, Format::kJson);
  EXPECT_EQ(a.limit, 0);
  EXPECT_EQ(a.output, "f");
}

TEST(ArgumentsTest, Numbers) {
  const Arguments a = Parsed({"model", "rollback", "churn", "--to", "3", "--why", "it drifts"});
  EXPECT_EQ(a.version, 3);
  EXPECT_EQ(a.why, "it drifts");
  EXPECT_EQ(Parsed({"run", "--memory", "4GB", "--threads", "2"}).memory_bytes, 4'000'000'000);
  EXPECT_EQ(Refused({"run", "--threads", "two"}),
            "error[bad_value]: --threads takes a whole number from 1 to 1024, not 'two'");
  EXPECT_EQ(Refused({"run", "--memory", "much"}),
            "error[bad_bytes]: 'much' is not an amount of memory\n"
            "  hint: write a number and a unit, e.g. 4GB, 512MiB, 1.5 GB");
}

TEST(ArgumentsTest, UnknownCommandsAndFlags) {
  EXPECT_EQ(Refused({"rnu"}),
            "error[unknown_command]: there is no command 'rnu'\n  hint: did you mean 'run'?\n"
            "  hint: headrace --help lists all commands");
  EXPECT_EQ(Refused({"run", "--ful"}),
            "error[unknown_flag]: 'run' has no flag '--ful'\n  hint: did you mean '--full'?\n"
            "  hint: headrace run --help lists its flags");
  EXPECT_EQ(Refused({"model", "shwo", "churn"}),
            "error[unknown_command]: there is no command 'model shwo'\n"
            "  hint: did you mean 'show'?\n  hint: headrace --help lists all commands");
}

TEST(ArgumentsTest, WhatIsMissingOrTooMuch) {
  EXPECT_EQ(Refused({"show"}),
            "error[missing_argument]: 'show' needs the name of a node\n"
            "  hint: usage: headrace show NODE");
  EXPECT_EQ(Refused({"lint", "x"}),
            "error[unexpected_argument]: 'lint' takes no further argument 'x'\n"
            "  hint: usage: headrace lint");
  EXPECT_EQ(Refused({"run", "--target"}), "error[missing_value]: --target needs a value");
  EXPECT_EQ(Refused({"run", "--target", "a", "--target", "b"}),
            "error[repeated_flag]: --target may be given only once");
  EXPECT_EQ(Refused({"run", "--param", "x"}),
            "error[bad_value]: --param takes NAME=VALUE, not 'x'");
  EXPECT_EQ(
      Refused({"model"}),
      "error[missing_argument]: 'model' needs what to do: show, compare, promote or rollback\n"
      "  hint: headrace models lists the versions");
}

TEST(ArgumentsTest, WhatIsNotBuiltSaysSo) {
  EXPECT_EQ(Refused({"serve"}),
            "error[not_built]: 'headrace serve' is not built yet\n"
            "  hint: headrace --help lists what is there");
  EXPECT_EQ(Refused({"serve", "--port", "1"}).substr(0, 17), "error[not_built]:");
  EXPECT_EQ(Refused({"run", "--engine", "spark"}).substr(0, 17), "error[not_built]:");
}

TEST(ArgumentsTest, OddWordsAreNoCrash) {
  const std::string huge(1 << 20, 'x');
  for (const Words& words : {Words{""}, Words{"-"}, Words{"--"}, Words{"---"}, Words{"--="},
                             Words{"run", "--threads=-1"}, Words{huge}, Words{"run", huge},
                             Words{"--" + huge}, Words{"\xff\xfe"}, Words{"run", "[a,b]"}}) {
    (void)ParseArguments(words).ok();
  }
  EXPECT_EQ(Parsed({"run", "[ab]*"}).select, (Words{"[ab]*"}));
}

TEST(ArgumentsTest, Help) {
  EXPECT_TRUE(Parsed({"run", "--help"}).help);
  EXPECT_EQ(Parsed({"help", "model", "promote"}).command, "model promote");
  EXPECT_EQ(Parsed({}).command, "");
}

/// The help texts are written by hand: every flag that is read stands in them.
TEST(ArgumentsTest, HelpNamesEveryFlag) {
  for (const auto& flag : FlagsOf("")) {
    EXPECT_NE(kGlobalFlags.find("  " + flag), std::string_view::npos) << flag;
  }
  for (const auto& command : kCommandHelp) {
    const std::string all = std::string(command.usage) + "\n" + std::string(command.text);
    std::set<std::string> read;
    for (const auto& flag : FlagsOf(std::string(command.name))) {
      EXPECT_NE(all.find(flag), std::string::npos) << command.name << " " << flag;
      read.insert(flag);
    }
    for (size_t at = 0; (at = command.text.find("\n  --", at)) != std::string_view::npos; ++at) {
      const size_t begin = at + 3;
      const std::string flag(
          command.text.substr(begin, command.text.find_first_of(" \n", begin) - begin));
      EXPECT_EQ(read.count(flag), 1u) << command.name << " has no " << flag;
    }
  }
}

TEST(ArgumentsTest, OverviewIsAligned) {
  std::string text;
  WriteOverview([&](std::string_view piece) { text += piece; });
  EXPECT_NE(text.find("  run              build what"), std::string::npos) << text;
  EXPECT_NE(text.find("  model rollback   go back"), std::string::npos) << text;
}

}  // namespace
}  // namespace headrace::cli
