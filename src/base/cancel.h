#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"

namespace headrace {

/// Asks running work to stop. Copies share one state. Thread-safe, but not for signal handlers: a
/// handler sets a flag or writes to a pipe, and a thread calls Cancel.
class CancelToken {
 public:
  CancelToken() : state_(std::make_shared<State>()) {}
  void Cancel();  ///< runs the callbacks once
  bool Cancelled() const { return state_->cancelled.load(std::memory_order_relaxed); }
  /// Error "cancelled" when cancelled.
  Status Check() const;
  /// Calls `callback` on Cancel (at once if it already is), e.g. to interrupt a query. The returned
  /// handle unregisters in its destructor, which waits while the callback runs on another thread:
  /// what the callback uses may be destroyed afterwards.
  [[nodiscard]] std::shared_ptr<void> OnCancel(std::function<void()> callback) const;

 private:
  struct State {
    std::atomic<bool> cancelled{false};
    std::mutex mutex;
    int next = 0;
    std::map<int, std::function<void()>> callbacks;
    int running = -1;        // id of the callback that runs
    std::thread::id runner;  // who runs them
    std::condition_variable callback_ended;
  };
  std::shared_ptr<State> state_;
};

}  // namespace headrace
