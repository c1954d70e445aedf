#include "report/graph_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/number_text.h"
#include "report/graph_layout.h"
#include "report/number_text.h"
#include "report/plot.h"

namespace headrace::report {
namespace {

constexpr size_t kMostBoxes = 60;
constexpr size_t kMostFailed = 40;
constexpr double kFits = 1500;

std::vector<std::vector<int>> InputIndices(const std::vector<NodeLine>& nodes) {
  std::map<std::string, int> at;
  for (size_t i = 0; i < nodes.size(); ++i) at[nodes[i].name] = static_cast<int>(i);
  std::vector<std::vector<int>> out(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& input : nodes[i].inputs) {
      const auto found = at.find(input);
      // Topological order: anything else would be a circle.
      if (found != at.end() && found->second < static_cast<int>(i)) out[i].push_back(found->second);
    }
  }
  return out;
}

bool Quiet(const NodeLine& node) {
  return node.state == NodeState::kReused || node.state == NodeState::kUnselected;
}

/// Boxes of groups (key → box), in the order of columns.
std::vector<GraphBox> Grouped(const std::vector<std::vector<int>>& inputs,
                              const std::vector<int>& column, const std::vector<std::string>& key) {
  // Boxes must stand in an order in which inputs come first: by column, then by first node.
  std::vector<int> order(inputs.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return column[static_cast<size_t>(a)] < column[static_cast<size_t>(b)];
  });
  std::map<std::string, int> box_of_key;
  std::vector<int> box(inputs.size());
  std::vector<GraphBox> out;
  for (const int node : order) {
    const std::string& own = key[static_cast<size_t>(node)];
    const auto [found, fresh] = box_of_key.emplace(own, static_cast<int>(out.size()));
    if (fresh) out.emplace_back();
    box[static_cast<size_t>(node)] = found->second;
    out[static_cast<size_t>(found->second)].nodes.push_back(node);
  }
  for (GraphBox& group : out) {
    std::set<int> from;
    for (const int node : group.nodes) {
      for (const int input : inputs[static_cast<size_t>(node)]) {
        from.insert(box[static_cast<size_t>(input)]);
      }
    }
    group.inputs.assign(from.begin(), from.end());
  }
  return out;
}

const char* Plural(const std::string& kind) {
  static const std::map<std::string, const char*> kWords = {
      {"source", "sources"},      {"sql", "tables"}, {"model", "models"},
      {"predict", "predictions"}, {"sink", "sinks"}, {"action", "actions"}};
  const auto found = kWords.find(kind);
  return found == kWords.end() ? "nodes" : found->second;
}

class Drawer {
 public:
  Drawer(const std::vector<NodeLine>& nodes, std::vector<GraphBox> boxes)
      : nodes_(nodes), boxes_(std::move(boxes)) {
    std::vector<std::vector<int>> inputs;
    for (const GraphBox& box : boxes_) inputs.push_back(box.inputs);
    layout_ = LayOut(inputs, size_);
  }

  Markup Draw(const std::string& id, const std::string& title, const std::string& says) const {
    Markup svg = Drawing(id, title, says, layout_.width + 2, layout_.height + 2);
    // A little too wide: made smaller rather than scrolled, where there is room at all.
    svg.Class(layout_.width <= kFits ? "graph fit" : "graph");
    Markup all("g");
    all.Attr("transform", "translate(1 1)");
    for (const auto& points : layout_.edges) all.Add(Edge(points));
    for (size_t i = 0; i < boxes_.size(); ++i) all.Add(Box(i));
    svg.Add(std::move(all));
    return svg;
  }

 private:
  static Markup Edge(const std::vector<Layout::Point>& points) {
    std::string path = fmt::format("M{} {}", Coordinate(points[0].x), Coordinate(points[0].y));
    for (size_t k = 1; k < points.size(); ++k) {
      const auto &a = points[k - 1], &b = points[k];
      if (a.y == b.y) {
        path += fmt::format(" H{}", Coordinate(b.x));
        continue;
      }
      const double middle = (a.x + b.x) / 2;
      path += fmt::format(" C{} {} {} {} {} {}", Coordinate(middle), Coordinate(a.y),
                          Coordinate(middle), Coordinate(b.y), Coordinate(b.x), Coordinate(b.y));
    }
    return Markup("path").Class("edge").Attr("d", path);
  }

  Markup Box(size_t i) const {
    const GraphBox& box = boxes_[i];
    const NodeLine& node = nodes_[static_cast<size_t>(box.nodes.front())];
    const auto [x, y] = layout_.boxes[i];
    Markup g("g");
    g.Class("node " + StateClass(node.state));
    g.Add(Markup("title", Long(box)));
    if (box.nodes.size() > 1) g.Add(Rect(x + 4, y + 4, "behind"));
    g.Add(Rect(x, y, "body"));
    g.Add(Markup("rect")
              .Class("edge-bar")
              .Attr("x", x)
              .Attr("y", y + 6)
              .Attr("width", 3.5)
              .Attr("height", size_.height - 12)
              .Attr("rx", 1.75));
    g.Add(SvgText(x + 12, y + 18, "start", Name(box), "name"));
    g.Add(SvgText(x + 12, y + 33, "start", Under(box), "t"));
    g.Add(SvgText(x + size_.width - 10, y + 19, "end", StateSign(node.state), "sign"));
    return g;
  }

  Markup Rect(double x, double y, std::string_view style) const {
    return Markup("rect")
        .Class(style)
        .Attr("x", x)
        .Attr("y", y)
        .Attr("width", size_.width)
        .Attr("height", size_.height)
        .Attr("rx", 6);
  }

  std::string Name(const GraphBox& box) const {
    const NodeLine& node = nodes_[static_cast<size_t>(box.nodes.front())];
    if (box.nodes.size() == 1) return CutText(node.name, 18);
    bool same = true;
    for (const int n : box.nodes) same = same && nodes_[static_cast<size_t>(n)].kind == node.kind;
    return fmt::format("{} {}", box.nodes.size(), same ? Plural(node.kind) : "nodes");
  }

  std::string Under(const GraphBox& box) const {
    const NodeLine& node = nodes_[static_cast<size_t>(box.nodes.front())];
    if (box.nodes.size() > 1) return StateWord(node.state);
    const auto would = node.counts.find("would_send"), sent = node.counts.find("sent");
    if (would != node.counts.end()) return fmt::format("{} · {} held", node.kind, would->second);
    if (sent != node.counts.end()) return fmt::format("{} · {} sent", node.kind, sent->second);
    if (node.rows < 0) return node.kind;
    return fmt::format("{} · {}", node.kind, headrace::Grouped(node.rows));
  }

  std::string Long(const GraphBox& box) const {
    std::vector<std::string> names;
    for (const int n : box.nodes) names.push_back(nodes_[static_cast<size_t>(n)].name);
    const NodeLine& node = nodes_[static_cast<size_t>(box.nodes.front())];
    return Listed(names, 30) + ": " + StateWord(node.state) +
           (box.nodes.size() == 1 && !node.reason.empty() ? " (" + node.reason + ")" : "");
  }

  const std::vector<NodeLine>& nodes_;
  const LayoutSize size_;
  std::vector<GraphBox> boxes_;
  Layout layout_;
};

std::string Says(const std::vector<NodeLine>& nodes, bool collapsed) {
  std::map<NodeState, std::vector<std::string>> by_state;
  for (const NodeLine& node : nodes) by_state[node.state].push_back(node.name);
  std::string out =
      Tally(static_cast<int64_t>(nodes.size()), "node") + ", data flows to the right: ";
  bool first = true;
  for (const auto& [state, names] : by_state) {
    out += fmt::format("{}{} {}", first ? "" : ", ", names.size(), StateWord(state));
    first = false;
  }
  out += ".";
  if (by_state.contains(NodeState::kFailed)) {
    out += " Failed: " + Listed(by_state[NodeState::kFailed], 6) + ".";
  }
  if (by_state.contains(NodeState::kSkipped)) {
    out += " Skipped because of nodes above: " + Listed(by_state[NodeState::kSkipped], 6) + ".";
  }
  if (collapsed) out += " Nodes that are alike are drawn as one box.";
  return out;
}

}  // namespace

std::string StateWord(NodeState state) {
  switch (state) {
    case NodeState::kBuilt:
      return "built";
    case NodeState::kTrained:
      return "trained";
    case NodeState::kChecked:
      return "checked";
    case NodeState::kReused:
      return "up to date";
    case NodeState::kSkipped:
      return "skipped";
    case NodeState::kStopped:
      return "stopped";
    case NodeState::kFailed:
      return "failed";
    case NodeState::kUnselected:
      return "not selected";
  }
  return "";
}

std::string StateClass(NodeState state) {
  switch (state) {
    case NodeState::kBuilt:
    case NodeState::kTrained:
    case NodeState::kChecked:
      return "built";
    case NodeState::kSkipped:
    case NodeState::kStopped:
      return "skipped";
    case NodeState::kFailed:
      return "failed";
    case NodeState::kReused:
    case NodeState::kUnselected:
      return "reused";
  }
  return "";
}

std::string StateSign(NodeState state) {
  switch (state) {
    case NodeState::kBuilt:
    case NodeState::kTrained:
    case NodeState::kChecked:
      return "✓";
    case NodeState::kSkipped:
    case NodeState::kStopped:
      return "–";
    case NodeState::kFailed:
      return "✕";
    case NodeState::kReused:
      return "=";
    case NodeState::kUnselected:
      return "·";
  }
  return "";
}

std::vector<GraphBox> Collapse(const std::vector<NodeLine>& nodes, size_t most) {
  const auto inputs = InputIndices(nodes);
  const std::vector<int> column = Columns(inputs);
  const auto failed = static_cast<size_t>(std::count_if(
      nodes.begin(), nodes.end(), [](const auto& n) { return n.state == NodeState::kFailed; }));
  std::vector<GraphBox> out;
  // Level 0: all alone; 1: quiet ones together; 2: all of a column and state together.
  for (int level = 0; level < 3; ++level) {
    std::vector<std::string> key;
    for (size_t i = 0; i < nodes.size(); ++i) {
      const NodeLine& node = nodes[i];
      const bool keep = level == 0 || (level == 1 && !Quiet(node)) ||
                        (node.state == NodeState::kFailed && failed <= kMostFailed);
      key.push_back(keep ? "node " + std::to_string(i)
                         : fmt::format("{} {}", column[i], StateWord(node.state)));
    }
    out = Grouped(inputs, column, key);
    if (out.size() <= most) break;
  }
  return out;
}

Chart GraphChart(const std::string& id, const std::vector<NodeLine>& nodes) {
  if (nodes.empty()) return std::nullopt;
  std::vector<GraphBox> boxes = Collapse(nodes, kMostBoxes);
  const std::string says = Says(nodes, boxes.size() < nodes.size());
  const std::string title = "The pipeline and what the run did with it";
  const Drawer drawer(nodes, std::move(boxes));
  Markup scroll("div");
  scroll.Class("scroll");
  scroll.Add(drawer.Draw(id, title, says));
  return FigureOf(std::move(scroll), "", says);
}

}  // namespace headrace::report
