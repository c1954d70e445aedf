#pragma once
// Places the boxes of a graph without circles in columns, so that edges run to the right and cross
// little.
#include <string>
#include <vector>

namespace headrace::report {

struct LayoutSize {
  double width = 170, height = 44;       ///< of a box
  double column_gap = 42, row_gap = 14;  ///< between boxes
};

struct Layout {
  struct Point {
    double x = 0, y = 0;
  };
  std::vector<Point> boxes;  ///< upper left corner, by node
  /// Of every edge, in the order of `inputs` (node by node): right side of the input, bends, left
  /// side of the reader.
  std::vector<std::vector<Point>> edges;
  double width = 0, height = 0;
  int columns = 0;
};

/// Column of every node: one more than its last input's. Inputs have smaller indices.
std::vector<int> Columns(const std::vector<std::vector<int>>& inputs);

/// Deterministic; about O((nodes + edges × columns) × 12).
Layout LayOut(const std::vector<std::vector<int>>& inputs, const LayoutSize& size);

}  // namespace headrace::report
