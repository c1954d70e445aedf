#pragma once
// All writing of state goes through a FileSystem, so that tests can fail any operation
// (FaultFileSystem). DuckDB and learners write through their own code; what they wrote is
// synced and renamed through this interface, and their failures are tested with real full disks.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace headrace {

struct FileInfo {
  std::string path;
  int64_t size = 0;        ///< bytes
  Timestamp modified = 0;  ///< microseconds
  bool directory = false;
  bool symlink = false;
};

/// An advisory lock on a file that dies with the process (flock). Unlocks in the destructor.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Blocking file operations. Thread-safe. Paths are absolute or relative to the process's folder.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::string> Read(const std::string& path) = 0;
  /// At most `length` bytes from `offset`.
  virtual Result<std::string> ReadRange(const std::string& path, int64_t offset,
                                        int64_t length) = 0;
  /// Creates or replaces; not synced.
  virtual Status Write(const std::string& path, std::string_view content) = 0;
  virtual Status SyncFile(const std::string& path) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status CreateDirectories(const std::string& path) = 0;
  virtual Status Remove(const std::string& path) = 0;  ///< a missing file is fine
  virtual Status RemoveAll(const std::string& path) = 0;
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  /// Sorted by name; without . and ..; not recursive.
  virtual Result<std::vector<FileInfo>> List(const std::string& path) = 0;
  /// nullptr when somebody else holds the lock. Creates the file.
  virtual Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) = 0;
  /// Bytes free for an ordinary user on the file system of `path`.
  virtual Result<int64_t> FreeBytes(const std::string& path) = 0;

  /// Write to a temporary name beside it, sync, rename, sync the directory: a reader sees the old
  /// or the new content, whatever happens.
  Status WriteAtomically(const std::string& path, std::string_view content);
};

/// The machine's file system (static, stateless).
FileSystem& RealFileSystem();

/// Fails the n-th (1-based) writing operation (Write, Sync*, Rename, CreateDirectories, Remove*)
/// of the wrapped file system with `error_number` (ENOSPC, EIO…), and every one after it while
/// `sticky`. Counts operations, so a test first runs with n = 0 (never) to learn how many there
/// are.
class FaultFileSystem;  // base/fault_file_system.h

/// Writes everything to a descriptor, whatever it is (short writes, EINTR, a full non-blocking
/// pipe). 0 or errno; on a closed pipe EPIPE, if InitProcess was called.
int WriteAll(int fd, std::string_view content);

// Paths (pure text, except where said).
std::string JoinPath(std::string_view a, std::string_view b);
std::string DirName(std::string_view path);  ///< "" when there is no slash
std::string BaseName(std::string_view path);
/// Resolves `path` beneath `root` (real path, symlinks followed) and refuses what lies outside:
/// error "path_outside" with the hint to use a connection's root.
Result<std::string> ResolveBeneath(const std::string& root, const std::string& path);
/// Files that match a glob (`*`, `?`, `[…]`, `**`), sorted by path; reads the file system.
Result<std::vector<FileInfo>> Glob(FileSystem& fs, const std::string& pattern);

}  // namespace headrace
