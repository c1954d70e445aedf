#pragma once
// `connection: {type: folder}`: files outside the project.
#include <string>

#include "pipeline/project.h"
#include "spec/spec.h"

namespace headrace::components {

/// A folder outside the project; its place is the `root:` that every connection may have.
struct FolderConnection {};
const spec::Spec& FolderConnectionSpec();

/// The folder beneath which the paths of a source of files stand: that of its connection, the
/// project's own without one. Error "wrong_connection", "no_root", or why it can't be found.
Result<std::string> FilesRoot(const pipeline::Project& project, const spec::NodeSpec& spec,
                              const std::string& connection);

}  // namespace headrace::components
