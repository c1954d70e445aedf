#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace headrace::cli {

std::string ShownPath(const std::string& path) {
  char* folder = getcwd(nullptr, 0);
  if (folder == nullptr) return path;
  const std::string prefix = std::string(folder) + "/";
  std::free(folder);
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

int Report(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto path = session.engine().Report(arguments.subject);
  if (!path.ok()) return session.Fail(path.error());
  if (console.json()) {
    console.JsonLine({{"event", "report"}, {"report", *path}});
  } else {
    console.Text(ShownPath(*path) + "\n");
  }
  return 0;
}

}  // namespace headrace::cli
