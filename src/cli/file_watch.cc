#include "cli/file_watch.h"

#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_system.h"

namespace headrace::cli {
namespace {

constexpr int kQuietMillis = 150;   // after the last change of several
constexpr int kCancelMillis = 200;  // how often a cancel is looked for
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
                             IN_DELETE_SELF | IN_ONLYDIR;

bool Counts(const std::string& name) {
  if (name == ".env") return true;
  return !name.empty() && name.front() != '.' && name.front() != '#' && name.back() != '~' &&
         !name.ends_with(".swp") && !name.ends_with(".swx");
}

}  // namespace

FileWatch::FileWatch(FileWatch&& other) noexcept
    : handle_(other.handle_),
      folder_(std::move(other.folder_)),
      watched_(std::move(other.watched_)) {
  other.handle_ = -1;
}

FileWatch::~FileWatch() {
  if (handle_ >= 0) close(handle_);
}

Result<FileWatch> FileWatch::Open(const std::string& folder) {
  const int handle = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (handle < 0) return ErrnoError(errno, "cannot watch files");
  FileWatch watch(handle, folder);
  HR_TRY(watch.Add(""));
  return watch;
}

Status FileWatch::Add(const std::string& folder) {
  const std::string path = JoinPath(folder_, folder);
  const int descriptor = inotify_add_watch(handle_, path.c_str(), kEvents);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Ok();  // gone again
    if (errno == ENOSPC) {
      return SystemError("too_many_folders", "the system does not let us watch more folders")
          .Hint("raise it: sysctl fs.inotify.max_user_watches=524288");
    }
    return ErrnoError(errno, "cannot watch '" + path + "'");
  }
  watched_[descriptor] = folder;
  DIR* open = opendir(path.c_str());
  if (open == nullptr) return Ok();
  std::set<std::string> folders;
  while (const dirent* entry = readdir(open)) {
    const std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && Counts(name)) folders.insert(name);
  }
  closedir(open);
  for (const std::string& name : folders) {
    HR_TRY(Add(folder.empty() ? name : JoinPath(folder, name)));
  }
  return Ok();
}

Status FileWatch::Read(std::set<std::string>* changed) {
  alignas(inotify_event) char buffer[16 << 10];
  for (;;) {
    const ssize_t got = read(handle_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return Ok();
    if (got <= 0) return ErrnoError(errno, "cannot watch files");
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        changed->insert("many files");
        continue;
      }
      const auto folder = watched_.find(event->wd);
      if (folder == watched_.end()) continue;
      if ((event->mask & IN_IGNORED) != 0) {
        watched_.erase(folder);
        continue;
      }
      const std::string name = event->len > 0 ? event->name : "";
      if (!Counts(name)) continue;
      const std::string path = folder->second.empty() ? name : JoinPath(folder->second, name);
      if ((event->mask & IN_ISDIR) != 0) {
        if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0) HR_TRY(Add(path));
      } else if ((event->mask & IN_CREATE) != 0) {
        continue;  // it will be written and closed
      }
      changed->insert(path);
    }
  }
}

Result<std::set<std::string>> FileWatch::Wait(const CancelToken& cancel) {
  std::set<std::string> changed;
  while (!cancel.Cancelled()) {
    pollfd wait{handle_, POLLIN, 0};
    const int ready = poll(&wait, 1, changed.empty() ? kCancelMillis : kQuietMillis);
    if (ready < 0 && errno != EINTR) return ErrnoError(errno, "cannot watch files");
    if (ready == 0 && !changed.empty()) return changed;
    if (ready > 0) HR_TRY(Read(&changed));
  }
  return std::set<std::string>();
}

}  // namespace headrace::cli
