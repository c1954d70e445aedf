#include "telemetry/progress.h"

#include <algorithm>

namespace headrace::telemetry {

double NodeState::Rate() const { return counting > 0 ? static_cast<double>(done) / counting : 0; }

double NodeState::Remaining() const {
  if (total <= 0 || done <= 0 || Rate() <= 0) return -1;
  return static_cast<double>(std::max<int64_t>(total - done, 0)) / Rate();
}

NodeProgress::NodeProgress(const Clock& clock, std::string name, std::string kind)
    : clock_(clock),
      name_(std::move(name)),
      kind_(std::move(kind)),
      started_(clock.MonotonicNanos()),
      counted_since_(started_) {}

void NodeProgress::Expect(int64_t total, std::string unit) {
  std::lock_guard lock(mutex_);
  total_ = total;
  unit_ = std::move(unit);
  done_ = 0;
  counted_since_ = clock_.MonotonicNanos();
}

void NodeProgress::SetStage(std::string stage) {
  std::lock_guard lock(mutex_);
  stage_ = std::move(stage);
}

NodeState NodeProgress::State() const {
  const int64_t now = clock_.MonotonicNanos();
  std::lock_guard lock(mutex_);
  NodeState state;
  state.name = name_;
  state.kind = kind_;
  state.stage = stage_;
  state.unit = unit_;
  state.done = done_;
  state.total = total_;
  state.bytes = bytes_;
  state.seconds = static_cast<double>(now - started_) / 1e9;
  state.counting = static_cast<double>(now - counted_since_) / 1e9;
  return state;
}

Progress::Progress(const Clock& clock) : clock_(clock), started_(clock.MonotonicNanos()) {}

void Progress::SetTotal(int nodes) {
  std::lock_guard lock(mutex_);
  total_ = nodes;
}

std::shared_ptr<NodeProgress> Progress::Start(std::string name, std::string kind) {
  std::shared_ptr<NodeProgress> node(new NodeProgress(clock_, std::move(name), std::move(kind)));
  std::lock_guard lock(mutex_);
  running_.emplace(next_++, node);
  return node;
}

void Progress::Finish(const std::shared_ptr<NodeProgress>& node, std::string outcome, bool failed) {
  NodeState state = node->State();
  state.outcome = std::move(outcome);
  state.failed = failed;
  std::lock_guard lock(mutex_);
  if (std::erase_if(running_, [&](const auto& entry) { return entry.second == node; }) == 0) {
    return;  // finished before
  }
  Finished(state);
}

void Progress::FinishAtOnce(std::string name, std::string kind, std::string outcome, bool failed) {
  NodeState state;
  state.name = std::move(name);
  state.kind = std::move(kind);
  state.outcome = std::move(outcome);
  state.failed = failed;
  std::lock_guard lock(mutex_);
  Finished(state);
}

void Progress::Finished(const NodeState& node) {
  ++finished_;
  if (node.failed) ++failed_;
  if (listener_) listener_(node);
}

ProgressState Progress::State() const {
  std::lock_guard lock(mutex_);
  ProgressState state;
  state.finished = finished_;
  state.failed = failed_;
  state.total = std::max(total_, finished_ + static_cast<int>(running_.size()));
  state.seconds = static_cast<double>(clock_.MonotonicNanos() - started_) / 1e9;
  for (const auto& [id, node] : running_) state.running.push_back(node->State());
  return state;
}

void Progress::OnFinished(std::function<void(const NodeState&)> listener) {
  std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

ProgressDisplay::ProgressDisplay(Progress& progress, std::unique_ptr<ProgressRenderer> renderer)
    : progress_(progress), renderer_(std::move(renderer)) {
  // Locks are taken in the order Progress, display: so State() is asked without the lock.
  progress_.OnFinished([this](const NodeState& node) {
    std::lock_guard lock(mutex_);
    renderer_->NodeFinished(node);
  });
  thread_ = std::thread([this] {
    while (true) {
      const ProgressState state = progress_.State();
      std::unique_lock lock(mutex_);
      renderer_->Draw(state);
      stop_changed_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stop_; });
      if (stop_) return;
    }
  });
}

ProgressDisplay::~ProgressDisplay() {
  progress_.OnFinished(nullptr);
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
  renderer_->Close();
}

void ProgressDisplay::Print(std::string_view line) {
  std::lock_guard lock(mutex_);
  renderer_->Print(line);
}

}  // namespace headrace::telemetry
