#include "base/file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/fault_file_system.h"
#include "base/temp_folder.h"

namespace headrace {
namespace {

FileSystem& Fs() { return RealFileSystem(); }

TEST(RealFileSystem, WritesReadsAndLists) {
  const TempFolder folder;
  ASSERT_TRUE(Fs().CreateDirectories(folder / "a/b").ok());
  ASSERT_TRUE(Fs().CreateDirectories(folder / "a/b").ok()) << "an existing folder is fine";
  const std::string content = "line\n" + std::string(1 << 20, 'x') + std::string(1, '\0');
  ASSERT_TRUE(Fs().Write(folder / "a/f", content).ok());
  EXPECT_EQ(*Fs().Read(folder / "a/f"), content);
  EXPECT_EQ(*Fs().ReadRange(folder / "a/f", 2, 4), "ne\nx");
  EXPECT_EQ(*Fs().ReadRange(folder / "a/f", 1 << 20, 100), "xxxxx" + std::string(1, '\0'));
  EXPECT_EQ(*Fs().ReadRange(folder / "a/f", 1 << 21, 5), "");
  EXPECT_GT(Fs().Read("/proc/self/status")->size(), 0u) << "a file without a size";
  ASSERT_TRUE(Fs().Write(folder / "a/f", "short").ok());
  EXPECT_EQ(*Fs().Read(folder / "a/f"), "short");

  std::filesystem::create_symlink("nowhere", folder / "a/dangling");
  const auto list = Fs().List(folder / "a");
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[0].path, folder / "a/b");
  EXPECT_TRUE((*list)[0].directory);
  EXPECT_EQ((*list)[1].path, folder / "a/dangling");
  EXPECT_TRUE((*list)[1].symlink);
  EXPECT_EQ((*list)[2].size, 5);
  EXPECT_GT((*list)[2].modified, 1'600'000'000'000'000);
  EXPECT_GT(*Fs().FreeBytes(folder.path()), 0);
}

TEST(RealFileSystem, RenamesAndRemoves) {
  const TempFolder folder;
  ASSERT_TRUE(Fs().CreateDirectories(folder / "a/b").ok());
  ASSERT_TRUE(Fs().Write(folder / "a/b/f", "1").ok());
  ASSERT_TRUE(Fs().Rename(folder / "a/b/f", folder / "g").ok());
  EXPECT_TRUE(Fs().Exists(folder / "g"));
  EXPECT_FALSE(Fs().Exists(folder / "a/b/f"));
  EXPECT_TRUE(Fs().SyncFile(folder / "g").ok());
  EXPECT_TRUE(Fs().SyncDirectory(folder.path()).ok());
  EXPECT_TRUE(Fs().Remove(folder / "missing").ok());
  EXPECT_TRUE(Fs().Remove(folder / "g").ok());
  EXPECT_FALSE(Fs().Exists(folder / "g"));
  EXPECT_EQ(Fs().Remove(folder / "a").error().code, "not_empty");
  // Links are removed, not what they point to.
  const TempFolder other;
  ASSERT_TRUE(Fs().Write(other / "keep", "1").ok());
  std::filesystem::create_directory_symlink(other.path(), folder / "a/link");
  EXPECT_TRUE(Fs().RemoveAll(folder / "a").ok());
  EXPECT_TRUE(Fs().RemoveAll(folder / "a").ok());
  EXPECT_TRUE(Fs().Exists(other / "keep"));
}

TEST(RealFileSystem, NamesWhatFailed) {
  const TempFolder folder;
  EXPECT_EQ(Render(Fs().Read(folder / "x").error()),
            "error[not_found]: cannot read '" + (folder / "x") + "': No such file or directory");
  EXPECT_EQ(Fs().Read(folder.path()).error().code, "is_a_directory");
  EXPECT_EQ(Fs().Write(folder / "no/x", "").error().code, "not_found");
  EXPECT_EQ(Fs().Stat(folder / "x").error().code, "not_found");
  EXPECT_EQ(Fs().List(folder / "x").error().code, "not_found");
  EXPECT_EQ(Fs().SyncFile(folder / "x").error().code, "not_found");
  ASSERT_TRUE(Fs().Write(folder / "f", "").ok());
  EXPECT_EQ(Fs().CreateDirectories(folder / "f/g").error().code, "not_a_directory");
  EXPECT_EQ(Fs().Write("/dev/full", "x").error().code, "no_space");
}

TEST(RealFileSystem, LocksExcludeEachOther) {
  const TempFolder folder;
  auto first = Fs().TryLock(folder / "lock");
  ASSERT_TRUE(first.ok());
  ASSERT_NE(*first, nullptr);
  auto second = Fs().TryLock(folder / "lock");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*second, nullptr);
  first->reset();
  EXPECT_NE(*Fs().TryLock(folder / "lock"), nullptr);
  EXPECT_EQ(Fs().TryLock(folder / "no/lock").error().code, "not_found");
}

TEST(RealFileSystem, ALockOfARemovedFileLocksNothing) {
  const TempFolder folder;
  auto old = Fs().TryLock(folder / "lock");
  ASSERT_TRUE(Fs().Remove(folder / "lock").ok());
  EXPECT_NE(*Fs().TryLock(folder / "lock"), nullptr);
}

TEST(WriteAll, ReportsTheError) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  EXPECT_EQ(WriteAll(fds[1], "abc"), 0);
  char buffer[4] = {};
  EXPECT_EQ(read(fds[0], buffer, 4), 3);
  EXPECT_EQ(WriteAll(fds[0], "abc"), EBADF);
  close(fds[0]);
  close(fds[1]);
}

// Every writing operation fails once: the reader sees the old or the new content, nothing else
// stays behind unless removing fails too.
TEST(WriteAtomically, OldOrNewWhateverFails) {
  const TempFolder folder;
  const std::string path = folder / "f";
  ASSERT_TRUE(Fs().Write(path, "old").ok());
  FaultFileSystem count(Fs());
  ASSERT_TRUE(count.WriteAtomically(path, "old").ok());
  ASSERT_EQ(count.operations(), 4);  // write, sync, rename, sync the folder
  for (int error : {ENOSPC, EIO}) {
    for (bool sticky : {false, true}) {
      for (int64_t n = 1; n <= count.operations(); ++n) {
        ASSERT_TRUE(Fs().Write(path, "old").ok());
        FaultFileSystem faulty(Fs(), n, error, sticky);
        const Status status = faulty.WriteAtomically(path, "new");
        ASSERT_FALSE(status.ok());
        EXPECT_EQ(status.error().code, error == EIO ? "io_error" : "no_space");
        EXPECT_EQ(*Fs().Read(path), n < 4 ? "old" : "new");
        EXPECT_EQ(Fs().List(folder.path())->size(), sticky && n < 4 ? 2u : 1u);
        for (const FileInfo& file : *Fs().List(folder.path())) {
          if (file.path == path) continue;
          ASSERT_TRUE(Fs().Remove(file.path).ok());
        }
      }
    }
  }
}

TEST(FaultFileSystem, LogsAndWritesHalf) {
  const TempFolder folder;
  FaultFileSystem faulty(Fs(), 2, EIO);
  EXPECT_TRUE(faulty.CreateDirectories(folder / "d").ok());
  EXPECT_EQ(faulty.Write(folder / "f", "12345678").error().message,
            "cannot write " + (folder / "f") + ": Input/output error");
  EXPECT_EQ(*Fs().Read(folder / "f"), "1234");
  EXPECT_TRUE(faulty.Rename(folder / "f", folder / "g").ok());
  EXPECT_TRUE(faulty.SyncFile(folder / "g").ok());
  EXPECT_EQ(faulty.log(),
            (std::vector<std::string>{
                "create folder " + (folder / "d"), "write " + (folder / "f") + " !",
                "rename " + (folder / "f") + " to " + (folder / "g"), "sync " + (folder / "g")}));
}

}  // namespace
}  // namespace headrace
