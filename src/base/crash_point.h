#pragma once
// Named places at which tests kill the process: at every sync, rename, commit and send.
// HEADRACE_CRASH_AT=name[:n] makes the n-th (default first) passing of that point raise SIGKILL;
// HEADRACE_STOP_AT=name[:n] raises SIGSTOP there instead. Both are read once, at the first point.
// Without them a point costs a search in a table of some 30 names: nothing beside a sync. `headrace
// doctor --crash-points` lists the names.
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// Every name that may be passed to CrashPoint stands in the table of crash_point.cc; an unknown
/// name aborts (a test walks over all of them).
void CrashPoint(std::string_view name);
std::vector<std::string> CrashPointNames();

}  // namespace headrace
