#pragma once
#include <string>

#include "base/cancel.h"
#include "cli/case_file.h"

namespace headrace::cli {

struct CaseOptions {
  std::string program;  ///< what "headrace" stands for in `--- run:`
  bool update = false;  ///< write what was printed into the case's exact texts
};

struct CaseResult {
  bool passed = false;
  bool updated = false;
  std::string report;  ///< of a failure: what differs; lines
};

/// Runs one case in a folder of its own, which goes away afterwards. Thread-safe. Errors: the case
/// can't be read or is broken, "cancelled".
Result<CaseResult> RunCase(const std::string& path, const CaseOptions& options,
                           const CancelToken& cancel);

}  // namespace headrace::cli
