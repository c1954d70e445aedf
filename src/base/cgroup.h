#pragma once
#include <cstdint>
#include <limits>
#include <string>

namespace headrace {

/// What a container allows. Unlimited = the largest number.
struct CgroupLimits {
  int64_t memory_bytes = std::numeric_limits<int64_t>::max();
  double cpus = std::numeric_limits<double>::infinity();
};

/// The strictest limits of this process's control group and of those above it (version 2 or 1).
/// `root` is where /proc and /sys stand: "" outside of tests.
CgroupLimits ReadCgroupLimits(const std::string& root = "");

}  // namespace headrace
