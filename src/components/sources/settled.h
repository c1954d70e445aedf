#pragma once
#include <cstdint>

namespace headrace::components {

/// Whether size and time of change of a file tell its content apart from an earlier one (both in
/// microseconds since 1970). A file changed within the last 2 s may change again without a new
/// time: some file systems count in seconds, FAT in steps of two.
inline bool Settled(int64_t modified, int64_t now) { return now - modified > 2'000'000; }

}  // namespace headrace::components
