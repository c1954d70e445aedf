#include "pipeline/watchdog.h"

#include <algorithm>
#include <vector>

namespace headrace::pipeline {

Watchdog::~Watchdog() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

int Watchdog::Watch(CancelToken token, int64_t micros) {
  std::lock_guard lock(mutex_);
  int id = next_++;
  entries_[id] = {std::move(token),
                  std::chrono::steady_clock::now() + std::chrono::microseconds(micros), false};
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  changed_.notify_all();
  return id;
}

bool Watchdog::Release(int id) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  bool fired = found->second.fired;
  entries_.erase(found);
  return fired;
}

void Watchdog::Loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    auto next = std::chrono::steady_clock::time_point::max();
    std::vector<CancelToken> due;
    const auto now = std::chrono::steady_clock::now();
    for (auto& [id, entry] : entries_) {
      if (entry.fired) continue;
      if (entry.deadline <= now) {
        entry.fired = true;
        due.push_back(entry.token);
      } else {
        next = std::min(next, entry.deadline);
      }
    }
    if (!due.empty()) {
      lock.unlock();  // callbacks of a token may call back into whoever waits for us
      for (CancelToken& token : due) token.Cancel();
      lock.lock();
      continue;
    }
    if (next == std::chrono::steady_clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace headrace::pipeline
