#include "base/budget.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <thread>

#include "base/cgroup.h"

namespace headrace {
namespace {

struct ByteUnit {
  const char* name;  // lower case
  double bytes;
};
constexpr ByteUnit kByteUnits[] = {
    {"", 1},
    {"b", 1},
    {"k", 1e3},
    {"kb", 1e3},
    {"m", 1e6},
    {"mb", 1e6},
    {"g", 1e9},
    {"gb", 1e9},
    {"t", 1e12},
    {"tb", 1e12},
    {"kib", 1024.0},
    {"mib", 1048576.0},
    {"gib", 1073741824.0},
    {"tib", 1099511627776.0},
};

/// CPUs of the affinity mask. The mask of a machine with more than 1,024 needs a larger set.
int AffinityCpus() {
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const size_t size = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, size, set) == 0;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Budget::Budget() : Budget(MachineMemoryBytes() / 5 * 4, MachineThreads()) {}

Budget::Budget(int64_t memory_bytes, int threads)
    : memory_bytes_(std::max<int64_t>(memory_bytes, 0)), threads_(std::max(threads, 1)) {}

Budget::Threads::Threads(Threads&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), count_(other.count_) {}

Budget::Threads::~Threads() {
  if (budget_ == nullptr) return;
  std::lock_guard lock(budget_->mutex_);
  budget_->threads_used_ -= count_;
  budget_->freed_.notify_all();
}

Budget::Threads Budget::TakeThreads(int want) {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return threads_used_ < threads_; });
  const int count = std::clamp(want, 1, threads_ - threads_used_);
  threads_used_ += count;
  return Threads(this, count);
}

Budget::Memory::Memory(Memory&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}

Budget::Memory::~Memory() {
  if (budget_ == nullptr) return;
  std::lock_guard lock(budget_->mutex_);
  budget_->memory_used_ -= bytes_;
}

Result<Budget::Memory> Budget::TakeMemory(int64_t bytes, const std::string& what) {
  bytes = std::max<int64_t>(bytes, 0);
  std::lock_guard lock(mutex_);
  const int64_t left = memory_bytes_ - memory_used_;
  if (bytes > left) {
    return SystemError(
               "over_budget",
               fmt::format("{} needs {} of memory, {} of the budget of {} are left", what,
                           FormatBytes(bytes), FormatBytes(left), FormatBytes(memory_bytes_)))
        .Hint("give more with --memory, or let less run at once with --threads");
  }
  memory_used_ += bytes;
  return Memory(this, bytes);
}

Result<int64_t> ParseBytes(std::string_view text) {
  const Error bad = UserError("bad_bytes", fmt::format("'{}' is not an amount of memory", text))
                        .Subject(std::string(text))
                        .Hint("write a number and a unit, e.g. 4GB, 512MiB, 1.5 GB");
  size_t i = 0;
  double number = 0, scale = 1;
  bool digits = false, fraction = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !fraction) {
      fraction = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      number = number * 10 + (text[i] - '0');
      if (fraction) scale *= 10;
      digits = true;
    } else {
      break;
    }
  }
  while (i < text.size() && text[i] == ' ') ++i;
  std::string unit(text.substr(i));
  for (char& c : unit) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const ByteUnit& known : kByteUnits) {
    if (!digits || unit != known.name) continue;
    const double bytes = number / scale * known.bytes;
    if (bytes >= 9.2e18) return bad;
    return static_cast<int64_t>(std::llround(bytes));
  }
  return bad;
}

Result<int64_t> ParseMemory(std::string_view text) {
  constexpr int64_t kLeast = 64'000'000;
  HR_ASSIGN(const int64_t bytes, ParseBytes(text));
  if (bytes >= kLeast) return bytes;
  return UserError("bad_bytes", fmt::format("'{}' is less memory than a run needs", text))
      .Subject(std::string(text))
      .Hint("give " + FormatBytes(kLeast) + " or more, e.g. 1GB");
}

std::string FormatBytes(int64_t bytes) {
  constexpr std::array<const char*, 7> kNames = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // 999.95 would print as 1000.0: the next unit starts where rounding does.
  while (unit + 1 < kNames.size() && std::abs(value) >= (unit == 0 ? 1000 : 999.95)) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  std::string number = fmt::format("{:.1f}", value);
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return fmt::format("{} {}", number, kNames[unit]);
}

int64_t MachineMemoryBytes() {
  const int64_t physical = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min(physical, ReadCgroupLimits().memory_bytes);
}

int MachineThreads() {
  const double cpus = std::ceil(ReadCgroupLimits().cpus);
  const int allowed = AffinityCpus();
  return cpus < allowed ? std::max(1, static_cast<int>(cpus)) : allowed;
}

}  // namespace headrace
