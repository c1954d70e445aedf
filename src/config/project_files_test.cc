#include "config/project_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "config/temp_project.h"

namespace headrace::config {
namespace {

TEST(ProjectFiles, NameRules) {
  for (const char* good : {"a", "customers", "a1_b2", "x_y_z", "selected"}) {
    EXPECT_TRUE(CheckName(good).ok()) << good;
  }
  const std::pair<const char*, const char*> bad[] = {{"", "for example 'n'"},
                                                     {"Customers", "for example 'customers'"},
                                                     {"1st", "for example 'n1st'"},
                                                     {"a__b", "for example 'a_b'"},
                                                     {"a-b", "for example 'a_b'"},
                                                     {"select", "for example 'select_rows'"},
                                                     {"order", "for example 'order_rows'"},
                                                     {"_a", "for example 'a'"},
                                                     {"ä", "for example 'n'"}};
  for (const auto& [name, hint] : bad) {
    const Status status = CheckName(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().hint, hint);
  }
  EXPECT_FALSE(CheckName(std::string(64, 'a')).ok());
  EXPECT_TRUE(CheckName(std::string(63, 'a')).ok());
  // Every word is found, so the table is sorted.
  for (const char* word : {"all", "ASOF", "Between", "current_user", "from", "window", "with",
                           "values", "cross", "exists", "positional", "lateral", "user"}) {
    EXPECT_TRUE(IsReservedWord(word)) << word;
  }
}

TEST(ProjectFiles, FindsTheProjectAbove) {
  const TempProject project;
  project.Write("headrace.yml", "project: x\n");
  project.Write("pipeline/a/b/x.sql", "SELECT 1");
  const auto found = FindProject(RealFileSystem(), project.Path("pipeline/a/b"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, project.root());
  // From within: the current folder is a relative path.
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(project.Path("pipeline/a"));
  const auto within = FindProject(RealFileSystem(), ".");
  const auto deeper = FindProject(RealFileSystem(), "b");
  std::filesystem::current_path(before);
  ASSERT_TRUE(within.ok());
  EXPECT_EQ(*within, std::filesystem::canonical(project.root()));
  ASSERT_TRUE(deeper.ok());
  EXPECT_EQ(*deeper, std::filesystem::canonical(project.root()));
  const TempProject empty;
  const auto missing = FindProject(RealFileSystem(), empty.root());
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, "no_project");
}

TEST(ProjectFiles, ListsAllKinds) {
  const TempProject project;
  project.Write("pipeline/customers.yml", "");
  project.Write("pipeline/marts/features.sql", "");
  project.Write("pipeline/marts/features.yml", "");
  project.Write("pipeline/marts/features.spark.sql", "");
  project.Write("pipeline/marts/_folder.yml", "");
  project.Write("pipeline/.hidden", "");
  project.Write("checks/no_orphans.sql", "");
  project.Write("checks/no_orphans.yml", "");
  project.Write("tests/features.yml", "");
  project.Write("tests/fixtures/usage.csv", "");
  Diagnostics diagnostics;
  const ProjectFiles files = ListProject(RealFileSystem(), project.root(), diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  ASSERT_EQ(files.nodes.size(), 2u);
  EXPECT_EQ(files.nodes[0].name, "customers");
  EXPECT_EQ(files.nodes[1].sql, "pipeline/marts/features.sql");
  EXPECT_EQ(files.nodes[1].yml, "pipeline/marts/features.yml");
  EXPECT_EQ(files.nodes[1].engine_sql.at("spark"), "pipeline/marts/features.spark.sql");
  EXPECT_EQ(files.nodes[1].folder, "pipeline/marts");
  EXPECT_EQ(files.folder_defaults.at("pipeline/marts"), "pipeline/marts/_folder.yml");
  ASSERT_EQ(files.checks.size(), 1u);
  EXPECT_EQ(files.checks[0].yml, "checks/no_orphans.yml");
  EXPECT_EQ(files.tests, (std::vector<std::string>{"tests/features.yml"}));
}

TEST(ProjectFiles, AllFaultsAreFound) {
  const TempProject project, outside;
  outside.Write("secret.sql", "SELECT 1");
  project.Write("pipeline/Bad-Name.sql", "");
  project.Write("pipeline/a/x.sql", "");
  project.Write("pipeline/b/x.yml", "");
  project.Write("pipeline/data.csv", "");
  project.Write("pipeline/old.yaml", "");
  project.Write("pipeline/y.sprk.sql", "");
  project.Link("pipeline/z_link.sql", outside.Path("secret.sql"));
  project.Link("pipeline/z_folder", outside.root());
  project.Link("pipeline/z_gone.sql", "nowhere.sql");
  project.Write("checks/lost.yml", "");
  Diagnostics diagnostics;
  const ProjectFiles files = ListProject(RealFileSystem(), project.root(), diagnostics);
  diagnostics.Sort();
  std::string found;
  for (const Error& error : diagnostics.all()) {
    found += error.place.file + " " + error.code + ": " + error.message + " (" + error.hint + ")\n";
  }
  EXPECT_EQ(found,
            "checks/lost.yml bad_file: there is no checks/lost.sql beside it (a .yml in checks/ "
            "holds the properties of the .sql of the same name)\n"
            "pipeline/Bad-Name.sql bad_name: 'Bad-Name' is no name: it must start with a small "
            "letter (for example 'bad_name')\n"
            "pipeline/b/x.yml duplicate_node: 'x' is the name of pipeline/a/x.sql already (names "
            "are unique in the whole project; rename one of the files)\n"
            "pipeline/data.csv unknown_file: this file is no part of the project (pipeline/ holds "
            ".sql and .yml files; data and notes go elsewhere)\n"
            "pipeline/old.yaml bad_file: YAML files end in .yml (rename it to old.yml)\n"
            "pipeline/y.sprk.sql unknown_engine: 'sprk' is no engine (NAME.sql, or NAME.ENGINE.sql "
            "with duckdb or spark)\n"
            "pipeline/z_folder path_outside: this link leads out of the project (copy the file "
            "into the project)\n"
            "pipeline/z_gone.sql bad_file: this link leads nowhere (remove it)\n"
            "pipeline/z_link.sql path_outside: this link leads out of the project (copy the file "
            "into the project)\n");
  EXPECT_EQ(files.nodes.size(), 1u);
}

}  // namespace
}  // namespace headrace::config
