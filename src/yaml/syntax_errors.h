#pragma once
#include <string_view>

#include "base/error.h"
#include "yaml/node.h"

namespace headrace::yaml {

/// The parser's own words and position (1-based) → an Error of code "bad_yaml" in ours: what is
/// wrong, where people would look for it, and what to write instead.
Error SyntaxError(const Source& source, std::string_view words, int line, int column);

}  // namespace headrace::yaml
