#include "base/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/crash_point.h"

namespace headrace {
namespace {

Error PathError(int error_number, std::string_view verb, const std::string& path) {
  return ErrnoError(error_number, fmt::format("cannot {} '{}'", verb, path));
}

/// A descriptor that closes itself. Close() is for writers that must see its error.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  /// 0 or errno. After EINTR Linux has closed it all the same.
  int Close() { return close(Release()) == 0 || errno == EINTR ? 0 : errno; }

 private:
  int fd_;
};

int OpenRetrying(const std::string& path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/// 0 or errno.
int SyncRetrying(int fd) {
  while (fsync(fd) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

Timestamp Micros(const timespec& t) {
  return static_cast<int64_t>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1000;
}

class FlockLock : public FileLock {
 public:
  explicit FlockLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;  // closing it unlocks
};

class PosixFileSystem : public FileSystem {
 public:
  Result<std::string> Read(const std::string& path) override { return ReadRange(path, 0, -1); }

  /// A negative length means up to the end.
  Result<std::string> ReadRange(const std::string& path, int64_t offset, int64_t length) override {
    // A pipe without a writer would make open() wait for ever.
    const Descriptor fd(OpenRetrying(path, O_RDONLY | O_NONBLOCK));
    if (!fd.ok()) return PathError(errno, "read", path);
    struct stat info = {};
    if (fstat(fd.get(), &info) != 0) return PathError(errno, "read", path);
    if (S_ISDIR(info.st_mode)) return PathError(EISDIR, "read", path);
    if (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)) {
      return UserError("not_a_file", "cannot read '" + path + "': it is a pipe, not a file");
    }
    std::string out;
    // The size is a guess (files of /proc have none), one byte more finds the end.
    constexpr int64_t kChunk = 1 << 16;
    const int64_t guess = std::max<int64_t>(static_cast<int64_t>(info.st_size) - offset, 0) + 1;
    while (length < 0 || static_cast<int64_t>(out.size()) < length) {
      const int64_t have = static_cast<int64_t>(out.size());
      int64_t want = have < guess ? guess - have : std::max(kChunk, have);
      if (length >= 0) want = std::min(want, length - have);
      out.resize(have + want);
      const ssize_t got = pread(fd.get(), out.data() + have, want, offset + have);
      const int error_number = errno;
      out.resize(have + std::max<ssize_t>(got, 0));
      if (got == 0) break;
      if (got < 0 && error_number != EINTR) return PathError(error_number, "read", path);
    }
    return out;
  }

  Status Write(const std::string& path, std::string_view content) override {
    Descriptor fd(OpenRetrying(path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
    if (!fd.ok()) return PathError(errno, "write", path);
    if (const int e = WriteAll(fd.get(), content)) return PathError(e, "write", path);
    if (const int e = fd.Close()) return PathError(e, "write", path);
    return Ok();
  }

  Status SyncFile(const std::string& path) override {
    const Descriptor fd(OpenRetrying(path, O_RDONLY));
    if (!fd.ok()) return PathError(errno, "sync", path);
    if (const int e = SyncRetrying(fd.get())) return PathError(e, "sync", path);
    return Ok();
  }

  Status SyncDirectory(const std::string& path) override {
    const std::string folder = path.empty() ? "." : path;
    const Descriptor fd(OpenRetrying(folder, O_RDONLY | O_DIRECTORY));
    if (!fd.ok()) return PathError(errno, "sync", folder);
    const int e = SyncRetrying(fd.get());
    // Some file systems can't sync a folder and say so with EINVAL: they have nothing to sync.
    if (e != 0 && e != EINVAL) return PathError(e, "sync", folder);
    return Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return Ok();
    return ErrnoError(errno, fmt::format("cannot rename '{}' to '{}'", from, to));
  }

  Status CreateDirectories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return PathError(error.value(), "create folder", path);
    return Ok();
  }

  Status Remove(const std::string& path) override {
    if (std::remove(path.c_str()) == 0 || errno == ENOENT) return Ok();
    return PathError(errno, "remove", path);
  }

  Status RemoveAll(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);  // doesn't follow symbolic links
    if (error) return PathError(error.value(), "remove", path);
    return Ok();
  }

  Result<FileInfo> Stat(const std::string& path) override {
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0) return PathError(errno, "find", path);
    const bool symlink = S_ISLNK(info.st_mode);
    if (symlink && stat(path.c_str(), &info) != 0) return PathError(errno, "find", path);
    return FileInfo{path, static_cast<int64_t>(info.st_size), Micros(info.st_mtim),
                    S_ISDIR(info.st_mode), symlink};
  }

  bool Exists(const std::string& path) override { return access(path.c_str(), F_OK) == 0; }

  Result<std::vector<FileInfo>> List(const std::string& path) override {
    std::error_code error;
    std::filesystem::directory_iterator entries(path.empty() ? "." : path, error), end;
    if (error) return PathError(error.value(), "list", path);
    std::vector<FileInfo> out;
    while (entries != end) {
      const std::string child = JoinPath(path, entries->path().filename().native());
      if (auto info = Stat(child); info.ok()) {
        out.push_back(*std::move(info));
      } else if (struct stat link = {}; lstat(child.c_str(), &link) == 0) {
        out.push_back({child, 0, Micros(link.st_mtim), false, true});  // points nowhere
      }                                                                // else removed meanwhile
      entries.increment(error);
      if (error) return PathError(error.value(), "list", path);
    }
    std::sort(out.begin(), out.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
    return out;
  }

  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override {
    while (true) {
      Descriptor fd(OpenRetrying(path, O_RDWR | O_CREAT, 0666));
      if (!fd.ok()) return PathError(errno, "lock", path);
      while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return std::unique_ptr<FileLock>();
        if (errno != EINTR) return PathError(errno, "lock", path);
      }
      // If the file was removed or replaced between open and flock, the lock guards nothing.
      struct stat ours = {}, there = {};
      if (fstat(fd.get(), &ours) != 0) return PathError(errno, "lock", path);
      const bool same = stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
                        ours.st_dev == there.st_dev;
      if (same) return std::unique_ptr<FileLock>(std::make_unique<FlockLock>(fd.Release()));
    }
  }

  Result<int64_t> FreeBytes(const std::string& path) override {
    struct statvfs info = {};
    if (statvfs(path.c_str(), &info) != 0) return PathError(errno, "ask for free space of", path);
    return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static PosixFileSystem file_system;
  return file_system;
}

int WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written >= 0) {
      content.remove_prefix(written);
    } else if (errno == EAGAIN) {
      pollfd room = {fd, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Status FileSystem::WriteAtomically(const std::string& path, std::string_view content) {
  // A name of its own for every writer: two writers of one path must not mix.
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) random = getpid();
  const std::string folder = DirName(path);
  const std::string temporary =
      JoinPath(folder, fmt::format(".{}.tmp-{:016x}", BaseName(path), random));

  const auto steps = [&]() -> Status {
    HR_TRY(Write(temporary, content));
    CrashPoint("file.write.before_sync");
    HR_TRY(SyncFile(temporary));
    CrashPoint("file.write.before_rename");
    return Rename(temporary, path);
  };
  if (Status status = steps(); !status.ok()) {
    // The first error is the one that matters.
    [[maybe_unused]] const Status removed = Remove(temporary);
    return status;
  }
  CrashPoint("file.write.after_rename");
  const bool at_root = folder.empty() && path.starts_with('/');
  return SyncDirectory(at_root ? "/" : folder.empty() ? "." : folder);
}

}  // namespace headrace
