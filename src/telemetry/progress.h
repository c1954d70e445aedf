#pragma once
// Progress of a run: nodes count what they do (atomics, cheap enough for every batch), a display
// shows it. Nothing here decides anything: without a display the counters cost next to nothing.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace headrace::telemetry {

/// One node at one moment.
struct NodeState {
  std::string name, kind;
  std::string stage;    ///< what it does now, e.g. "reading"; may be empty
  std::string unit;     ///< what is counted, "rows" unless said otherwise
  std::string outcome;  ///< of a finished node: "built", "reused", "failed: …"; else empty
  int64_t done = 0;
  int64_t total = 0;  ///< 0 = unknown
  int64_t bytes = 0;
  double seconds = 0;   ///< since its start
  double counting = 0;  ///< seconds since the count began
  bool failed = false;
  /// Units per second since the count began; 0 when nothing is known yet.
  double Rate() const;
  /// Seconds to go at that rate; negative = unknown.
  double Remaining() const;
};

/// A run at one moment.
struct ProgressState {
  int finished = 0, total = 0;  ///< nodes
  int failed = 0;
  std::vector<NodeState> running;  ///< in order of their start
  double seconds = 0;
};

class Progress;

/// Counts the work of one node. Made by Progress::Start. Thread-safe.
class NodeProgress {
 public:
  void Advance(int64_t units) { done_.fetch_add(units, std::memory_order_relaxed); }
  void AddBytes(int64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// How many units there will be, and what they are ("rows", "trials"). Restarts the count.
  void Expect(int64_t total, std::string unit = "rows");
  void SetStage(std::string stage);
  NodeState State() const;

 private:
  friend class Progress;
  NodeProgress(const Clock& clock, std::string name, std::string kind);
  const Clock& clock_;
  const std::string name_, kind_;
  const int64_t started_;
  std::atomic<int64_t> done_{0}, bytes_{0};
  mutable std::mutex mutex_;  // guards the rest
  int64_t total_ = 0, counted_since_;
  std::string stage_, unit_ = "rows";
};

/// The nodes of one run. Thread-safe. The clock must outlive it.
class Progress {
 public:
  explicit Progress(const Clock& clock);
  void SetTotal(int nodes);
  std::shared_ptr<NodeProgress> Start(std::string name, std::string kind);
  /// The node is done; `outcome` is shown as it is. Nodes that were never started may finish too
  /// (reused, skipped): see FinishAtOnce.
  void Finish(const std::shared_ptr<NodeProgress>& node, std::string outcome, bool failed = false);
  void FinishAtOnce(std::string name, std::string kind, std::string outcome, bool failed = false);
  ProgressState State() const;
  /// Called on the thread of Finish with every finished node, one at a time; it must not call back
  /// into this object. Null ends it: afterwards none runs any more.
  void OnFinished(std::function<void(const NodeState&)> listener);

 private:
  void Finished(const NodeState& node);  // with mutex_ held
  const Clock& clock_;
  const int64_t started_;
  mutable std::mutex mutex_;
  int total_ = 0, finished_ = 0, failed_ = 0;
  int next_ = 0;
  std::map<int, std::shared_ptr<NodeProgress>> running_;
  std::function<void(const NodeState&)> listener_;
};

/// Where a renderer's text goes.
using TextWriter = std::function<void(std::string_view)>;
TextWriter WriteTo(int fd);

/// Turns states into text. Called by one thread at a time.
class ProgressRenderer {
 public:
  virtual ~ProgressRenderer() = default;
  virtual void NodeFinished(const NodeState& node) = 0;
  virtual void Draw(const ProgressState& state) = 0;  ///< every 100 ms
  virtual void Print(std::string_view line) = 0;      ///< a line of somebody else, kept
  virtual void Close() = 0;                           ///< leaves a clean terminal
};

/// Redraws the running nodes and a line for the run in place, at most ten times a second.
std::unique_ptr<ProgressRenderer> TtyRenderer(TextWriter writer, const Clock& clock, int columns,
                                              bool color);
/// A line for every finished node, and every 10 s for each that still runs.
std::unique_ptr<ProgressRenderer> PlainRenderer(TextWriter writer);

/// The renderer that fits `fd`: in place on a terminal, else lines. Color only on a terminal and
/// without NO_COLOR.
std::unique_ptr<ProgressRenderer> RendererFor(int fd, const Clock& clock);
bool ColorWanted(int fd);
int TerminalColumns(int fd);  ///< 80 when unknown

/// Draws a Progress from a thread of its own until it is destroyed. `progress` must outlive it.
class ProgressDisplay {
 public:
  ProgressDisplay(Progress& progress, std::unique_ptr<ProgressRenderer> renderer);
  ~ProgressDisplay();
  /// Prints a line between the redraws. Thread-safe.
  void Print(std::string_view line);

 private:
  Progress& progress_;
  std::unique_ptr<ProgressRenderer> renderer_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace headrace::telemetry
