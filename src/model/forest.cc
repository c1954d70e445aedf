// Problem: a row goes through hundreds of trees, and each step down is a load, a comparison of
// doubles with a rule for NaN, and for categories a look into a set of bits.
//
// Idea: the comparisons of a forest are few. All thresholds of one input, sorted, cut the line into
// intervals, and the number of the interval a value lies in answers every one of them: v <= t[k] is
// rank(v) <= k, where rank(v) counts the thresholds below v. So a block of rows is coded once, by
// binary search, into small integers, and a step down a tree is
//     node = node.child + (code[node.column] > node.most)
// without a branch. The special rules are in the coding, not in the steps:
//   - NaN must go left at some splits (default_left, or missing type "none", in which NaN counts as
//     0 and 0 <= threshold) and right at others. An input has a column of codes for either, in
//     which NaN is the least or the greatest code; the same for zero-as-missing.
//   - A categorical split's set has a column of its own, 0 for the values in it, 1 for the others.
//     The columns of one input lie side by side, and a table by value gives all of them at once.
//   - A leaf is a node that leads to itself: rows that are there already step on the spot.
// Rows go down a tree in lanes of 8, so that the processor overlaps their loads, and all rows of a
// block pass a tree before the next one: its nodes stay in the first-level cache.
//
// Example: 100 trees × 31 leaves over 20 inputs have about 120 thresholds an input: 20 searches of
// 7 steps replace nothing of the 100 walks but make each step cost a third.
//
// A row's margin is the sum over trees in their order whatever the block, so batches and single
// rows agree bit for bit, and agree with LightGBM's own sum.
//
// Rejected: bit vectors over leaves (QuickScorer): half of all nodes are false ones here, each an
// AND in memory; vector gathers: no quicker than 8 scalar lanes, and not on every machine.
#include "model/forest.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace headrace::model {
namespace {

constexpr uint32_t kRight = std::numeric_limits<uint32_t>::max();  // above every rank
constexpr int64_t kBlock = 64;                                     // rows
constexpr int kSearchLanes = 8;                                    // divides kBlock
constexpr int64_t kBlockCodes = 8 * 1024;                          // of a block
constexpr size_t kMaxSetCodes = size_t{1} << 20;                   // bytes of one input's table
constexpr double kZeroThreshold = static_cast<double>(1e-35F);     // LightGBM's

Error Damaged(const std::string& what) {
  return DataError("damaged_model", "LightGBM model: " + what)
      .Hint("restore the file from where it was made, or train the model again");
}

/// Numbers of a blank-separated list.
template <class T>
Status ParseList(std::string_view text, size_t want, const std::string& name, std::vector<T>* out) {
  out->clear();
  out->reserve(want);
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    while (at < end && *at == ' ') ++at;
    if (at == end) break;
    if (out->size() == want) return Damaged(name + " has more entries than its tree needs");
    T value{};
    const auto [next, fault] = std::from_chars(at, end, value);
    if (fault != std::errc() || (next < end && *next != ' ')) {
      return Damaged(name + " has an entry that is not a number in range");
    }
    out->push_back(value);
    at = next;
  }
  if (out->size() != want) return Damaged(name + " has fewer entries than its tree needs");
  return Ok();
}

Result<int> ParseInt(std::string_view text, int low, int high, const std::string& name) {
  int value = 0;
  const auto [next, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || next != text.data() + text.size() || value < low || value > high) {
    return Damaged(name + " is not a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high));
  }
  return value;
}

/// The lines of a block as key → value.
using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

const std::string_view* Find(const Fields& fields, std::string_view key) {
  for (const auto& [name, value] : fields) {
    if (name == key) return &value;
  }
  return nullptr;
}

Result<std::string_view> Need(const Fields& fields, std::string_view key,
                              const std::string& where) {
  const std::string_view* value = Find(fields, key);
  if (value == nullptr) return Damaged(where + " has no " + std::string(key));
  return *value;
}

std::string_view Line(std::string_view* rest) {
  const size_t end = rest->find('\n');
  std::string_view line = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool InSet(const uint32_t* words, int32_t count, double value) {
  if (!(value > -1.0) || value >= 2147483648.0) return false;  // NaN and negative: not in the set
  const auto v = static_cast<int32_t>(value);
  return v / 32 < count && ((words[v / 32] >> (v % 32)) & 1U) != 0;
}

}  // namespace

/// Reads one text; a class so that the checks of a tree share its arrays.
class ForestReader {
 public:
  explicit ForestReader(std::string_view text) : rest_(text) {}

  Result<Forest> Read() {
    HR_TRY(ReadHeader());
    while (!done_) HR_TRY(ReadTree());
    if (forest_.trees_.size() % static_cast<size_t>(forest_.outputs_) != 0) {
      return Damaged("the number of trees is no multiple of the number of classes");
    }
    if (forest_.trees_.empty()) return Damaged("it has no trees");
    MakeColumns();
    return std::move(forest_);
  }

 private:
  Status ReadHeader() {
    if (Line(&rest_) != "tree") return Damaged("the first line is not 'tree'");
    Fields fields;
    HR_TRY(ReadBlock(&fields));
    HR_ASSIGN(const auto version, Need(fields, "version", "the header"));
    if (version != "v3" && version != "v4") {
      return UserError("unsupported_model", "LightGBM model format '" +
                                                std::string(version.substr(0, 20)) +
                                                "' is not read; v3 and v4 are");
    }
    HR_ASSIGN(const auto outputs, Need(fields, "num_tree_per_iteration", "the header"));
    HR_ASSIGN(forest_.outputs_,
              ParseInt(outputs, 1, Forest::kMaxOutputs, "num_tree_per_iteration"));
    HR_ASSIGN(const auto last, Need(fields, "max_feature_idx", "the header"));
    HR_ASSIGN(const int last_feature,
              ParseInt(last, 0, Forest::kMaxFeatures - 1, "max_feature_idx"));
    forest_.features_ = last_feature + 1;
    if (const auto* objective = Find(fields, "objective")) forest_.objective_ = *objective;
    return Ok();
  }

  /// Lines up to the next "Tree=" (consumed) or the end of the trees.
  Status ReadBlock(Fields* fields) {
    while (!rest_.empty()) {
      const std::string_view line = Line(&rest_);
      if (line.starts_with("Tree=")) {
        // Trees are numbered: a block that is lost or doubled shows.
        HR_ASSIGN(const int number, ParseInt(line.substr(5), 0, 1 << 30, "the number of a tree"));
        if (static_cast<size_t>(number) != blocks_++) return Damaged("trees are out of order");
        return Ok();
      }
      if (line == "end of trees") {
        done_ = true;
        return Ok();
      }
      const size_t equals = line.find('=');
      if (equals != std::string_view::npos) {
        fields->emplace_back(line.substr(0, equals), line.substr(equals + 1));
      }
    }
    return Damaged("it ends before 'end of trees'");
  }

  Status ReadTree() {
    where_ = "tree " + std::to_string(forest_.trees_.size());
    Fields fields;
    HR_TRY(ReadBlock(&fields));
    if (const auto* linear = Find(fields, "is_linear"); linear != nullptr && *linear != "0") {
      return UserError("unsupported_model",
                       "LightGBM model: " + where_ + " is a linear tree; these are not supported")
          .Hint("train without linear_tree");
    }
    HR_ASSIGN(const auto leaves_text, Need(fields, "num_leaves", where_));
    HR_ASSIGN(leaves_, ParseInt(leaves_text, 1, Forest::kMaxLeaves, where_ + ": num_leaves"));
    HR_ASSIGN(const auto values, Need(fields, "leaf_value", where_));
    HR_TRY(ParseList(values, static_cast<size_t>(leaves_), where_ + ": leaf_value", &leaf_value_));
    for (const double value : leaf_value_) {
      if (!std::isfinite(value)) return Damaged(where_ + " has a leaf that is not finite");
    }
    if (forest_.nodes_.size() + 2 * static_cast<size_t>(leaves_) > Forest::kMaxNodes) {
      return Damaged("it has more nodes than the limit");
    }
    int categories = 0;
    if (leaves_ > 1) {
      HR_TRY(ReadSplits(fields));
      HR_ASSIGN(categories, ReadBitsets(fields));
      HR_TRY(CheckShape());
    }
    return Append(categories);
  }

  Status ReadSplits(const Fields& fields) {
    const auto inner = static_cast<size_t>(leaves_ - 1);
    HR_ASSIGN(const auto feature, Need(fields, "split_feature", where_));
    HR_TRY(ParseList(feature, inner, where_ + ": split_feature", &feature_));
    HR_ASSIGN(const auto threshold, Need(fields, "threshold", where_));
    HR_TRY(ParseList(threshold, inner, where_ + ": threshold", &threshold_));
    HR_ASSIGN(const auto decision, Need(fields, "decision_type", where_));
    HR_TRY(ParseList(decision, inner, where_ + ": decision_type", &decision_));
    HR_ASSIGN(const auto left, Need(fields, "left_child", where_));
    HR_TRY(ParseList(left, inner, where_ + ": left_child", &left_));
    HR_ASSIGN(const auto right, Need(fields, "right_child", where_));
    return ParseList(right, inner, where_ + ": right_child", &right_);
  }

  Result<int> ReadBitsets(const Fields& fields) {
    const std::string_view* text = Find(fields, "num_cat");
    if (text == nullptr) return 0;
    HR_ASSIGN(const int count, ParseInt(*text, 0, leaves_ - 1, where_ + ": num_cat"));
    if (count == 0) return 0;
    HR_ASSIGN(const auto bounds, Need(fields, "cat_boundaries", where_));
    HR_TRY(ParseList(bounds, static_cast<size_t>(count) + 1, where_ + ": cat_boundaries",
                     &boundaries_));
    if (boundaries_[0] != 0) return Damaged(where_ + ": cat_boundaries do not start at 0");
    for (int i = 0; i < count; ++i) {
      if (boundaries_[i + 1] <= boundaries_[i]) {
        return Damaged(where_ + ": cat_boundaries do not increase");
      }
    }
    HR_ASSIGN(const auto words, Need(fields, "cat_threshold", where_));
    if (static_cast<size_t>(boundaries_[count]) > words.size()) {
      return Damaged(where_ + ": cat_threshold is shorter than cat_boundaries say");
    }
    HR_TRY(ParseList(words, static_cast<size_t>(boundaries_[count]), where_ + ": cat_threshold",
                     &words_));
    return count;
  }

  /// Indices in range, and every node and leaf reached exactly once: a tree, no cycle.
  Status CheckShape() {
    const int inner = leaves_ - 1;
    for (int i = 0; i < inner; ++i) {
      if (feature_[i] < 0 || feature_[i] >= forest_.features_) {
        return Damaged(where_ + " splits on a feature that is not there");
      }
      if (std::isnan(threshold_[i])) return Damaged(where_ + " has a threshold that is no number");
      if (decision_[i] < 0 || decision_[i] > 15 || ((decision_[i] >> 2) & 3) == 3) {
        return Damaged(where_ + " has an unknown decision_type");
      }
    }
    seen_.assign(static_cast<size_t>(2 * leaves_ - 1), 0);
    stack_.assign(1, 0);
    seen_[0] = 1;
    size_t reached = 1;
    while (!stack_.empty()) {
      const int node = stack_.back();
      stack_.pop_back();
      for (const int child : {left_[node], right_[node]}) {
        if (child >= inner || child < -leaves_) {
          return Damaged(where_ + " has a child that is not there");
        }
        const int at = Position(child);
        if (seen_[at] != 0) return Damaged(where_ + " is not a tree: a node has two parents");
        seen_[at] = 1;
        ++reached;
        if (child >= 0) stack_.push_back(child);
      }
    }
    if (reached != seen_.size()) return Damaged(where_ + " has nodes that are never reached");
    return Ok();
  }

  int Position(int child) const { return child >= 0 ? child : leaves_ - 1 + ~child; }

  /// What an inner node compares, until the columns are known.
  struct Split {
    uint32_t node;
    int32_t feature;
    bool category;
    bool zero, left;       // zero counts as missing; missing goes left
    double threshold;      // of a numeric split
    Forest::Bitset set{};  // of a categorical one
  };

  /// Lays the tree's nodes out breadth first, siblings side by side.
  Status Append(int categories) {
    const auto root = static_cast<uint32_t>(forest_.nodes_.size());
    std::vector<Forest::Node>& nodes = forest_.nodes_;
    const auto add = [&](uint32_t at) {
      nodes.push_back({at, 0, kRight});
      forest_.leaf_values_.push_back(0);
    };
    add(root);
    order_.assign(1, leaves_ > 1 ? 0 : ~0);
    int32_t least_depth = -1, depth = 0;
    for (size_t at = 0, level_end = 1; at < order_.size(); ++at) {
      if (at == level_end) {
        ++depth;
        level_end = order_.size();
      }
      const int32_t from = order_[at];
      const uint32_t node = root + static_cast<uint32_t>(at);
      if (from < 0) {
        forest_.leaf_values_[node] = leaf_value_[static_cast<size_t>(~from)];
        if (least_depth < 0) least_depth = depth;
        continue;
      }
      HR_ASSIGN(Split split, ReadSplit(from, categories));
      split.node = node;
      splits_.push_back(split);
      nodes[node].child = root + static_cast<uint32_t>(order_.size());
      for (const int child : {left_[from], right_[from]}) {
        add(root + static_cast<uint32_t>(order_.size()));
        order_.push_back(child);
      }
    }
    if (categories > 0) {
      forest_.words_.insert(forest_.words_.end(), words_.begin(), words_.end());
      if (forest_.words_.size() > Forest::kMaxNodes) {
        return Damaged("its category sets are too large");
      }
    }
    forest_.trees_.push_back({root, least_depth});
    return Ok();
  }

  Result<Split> ReadSplit(int i, int categories) {
    Split split{0, feature_[i], (decision_[i] & 1) != 0, false, false, threshold_[i], {}};
    const int missing = (decision_[i] >> 2) & 3;
    const bool default_left = (decision_[i] & 2) != 0;
    if (split.category) {
      if (!(split.threshold >= 0 && split.threshold < categories)) {
        return Damaged(where_ + " uses a set of categories that is not there");
      }
      const auto set = static_cast<size_t>(split.threshold);
      split.set = {static_cast<int32_t>(forest_.words_.size()) + boundaries_[set],
                   boundaries_[set + 1] - boundaries_[set]};
      return split;
    }
    split.zero = missing == 1;
    split.left = missing == 0 ? 0 <= split.threshold : default_left;  // none: NaN counts as 0
    return split;
  }

  /// Gives every split its column and the code it compares with.
  void MakeColumns() {
    std::stable_sort(splits_.begin(), splits_.end(), [](const Split& a, const Split& b) {
      return std::tie(a.feature, a.category, a.threshold) <
             std::tie(b.feature, b.category, b.threshold);
    });
    for (auto begin = splits_.begin(); begin != splits_.end();) {
      const auto end = std::find_if(begin, splits_.end(), [&](const Split& split) {
        return split.feature != begin->feature;
      });
      const auto sets = std::find_if(begin, end, [](const Split& split) { return split.category; });
      Forest::Input input;
      input.feature = begin->feature;
      input.first_column = forest_.columns_;
      AddRanks(begin, sets, &input);
      AddSets(sets, end, &input);
      forest_.columns_ += static_cast<uint32_t>(input.ranks.size() + input.sets.size());
      forest_.inputs_.push_back(std::move(input));
      begin = end;
    }
    splits_.clear();
  }

  using Splits = std::vector<Split>::iterator;

  void AddRanks(Splits begin, Splits end, Forest::Input* input) {
    for (auto split = begin; split != end; ++split) {
      if (input->thresholds.empty() || input->thresholds.back() != split->threshold) {
        input->thresholds.push_back(split->threshold);
      }
      const uint32_t missing = split->left ? 0 : kRight;
      auto column = std::find_if(input->ranks.begin(), input->ranks.end(), [&](const auto& rank) {
        return rank.zero == split->zero && rank.missing == missing;
      });
      if (column == input->ranks.end()) {
        column = input->ranks.insert(column, {split->zero, missing});
      }
      Forest::Node& node = forest_.nodes_[split->node];
      node.column = input->first_column + static_cast<uint32_t>(column - input->ranks.begin());
      node.most = static_cast<uint32_t>(input->thresholds.size() - 1);
    }
  }

  void AddSets(Splits begin, Splits end, Forest::Input* input) {
    std::map<std::vector<uint32_t>, uint32_t> known;  // words without trailing zeros → place
    const auto first = input->first_column + static_cast<uint32_t>(input->ranks.size());
    for (auto split = begin; split != end; ++split) {
      const auto from = forest_.words_.begin() + split->set.begin;
      std::vector<uint32_t> words(from, from + split->set.words);
      while (!words.empty() && words.back() == 0) words.pop_back();
      split->set.words = static_cast<int32_t>(words.size());
      const auto [at, fresh] =
          known.emplace(std::move(words), static_cast<uint32_t>(input->sets.size()));
      if (fresh) {
        input->sets.push_back(split->set);
        input->set_values = std::max(input->set_values, split->set.words * 32 + 1);
      }
      Forest::Node& node = forest_.nodes_[split->node];
      node.column = first + at->second;
      node.most = 0;
    }
    const size_t codes = input->sets.size() * static_cast<size_t>(input->set_values);
    if (codes == 0 || codes > kMaxSetCodes) return;
    input->set_codes.reserve(codes);
    for (int32_t value = 0; value < input->set_values; ++value) {
      for (const Forest::Bitset& set : input->sets) {
        const bool in = InSet(forest_.words_.data() + set.begin, set.words, value);
        input->set_codes.push_back(in ? 0 : 1);
      }
    }
  }

  std::string_view rest_;
  bool done_ = false;
  size_t blocks_ = 0;
  std::string where_;
  Forest forest_;
  int leaves_ = 0;
  std::vector<double> leaf_value_, threshold_;
  std::vector<int> feature_, decision_, left_, right_, boundaries_;
  std::vector<uint32_t> words_;
  std::vector<uint8_t> seen_;
  std::vector<int> stack_;
  std::vector<int32_t> order_;
  std::vector<Split> splits_;
};

Result<Forest> Forest::ParseLightGbm(std::string_view text) { return ForestReader(text).Read(); }

void Forest::EncodeRanks(const Input& input, const double* rows, int64_t count, int64_t stride,
                         uint32_t* codes) const {
  double values[kBlock];
  uint32_t ranks[kBlock];
  for (int64_t r = 0; r < count; ++r) values[r] = rows[r * stride + input.feature];
  std::fill(values + count, values + kBlock, 0.0);
  // Binary search of some rows in step, their ranks in registers: no branch depends on a value, and
  // the rows' loads overlap.
  const double* thresholds = input.thresholds.data();
  const auto all = static_cast<uint32_t>(input.thresholds.size());
  for (int64_t r = 0; r < count; r += kSearchLanes) {
    uint32_t rank[kSearchLanes] = {};
    const double* v = values + r;
    uint32_t half = 0;
    for (uint32_t size = all; size > 1; size -= half) {
      half = size / 2;
#pragma GCC unroll 8
      for (int i = 0; i < kSearchLanes; ++i) {
        const uint32_t further = rank[i] + half;
        rank[i] = thresholds[further - 1] < v[i] ? further : rank[i];
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kSearchLanes; ++i) {
      ranks[r + i] = rank[i] + (thresholds[rank[i]] < v[i] ? 1 : 0);
    }
  }
  uint32_t* to = codes + input.first_column;
  for (const RankColumn& column : input.ranks) {
    for (int64_t r = 0; r < count; ++r) {
      const double v = values[r];
      const bool missing = v != v || (column.zero && std::fabs(v) <= kZeroThreshold);
      to[r * columns_] = missing ? column.missing : ranks[r];
    }
    ++to;
  }
}

void Forest::Encode(const Input& input, const double* rows, int64_t count, int64_t stride,
                    uint32_t* codes) const {
  if (!input.ranks.empty()) EncodeRanks(input, rows, count, stride, codes);
  const size_t sets = input.sets.size();
  if (sets == 0) return;
  codes += input.first_column + input.ranks.size();
  for (int64_t r = 0; r < count; ++r, codes += columns_) {
    const double v = rows[r * stride + input.feature];
    if (input.set_codes.empty()) {
      for (size_t s = 0; s < sets; ++s) {
        const Bitset& set = input.sets[s];
        codes[s] = InSet(words_.data() + set.begin, set.words, v) ? 0 : 1;
      }
      continue;
    }
    const bool known = v > -1.0 && v < input.set_values - 1;
    const auto value = static_cast<size_t>(known ? static_cast<int32_t>(v) : input.set_values - 1);
    std::copy_n(input.set_codes.data() + value * sets, sets, codes);
  }
}

template <int kLanes>
void Forest::AddTree(const Tree& tree, const uint32_t* codes, double* margins) const {
  const Node* nodes = nodes_.data();
  const uint32_t columns = columns_;
  uint32_t at[kLanes];
  for (int i = 0; i < kLanes; ++i) at[i] = tree.root;
  const auto step = [&] {
    uint32_t moved = 0;
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; ++i) {
      const Node& node = nodes[at[i]];
      const uint32_t next = node.child + (codes[i * columns + node.column] > node.most ? 1 : 0);
      moved |= next ^ at[i];
      at[i] = next;
    }
    return moved != 0;
  };
  for (int32_t depth = 0; depth < tree.least_depth; ++depth) step();
  while (step()) {
  }
  for (int i = 0; i < kLanes; ++i) margins[i * outputs_] += leaf_values_[at[i]];
}

void Forest::Margins(const double* rows, int64_t count, int64_t stride, double* margins) const {
  std::fill_n(margins, count * outputs_, 0.0);
  // Few rows at a time when there are many columns: their codes should stay in a near cache.
  const int64_t block = std::clamp<int64_t>(kBlockCodes / (columns_ + 1), 8, kBlock);
  std::vector<uint32_t> codes(static_cast<size_t>(std::min(block, count)) * columns_ + 1);
  for (int64_t begin = 0; begin < count; begin += block) {
    const int64_t size = std::min(count - begin, block);
    for (const Input& input : inputs_) {
      Encode(input, rows + begin * stride, size, stride, codes.data());
    }
    int output = 0;
    for (const Tree& tree : trees_) {
      double* to = margins + begin * outputs_ + output;
      int64_t r = 0;
      for (; r + 8 <= size; r += 8)
        AddTree<8>(tree, codes.data() + r * columns_, to + r * outputs_);
      for (; r < size; ++r) AddTree<1>(tree, codes.data() + r * columns_, to + r * outputs_);
      output = output + 1 == outputs_ ? 0 : output + 1;
    }
  }
}

}  // namespace headrace::model
