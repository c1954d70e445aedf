#pragma once
// What split.cc and time_split.cc share.
#include <string>

#include "evaluate/split.h"

namespace headrace::evaluate {

/// "6,512".
std::string Thousands(size_t number);

/// Fills test, train, gap, folds, unit, texts of a plan by time. plan.unit holds groups or rows.
Status PlanTimeSplit(const SplitInput& input, const SplitOptions& options, SplitPlan& plan);

}  // namespace headrace::evaluate
