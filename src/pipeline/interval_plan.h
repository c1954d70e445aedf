#pragma once
// Which intervals of an incremental node a run builds, and why.
//
// An interval is built when it is not in the ledger, when the ledger says it is stale, when rows of
// an input changed whose time lies in its window, when an input without a time changed, when it
// holds the present, or when the command says so. What changed since the node last looked is in the
// inputs' commits (`touched`, store.h); where that history has a gap, everything counts as changed.
//
// Whatever a run leaves out (--from, --to) is marked stale in its commit, so the node may forget
// older states of its inputs.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/borrow.h"
#include "pipeline/intervals.h"
#include "pipeline/plan.h"

namespace headrace::pipeline {

struct IntervalTask {
  Interval interval;
  std::string why;   ///< "never built", "flights changed", "open" …
  std::string part;  ///< build that has its rows from an unfinished run; "" = none
};

struct IntervalPlan {
  std::vector<IntervalTask> run;
  std::vector<store::IntervalRecord> left;  ///< became stale and wait for another run
  std::vector<Interval> drop;               ///< in the ledger and not wanted any more
  std::vector<Interval> wanted;             ///< all there should be
  bool all = false;                         ///< nothing of the current snapshot stays
  bool moved = false;                       ///< inputs changed since the last commit
  std::string work;  ///< digest of what would be done: a verdict on it is repeated
};

struct IntervalQuestion {
  const Project* project = nullptr;
  const Node* node = nullptr;
  const store::NodeState* state = nullptr;  ///< null = never committed
  store::Store* store = nullptr;            ///< null = nothing was ever built
  const Borrowed* borrowed = nullptr;       ///< inputs of another target; null = none
  InputIds inputs;                          ///< of its tables, those behind views too
  DecideOptions options;
  Timestamp now = 0;
};

/// Ids of the tables that an incremental node reads, directly or through views.
InputIds IntervalInputs(const Project& project, const Node& node,
                        const std::vector<std::optional<std::string>>& ids);
/// Digest of what decides the content of an interval besides the rows of inputs.
std::string IntervalFingerprint(const Project& project, const Node& node, Timestamp run_time);

/// The decision, with its plan in Decision::intervals.
Result<Decision> DecideIntervals(const IntervalQuestion& question);

}  // namespace headrace::pipeline
