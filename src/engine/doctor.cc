#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstdlib>

#include "base/crash_point.h"
#include "config/project_files.h"
#include "data/duck.h"
#include "engine/engine.h"
#include "headrace/version.h"
#include "learn/lightgbm/lightgbm_api.h"

namespace headrace::engine {

std::vector<DoctorLine> Doctor(const std::string& directory) {
  std::vector<DoctorLine> lines;
  utsname system{};
  uname(&system);
  lines.push_back({"headrace", true,
                   fmt::format("{} on {} {}", HEADRACE_VERSION, system.sysname, system.machine),
                   ""});
  Budget budget;
  lines.push_back({"budget", true,
                   fmt::format("{} of memory, {} threads (--memory, --threads change it)",
                               FormatBytes(budget.memory_bytes()), budget.threads()),
                   ""});
  data::DuckOptions duck;
  auto instance = data::DuckInstance::Open(duck);
  lines.push_back({"DuckDB", instance.ok(),
                   instance.ok() ? data::DuckVersion() : instance.error().message,
                   instance.ok() ? "" : "install Headrace again"});
  auto lightgbm = learn::LoadLightGbm("");
  lines.push_back({"LightGBM", lightgbm.ok(), lightgbm.ok() ? "loads" : lightgbm.error().message,
                   lightgbm.ok() ? "" : "pip install lightgbm"});
  FileSystem& fs = RealFileSystem();
  auto root = config::FindProject(fs, directory.empty() ? "." : directory);
  if (!root.ok()) {
    lines.push_back({"project", true, "none here (that is fine)", ""});
    return lines;
  }
  if (char* real = realpath(root->c_str(), nullptr)) {
    *root = real;
    std::free(real);
  }
  lines.push_back({"project", true, *root, ""});
  auto free = fs.FreeBytes(*root);
  if (free.ok()) {
    const bool enough = *free > (1LL << 30);
    lines.push_back(
        {"disk", enough, FormatBytes(*free) + " free", enough ? "" : "make room: headrace clean"});
  }
  const std::string folder = JoinPath(*root, ".headrace");
  if (!fs.Exists(JoinPath(folder, "store.db"))) {
    lines.push_back({"store", true, "none yet: it is made by the first run", ""});
    return lines;
  }
  store::StoreOptions open;
  open.folder = folder;
  open.create = false;
  auto store = store::OpenSqliteStore(open);
  if (!store.ok()) {
    lines.push_back({"store", false, store.error().message, store.error().hint});
    return lines;
  }
  auto faults = (*store)->CheckIntegrity();
  if (!faults.ok()) {
    lines.push_back({"store", false, faults.error().message, faults.error().hint});
  } else if (!faults->empty()) {
    lines.push_back({"store", false, faults->front(),
                     "restore .headrace/ from a backup, or start anew: headrace clean --all"});
  } else {
    lines.push_back({"store", true, "sound", ""});
  }
  return lines;
}

}  // namespace headrace::engine
