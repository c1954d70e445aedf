#pragma once
#include <optional>
#include <string>

namespace headrace::store {

/// A process of this machine.
struct LockHolder {
  int pid = 0;
  std::string name;
  bool stopped = false;  ///< by SIGSTOP, Ctrl-Z or a debugger
};

/// The process that holds the write lock of the SQLite database at `path` (WAL mode), from
/// /proc/locks; absent when nobody does or it can't be seen. May be outdated when it returns.
std::optional<LockHolder> FindWriteLockHolder(const std::string& path);

}  // namespace headrace::store
