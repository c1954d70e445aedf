#pragma once
// `--sample 1%`: a run on a share of the sources' rows, in a state of its own.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace::config {

/// "1%" or "0.05%" → millionths. Error "bad_value": no share between 0 and 100 %, both left out.
Result<int64_t> ParseSample(std::string_view text);

/// 10'000 → "1%".
std::string SampleText(int64_t millionths);

/// Name of the state that runs of a target on such a sample have: "dev__sample_1",
/// "dev__sample_0_05". No target has a name with `__`.
std::string SampleState(const std::string& target, int64_t millionths);

}  // namespace headrace::config
