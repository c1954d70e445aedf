#pragma once
// What a run would do and why. The same decision is taken again, with real inputs, when it runs.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/project.h"
#include "store/store.h"

namespace headrace::pipeline {

enum class Action { kBuild, kReuse, kCheck, kSkip, kFail, kIntervals };
const char* Name(Action action);  ///< "build", "reuse", "check", "skip", "fail", "intervals"

struct IntervalPlan;  // interval_plan.h
struct Borrowed;      // borrow.h

struct Decision {
  Action action = Action::kReuse;
  std::string reason;
  /// False when it depends on what the nodes above turn out to be: it will be reused if their rows
  /// stay the same.
  bool certain = true;
  std::string fingerprint;  ///< empty when not certain
  std::vector<std::string> inputs_changed;
  /// Files of the current snapshot are gone or cut off: nothing of it can be gone on from, and an
  /// identical build takes its place.
  bool lost = false;
  /// An older snapshot that is what a build would give (an undone change); action kReuse.
  std::optional<store::SnapshotRecord> earlier;
  std::shared_ptr<const IntervalPlan> intervals;  ///< of an incremental node
};

/// Identity of what a consumer depends on, by input node: a snapshot id, a view's fingerprint or a
/// model's content hash. Absent = not known yet.
using InputIds = std::map<std::string, std::optional<std::string>>;

/// Key under which NodeCommit::inputs keeps the identity of nodes without a snapshot (a model's
/// content hash): no node can have this name.
inline constexpr const char* kIdentityKey = "(identity)";

/// In front of the names of nodes that only checks read, in NodeCommit::inputs.
inline constexpr const char* kCheckInputKey = "(checks) ";

/// What consumers of a committed node depend on.
std::string ContentId(const store::NodeState& state);

struct DecideOptions {
  bool full = false;  ///< build in any case
  /// --from, --to: incremental nodes build the intervals that overlap this, and no others.
  std::optional<Timestamp> from, to;
  std::map<std::string, std::optional<std::string>> check_inputs{};  ///< as InputIds, of its checks
  std::string warehouse{};  ///< where files of snapshots are looked for; "" = they are trusted
};

/// Digest of everything that decides the node's content (design §3 "Fingerprint").
std::string Fingerprint(const Project& project, const Node& node, const InputIds& inputs,
                        const Probe& probe, Timestamp run_time);

/// What only checks of the node read is another than in `judged`, the inputs of a commit.
bool CheckInputsChanged(const std::map<std::string, std::string>& judged, const InputIds& now);

/// The last build was rejected, had this fingerprint, and the same checks would judge it by the
/// same rows again. `state` may be null.
bool RepeatsVerdict(const store::NodeState* state, const Node& node, const std::string& fingerprint,
                    const DecideOptions& options);

/// What the world outside says about a node, and what follows.
struct Asked {
  Probe probe;
  Decision decision;
};

/// Probes and decides: what plan and run both do. `context` holds the node's state; `inputs`:
/// of its rows; for an incremental node as IntervalInputs gives them.
Result<Asked> AskNode(const ProbeContext& context, const InputIds& inputs,
                      const DecideOptions& options, const Borrowed* borrowed);

struct PlannedNode {
  const Node* node = nullptr;
  Decision decision;
};
struct PlanOptions {
  std::vector<bool> selected;  ///< by node index; empty = all
  DecideOptions decide;
  Timestamp now = 0;
  std::string reuse_warehouse;  ///< of the target that `reuse_from:` names; "" = none
};
/// In topological order. `store` null = nothing was ever built.
Result<std::vector<PlannedNode>> MakePlan(const Project& project, store::Store* store,
                                          FileSystem& fs, const PlanOptions& options);

}  // namespace headrace::pipeline
