#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/result.h"

namespace headrace {

/// One budget of memory and threads for a run, shared by DuckDB, learners and scorers.
/// Thread-safe. Defaults: 80 % of the memory this process may use (cgroup limit respected) and the
/// CPUs it may run on.
class Budget {
 public:
  Budget();
  Budget(int64_t memory_bytes, int threads);
  int64_t memory_bytes() const { return memory_bytes_; }
  int threads() const { return threads_; }

  /// Takes up to `want` threads (at least 1; blocks until 1 is free). Released by the destructor.
  class Threads {
   public:
    Threads(Threads&& other) noexcept;
    Threads& operator=(Threads&&) = delete;
    ~Threads();
    int count() const { return count_; }

   private:
    friend class Budget;
    Threads(Budget* budget, int count) : budget_(budget), count_(count) {}
    Budget* budget_;
    int count_;
  };
  Threads TakeThreads(int want);

  /// Reserves memory for a step that must hold its input; error "over_budget" (blame system) names
  /// `what`, the bytes wanted, the bytes left and the flag --memory. Released by the destructor.
  class Memory {
   public:
    Memory(Memory&& other) noexcept;
    Memory& operator=(Memory&&) = delete;
    ~Memory();

   private:
    friend class Budget;
    Memory(Budget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {}
    Budget* budget_;
    int64_t bytes_;
  };
  Result<Memory> TakeMemory(int64_t bytes, const std::string& what);

 private:
  int64_t memory_bytes_, memory_used_ = 0;
  int threads_, threads_used_ = 0;
  std::mutex mutex_;
  std::condition_variable freed_;
};

/// "4GB", "512MiB", "1.5 GB", "1000000" → bytes (GB = 10^9, GiB = 2^30).
Result<int64_t> ParseBytes(std::string_view text);
/// The same for the budget of a run: less than 64 MB is an error, since the program alone needs
/// more.
Result<int64_t> ParseMemory(std::string_view text);
std::string FormatBytes(int64_t bytes);
int64_t MachineMemoryBytes();
int MachineThreads();

}  // namespace headrace
