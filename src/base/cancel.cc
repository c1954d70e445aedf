#include "base/cancel.h"

namespace headrace {

void CancelToken::Cancel() {
  std::unique_lock lock(state_->mutex);
  if (state_->cancelled.exchange(true)) return;
  state_->runner = std::this_thread::get_id();
  // Callbacks run without the lock, so that they may take locks of their own; a handle that is
  // destroyed meanwhile waits for its callback (see OnCancel).
  while (!state_->callbacks.empty()) {
    auto first = state_->callbacks.extract(state_->callbacks.begin());
    state_->running = first.key();
    lock.unlock();
    first.mapped()();
    lock.lock();
    state_->running = -1;
    state_->callback_ended.notify_all();
  }
}

Status CancelToken::Check() const {
  if (!Cancelled()) return Ok();
  return SystemError("cancelled", "cancelled");
}

std::shared_ptr<void> CancelToken::OnCancel(std::function<void()> callback) const {
  std::unique_lock lock(state_->mutex);
  if (Cancelled()) {
    lock.unlock();
    callback();
    return nullptr;
  }
  const int id = state_->next++;
  state_->callbacks.emplace(id, std::move(callback));
  // The handle's deleter holds the state, not what the handle points to.
  return std::shared_ptr<void>(state_.get(), [state = state_, id](void*) {
    std::unique_lock lock(state->mutex);
    state->callbacks.erase(id);
    if (state->runner == std::this_thread::get_id()) return;  // called by a callback
    state->callback_ended.wait(lock, [&] { return state->running != id; });
  });
}

}  // namespace headrace
