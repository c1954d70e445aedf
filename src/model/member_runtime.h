#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "model/forest.h"
#include "model/linear_scorer.h"
#include "model/package.h"

namespace headrace::model {

/// A member ready to score. Immutable, thread-safe.
class MemberRuntime {
 public:
  /// Builds and checks: the kind is known, features and outputs fit. Errors "damaged_model".
  static Result<MemberRuntime> Make(const Member& member, int64_t features, int outputs);

  /// margins[r * outputs + k] of rows that are encoded row by row.
  void Margins(const double* rows, int64_t count, int64_t stride, double* margins) const;
  double weight() const { return weight_; }

 private:
  double weight_ = 1;
  std::shared_ptr<const Forest> forest_;  // one of the two
  std::shared_ptr<const LinearScorer> linear_;
};

/// Checks that a package holds together (classes, calibration, weights, threshold) and builds its
/// members.
Result<std::vector<MemberRuntime>> BuildMembers(const Package& package);

}  // namespace headrace::model
