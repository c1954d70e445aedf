#include "components/sinks/sink_path.h"

#include "base/file_system.h"

namespace headrace::components {

Status CheckSinkPath(const std::string& project_root, const std::string& path, const Place& place) {
  const auto refuse = [&](const std::string& what) -> Status {
    return UserError("path_outside", "a sink does not write " + what)
        .At(place)
        .Hint("name a folder of the project, such as out/");
  };
  for (const char* folder : {".headrace", "pipeline", "checks", "tests", ".git"}) {
    const std::string root = JoinPath(project_root, folder);
    if (path == root || path.starts_with(root + "/")) {
      return refuse(std::string("into ") + folder + "/");
    }
  }
  for (const char* file : {"headrace.yml", ".env", ".gitignore"}) {
    if (path == JoinPath(project_root, file)) return refuse(std::string("over ") + file);
  }
  return Ok();
}

}  // namespace headrace::components
