#pragma once
#include <string>

namespace headrace {

/// Whether Glob(pattern) of file_system.h would find a file of that path, if there were one (text
/// only).
bool GlobMatches(const std::string& pattern, const std::string& path);

}  // namespace headrace
