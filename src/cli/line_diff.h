#pragma once
#include <string>
#include <string_view>

namespace headrace::cli {

/// What turns `expected` into `actual`, line by line: "  same", "- expected", "+ actual", with two
/// lines around each change and "  …" between. Long texts are compared by their first 400 lines.
std::string LineDiff(std::string_view expected, std::string_view actual);

}  // namespace headrace::cli
