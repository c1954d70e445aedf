#pragma once
// The inside of a run. Run (run.cc) makes a Runner; NodeBuilder (node_build.cc) does one node.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <queue>
#include <string>
#include <vector>

#include "pipeline/borrow.h"
#include "pipeline/run.h"
#include "pipeline/watchdog.h"

namespace headrace::pipeline {

/// What all nodes of a run share. Set up before the first node starts, then read by many threads;
/// the members behind `mutex` change.
struct RunState {
  const Project* project = nullptr;
  const RunServices* services = nullptr;
  const RunOptions* options = nullptr;
  store::Claim claim;
  std::string run;
  Timestamp now = 0;
  std::vector<bool> selected;
  Borrowed borrowed;  ///< of the target that `reuse_from:` names
  std::unique_ptr<data::SnapshotWriter> writer;
  CancelToken cancel;  ///< of this run: the engine's, --fail-fast, a lost lease
  Watchdog* watchdog = nullptr;

  std::mutex mutex;
  std::map<std::string, store::NodeState> states;   ///< as committed; updated by this run
  std::map<std::string, data::Snapshot> snapshots;  ///< current ones, as far as they are needed
  std::vector<std::optional<std::string>> ids;      ///< by node: what consumers depend on
  std::vector<char> failed;                         ///< by node: failed or skipped
  std::vector<store::NodeRecord> records;           ///< of nodes that commit nothing
  std::optional<Error> fatal;                       ///< ends the run
  bool built = false;                               ///< some snapshot was committed
};

/// Decides, builds, checks and commits one node. Never throws; faults are in the result.
NodeResult RunNode(RunState& state, int index);

/// The current snapshot of a node as far as it is needed to read it (files and columns; without
/// digest and profile).
Result<data::Snapshot> SnapshotOf(const std::string& node, const store::SnapshotRecord& record);

/// What the store keeps of a snapshot.
store::SnapshotRecord RecordOf(const data::Snapshot& snapshot);

}  // namespace headrace::pipeline
