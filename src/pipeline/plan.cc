#include "pipeline/plan.h"

#include <map>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "pipeline/borrow.h"
#include "pipeline/interval_plan.h"
#include "pipeline/quarantine.h"

namespace headrace::pipeline {
namespace {

// Raised when the meaning of stored rows or of a component changes in a way that must rebuild.
constexpr int kSemantics = 1;

const char* Noun(const std::string& kind) {
  return kind == "source" || kind == "sql" || kind == "predict" ? "rows" : "content";
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
    if (i == 3 && names.size() > 5) {
      return text + " and " + std::to_string(names.size() - i - 1) + " more";
    }
  }
  return text;
}

}  // namespace

const char* Name(Action action) {
  switch (action) {
    case Action::kBuild:
      return "build";
    case Action::kReuse:
      return "reuse";
    case Action::kCheck:
      return "check";
    case Action::kSkip:
      return "skip";
    case Action::kFail:
      return "fail";
    case Action::kIntervals:
      return "intervals";
  }
  return "?";
}

std::string Fingerprint(const Project& project, const Node& node, const InputIds& inputs,
                        const Probe& probe, Timestamp run_time) {
  Hasher hasher;
  hasher.Add("headrace.fingerprint").Add(int64_t{kSemantics});
  hasher.Add(node.definition);
  hasher.Add("engine").Add(project.target_settings().EngineName());
  for (const auto& [name, id] : inputs) hasher.Add("input").Add(name).Add(id.value_or(""));
  auto add_parameters = [&](const Node& of) {
    for (const std::string& name : of.select.parameter_names) {
      if (name == "run_time") {
        hasher.Add("run_time").Add(run_time);
        continue;
      }
      auto found = project.params().find(name);
      if (found == project.params().end()) continue;
      hasher.Add("param").Add(name).Add(spec::ToJson(found->second.value));
    }
  };
  add_parameters(node);
  hasher.Add("outside").Add(probe.identity);
  return hasher.Finish().Hex();
}

bool CheckInputsChanged(const std::map<std::string, std::string>& judged, const InputIds& now) {
  for (const auto& [name, id] : now) {
    const auto before = judged.find(kCheckInputKey + name);
    if (id && (before == judged.end() || before->second != *id)) return true;
  }
  return false;
}

bool RepeatsVerdict(const store::NodeState* state, const Node& node, const std::string& fingerprint,
                    const DecideOptions& options) {
  return state != nullptr && state->rejection && !options.full &&
         state->rejection->fingerprint == fingerprint &&
         state->rejection->checks_digest == store::DefinitionDigest(node.checks_definition) &&
         !CheckInputsChanged(state->rejection->inputs, options.check_inputs);
}

namespace {

/// Of a node that isn't incremental; `state` null = never committed.
Decision DecideRows(const Project& project, const Node& node, const store::NodeState* state,
                    const InputIds& inputs, const Probe& probe, const DecideOptions& options,
                    Timestamp run_time) {
  Decision decision;
  if (!probe.blocked.empty()) {
    decision.action = Action::kSkip;
    decision.reason = probe.blocked;
    return decision;
  }
  std::vector<std::string> open;
  for (const auto& [name, id] : inputs) {
    if (!id.has_value()) open.push_back(name);
  }
  const bool never = state == nullptr || state->fingerprint.empty();
  const bool definition_changed =
      !never && state->definition_digest != store::DefinitionDigest(node.definition);
  const bool checks_changed =
      state != nullptr && state->checks_digest != store::DefinitionDigest(node.checks_definition);
  decision.action = Action::kBuild;
  if (open.empty()) {
    decision.fingerprint = Fingerprint(project, node, inputs, probe, run_time);
    // A source's fingerprint doesn't say what stands outside: its cursor does.
    const bool unchanged = node.kind == "source" ? probe.repeats_rejection : probe.changed.empty();
    if (unchanged && RepeatsVerdict(state, node, decision.fingerprint, options)) {
      decision.action = Action::kFail;
      decision.reason = "its checks failed on the same rows in run " + state->rejection->run;
      return decision;
    }
  }
  if (options.full) {
    decision.reason = "--full";
    return decision;
  }
  if (never) {
    decision.reason = state == nullptr ? "never built" : "its checks failed last time";
    return decision;
  }
  if (definition_changed) {
    decision.reason = "its definition changed";
    return decision;
  }
  if (!probe.changed.empty()) {
    decision.reason = probe.changed;
    return decision;
  }
  if (node.spec.common.rerun_always) {
    decision.reason = "volatile: it runs every time";
    return decision;
  }
  if (!open.empty()) {
    decision.certain = false;
    decision.reason = Join(open) + (open.size() == 1 ? " is" : " are") +
                      " rebuilt above; reused if the rows stay the same";
    return decision;
  }
  if (decision.fingerprint == state->fingerprint) {
    if (checks_changed) {
      decision.action = Action::kCheck;
      decision.reason = "only its checks changed";
      return decision;
    }
    if (CheckInputsChanged(state->inputs, options.check_inputs)) {
      decision.action = Action::kCheck;
      decision.reason = "rows that its checks read changed";
      return decision;
    }
    decision.action = Action::kReuse;
    decision.reason = probe.unchanged.empty() ? "nothing changed" : probe.unchanged;
    return decision;
  }
  for (const auto& [name, id] : inputs) {
    auto before = state->inputs.find(name);
    if (before == state->inputs.end() || before->second != id) {
      decision.inputs_changed.push_back(name);
    }
  }
  if (!probe.keep.empty()) {
    decision.action = Action::kReuse;
    decision.reason = probe.keep;
    decision.fingerprint = state->fingerprint;
  } else if (!decision.inputs_changed.empty()) {
    decision.reason = std::string(Noun(project.FindNode(decision.inputs_changed.front())
                                           ? project.FindNode(decision.inputs_changed.front())->kind
                                           : "sql")) +
                      " of " + Join(decision.inputs_changed) + " changed";
    if (!probe.only_if.empty()) {
      decision.certain = false;
      decision.reason += "; trained again if " + probe.only_if;
    }
  } else if (!node.select.parameter_names.empty()) {
    decision.reason = "a parameter changed";
  } else {
    decision.reason = "what it depends on outside the project changed";
  }
  return decision;
}

/// Of a node that isn't to be built although rows that its checks read are not known yet.
void SayOpenChecks(const DecideOptions& options, Decision& decision) {
  if (decision.action != Action::kReuse || !decision.certain) return;
  for (const auto& [name, id] : options.check_inputs) {
    if (id) continue;
    decision.certain = false;
    decision.reason = name + " is rebuilt above; its checks run again if the rows change";
  }
}

/// Whether the world outside is as the node's last, rejected build found it.
bool RepeatsRejection(const ProbeContext& context) {
  const store::NodeState* state = context.state;
  if (context.node->kind != "source" || state == nullptr || !state->rejection ||
      !state->rejection->cursor) {
    return false;
  }
  store::NodeState rejected = *state;
  rejected.cursor = state->rejection->cursor;
  ProbeContext as_rejected = context;
  as_rejected.state = &rejected;
  auto probe = context.node->component->ProbeOutside(as_rejected);
  return probe.ok() && probe->changed.empty();
}

/// Somebody deleted or cut files below .headrace: sizes are compared, contents are not read.
bool FilesLost(const ProbeContext& context, const std::string& warehouse,
               const store::SnapshotRecord& record) {
  if (warehouse.empty() || context.fs == nullptr) return false;
  auto files = ParseJson(record.files, "files of a snapshot");
  if (!files.ok() || !files->is_array()) return false;
  for (const Json& file : *files) {
    auto info = context.fs->Stat(JoinPath(warehouse, file.value("path", "")));
    if (!info.ok() && info.error().code != "not_found") continue;  // a reader says what is wrong
    const int64_t bytes = file.value("bytes", int64_t{0});
    if (!info.ok() || (bytes > 0 && info->size != bytes)) return true;
  }
  return false;
}

/// A change that was undone: the rows that were built then may still be there.
Status LookForEarlier(const ProbeContext& context, const Probe& probe, const DecideOptions& options,
                      Decision& decision) {
  const Node& node = *context.node;
  const store::NodeState* state = context.state;
  if (decision.action != Action::kBuild || decision.fingerprint.empty() || !node.has_table ||
      node.kind == "source" || !probe.changed.empty() || options.full ||
      node.spec.common.rerun_always || context.store == nullptr || state == nullptr ||
      !state->snapshot || SetsAside(node) || context.state_of(QuarantineOf(node.name)) != nullptr ||
      state->checks_digest != store::DefinitionDigest(node.checks_definition)) {
    return Ok();
  }
  HR_ASSIGN(auto earlier,
            context.store->FindSnapshot(context.target, node.name, decision.fingerprint));
  if (!earlier || earlier->build == state->snapshot->build) return Ok();
  if (FilesLost(context, options.warehouse, *earlier)) return Ok();
  decision.action = Action::kReuse;
  decision.reason = "the same as before: the rows built then are still there";
  decision.earlier = std::move(*earlier);
  return Ok();
}

}  // namespace

Result<Asked> AskNode(const ProbeContext& context, const InputIds& inputs,
                      const DecideOptions& given, const Borrowed* borrowed) {
  const Node& node = *context.node;
  Asked asked;
  if (context.project->sample() > 0 && node.kind == "sink") {
    asked.decision.action = Action::kSkip;
    asked.decision.reason = "a run on a sample writes nothing outside";
    return asked;
  }
  DecideOptions options = given;
  const bool lost = context.state != nullptr && context.state->snapshot &&
                    FilesLost(context, options.warehouse, *context.state->snapshot);
  if (lost) options.full = true;
  HR_ASSIGN(asked.probe, node.component->ProbeOutside(context));
  asked.probe.repeats_rejection = RepeatsRejection(context);
  if (node.intervals) {
    HR_ASSIGN(asked.decision, DecideIntervals({context.project, &node, context.state, context.store,
                                               borrowed, inputs, options, context.now}));
  } else {
    asked.decision = DecideRows(*context.project, node, context.state, inputs, asked.probe, options,
                                context.now);
    HR_TRY(LookForEarlier(context, asked.probe, options, asked.decision));
  }
  if (node.kind == "check" && asked.decision.action == Action::kBuild) {
    asked.decision.action = Action::kCheck;
    if (context.state == nullptr) asked.decision.reason = "never checked";
  }
  SayOpenChecks(options, asked.decision);
  asked.decision.lost = lost;
  if (lost && !given.full && asked.decision.action != Action::kSkip) {
    asked.decision.reason = "files of its rows are gone or damaged";
  }
  return asked;
}

Result<std::vector<PlannedNode>> MakePlan(const Project& project, store::Store* store,
                                          FileSystem& fs, const PlanOptions& options) {
  std::map<std::string, store::NodeState> states;
  if (store != nullptr) {
    HR_ASSIGN(auto all, store->ReadState(project.target()));
    for (auto& state : all) states[state.node] = std::move(state);
  }
  auto state_of = [&](const std::string& name) -> const store::NodeState* {
    auto found = states.find(name);
    return found == states.end() ? nullptr : &found->second;
  };
  HR_ASSIGN(const Borrowed borrowed,
            FindBorrowed(project, store, options.reuse_warehouse, options.now, false));
  std::vector<PlannedNode> plan;
  std::vector<std::optional<std::string>> ids(project.nodes().size());
  std::vector<bool> broken(project.nodes().size(), false);
  for (size_t i = 0; i < project.nodes().size(); ++i) {
    const Node& node = project.nodes()[i];
    const bool selected = options.selected.empty() || options.selected[i];
    const store::NodeState* state = state_of(node.name);
    InputIds inputs, check_inputs;
    std::string failed_above;
    for (int input : node.inputs) {
      if (project.nodes()[input].kind != "check") {
        (node.ReadsRowsOf(input) ? inputs : check_inputs)[project.nodes()[input].name] = ids[input];
      }
      if (broken[input]) failed_above = project.nodes()[input].name;
    }
    if (node.intervals) inputs = IntervalInputs(project, node, ids);
    PlannedNode planned;
    planned.node = &node;
    if (borrowed.Has(node.name) && !(selected && options.decide.full)) {
      ids[i] = ContentId(borrowed.there.at(node.name));
      planned.decision.reason = borrowed.Reason();
      if (selected) plan.push_back(std::move(planned));
      continue;
    }
    if (!selected) {
      if (node.view) {
        bool known = true;
        for (const auto& [name, id] : inputs) known = known && id.has_value();
        if (known) ids[i] = Fingerprint(project, node, inputs, Probe{}, options.now);
      } else {
        ids[i] = state != nullptr ? ContentId(*state) : "";
      }
      continue;
    }
    ProbeContext context;
    context.project = &project;
    context.node = &node;
    context.state = state;
    context.store = store;
    context.target = project.target();
    context.fs = &fs;
    context.now = options.now;
    context.sends = project.Sends();
    context.state_of = state_of;
    Probe probe;
    DecideOptions decide = options.decide;
    decide.check_inputs = check_inputs;
    if (node.unexpanded) {
      planned.decision.action = Action::kFail;
      planned.decision.reason = node.unexpanded->message;
    } else if (auto asked = AskNode(context, inputs, decide, &borrowed); !asked.ok()) {
      planned.decision.action = Action::kFail;
      planned.decision.reason = asked.error().message;
    } else {
      probe = std::move(asked->probe);
      planned.decision = std::move(asked->decision);
    }
    if (!failed_above.empty() && node.spec.common.on_failure.then != spec::OnFailure::kUseLast) {
      planned.decision.action = Action::kSkip;
      planned.decision.certain = true;
      planned.decision.reason = failed_above + " fails";
    }
    broken[i] = planned.decision.action == Action::kFail ||
                (planned.decision.action == Action::kSkip && state == nullptr);
    if (node.view) {
      bool known = true;
      for (const auto& [name, id] : inputs) known = known && id.has_value();
      if (known) ids[i] = Fingerprint(project, node, inputs, probe, options.now);
    } else if (planned.decision.action == Action::kReuse ||
               (planned.decision.action == Action::kCheck && state != nullptr &&
                !SetsAside(node))) {
      ids[i] = planned.decision.earlier ? planned.decision.earlier->id : ContentId(*state);
    } else if (planned.decision.action != Action::kBuild &&
               planned.decision.action != Action::kIntervals &&
               planned.decision.action != Action::kCheck) {
      ids[i] = state != nullptr ? ContentId(*state) : "";
    }
    plan.push_back(std::move(planned));
  }
  return plan;
}

std::string ContentId(const store::NodeState& state) {
  if (state.snapshot.has_value()) return state.snapshot->id;
  auto identity = state.inputs.find(kIdentityKey);
  return identity == state.inputs.end() ? state.fingerprint : identity->second;
}

}  // namespace headrace::pipeline
