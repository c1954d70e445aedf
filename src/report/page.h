#pragma once
#include <string>

#include "base/redact.h"
#include "report/run_report.h"

namespace headrace::report {

/// The page of a run: one HTML file that needs nothing else (well-formed XML too), no script.
/// Secrets that `redactor` (may be null) knows are masked.
std::string RenderPage(const RunReport& report, const Redactor* redactor);

}  // namespace headrace::report
