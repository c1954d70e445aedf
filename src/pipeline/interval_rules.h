#pragma once
// `materialize: incremental`: its options, and what lint says about them.
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "pipeline/intervals.h"
#include "spec/node_spec.h"

namespace headrace::pipeline {

class Project;
struct Node;

/// Properties of a .sql file beside those of every node.
struct SqlProperties {
  std::optional<spec::Duration> every, lookback;
  std::string start;
  std::vector<std::string> fixed, whole;
  std::optional<int> batch;
};
const spec::Spec& SqlPropertiesSpec();

/// The rules of a node that says `materialize: incremental`; nullopt after faults.
std::optional<IntervalRules> ReadIntervalRules(const spec::NodeSpec& spec,
                                               Diagnostics& diagnostics);
/// Faults of interval options that stand at a node that isn't incremental.
void RefuseIntervalOptions(const spec::NodeSpec& spec, Diagnostics& diagnostics);
/// Faults that need inputs and columns: `time:` of any node, names under `static:` and `whole:`.
void LintIntervals(const Project& project, const Node& node, Diagnostics& diagnostics);

/// The column by which an incremental node reads an input, one window at a time; "" = whole.
std::string WindowColumn(const IntervalRules& rules, const Node& input);
/// Whether some incremental node reads the node by its time, directly or through views.
bool FeedsIntervals(const Project& project, const Node& node);

}  // namespace headrace::pipeline
