#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/result.h"

namespace headrace {

/// Asks running work to stop. Copies share one state. Thread-safe.
class CancelToken {
 public:
  CancelToken() : state_(std::make_shared<State>()) {}
  void Cancel();  ///< runs the callbacks once
  bool Cancelled() const { return state_->cancelled.load(std::memory_order_relaxed); }
  /// Error "cancelled" when cancelled.
  Status Check() const;
  /// Calls `callback` on Cancel (at once if it already is), e.g. to interrupt a query. The returned
  /// handle unregisters in its destructor.
  [[nodiscard]] std::shared_ptr<void> OnCancel(std::function<void()> callback) const;

 private:
  struct State {
    std::atomic<bool> cancelled{false};
    std::mutex mutex;
    int next = 0;
    std::map<int, std::function<void()>> callbacks;
  };
  std::shared_ptr<State> state_;
};

}  // namespace headrace
