#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "base/result.h"
#include "yaml/node.h"

namespace headrace::yaml {

/// Refused beyond: a file of 1 MB, nesting of 100, 200,000 nodes once aliases are expanded.
struct Limits {
  size_t bytes = 1 << 20;
  int depth = 100;
  size_t nodes = 200'000;
};

/// Parses one document. An empty file is a null node. Faults go to `diagnostics` with file, line,
/// column, source line and a hint; codes: bad_yaml, duplicate_key, bad_encoding, too_large. Returns
/// nullopt when there was an error (a duplicate key still lets the others be found).
/// `name` is the file as people should see it. Thread-safe.
std::optional<Node> Parse(std::string_view text, std::string_view name, Diagnostics& diagnostics,
                          const Limits& limits = {});
/// The same, returning the first fault.
Result<Node> Parse(std::string_view text, std::string_view name, const Limits& limits = {});

}  // namespace headrace::yaml
