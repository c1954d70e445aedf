#include "base/cgroup.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

namespace headrace {
namespace {

std::optional<std::string> ReadWord(const std::string& path, int index = 0) {
  std::ifstream in(path);
  std::string word;
  for (int i = 0; i <= index; ++i) {
    if (!(in >> word)) return std::nullopt;
  }
  return word;
}

std::optional<double> ReadNumber(const std::string& path, int index = 0) {
  const auto word = ReadWord(path, index);
  if (!word) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(word->c_str(), &end);
  // "max" (version 2), -1 and 2^63 minus a page (version 1) mean no limit.
  if (end == word->c_str() || value <= 0 || value >= 9e18) return std::nullopt;
  return value;
}

void LimitMemory(const std::string& file, CgroupLimits* limits) {
  if (const auto bytes = ReadNumber(file)) {
    limits->memory_bytes = std::min(limits->memory_bytes, static_cast<int64_t>(*bytes));
  }
}

void LimitCpus(std::optional<double> quota, std::optional<double> period, CgroupLimits* limits) {
  if (quota && period) limits->cpus = std::min(limits->cpus, *quota / *period);
}

/// Calls `visit` with `base` + `group` and with every group above it up to `base` itself. In a
/// container the path often doesn't exist below /sys/fs/cgroup, but the root there is its own.
template <class Visit>
void ForGroupAndParents(const std::string& base, std::string group, Visit visit) {
  while (group.size() > 1) {
    visit(base + group);
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
  visit(base);
}

}  // namespace

CgroupLimits ReadCgroupLimits(const std::string& root) {
  CgroupLimits limits;
  const std::string mount = root + "/sys/fs/cgroup";
  std::ifstream in(root + "/proc/self/cgroup");  // lines "hierarchy:controllers:/path"
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      ForGroupAndParents(mount, group, [&](const std::string& folder) {
        LimitMemory(folder + "/memory.max", &limits);
        const std::string cpu = folder + "/cpu.max";  // "quota period"
        LimitCpus(ReadNumber(cpu, 0), ReadNumber(cpu, 1), &limits);
      });
    }
    if (controllers.find(",memory,") != std::string::npos) {
      ForGroupAndParents(mount + "/memory", group, [&](const std::string& folder) {
        LimitMemory(folder + "/memory.limit_in_bytes", &limits);
      });
    }
    if (controllers.find(",cpu,") != std::string::npos) {
      ForGroupAndParents(mount + "/cpu", group, [&](const std::string& folder) {
        LimitCpus(ReadNumber(folder + "/cpu.cfs_quota_us"),
                  ReadNumber(folder + "/cpu.cfs_period_us"), &limits);
      });
    }
  }
  return limits;
}

}  // namespace headrace
