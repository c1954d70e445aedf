#pragma once
#include <string>

#include "base/clock.h"

namespace headrace {

/// Sortable by time, unique across processes: "20260131-093000-3f9a2c" style run and build ids:
/// UTC time to the second and 8 hex digits from the system's randomness.
std::string NewId(const Clock& clock);

}  // namespace headrace
