// SQLite's write lock in WAL mode is a POSIX lock on byte 120 of the -shm file. It could be asked
// for with fcntl, but closing any descriptor of that file drops the locks that this very process
// holds on it; so the kernel's list is read instead. A line of it:
//   3: POSIX  ADVISORY  WRITE 4711 fe:01:1234567 120 120
#include "store/lock_holder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace headrace::store {

namespace {

LockHolder Describe(int pid) {
  LockHolder holder{pid, "unknown program", false};
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return holder;
  // "4711 (name, which may hold blanks and brackets) S …"
  const size_t open = line.find('('), close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= line.size()) {
    return holder;
  }
  holder.name = line.substr(open + 1, close - open - 1);
  holder.stopped = line[close + 2] == 'T' || line[close + 2] == 't';
  return holder;
}

}  // namespace

std::optional<LockHolder> FindWriteLockHolder(const std::string& path) {
  constexpr long kWriteLockByte = 120;
  struct stat info {};
  if (stat((path + "-shm").c_str(), &info) != 0) return std::nullopt;
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(info.st_dev), minor(info.st_dev), info.st_ino);
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    std::istringstream words(line);
    std::string number, type, advisory, mode, file, end;
    int pid = 0;
    long start = -1;
    if (!(words >> number >> type >> advisory >> mode >> pid >> file >> start >> end)) continue;
    if (type != "POSIX" || mode != "WRITE" || file != wanted) continue;
    if (start <= kWriteLockByte &&
        (end == "EOF" || std::strtol(end.c_str(), nullptr, 10) >= kWriteLockByte)) {
      return Describe(pid);
    }
  }
  return std::nullopt;
}

}  // namespace headrace::store
