#include <gtest/gtest.h>

#include <filesystem>

#include "base/fault_file_system.h"
#include "base/file_system.h"
#include "base/glob.h"
#include "base/temp_folder.h"

namespace headrace {
namespace {

void Touch(const std::string& path) {
  ASSERT_TRUE(RealFileSystem().CreateDirectories(DirName(path)).ok());
  ASSERT_TRUE(RealFileSystem().Write(path, "x").ok());
}

TEST(Paths, AreText) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(JoinPath("a", ""), "a");
  EXPECT_EQ(JoinPath("a", "/b"), "/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(DirName("a/b/c"), "a/b");
  EXPECT_EQ(DirName("c"), "");
  EXPECT_EQ(BaseName("a/b/c.csv"), "c.csv");
  EXPECT_EQ(BaseName("c"), "c");
}

TEST(ResolveBeneath, Inside) {
  const TempFolder root;
  Touch(root / "data/a.csv");
  std::filesystem::create_symlink("a.csv", root / "data/link.csv");
  std::filesystem::create_directory_symlink(root / "data", root / "alias");
  const std::string file = root / "data/a.csv";
  for (const std::string& path : {std::string("data/a.csv"), std::string("./data//a.csv"), file,
                                  std::string("data/../data/a.csv"), std::string("alias/link.csv"),
                                  "../" + BaseName(root.path()) + "/data/a.csv"}) {
    const auto resolved = ResolveBeneath(root.path(), path);
    ASSERT_TRUE(resolved.ok()) << path;
    EXPECT_EQ(*resolved, file);
  }
  EXPECT_EQ(*ResolveBeneath(root.path(), "new/folder/x"), root / "new/folder/x");
  EXPECT_EQ(*ResolveBeneath(root.path(), "."), root.path());
  EXPECT_EQ(*ResolveBeneath("/", "tmp/../x-that-is-missing"), "/x-that-is-missing");
}

TEST(ResolveBeneath, Outside) {
  const TempFolder root, other;
  Touch(other / "secret");
  std::filesystem::create_symlink(other / "secret", root / "link");
  std::filesystem::create_directory_symlink(other.path(), root / "folder");
  std::filesystem::create_symlink(other / "missing", root / "dangling");
  std::filesystem::create_directory_symlink("..", root / "up");
  for (const std::string& path :
       {std::string("/etc/passwd"), std::string("../x"), std::string("a/../../x"),
        std::string("link"), std::string("folder/secret"), std::string("folder/new"),
        std::string("dangling"), std::string("up/x"), std::string("missing/../../x"),
        root.path() + "-beside"}) {
    const auto resolved = ResolveBeneath(root.path(), path);
    ASSERT_FALSE(resolved.ok()) << path;
    EXPECT_EQ(resolved.error().code, "path_outside");
    EXPECT_EQ(resolved.error().blame, Blame::kUser);
  }
  EXPECT_EQ(Render(ResolveBeneath(root.path(), "/etc/../x").error()),
            "error[path_outside]: path '/etc/../x' lies outside of '" + root.path() +
                "'\n"
                "  hint: name the folder as `root:` of a connection and read through that "
                "connection");
  EXPECT_EQ(ResolveBeneath(root.path(), std::string("a\0b", 3)).error().code, "bad_path");
  EXPECT_EQ(ResolveBeneath(root / "none", "a").error().code, "not_found");
  std::filesystem::create_symlink("loop", root / "loop");
  EXPECT_EQ(ResolveBeneath(root.path(), "loop").error().code, "symlink_loop");
}

class GlobTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* file : {"a.csv", "b.csv", "b1.csv", "[x].csv", ".hidden.csv", "n.txt",
                             "2026/01/c.csv", "2026/02/d.csv", "2026/e.csv", ".git/f.csv"}) {
      Touch(root_ / file);
    }
  }
  std::string Find(const std::string& pattern) {
    const auto files = Glob(RealFileSystem(), root_ / pattern);
    if (!files.ok()) return files.error().code;
    std::string out;
    for (const FileInfo& file : *files) {
      out += (out.empty() ? "" : " ") + file.path.substr(root_.path().size() + 1);
    }
    return out;
  }
  const TempFolder root_;
};

TEST_F(GlobTest, Names) {
  EXPECT_EQ(Find("*.csv"), "[x].csv a.csv b.csv b1.csv");
  EXPECT_EQ(Find("?.csv"), "a.csv b.csv");
  EXPECT_EQ(Find("b*.csv"), "b.csv b1.csv");
  EXPECT_EQ(Find("[a-b].csv"), "a.csv b.csv");
  EXPECT_EQ(Find("[!a].csv"), "b.csv");
  EXPECT_EQ(Find("[^b].csv"), "a.csv");
  EXPECT_EQ(Find("[[]x].csv"), "[x].csv");
  EXPECT_EQ(Find("\\[x].csv"), "[x].csv");
  EXPECT_EQ(Find("[x*"), "[x].csv") << "an open bracket stands for itself";
  EXPECT_EQ(Find(".h*"), ".hidden.csv");
  EXPECT_EQ(Find("a.csv"), "a.csv");
  EXPECT_EQ(Find("a.csv/b"), "");
  EXPECT_EQ(Find("no.csv"), "");
  EXPECT_EQ(Find("no/*.csv"), "");
  EXPECT_EQ(Find("2026"), "") << "folders are no files";
}

TEST_F(GlobTest, Folders) {
  EXPECT_EQ(Find("*/*.csv"), "2026/e.csv");
  EXPECT_EQ(Find("2026/*/*.csv"), "2026/01/c.csv 2026/02/d.csv");
  EXPECT_EQ(Find("2026/**/*.csv"), "2026/01/c.csv 2026/02/d.csv 2026/e.csv");
  EXPECT_EQ(Find("**/d.csv"), "2026/02/d.csv");
  EXPECT_EQ(Find("**/**/e.csv"), "2026/e.csv");
  EXPECT_EQ(Find("2026/**"), "2026/01/c.csv 2026/02/d.csv 2026/e.csv");
}

TEST_F(GlobTest, MatchesWhatItWouldFind) {
  for (const char* pattern : {"*.csv", "2026/**/*.csv", "**/d.csv", "2026/**", "*/*.csv", "**"}) {
    for (const char* file : {"a.csv", "2026/e.csv", "2026/01/c.csv", "2026/02/d.csv"}) {
      const auto found = Find(pattern);
      const bool there = (" " + found + " ").find(std::string(" ") + file + " ") != found.npos;
      EXPECT_EQ(GlobMatches(pattern, file), there) << pattern << " " << file;
    }
  }
  EXPECT_FALSE(GlobMatches("*.csv", ".hidden.csv"));
  EXPECT_FALSE(GlobMatches("/a/*.csv", "a/b.csv"));
}

TEST_F(GlobTest, LinkedFoldersFormNoLoops) {
  std::filesystem::create_directory_symlink("..", root_ / "2026/up");
  std::filesystem::create_symlink("nowhere", root_ / "2026/x.csv");
  EXPECT_EQ(Find("2026/**/*.csv"), "2026/01/c.csv 2026/02/d.csv 2026/e.csv 2026/x.csv");
  EXPECT_EQ(Find("2026/up/a.csv"), "2026/up/a.csv") << "named links are followed";
}

TEST_F(GlobTest, ManyStarsAreQuick) {
  Touch(root_ / std::string(200, 'a'));
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_EQ(Find(pattern + "b"), "");
}

}  // namespace
}  // namespace headrace
