#pragma once
#include <map>
#include <set>
#include <string>

#include "base/cancel.h"
#include "base/result.h"

namespace headrace::cli {

/// Notices changes of files below a folder, by inotify. Folders and files whose name begins with a
/// dot are left out but for .env; so is what editors write beside a file (x~, x.swp, #x#).
class FileWatch {
 public:
  /// From now on nothing is missed. Error "too_many_folders" beyond what the system lets us watch.
  static Result<FileWatch> Open(const std::string& folder);
  FileWatch(FileWatch&& other) noexcept;
  FileWatch& operator=(FileWatch&&) = delete;
  ~FileWatch();

  /// Blocks until something changed and then nothing more for a moment, so that a save of several
  /// files is one change. Paths relative to the folder; empty when cancelled.
  Result<std::set<std::string>> Wait(const CancelToken& cancel);

 private:
  FileWatch(int handle, std::string folder) : handle_(handle), folder_(std::move(folder)) {}
  Status Add(const std::string& folder);
  /// Takes what is there; adds what counts.
  Status Read(std::set<std::string>* changed);

  int handle_;
  std::string folder_;
  std::map<int, std::string> watched_;  ///< descriptor → folder, relative
};

}  // namespace headrace::cli
