// What doctor says of a project in a git repository.
#include <gtest/gtest.h>

#include "base/subprocess.h"
#include "config/secrets.h"
#include "config/temp_project.h"
#include "engine/engine.h"

namespace headrace::engine {
namespace {

using config::TempProject;

void Git(const TempProject& project, std::vector<std::string> words) {
  SubprocessOptions options;
  options.command = {"git", "-C", project.root()};
  options.command.insert(options.command.end(), words.begin(), words.end());
  options.env = config::ProcessEnvironment();
  auto result = RunSubprocess(options, CancelToken());
  ASSERT_TRUE(result.ok()) << Render(result.error());
  ASSERT_EQ(result->exit_code, 0) << result->error_output;
}

/// The line about something; `what` "none" when there is none.
DoctorLine LineOf(const TempProject& project, const std::string& what) {
  for (const DoctorLine& line : Doctor(project.root())) {
    if (line.what == what) return line;
  }
  return {"none", true, "", ""};
}

TEST(DoctorTest, SecretsInGit) {
  TempProject project;
  project.Write("headrace.yml", "project: p\n");
  project.Write(".env", "TOKEN=abc\n");
  EXPECT_EQ(LineOf(project, ".env in git").what, "none") << "there is no repository";
  Git(project, {"init", "--quiet"});
  const DoctorLine open = LineOf(project, ".env in git");
  EXPECT_FALSE(open.ok);
  EXPECT_EQ(open.remedy, "echo .env >> .gitignore");
  project.Write(".gitignore", ".env\n");
  EXPECT_TRUE(LineOf(project, ".env in git").ok);
  Git(project, {"add", "--force", ".env"});
  const DoctorLine committed = LineOf(project, ".env in git");
  EXPECT_FALSE(committed.ok);
  EXPECT_NE(committed.remedy.find("git rm -r --cached .env"), std::string::npos);
}

TEST(DoctorTest, WhatTheProjectLacks) {
  TempProject project;
  project.Write("headrace.yml", "project: p\n");
  project.Write("pipeline/a.sql", "SELECT 1 AS x\n");
  project.Write(
      "pipeline/calls.yml",
      "action: command\nfrom: a\nonce_per: x\nrun: [cat]\nenv: {T: \"${DOCTOR_TOKEN}\"}\n");
  EXPECT_TRUE(LineOf(project, "definition").ok);
  const DoctorLine unset = LineOf(project, "variables");
  EXPECT_FALSE(unset.ok);
  EXPECT_EQ(unset.detail, "not set: DOCTOR_TOKEN");
  EXPECT_TRUE(LineOf(project, "writable").ok);
  EXPECT_TRUE(LineOf(project, "LightGBM").ok);
  project.Write("pipeline/b.sql", "SELECT y FROM a\n");
  EXPECT_FALSE(LineOf(project, "definition").ok);
  EXPECT_EQ(LineOf(project, "definition").remedy, "headrace lint");
}

}  // namespace
}  // namespace headrace::engine
