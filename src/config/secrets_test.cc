#include "config/secrets.h"

#include <gtest/gtest.h>

#include "config/temp_project.h"

namespace headrace::config {
namespace {

class SecretsTest : public ::testing::Test {
 protected:
  Secrets Make(std::map<std::string, std::string> environment) {
    return Secrets({project_.root(), std::move(environment), &RealFileSystem(), &redactor_});
  }
  std::string Expand(const Secrets& secrets, std::string_view text) {
    const Result<std::string> result = secrets.Expand(text);
    return result.ok() ? *result : Render(result.error());
  }
  TempProject project_;
  Redactor redactor_;
};

TEST_F(SecretsTest, OrderIsEnvironmentFolderDotenv) {
  project_.Write("secrets/A", "from folder\n");
  project_.Write("secrets/B", "from folder\n");
  project_.Write(".env", "A=from dotenv\nB=from dotenv\nC=from dotenv\n");
  const Secrets secrets =
      Make({{"A", "from environment"}, {"HEADRACE_SECRETS_DIR", project_.Path("secrets")}});
  EXPECT_EQ(Expand(secrets, "${A}, ${B}, ${C}"), "from environment, from folder, from dotenv");
  EXPECT_EQ((*secrets.Lookup("C"))->where, ".env line 3");
  EXPECT_EQ((*secrets.Lookup("B"))->where, "file " + project_.Path("secrets/B"));
}

TEST_F(SecretsTest, DefaultsAndEscapes) {
  const Secrets secrets = Make({{"EMPTY", ""}, {"SET", "value"}});
  EXPECT_EQ(Expand(secrets, "a${SET}b"), "avalueb");
  EXPECT_EQ(Expand(secrets, "${EMPTY}|${EMPTY:-x}|${NONE:-y z}|${NONE:-}"), "|x|y z|");
  EXPECT_EQ(Expand(secrets, "$${SET} $5 $ ${SET:-no}"), "${SET} $5 $ value");
  EXPECT_EQ(Expand(secrets, "no variables"), "no variables");
}

TEST_F(SecretsTest, ValuesAreNotExpandedAgain) {
  EXPECT_EQ(Expand(Make({{"A", "${B}"}, {"B", "b"}}), "${A}"), "${B}");
}

TEST_F(SecretsTest, FaultsListEveryPlace) {
  const Secrets secrets = Make({});
  EXPECT_EQ(Expand(secrets, "${CRM_URI}"),
            "error[unset_variable]: ${CRM_URI} is not set; tried: environment variable CRM_URI, "
            "HEADRACE_SECRETS_DIR (not set), .env of the project (no such file)\n"
            "  hint: set it, or give a default: ${CRM_URI:-…}");
  EXPECT_EQ(Expand(secrets, "${CRM-URI}"),
            "error[bad_variable]: 'CRM-URI' is no name of a variable\n"
            "  hint: write ${NAME} or ${NAME:-default}; $${ stands for a literal ${");
  EXPECT_NE(Expand(secrets, "${CRM").find("is not closed"), std::string::npos);
  EXPECT_NE(Expand(secrets, "${../../etc/passwd}").find("bad_variable"), std::string::npos);
  EXPECT_EQ(secrets.Unset("${A} ${B:-x} ${C}"), (std::vector<std::string>{"A", "C"}));
}

TEST_F(SecretsTest, ResolvedValuesAreMasked) {
  const Secrets secrets = Make({{"TOKEN", "s3cr3t-token"}, {"SHORT", "abc"}});
  Expand(secrets, "${TOKEN} ${SHORT}");
  EXPECT_EQ(redactor_.Redact("x s3cr3t-token y abc"), "x *** y abc");
}

TEST_F(SecretsTest, BrokenDotenvIsNamedButNotShown) {
  project_.Write(".env", "A=1\nhunter22\n");
  EXPECT_EQ(Expand(Make({}), "${A}"),
            ".env:2:1: error[bad_dotenv]: this line is no NAME=value\n"
            "  hint: write NAME=value, NAME='value' or # a comment");
}

TEST(Dotenv, ReadsWhatPeopleWrite) {
  const auto entries = ParseDotenv(
      "\xEF\xBB\xBF# comment\n\nA=1\r\nexport B = two words # comment\nC='$x # \\n'\n"
      "D=\"a\\n\\\"b\\\" \\$\"  # comment\nE=\nF=\"two\nlines\"\nG=a#b\nH=#c\n",
      ".env");
  ASSERT_TRUE(entries.ok()) << Render(entries.error());
  std::string all;
  for (const DotenvEntry& entry : *entries) {
    all += entry.name + "@" + std::to_string(entry.line) + "=" + entry.value + ";";
  }
  EXPECT_EQ(all,
            "A@3=1;B@4=two words;C@5=$x # \\n;D@6=a\n\"b\" $;E@7=;F@8=two\nlines;G@10=a#b;H@11=;");
  for (const char* bad : {"A\n", "1A=2\n", "=x\n", "A=\"x\n", "A='x' y\n", "A B=1\n"}) {
    EXPECT_FALSE(ParseDotenv(bad, ".env").ok()) << bad;
  }
}

TEST_F(SecretsTest, LintWarnsOfUnsetNames) {
  struct Options {
    std::string uri;
    static const spec::Spec& Describe() {
      static const spec::Spec spec{
          "", "options", "", {spec::Field("uri", &Options::uri, "Address.").Secret()}};
      return spec;
    }
  };
  yaml::Node map;
  map.kind = yaml::Kind::kMap;
  map.entries.push_back({yaml::MakeScalar("uri", true), yaml::MakeScalar("${NOPE}", true)});
  Diagnostics diagnostics;
  const spec::ComponentRef ref =
      spec::Parse(Options::Describe(), map, {.diagnostics = &diagnostics});
  WarnUnset(ref, Make({}), diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].severity, Severity::kWarning);
  EXPECT_EQ(diagnostics.all()[0].subject, "NOPE");
}

}  // namespace
}  // namespace headrace::config
