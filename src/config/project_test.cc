#include "config/project.h"

#include <gtest/gtest.h>

#include "config/secrets.h"
#include "config/temp_project.h"
#include "yaml/parse.h"

namespace headrace::config {
namespace {

using spec::Field;

struct Csv {
  std::string path;
  static const spec::Spec& Describe() {
    static const spec::Spec spec{
        "source", "csv", "CSV.", {Field("path", &Csv::path, "Files.").Path()}};
    return spec;
  }
};
struct Sqlite {
  std::string path;
  static const spec::Spec& Describe() {
    static const spec::Spec spec{
        "connection", "sqlite", "SQLite.", {Field("path", &Sqlite::path, "File.").Path()}};
    return spec;
  }
};

const spec::SpecTable& Table() {
  static const spec::SpecTable table = [] {
    spec::SpecTable t;
    t.Add(Csv::Describe());
    t.Add(Sqlite::Describe());
    return t;
  }();
  return table;
}

constexpr const char* kSettings = R"(project: churn
params:
  as_of: {type: date, default: 2026-01-01}
connections:
  usage_db: {type: sqlite, path: data/usage.db, root: /data}
targets:
  dev: {engine: duckdb, reuse_from: prod}
  prod: {engine: {type: spark, url: "${SPARK}"}, store: "${STORE}", memory: 4GB}
)";

Settings ReadSettings(std::string_view text, Diagnostics& diagnostics) {
  const auto yaml = yaml::Parse(text, "headrace.yml", diagnostics);
  return yaml ? ParseSettings(*yaml, {.diagnostics = &diagnostics, .lookup = &Table()})
              : Settings();
}

TEST(Settings, Reads) {
  Diagnostics diagnostics;
  const Settings settings = ReadSettings(kSettings, diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  EXPECT_EQ(settings.project, "churn");
  EXPECT_EQ(settings.params.at("as_of").type, ParamType::kDate);
  const spec::ComponentRef& usage = settings.connections.at("usage_db");
  EXPECT_EQ(usage.type, "sqlite");
  EXPECT_EQ(usage.As<Sqlite>().path, "data/usage.db");
  EXPECT_EQ(usage.CommonAs<ConnectionFields>().root, "/data");
  EXPECT_EQ(settings.targets.at("prod").EngineName(), "spark");
  EXPECT_EQ(*settings.PickTarget(""), "dev");
  EXPECT_TRUE(settings.Sends("prod"));
  EXPECT_FALSE(settings.Sends("dev"));
  EXPECT_EQ(settings.PickTarget("prd").error().candidates, (std::vector<std::string>{"prod"}));
}

TEST(Settings, TargetsAreExpandedOneByOne) {
  Diagnostics diagnostics;
  const Settings settings = ReadSettings(kSettings, diagnostics);
  const TempProject project;
  Redactor redactor;
  const Secrets secrets({project.root(), {{"SPARK", "sc://h:1"}}, &RealFileSystem(), &redactor});
  const spec::ParseContext context{
      .diagnostics = &diagnostics, .lookup = &Table(), .expander = &secrets};
  EXPECT_EQ(ExpandTarget(settings, "dev", context).EngineName(), "duckdb");
  EXPECT_EQ(Rendered(diagnostics), "");
  const Target prod = ExpandTarget(settings, "prod", context);
  EXPECT_EQ(std::get<SparkEngine>(prod.engine).url, "sc://h:1");
  ASSERT_EQ(diagnostics.all().size(), 1u);  // STORE
  EXPECT_EQ(diagnostics.all()[0].place.line, 8);
}

TEST(Settings, DefaultsWithoutTargets) {
  Diagnostics diagnostics;
  const Settings settings = ReadSettings("project: x\n", diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  EXPECT_EQ(*settings.PickTarget(""), "dev");
  EXPECT_TRUE(settings.Sends("dev"));
}

TEST(Settings, Faults) {
  Diagnostics diagnostics;
  ReadSettings(
      "project: my churn\nparams:\n  from: {type: date}\n  p: {type: int, default: x}\n"
      "connections:\n  a: {type: sqlit, path: x}\ntargets:\n  Dev: {memory: lots}\n"
      "  b: {reuse_from: c}\n",
      diagnostics);
  diagnostics.Sort();
  std::string found;
  for (const Error& error : diagnostics.all()) {
    found += std::to_string(error.place.line) + " " + error.code + "; ";
  }
  EXPECT_EQ(found,
            "3 reserved_param; 4 bad_value; 6 unknown_type; 8 bad_name; 8 bad_value; "
            "9 unknown_target; ");
}

TEST(Project, LoadsEverything) {
  const TempProject files;
  files.Write("headrace.yml", kSettings);
  files.Write("pipeline/_folder.yml", "owner: far\ntags: [all]\n");
  files.Write("pipeline/customers.yml", "source: csv\npath: data/*.csv\n");
  files.Write("pipeline/marts/_folder.yml", "owner: near\n");
  files.Write("pipeline/marts/features.sql", "\xEF\xBB\xBFSELECT 1\r\n");
  files.Write("pipeline/marts/features.yml", "description: x\n");
  files.Write("pipeline/marts/features.spark.sql", "SELECT 2");
  files.Write("checks/c.sql", "SELECT * FROM features");
  files.Write("checks/c.yml", "severity: warn\nowner: me\n");
  files.Write("tests/t.yml", "test: features\n");
  Diagnostics diagnostics;
  const auto project = LoadProject(RealFileSystem(), files.root(), Table(), diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  ASSERT_TRUE(project);
  const LoadedNode& features = project->nodes.at("features");
  EXPECT_EQ(features.path, "pipeline/marts/features.sql");
  EXPECT_EQ(features.SqlFor("duckdb")->text, "SELECT 1\n");
  EXPECT_EQ(features.SqlFor("spark")->text, "SELECT 2");
  EXPECT_EQ(features.spec.common.owner, "near");
  EXPECT_EQ(features.spec.common.tags, (std::vector<std::string>{"all"}));
  EXPECT_EQ(project->nodes.at("customers").spec.options.As<Csv>().path, "data/*.csv");
  ASSERT_EQ(project->checks.size(), 1u);
  EXPECT_EQ(project->checks[0].fields.severity, spec::CheckSeverity::kWarn);
  EXPECT_EQ(project->checks[0].owner, "me");
  EXPECT_EQ(project->tests.size(), 1u);
}

TEST(Project, FaultsOfAllFilesInOneGo) {
  const TempProject files;
  files.Write("headrace.yml", "project: x\ntarget: {}\n");
  files.Write("pipeline/a.yml", "source: csv\n");
  files.Write("pipeline/a.sql", "SELECT 1");
  files.Write("pipeline/b.yml", "source: csv\npth: x\n");
  files.Write("pipeline/c.yml", "description: alone\n");
  files.Write("pipeline/d.sql", "  \n");
  files.Write("pipeline/e.sql", "SELECT '\xFF'");
  files.Write("pipeline/f.yml", "a: [1\n");
  files.Write("pipeline/g.sql", std::string(1 << 21, ' '));
  Diagnostics diagnostics;
  LoadProject(RealFileSystem(), files.root(), Table(), diagnostics);
  diagnostics.Sort();
  std::string found;
  for (const Error& error : diagnostics.all()) {
    found += error.place.file + ":" + std::to_string(error.place.line) + " " + error.code + "; ";
  }
  EXPECT_EQ(
      found,
      "headrace.yml:2 unknown_field; pipeline/a.yml:1 duplicate_node; "
      "pipeline/b.yml:2 unknown_field; pipeline/c.yml:1 bad_node; "
      "pipeline/d.sql:0 empty_file; pipeline/e.sql:1 bad_encoding; pipeline/f.yml:1 bad_yaml; "
      "pipeline/g.sql:0 too_large; ");
}

TEST(Project, WithoutSettingsThereIsNone) {
  const TempProject files;
  Diagnostics diagnostics;
  EXPECT_FALSE(LoadProject(RealFileSystem(), files.root(), Table(), diagnostics));
  EXPECT_TRUE(diagnostics.HasErrors());
}

TEST(Project, PathsStayInside) {
  const TempProject files, outside;
  files.Write("data/a.csv", "");
  outside.Write("b.csv", "");
  EXPECT_EQ(*ResolvePath(files.root(), "data/a.csv", "", {}), files.Path("data/a.csv"));
  EXPECT_FALSE(ResolvePath(files.root(), "../x", "", {}).ok());
  EXPECT_FALSE(ResolvePath(files.root(), outside.Path("b.csv"), "", {}).ok());
  EXPECT_TRUE(ResolvePath(files.root(), "b.csv", outside.root(), {}).ok());
}

}  // namespace
}  // namespace headrace::config
