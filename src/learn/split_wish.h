#pragma once
#include "base/result.h"
#include "evaluate/split.h"
#include "learn/model_spec.h"

namespace headrace::learn {

/// `test: 20% | 30 days | holdout | cross` and `label_after:` of a spec. `single`: the folds won't
/// be used. Errors (user): "bad_test", "bad_label_after", those of durations.
Result<evaluate::SplitOptions> SplitOptionsOf(const ModelSpec& spec, bool single);

}  // namespace headrace::learn
