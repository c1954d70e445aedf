// A forest is flattened into one array of 24-byte nodes, the inner nodes of a tree first, then its
// leaves. Three things make it quick:
//   - Rows go through a tree in lanes of 8, so that the processor overlaps their cache misses and
//     comparisons; a lane that has reached its leaf steps on the spot (a leaf's children are
//     itself).
//   - LightGBM's missing rules are turned into one bit at reading. "v <= threshold" is false for
//   NaN,
//     so NaN goes right; where it must go left (default_left, or missing type "none", in which NaN
//     counts as 0 and 0 <= threshold) the bit is set. Only zero-as-missing and categories need
//     more.
//   - All rows of a block pass a tree before the next one: its nodes stay in the first-level cache.
// A row's margin is the sum over trees in their order whatever the block, so batches and single
// rows agree bit for bit, and agree with LightGBM's own sum.
#include "model/forest.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace headrace::model {
namespace {

constexpr int kNanLeft = 1;
constexpr int kZeroMissing = 2;
constexpr int kCategory = 4;
constexpr double kZeroThreshold = static_cast<double>(1e-35F);  // LightGBM's

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

  /// Inner nodes first, then leaves.
  int Position(int child) const { return child >= 0 ? child : leaves_ - 1 + ~child; }

  Status Append(int categories) {
    const auto root = static_cast<int32_t>(forest_.nodes_.size());
    Forest::Tree tree{root, root + leaves_ - 1, true};
    for (int i = 0; i < leaves_ - 1; ++i) {
      Forest::Node node{
          threshold_[i], {root + Position(left_[i]), root + Position(right_[i])}, feature_[i], 0};
      const int missing = (decision_[i] >> 2) & 3;
      const bool default_left = (decision_[i] & 2) != 0;
      if ((decision_[i] & 1) != 0) {
        if (!(node.threshold >= 0 && node.threshold < categories)) {
          return Damaged(where_ + " uses a set of categories that is not there");
        }
        const auto set = static_cast<int32_t>(node.threshold);
        const auto begin = static_cast<int32_t>(forest_.words_.size()) + boundaries_[set];
        node.threshold = static_cast<double>(forest_.bitsets_.size());
        forest_.bitsets_.push_back({begin, boundaries_[set + 1] - boundaries_[set]});
        node.kind = kCategory;
        tree.plain = false;
      } else if (missing == 1) {
        node.kind = kZeroMissing | (default_left ? kNanLeft : 0);
        tree.plain = false;
      } else if (missing == 2) {
        node.kind = default_left ? kNanLeft : 0;
      } else {
        node.kind = 0 <= node.threshold ? kNanLeft : 0;  // NaN counts as 0
      }
      forest_.nodes_.push_back(node);
    }
    for (int i = 0; i < leaves_; ++i) {
      const auto self = static_cast<int32_t>(forest_.nodes_.size());
      forest_.nodes_.push_back({leaf_value_[i], {self, self}, 0, 0});
    }
    if (categories > 0) {
      forest_.words_.insert(forest_.words_.end(), words_.begin(), words_.end());
      if (forest_.words_.size() > Forest::kMaxNodes)
        return Damaged("its category sets are too large");
    }
    forest_.trees_.push_back(tree);
    return Ok();
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
};

Result<Forest> Forest::ParseLightGbm(std::string_view text) { return ForestReader(text).Read(); }

template <bool kPlain>
inline int32_t Forest::Step(const Node& node, const double* row) const {
  const double v = row[node.feature];
  if constexpr (!kPlain) {
    if ((node.kind & kCategory) != 0) {
      const Bitset& set = bitsets_[static_cast<size_t>(node.threshold)];
      return node.child[InSet(words_.data() + set.begin, set.words, v) ? 0 : 1];
    }
    if ((node.kind & kZeroMissing) != 0 && std::fabs(v) <= kZeroThreshold) {
      return node.child[(node.kind & kNanLeft) != 0 ? 0 : 1];
    }
  }
  const int left = static_cast<int>(v <= node.threshold) | (static_cast<int>(v != v) & node.kind);
  return node.child[left ^ 1];
}

template <int kLanes, bool kPlain>
void Forest::AddTree(const Tree& tree, const double* rows, int64_t stride, double* margins) const {
  const Node* nodes = nodes_.data();
  int32_t at[kLanes];
  for (int i = 0; i < kLanes; ++i) at[i] = tree.root;
  bool inside = tree.root < tree.first_leaf;
  while (inside) {
    int32_t lowest = std::numeric_limits<int32_t>::max();
    for (int i = 0; i < kLanes; ++i) {
      at[i] = Step<kPlain>(nodes[at[i]], rows + i * stride);
      lowest = at[i] < lowest ? at[i] : lowest;
    }
    inside = lowest < tree.first_leaf;
  }
  for (int i = 0; i < kLanes; ++i) margins[i * outputs_] += nodes[at[i]].threshold;
}

void Forest::Margins(const double* rows, int64_t count, int64_t stride, double* margins) const {
  constexpr int64_t kBlock = 64;
  std::fill_n(margins, count * outputs_, 0.0);
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    int output = 0;
    for (const Tree& tree : trees_) {
      int64_t r = begin;
      for (; r + 8 <= end; r += 8) {
        double* to = margins + r * outputs_ + output;
        if (tree.plain) {
          AddTree<8, true>(tree, rows + r * stride, stride, to);
        } else {
          AddTree<8, false>(tree, rows + r * stride, stride, to);
        }
      }
      for (; r < end; ++r) {
        AddTree<1, false>(tree, rows + r * stride, stride, margins + r * outputs_ + output);
      }
      output = output + 1 == outputs_ ? 0 : output + 1;
    }
  }
}

}  // namespace headrace::model
