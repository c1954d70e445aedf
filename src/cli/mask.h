#pragma once
#include <string>
#include <string_view>

namespace headrace::cli {

/// Replaces what differs from run to run, so that texts can be compared whole: `folder` →
/// {project}, the folder around it → {temp}; durations → "N s" (in tables the columns behind stay
/// where they are); "seconds":0.12 → N; ids of runs and builds → {id}; 32 hex digits (snapshots,
/// contents) → {hash}; 2026-01-31T09:30:00Z → {time}; "process 123" → "process N". Masking twice
/// changes nothing.
std::string Mask(std::string_view text, const std::string& folder);

}  // namespace headrace::cli
