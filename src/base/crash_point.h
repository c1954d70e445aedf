#pragma once
// Named places at which tests kill the process: at every sync, rename, commit and send.
// HEADRACE_CRASH_AT=name[:n] makes the n-th (default first) passing of that point raise SIGKILL;
// HEADRACE_STOP_AT=name[:n] raises SIGSTOP there instead. Without them a point costs one
// relaxed load. `headrace doctor --crash-points` lists the names.
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// Every name that may be passed to CrashPoint stands in the table of crash_point.cc; an unknown
/// name aborts (a test walks over all of them).
void CrashPoint(std::string_view name);
std::vector<std::string> CrashPointNames();

}  // namespace headrace
