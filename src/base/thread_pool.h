#pragma once
#include <functional>

#include "base/cancel.h"
#include "base/result.h"

namespace headrace {

/// Runs `task(i)` for i in [0, count) on up to `threads` threads (the caller's included). The first
/// error in order of i is returned after all started tasks ended; no new ones start after an error
/// or a cancel. Results must be written to slots of their own, so that order can't matter.
Status ParallelFor(int threads, int64_t count, const CancelToken& cancel,
                   const std::function<Status(int64_t)>& task);

}  // namespace headrace
