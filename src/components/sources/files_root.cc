#include "components/sources/files_root.h"

#include <fmt/format.h>

#include "config/project.h"

namespace headrace::components {

const spec::Spec& FolderConnectionSpec() {
  static const spec::Spec spec = [] {
    auto s = spec::Spec::For<FolderConnection>(
        "connection", "folder", "A folder outside the project, for sources of files.", {});
    s.Details(
        "`root:` names the folder, absolute or from the folder of headrace.yml. Paths of sources "
        "with this `connection:` start there and can't leave it, nor can links within it.");
    s.Example("type: folder\nroot: /data/shared\n");
    return s;
  }();
  return spec;
}

Result<std::string> FilesRoot(const pipeline::Project& project, const spec::NodeSpec& spec,
                              const std::string& connection) {
  if (connection.empty()) return project.root();
  const Place place = spec.PlaceOf("connection");
  HR_ASSIGN(spec::ComponentRef ref, project.Connection(connection, place));
  if (ref.spec == nullptr || ref.spec->name() != "folder") {
    return UserError("wrong_connection",
                     fmt::format("connection '{}' is of type {}, files need a folder", connection,
                                 ref.type))
        .At(place)
        .Subject(connection)
        .Hint("in headrace.yml: connections: {shared: {type: folder, root: /data/shared}}");
  }
  std::string root;
  if (ref.common_spec != nullptr) root = ref.CommonAs<config::ConnectionFields>().root;
  if (root.empty()) {
    return UserError("no_root", fmt::format("connection '{}' names no folder", connection))
        .At(ref.place)
        .Subject(connection)
        .Hint("add `root:` with the folder");
  }
  return config::ResolvePath(project.root(), ".", root, ref.places.Of("root"));
}

}  // namespace headrace::components
