#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/cancel.h"
#include "base/clock.h"

namespace headrace::pipeline {

/// Cancels tokens when their time is over (`timeout:` of nodes). One thread, started with the first
/// deadline. Thread-safe. Real time, not the engine's clock: it guards against hanging.
class Watchdog {
 public:
  Watchdog() = default;
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;

  /// Watches until Release; `fired` tells whether the time ran out.
  int Watch(CancelToken token, int64_t micros);
  bool Release(int id);

 private:
  struct Entry {
    CancelToken token;
    std::chrono::steady_clock::time_point deadline;
    bool fired = false;
  };
  void Loop();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, Entry> entries_;
  std::thread thread_;
  int next_ = 1;
  bool stop_ = false;
};

}  // namespace headrace::pipeline
