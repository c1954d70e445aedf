#pragma once
#include <string>

namespace headrace {

/// The checkout that the tests were built from, for files that lie in it.
std::string SourceDir();

}  // namespace headrace
