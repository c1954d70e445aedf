#pragma once
// Our own runtime of LightGBM's text models: no library, no OpenMP, the same bits for one row and
// for a batch. Reads numeric and categorical splits with every missing rule; refuses linear trees.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::model {

/// A checked ensemble of trees. Immutable after Parse, thread-safe.
class Forest {
 public:
  static constexpr int kMaxFeatures = 1'000'000;
  static constexpr int kMaxOutputs = 10'000;
  static constexpr int kMaxLeaves = 1 << 20;  ///< of one tree
  static constexpr size_t kMaxNodes = size_t{1} << 28;

  /// Sizes, indices, shape (each node reached once from its root) and numbers are checked before
  /// anything is used. Errors: "damaged_model", "unsupported_model" (linear trees, old formats).
  static Result<Forest> ParseLightGbm(std::string_view text);

  int features() const { return features_; }
  /// Margins per row: 1, or the number of classes.
  int outputs() const { return outputs_; }
  size_t trees() const { return trees_.size(); }
  /// E.g. "binary sigmoid:1", "multiclass num_class:4", "regression".
  const std::string& objective() const { return objective_; }

  /// margins[r * outputs + k] = sum of the trees of output k, in their order (LightGBM's raw
  /// score). `rows`: row r starts at rows + r * stride and holds features() doubles, NaN = missing.
  void Margins(const double* rows, int64_t count, int64_t stride, double* margins) const;

 private:
  friend class ForestReader;
  /// Inner nodes compare a code of the row with `most`; a leaf leads to itself whatever the code.
  struct Node {
    uint32_t child;   // of the left one; the right one follows it
    uint32_t column;  // of codes
    uint32_t most;    // left if the code is at most this
  };
  struct Tree {
    uint32_t root;
    int32_t least_depth;  // of its leaves
  };
  struct Bitset {
    int32_t begin, words;
  };
  /// What NaN (and, `zero`, values next to 0) is coded as.
  struct RankColumn {
    bool zero;
    uint32_t missing;
  };
  /// An input that some tree looks at, and the columns of codes that come from it.
  struct Input {
    int32_t feature;
    uint32_t first_column;
    std::vector<double> thresholds;  // ascending, distinct; a code is the number below the value
    std::vector<RankColumn> ranks;   // columns of numeric splits, then
    std::vector<Bitset> sets;        // those of categorical splits: 0 = in the set, 1 = not
    std::vector<uint8_t> set_codes;  // of value v at v * sets.size(); empty: too large a table
    int32_t set_values = 0;          // the last of which stands for all that are in no set
  };

  void Encode(const Input& input, const double* rows, int64_t count, int64_t stride,
              uint32_t* codes) const;
  void EncodeRanks(const Input& input, const double* rows, int64_t count, int64_t stride,
                   uint32_t* codes) const;
  template <int kLanes>
  void AddTree(const Tree& tree, const uint32_t* codes, double* margins) const;

  int features_ = 0;
  int outputs_ = 1;
  std::string objective_;
  std::vector<Node> nodes_;
  std::vector<double> leaf_values_;  // by node; 0 at inner ones
  std::vector<Tree> trees_;
  std::vector<Input> inputs_;
  uint32_t columns_ = 0;  // of codes
  std::vector<uint32_t> words_;
};

}  // namespace headrace::model
