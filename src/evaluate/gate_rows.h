#pragma once
// The rows a gate line is judged on: a copy of some of the candidate's or the champion's rows.
#include <vector>

#include "evaluate/gate.h"

namespace headrace::evaluate {

/// Owns what its view shows; movable, not copyable.
class RowSubset {
 public:
  /// `row` are row numbers of `all`; `unit` (may be empty) has one entry per row of `all`.
  RowSubset(const ScoredRows& all, std::span<const uint32_t> row, std::span<const uint32_t> unit);
  RowSubset(RowSubset&&) = default;
  RowSubset& operator=(RowSubset&&) = default;

  ScoredRows View() const;
  std::span<const uint32_t> unit() const { return unit_; }

 private:
  ScoredRows shape_;  // task, classes, threshold
  std::vector<int32_t> label_, decision_;
  std::vector<double> actual_, score_, weight_;
  std::vector<uint32_t> unit_;
};

/// The same rows of two versions.
struct CommonRows {
  RowSubset candidate, other;
};

/// Rows in `wanted` (row numbers of the candidate, ascending) that `other` has scores for.
CommonRows TakeCommon(const ScoredRows& candidate, const OtherVersion& other,
                      std::span<const uint32_t> wanted, std::span<const uint32_t> unit);

/// Why the rows are too few to decide, or "". Two classes with enough rows are needed; of two
/// classes that is both, of several the rare ones may be rarer.
std::string TooFew(const ScoredRows& rows, size_t fewest_rows, size_t fewest_of_class);

}  // namespace headrace::evaluate
