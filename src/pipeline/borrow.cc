#include "pipeline/borrow.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/interval_plan.h"
#include "pipeline/plan.h"

namespace headrace::pipeline {
namespace {

/// Snapshots are read by path: there, not here.
Status MakeAbsolute(const std::string& warehouse, store::SnapshotRecord& record) {
  HR_ASSIGN(Json files, ParseJson(record.files, "files of a snapshot"));
  for (auto& file : files) file["path"] = JoinPath(warehouse, file.value("path", ""));
  record.files = files.dump();
  return Ok();
}

/// Whether the other target's table is what this project would build now, its inputs being theirs.
bool AsDefined(const Project& project, const Node& node, const Borrowed& borrowed,
               const std::vector<std::optional<std::string>>& ids, Timestamp run_time) {
  const auto found = borrowed.there.find(node.name);
  if (found == borrowed.there.end()) return false;
  const store::NodeState& state = found->second;
  if (state.rejection || state.checks_digest != store::DefinitionDigest(node.checks_definition)) {
    return false;
  }
  if (node.kind == "source" || node.spec.common.rerun_always) {
    if (state.definition_digest != store::DefinitionDigest(node.definition)) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](int input) {
      return !node.ReadsRowsOf(input) || ids[static_cast<size_t>(input)].has_value();
    });
  }
  if (node.intervals) {
    for (const auto& [name, id] : IntervalInputs(project, node, ids)) {
      const auto read = state.inputs.find(name);
      if (!id || read == state.inputs.end() || read->second != *id) return false;
    }
    return state.fingerprint == IntervalFingerprint(project, node, run_time);
  }
  InputIds inputs;
  for (const int input : node.inputs) {
    if (!node.ReadsRowsOf(input)) continue;
    const auto& id = ids[static_cast<size_t>(input)];
    if (!id) return false;
    inputs[project.nodes()[static_cast<size_t>(input)].name] = id;
  }
  return state.fingerprint == Fingerprint(project, node, inputs, Probe{}, run_time);
}

}  // namespace

static Result<Borrowed> Look(const Project& project, store::Store* store,
                             const std::string& warehouse, Timestamp run_time, bool pin) {
  Borrowed borrowed;
  borrowed.target = project.target_settings().reuse_from;
  borrowed.warehouse = warehouse;
  if (borrowed.target.empty() || store == nullptr) return borrowed;
  HR_ASSIGN(auto states, store->ReadState(borrowed.target));
  for (auto& state : states) {
    if (!state.snapshot) continue;
    HR_TRY(MakeAbsolute(warehouse, *state.snapshot));
    borrowed.there[state.node] = std::move(state);
  }
  std::vector<store::BuildRef> builds;
  std::vector<std::optional<std::string>> ids(project.nodes().size());  // of what is borrowed
  for (size_t i = 0; i < project.nodes().size(); ++i) {
    const Node& node = project.nodes()[i];
    if (node.view) {
      InputIds inputs;
      bool known = true;
      for (const int input : node.inputs) {
        if (!node.ReadsRowsOf(input)) continue;
        inputs[project.nodes()[static_cast<size_t>(input)].name] = ids[static_cast<size_t>(input)];
        known = known && ids[static_cast<size_t>(input)].has_value();
      }
      if (known) ids[i] = Fingerprint(project, node, inputs, Probe{}, run_time);
      continue;
    }
    if (!node.has_table || !AsDefined(project, node, borrowed, ids, run_time)) continue;
    const store::NodeState& state = borrowed.there.at(node.name);
    ids[i] = ContentId(state);
    borrowed.nodes.insert(node.name);
    builds.push_back({node.name, state.snapshot->build});
  }
  if (pin && !builds.empty()) {
    HR_ASSIGN(borrowed.pin, store->PinBuilds(borrowed.target, project.target(), builds));
  }
  return borrowed;
}

Result<Borrowed> FindBorrowed(const Project& project, store::Store* store,
                              const std::string& warehouse, Timestamp run_time, bool pin) {
  // Between reading and pinning, a run of the other target may have replaced a snapshot.
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    auto borrowed = Look(project, store, warehouse, run_time, pin);
    const bool gone = !borrowed.ok() && borrowed.error().code == "snapshot_gone";
    if (!gone || attempt == kAttempts) return borrowed;
  }
}

}  // namespace headrace::pipeline
