#include "report/graph_layout.h"

#include <gtest/gtest.h>

#include <random>

#include "report/graph_chart.h"

namespace headrace::report {
namespace {

TEST(GraphLayout, InputsStandLeftOfTheirReaders) {
  const std::vector<std::vector<int>> inputs = {{}, {}, {0, 1}, {2}, {2}, {0, 3}};
  const Layout layout = LayOut(inputs, {});
  ASSERT_EQ(layout.boxes.size(), 6u);
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (const int input : inputs[i]) {
      EXPECT_LT(layout.boxes[static_cast<size_t>(input)].x, layout.boxes[i].x);
    }
  }
  EXPECT_EQ(layout.edges.size(), 6u);
  EXPECT_EQ(layout.columns, 4);
}

TEST(GraphLayout, BoxesNeverOverlap) {
  std::mt19937 random(7);
  std::vector<std::vector<int>> inputs(150);
  for (size_t i = 1; i < inputs.size(); ++i) {
    for (int k = 0; k < 2; ++k) {
      const int from = static_cast<int>(random() % i);
      if (inputs[i].empty() || inputs[i].front() != from) inputs[i].push_back(from);
    }
  }
  const LayoutSize size;
  const Layout layout = LayOut(inputs, size);
  for (size_t a = 0; a < inputs.size(); ++a) {
    EXPECT_GE(layout.boxes[a].y, -1e-6);
    EXPECT_LE(layout.boxes[a].y + size.height, layout.height + 1e-6);
    for (size_t b = a + 1; b < inputs.size(); ++b) {
      if (layout.boxes[a].x != layout.boxes[b].x) continue;
      EXPECT_GE(std::abs(layout.boxes[a].y - layout.boxes[b].y), size.height) << a << " " << b;
    }
  }
}

TEST(GraphLayout, EdgesOfATreeDoNotCross) {
  // Read in an order that crosses when it is kept: 0→4, 1→3, 2→5.
  const Layout layout = LayOut({{}, {}, {}, {1}, {0}, {2}}, {});
  EXPECT_EQ(layout.boxes[4].y, layout.boxes[0].y);
  EXPECT_EQ(layout.boxes[3].y, layout.boxes[1].y);
  EXPECT_EQ(layout.boxes[5].y, layout.boxes[2].y);
}

std::vector<NodeLine> Wide(size_t n) {
  std::vector<NodeLine> nodes;
  for (size_t i = 0; i < n; ++i) {
    NodeLine node;
    node.name = "n" + std::to_string(i);
    node.kind = "sql";
    node.state = i % 50 == 7 ? NodeState::kFailed : NodeState::kReused;
    if (i >= 10) node.inputs = {"n" + std::to_string(i - 10)};
    nodes.push_back(node);
  }
  return nodes;
}

TEST(Graph, ManyQuietNodesBecomeOneBoxAndFailuresStay) {
  const std::vector<NodeLine> nodes = Wide(500);
  const auto boxes = Collapse(nodes, 60);
  EXPECT_LE(boxes.size(), 60u);
  size_t all = 0, alone = 0;
  for (size_t b = 0; b < boxes.size(); ++b) {
    all += boxes[b].nodes.size();
    for (const int input : boxes[b].inputs) EXPECT_LT(input, static_cast<int>(b));
    const bool failed =
        nodes[static_cast<size_t>(boxes[b].nodes.front())].state == NodeState::kFailed;
    if (failed) {
      EXPECT_EQ(boxes[b].nodes.size(), 1u);
    }
    alone += failed ? 1 : 0;
  }
  EXPECT_EQ(all, 500u);
  EXPECT_EQ(alone, 10u);
  EXPECT_TRUE(GraphChart("g", nodes).has_value());
}

TEST(Graph, SmallOnesAreDrawnNodeByNode) { EXPECT_EQ(Collapse(Wide(50), 60).size(), 50u); }

}  // namespace
}  // namespace headrace::report
