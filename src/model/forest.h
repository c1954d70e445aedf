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
  /// 24 bytes, so that a step touches one cache line. A leaf is a node that leads to itself and
  /// keeps its value in `threshold`: rows that are done keep stepping without a branch.
  struct Node {
    double threshold;
    int32_t child[2];  // left, right
    int32_t feature;
    int32_t kind;
  };
  struct Tree {
    int32_t root;
    int32_t first_leaf;  // nodes from here on are leaves
    bool plain;          // no categorical and no zero-as-missing splits
  };
  struct Bitset {
    int32_t begin, words;
  };

  template <int kLanes, bool kPlain>
  void AddTree(const Tree& tree, const double* rows, int64_t stride, double* margins) const;
  template <bool kPlain>
  int32_t Step(const Node& node, const double* row) const;

  int features_ = 0;
  int outputs_ = 1;
  std::string objective_;
  std::vector<Node> nodes_;
  std::vector<Tree> trees_;
  std::vector<Bitset> bitsets_;
  std::vector<uint32_t> words_;
};

}  // namespace headrace::model
