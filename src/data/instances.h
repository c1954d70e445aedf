#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/budget.h"
#include "data/duck.h"

namespace headrace::data {

struct InstancesOptions {
  int64_t memory_bytes = 0;  ///< of all instances together; 0 = 70 % of the budget
  std::string temp_directory;
  /// What the sealed instances may see: the warehouses.
  std::vector<std::string> allowed_directories;
};

/// The DuckDB instances of one engine. Each is opened when first asked for and then kept. The one
/// that runs nodes of `deterministic: true` has one thread: a query runs on its caller's thread
/// alone, so several may run side by side and each stays repeatable. Thread-safe.
class Instances {
 public:
  Instances(Budget& budget, InstancesOptions options);
  ~Instances();

  /// Sealed, with all threads of the budget: user SQL.
  Result<std::shared_ptr<DuckInstance>> Parallel();
  /// Sealed, one thread.
  Result<std::shared_ptr<DuckInstance>> Deterministic();
  /// Not sealed: sources and sinks.
  Result<std::shared_ptr<DuckInstance>> Open();

 private:
  struct Slot;
  Result<std::shared_ptr<DuckInstance>> Get(Slot& slot);
  std::vector<std::unique_ptr<Slot>> slots_;
  InstancesOptions options_;
  int threads_;
  std::mutex mutex_;
};

}  // namespace headrace::data
