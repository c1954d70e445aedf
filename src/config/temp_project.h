#pragma once
// A project in a temporary folder; only tests include this.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/diagnostics.h"

namespace headrace::config {

class TempProject {
 public:
  TempProject() {
    std::string pattern = (std::filesystem::temp_directory_path() / "headrace_XXXXXX").string();
    root_ = std::filesystem::canonical(mkdtemp(pattern.data())).string();
  }
  TempProject(const TempProject&) = delete;
  TempProject& operator=(const TempProject&) = delete;
  ~TempProject() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  const std::string& root() const { return root_; }
  std::string Path(const std::string& path) const { return root_ + "/" + path; }
  void Write(const std::string& path, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(Path(path)).parent_path());
    std::ofstream(Path(path), std::ios::binary) << text;
  }
  void Link(const std::string& path, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(Path(path)).parent_path());
    std::filesystem::create_symlink(target, Path(path));
  }

 private:
  std::string root_;
};

inline std::string Rendered(const Diagnostics& diagnostics) {
  std::string out;
  for (const Error& error : diagnostics.all()) out += (out.empty() ? "" : "\n") + Render(error);
  return out;
}

}  // namespace headrace::config
