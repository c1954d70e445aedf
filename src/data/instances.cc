#include "data/instances.h"

#include <algorithm>

namespace headrace::data {

struct Instances::Slot {
  bool sealed;
  int threads;
  double share;  // of the memory of all instances
  std::mutex mutex;
  std::shared_ptr<DuckInstance> instance;
};

Instances::Instances(Budget& budget, InstancesOptions options)
    : options_(std::move(options)), threads_(budget.threads()) {
  if (options_.memory_bytes <= 0) options_.memory_bytes = budget.memory_bytes() / 10 * 7;
  auto add = [&](bool sealed, int threads, double share) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->sealed = sealed;
    slots_.back()->threads = threads;
    slots_.back()->share = share;
  };
  // Reading files needs about 130 MB a thread: with less, DuckDB lets threads wait for each other.
  // At --memory 1GB these are 315, 105 and 280 MB.
  add(true, threads_, 0.45);
  add(true, 1, 0.15);
  add(false, threads_, 0.4);
}

Instances::~Instances() = default;

Result<std::shared_ptr<DuckInstance>> Instances::Get(Slot& slot) {
  std::lock_guard lock(slot.mutex);
  if (slot.instance != nullptr) return slot.instance;
  DuckOptions options;
  options.threads = slot.threads;
  {
    std::lock_guard shares(mutex_);
    options.memory_bytes = std::max<int64_t>(
        64 << 20, static_cast<int64_t>(static_cast<double>(options_.memory_bytes) * slot.share));
  }
  options.temp_directory = options_.temp_directory;
  options.sealed = slot.sealed;
  if (slot.sealed) options.allowed_directories = options_.allowed_directories;
  HR_ASSIGN(slot.instance, DuckInstance::Open(options));
  return slot.instance;
}

Result<std::shared_ptr<DuckInstance>> Instances::Parallel() { return Get(*slots_[0]); }
Result<std::shared_ptr<DuckInstance>> Instances::Deterministic() { return Get(*slots_[1]); }
Result<std::shared_ptr<DuckInstance>> Instances::Open() { return Get(*slots_[2]); }

}  // namespace headrace::data
