#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace headrace {

struct SubprocessOptions {
  std::vector<std::string> command = {};        ///< program and arguments; never a shell string
  std::map<std::string, std::string> env = {};  ///< the whole environment of the child
  std::string directory = {};                   ///< working directory; empty = ours
  std::string input = {};                       ///< written to stdin, then closed
  int64_t timeout_micros = 60'000'000;          ///< then SIGTERM, SIGKILL 2 s later
  int64_t max_output_bytes = 1 << 20;           ///< per stream; the rest is read and dropped
};

struct SubprocessResult {
  int exit_code = 0;  ///< 128 + signal if killed
  bool timed_out = false;
  bool truncated = false;
  std::string output, error_output;
};

/// Runs a program to its end (posix_spawn; own process group; no inherited descriptors but 0-2).
/// Errors: "program_not_found", "permission_denied", "cancelled". A non-zero exit or a time-out is
/// a result. Safe with a child that never reads its stdin (no SIGPIPE). Thread-safe.
Result<SubprocessResult> RunSubprocess(const SubprocessOptions& options, const CancelToken& cancel);

}  // namespace headrace
