#pragma once
#include <string>
#include <vector>

#include "report/charts.h"

namespace headrace::report {

/// "built", "reused" …: what the run did, for people.
std::string StateWord(NodeState state);
/// Class of the style sheet: "built", "failed" …
std::string StateClass(NodeState state);
/// One sign that says the same as the colour: ✓ = ! ✕ –
std::string StateSign(NodeState state);

/// A box of the drawn graph: a node, or several that the run left alone.
struct GraphBox {
  std::vector<int> nodes;   ///< indices; one, or those that stand for each other
  std::vector<int> inputs;  ///< indices of boxes
};

/// At most about `most` boxes: nodes that were up to date or not selected are drawn together, by
/// column; when that is not enough, all of one column and state are. Failed nodes stay alone as
/// long as there are at most 40.
std::vector<GraphBox> Collapse(const std::vector<NodeLine>& nodes, size_t most);

/// The graph with what the run did, left to right.
Chart GraphChart(const std::string& id, const std::vector<NodeLine>& nodes);

}  // namespace headrace::report
