#include <gtest/gtest.h>

#include <filesystem>

#include "base/temp_folder.h"
#include "components/project_fixture.h"

namespace headrace::components {
namespace {

/// A folder beside the project, reached through a connection.
class FilesRootTest : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    std::filesystem::create_directories(shared_ / "orders");
    Write("headrace.yml",
          "project: test\nconnections:\n  shared: {type: folder, root: " + shared_.path() + "}\n");
  }
  void Source(const std::string& path) {
    Write("pipeline/t.yml", "source: csv\nconnection: shared\npath: \"" + path + "\"\n");
  }
  void Outside(const std::string& path, const std::string& content) {
    std::ofstream(shared_ / path) << content;
  }

  TempFolder shared_;
};

TEST_F(FilesRootTest, PathsStartInTheConnectionsRoot) {
  Outside("orders/1.csv", "id\n1\n");
  Source("orders");
  Run();
  EXPECT_EQ(Rows("t"), "id=1\n");
  Outside("orders/2.csv", "id\n2\n");
  Run();
  EXPECT_EQ(Rows("t"), "id=1\nid=2\n");
}

TEST_F(FilesRootTest, LinksDoNotLeaveIt) {
  Write("secret/out.csv", "id\n1\n");
  std::filesystem::create_symlink(Path("secret/out.csv"), shared_ / "link.csv");
  std::filesystem::create_directory_symlink(Path("secret"), shared_ / "folder");
  for (const char* path : {"link.csv", "*.csv", "folder", "folder/out.csv", "folder/*.csv",
                           "**/out.csv", "../out.csv", "orders/../../x.csv"}) {
    Source(path);
    const std::string faults = Load();
    EXPECT_TRUE(diagnostics_.HasErrors()) << path;
    EXPECT_TRUE(faults.find("path_outside") != std::string::npos ||
                faults.find("no_files") != std::string::npos)
        << path << ": " << faults;
  }
}

TEST_F(FilesRootTest, LinksWithinItAreFollowed) {
  Outside("orders/1.csv", "id\n7\n");
  std::filesystem::create_symlink(shared_ / "orders/1.csv", shared_ / "newest.csv");
  Source("newest.csv");
  Run();
  EXPECT_EQ(Rows("t"), "id=7\n");
}

}  // namespace
}  // namespace headrace::components
