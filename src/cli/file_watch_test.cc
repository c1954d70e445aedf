#include "cli/file_watch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/file_system.h"

namespace headrace::cli {
namespace {

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    std::string pattern = testing::TempDir() + "/watch-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    mkdir((folder_ + "/pipeline").c_str(), 0777);
    mkdir((folder_ + "/.headrace").c_str(), 0777);
  }
  ~FileWatchTest() override { (void)RealFileSystem().RemoveAll(folder_).ok(); }

  void Write(const std::string& name) { std::ofstream(folder_ + "/" + name) << "x"; }

  std::string folder_;
};

using Names = std::set<std::string>;

TEST_F(FileWatchTest, SavesAreSeenAndOurOwnStateIsNot) {
  auto watch = FileWatch::Open(folder_);
  ASSERT_TRUE(watch.ok());
  Write(".headrace/store.db");
  Write("pipeline/.a.sql.swp");
  Write("pipeline/a.sql~");
  Write("pipeline/a.sql");
  Write(".env");
  auto changed = watch->Wait({});
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(*changed, (Names{".env", "pipeline/a.sql"}));
}

TEST_F(FileWatchTest, RenamesDeletionsAndNewFoldersAreSeen) {
  Write("pipeline/a.sql");
  auto watch = FileWatch::Open(folder_);
  ASSERT_TRUE(watch.ok());
  std::rename((folder_ + "/pipeline/a.sql").c_str(), (folder_ + "/pipeline/b.sql").c_str());
  EXPECT_EQ(*watch->Wait({}), (Names{"pipeline/a.sql", "pipeline/b.sql"}));
  mkdir((folder_ + "/checks").c_str(), 0777);
  EXPECT_EQ(*watch->Wait({}), (Names{"checks"}));
  Write("checks/c.sql");
  EXPECT_EQ(*watch->Wait({}), (Names{"checks/c.sql"}));
  std::remove((folder_ + "/pipeline/b.sql").c_str());
  EXPECT_EQ(*watch->Wait({}), (Names{"pipeline/b.sql"}));
}

TEST_F(FileWatchTest, ACancelEndsTheWait) {
  auto watch = FileWatch::Open(folder_);
  ASSERT_TRUE(watch.ok());
  CancelToken token;
  std::thread other([token]() mutable { token.Cancel(); });
  EXPECT_TRUE(watch->Wait(token)->empty());
  other.join();
}

}  // namespace
}  // namespace headrace::cli
