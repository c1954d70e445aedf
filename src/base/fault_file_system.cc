#include "base/fault_file_system.h"

#include <fmt/format.h>

namespace headrace {

Status FaultFileSystem::Count(const std::string& what) {
  std::lock_guard lock(mutex_);
  const int64_t n = ++operations_;
  const bool fails = fail_at_ > 0 && (n == fail_at_ || (sticky_ && n > fail_at_));
  log_.push_back(fails ? what + " !" : what);
  if (fails) return ErrnoError(error_number_, "cannot " + what);
  return Ok();
}

std::vector<std::string> FaultFileSystem::log() const {
  std::lock_guard lock(mutex_);
  return log_;
}

Status FaultFileSystem::Write(const std::string& path, std::string_view content) {
  if (Status status = Count("write " + path); !status.ok()) {
    [[maybe_unused]] const Status half =
        wrapped_.Write(path, content.substr(0, content.size() / 2));
    return status;
  }
  return wrapped_.Write(path, content);
}

Status FaultFileSystem::SyncFile(const std::string& path) {
  HR_TRY(Count("sync " + path));
  return wrapped_.SyncFile(path);
}

Status FaultFileSystem::SyncDirectory(const std::string& path) {
  HR_TRY(Count("sync folder " + path));
  return wrapped_.SyncDirectory(path);
}

Status FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  HR_TRY(Count(fmt::format("rename {} to {}", from, to)));
  return wrapped_.Rename(from, to);
}

Status FaultFileSystem::CreateDirectories(const std::string& path) {
  HR_TRY(Count("create folder " + path));
  return wrapped_.CreateDirectories(path);
}

Status FaultFileSystem::Remove(const std::string& path) {
  HR_TRY(Count("remove " + path));
  return wrapped_.Remove(path);
}

Status FaultFileSystem::RemoveAll(const std::string& path) {
  HR_TRY(Count("remove all of " + path));
  return wrapped_.RemoveAll(path);
}

Result<std::string> FaultFileSystem::Read(const std::string& path) { return wrapped_.Read(path); }

Result<std::string> FaultFileSystem::ReadRange(const std::string& path, int64_t offset,
                                               int64_t length) {
  return wrapped_.ReadRange(path, offset, length);
}

Result<FileInfo> FaultFileSystem::Stat(const std::string& path) { return wrapped_.Stat(path); }

bool FaultFileSystem::Exists(const std::string& path) { return wrapped_.Exists(path); }

Result<std::vector<FileInfo>> FaultFileSystem::List(const std::string& path) {
  return wrapped_.List(path);
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::TryLock(const std::string& path) {
  return wrapped_.TryLock(path);
}

Result<int64_t> FaultFileSystem::FreeBytes(const std::string& path) {
  return wrapped_.FreeBytes(path);
}

}  // namespace headrace
