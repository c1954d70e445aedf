#pragma once
// What split.cc, fold_layout.cc and time_split.cc share.
#include <string>

#include "evaluate/split.h"

namespace headrace::evaluate {

/// "6,512".
std::string Thousands(size_t number);

/// A hash in [0, 1), independent of those of other streams.
double HashPosition(uint64_t seed, uint64_t stream, const Hash128& hash);

/// Fills folds and notes over plan.train; plan.unit holds groups or sets of identical rows. Returns
/// the salt.
Result<uint64_t> LayOutFolds(const SplitInput& input, const SplitOptions& options, SplitPlan& plan);

/// Fills test, train, gap, folds, unit, texts of a plan by time. plan.unit holds groups or rows.
Status PlanTimeSplit(const SplitInput& input, const SplitOptions& options, SplitPlan& plan);

}  // namespace headrace::evaluate
