#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace headrace {

/// A file system that fails on purpose. A test first runs with fail_at = 0 (never) to learn from
/// operations() how many writing operations there are, then once for each of them.
/// Counted are Write, SyncFile, SyncDirectory, Rename, CreateDirectories, Remove and RemoveAll, in
/// the order in which they arrive. A failing Write leaves half of the content behind, as a full
/// disk does. Thread-safe. The wrapped file system must outlive it.
class FaultFileSystem : public FileSystem {
 public:
  /// Fails the `fail_at`-th operation (1-based; 0 = never) with `error_number` (ENOSPC, EIO …), and
  /// every one after it if `sticky`.
  explicit FaultFileSystem(FileSystem& wrapped, int64_t fail_at = 0, int error_number = 0,
                           bool sticky = false)
      : wrapped_(wrapped), fail_at_(fail_at), error_number_(error_number), sticky_(sticky) {}

  /// Operations so far, the failed ones included.
  int64_t operations() const { return operations_; }
  /// One line for each operation: "write /a/b", "rename /a/b to /a/c"; the failed ones end in " !".
  std::vector<std::string> log() const;

  Result<std::string> Read(const std::string& path) override;
  Result<std::string> ReadRange(const std::string& path, int64_t offset, int64_t length) override;
  Status Write(const std::string& path, std::string_view content) override;
  Status SyncFile(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status CreateDirectories(const std::string& path) override;
  Status Remove(const std::string& path) override;
  Status RemoveAll(const std::string& path) override;
  Result<FileInfo> Stat(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<std::vector<FileInfo>> List(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override;
  Result<int64_t> FreeBytes(const std::string& path) override;

 private:
  Status Count(const std::string& what);

  FileSystem& wrapped_;
  const int64_t fail_at_;
  const int error_number_;
  const bool sticky_;
  std::atomic<int64_t> operations_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
};

}  // namespace headrace
