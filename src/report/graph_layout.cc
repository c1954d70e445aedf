// Layered drawing after Sugiyama, Tagawa and Toda (1981): columns by longest path; long edges get a
// bend in every column they cross; the order within columns is improved by sweeps that sort boxes
// by the mean place of their neighbours, keeping the best order seen; then boxes move towards their
// neighbours as far as the order and the gaps let them.
#include "report/graph_layout.h"

#include <algorithm>
#include <numeric>

namespace headrace::report {
namespace {

constexpr int kSweeps = 12;

/// Nodes first, then bends.
struct Item {
  int column = 0;
  bool bend = false;
  double y = 0;  // of its middle
  std::vector<int> left, right;
};

class Layered {
 public:
  Layered(const std::vector<std::vector<int>>& inputs, const LayoutSize& size)
      : inputs_(inputs), size_(size) {}

  Layout Run() {
    MakeItems();
    Order();
    Place();
    return Finish();
  }

 private:
  void MakeItems() {
    std::vector<int> column = Columns(inputs_);
    const size_t n = inputs_.size();
    // A source stands right before its first reader, not far to the left of it.
    std::vector<int> nearest(n, 1 << 30);
    for (size_t i = n; i-- > 0;) {
      if (inputs_[i].empty() && nearest[i] < (1 << 30)) column[i] = nearest[i] - 1;
      for (const int input : inputs_[i]) {
        auto& first = nearest[static_cast<size_t>(input)];
        first = std::min(first, column[i]);
      }
    }
    items_.resize(n);
    for (size_t i = 0; i < n; ++i) items_[i].column = column[i];
    for (size_t i = 0; i < n; ++i) {
      for (const int input : inputs_[i]) Connect(input, static_cast<int>(i));
    }
    for (size_t i = 0; i < items_.size(); ++i) {
      const auto at = static_cast<size_t>(items_[i].column);
      if (columns_.size() <= at) columns_.resize(at + 1);
      columns_[at].push_back(static_cast<int>(i));
    }
  }

  void Connect(int from, int to) {
    std::vector<int> path = {from};
    for (int c = items_[static_cast<size_t>(from)].column + 1;
         c < items_[static_cast<size_t>(to)].column; ++c) {
      Item bend;
      bend.column = c;
      bend.bend = true;
      path.push_back(static_cast<int>(items_.size()));
      items_.push_back(bend);
    }
    path.push_back(to);
    for (size_t k = 0; k + 1 < path.size(); ++k) {
      items_[static_cast<size_t>(path[k])].right.push_back(path[k + 1]);
      items_[static_cast<size_t>(path[k + 1])].left.push_back(path[k]);
    }
    paths_.push_back(std::move(path));
  }

  std::vector<int> Positions() const {
    std::vector<int> at(items_.size());
    for (const auto& column : columns_) {
      for (size_t i = 0; i < column.size(); ++i) {
        at[static_cast<size_t>(column[i])] = static_cast<int>(i);
      }
    }
    return at;
  }

  /// Crossings of edges between neighbouring columns.
  int64_t Crossings() const {
    const std::vector<int> at = Positions();
    int64_t count = 0;
    for (const auto& column : columns_) {
      std::vector<int> ends;  // in the order of the left side, then of the right one
      for (const int item : column) {
        std::vector<int> right;
        for (const int r : items_[static_cast<size_t>(item)].right) {
          right.push_back(at[static_cast<size_t>(r)]);
        }
        std::sort(right.begin(), right.end());
        for (const int r : right) {
          // Ends beyond r that came earlier are crossed. Columns are small.
          count += std::count_if(ends.begin(), ends.end(), [&](int e) { return e > r; });
        }
        ends.insert(ends.end(), right.begin(), right.end());
      }
    }
    return count;
  }

  void Order() {
    auto best = columns_;
    int64_t fewest = Crossings();
    for (int sweep = 0; sweep < kSweeps && fewest > 0; ++sweep) {
      const bool forward = sweep % 2 == 0;
      for (size_t k = 1; k < columns_.size(); ++k) {
        SortColumn(columns_[forward ? k : columns_.size() - 1 - k], forward);
      }
      const int64_t now = Crossings();
      if (now < fewest) {
        fewest = now;
        best = columns_;
      }
    }
    columns_ = std::move(best);
  }

  void SortColumn(std::vector<int>& column, bool by_left) {
    const std::vector<int> at = Positions();
    std::vector<std::pair<double, int>> keys;
    for (const int item : column) {
      const Item& it = items_[static_cast<size_t>(item)];
      const auto& near = by_left ? it.left : it.right;
      double sum = 0;
      for (const int other : near) sum += at[static_cast<size_t>(other)];
      keys.emplace_back(
          near.empty() ? at[static_cast<size_t>(item)] : sum / static_cast<double>(near.size()),
          item);
    }
    std::stable_sort(keys.begin(), keys.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < column.size(); ++i) column[i] = keys[i].second;
  }

  double Need(int above, int below) const {
    const auto half = [&](int item) {
      return items_[static_cast<size_t>(item)].bend ? 2.0 : size_.height / 2;
    };
    return half(above) + half(below) + size_.row_gap;
  }

  void Place() {
    for (auto& column : columns_) {
      double y = 0;
      for (size_t i = 0; i < column.size(); ++i) {
        if (i > 0) y += Need(column[i - 1], column[i]);
        items_[static_cast<size_t>(column[i])].y = y;
      }
      for (const int item : column) items_[static_cast<size_t>(item)].y -= y / 2;
    }
    for (int round = 0; round < kSweeps; ++round) {
      for (size_t k = 0; k < columns_.size(); ++k) {
        Pull(columns_[round % 2 == 0 ? k : columns_.size() - 1 - k]);
      }
    }
  }

  /// Moves a column's items to the mean of their neighbours; the mean of pushing down from the top
  /// and pushing up from the bottom keeps order and gaps.
  void Pull(const std::vector<int>& column) {
    const size_t n = column.size();
    std::vector<double> wish(n), down(n), up(n);
    for (size_t i = 0; i < n; ++i) {
      const Item& item = items_[static_cast<size_t>(column[i])];
      double sum = 0;
      for (const int o : item.left) sum += items_[static_cast<size_t>(o)].y;
      for (const int o : item.right) sum += items_[static_cast<size_t>(o)].y;
      const auto count = static_cast<double>(item.left.size() + item.right.size());
      wish[i] = count > 0 ? sum / count : item.y;
    }
    for (size_t i = 0; i < n; ++i) {
      down[i] = i == 0 ? wish[i] : std::max(wish[i], down[i - 1] + Need(column[i - 1], column[i]));
    }
    for (size_t i = n; i-- > 0;) {
      up[i] = i + 1 == n ? wish[i] : std::min(wish[i], up[i + 1] - Need(column[i], column[i + 1]));
    }
    for (size_t i = 0; i < n; ++i) {
      items_[static_cast<size_t>(column[i])].y = (down[i] + up[i]) / 2;
    }
  }

  Layout Finish() const {
    Layout out;
    double top = 0, bottom = 0;
    for (const Item& item : items_) {
      const double half = item.bend ? 2.0 : size_.height / 2;
      top = std::min(top, item.y - half);
      bottom = std::max(bottom, item.y + half);
    }
    const auto left = [&](const Item& item) {
      return item.column * (size_.width + size_.column_gap);
    };
    for (size_t i = 0; i < inputs_.size(); ++i) {
      out.boxes.push_back({left(items_[i]), items_[i].y - size_.height / 2 - top});
    }
    for (const auto& path : paths_) {
      auto& points = out.edges.emplace_back();
      for (size_t k = 0; k < path.size(); ++k) {
        const Item& item = items_[static_cast<size_t>(path[k])];
        if (k > 0) points.push_back({left(item), item.y - top});
        if (k + 1 < path.size()) points.push_back({left(item) + size_.width, item.y - top});
      }
    }
    out.columns = static_cast<int>(columns_.size());
    out.width = out.columns * (size_.width + size_.column_gap) - size_.column_gap;
    out.height = bottom - top;
    return out;
  }

  const std::vector<std::vector<int>>& inputs_;
  const LayoutSize& size_;
  std::vector<Item> items_;
  std::vector<std::vector<int>> columns_, paths_;
};

}  // namespace

std::vector<int> Columns(const std::vector<std::vector<int>>& inputs) {
  std::vector<int> column(inputs.size(), 0);
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (const int input : inputs[i]) {
      column[i] = std::max(column[i], column[static_cast<size_t>(input)] + 1);
    }
  }
  return column;
}

Layout LayOut(const std::vector<std::vector<int>>& inputs, const LayoutSize& size) {
  if (inputs.empty()) return {};
  return Layered(inputs, size).Run();
}

}  // namespace headrace::report
