#pragma once
// Where sinks may write: beside the project's own files, never over them.
#include <string>

#include "base/result.h"

namespace headrace::components {

/// Refuses `path` (absolute, real) where it is a file of the project itself or of its tools: what
/// a person wrote would be replaced by rows. Error "path_outside" at `place`.
Status CheckSinkPath(const std::string& project_root, const std::string& path, const Place& place);

}  // namespace headrace::components
