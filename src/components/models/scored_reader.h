#pragma once
#include <memory>
#include <string>
#include <vector>

#include "data/arrow_abi.h"
#include "model/scorer.h"
#include "telemetry/progress.h"

namespace headrace::components {

/// The rows of `input` with the scorer's columns behind the kept ones (`keep` empty = all input
/// columns whose names the scorer doesn't use). Errors of the signature come at once, those of rows
/// through Next. `progress` may be null.
Result<std::unique_ptr<data::BatchReader>> ScoreRows(std::unique_ptr<data::BatchReader> input,
                                                     std::shared_ptr<const model::Scorer> scorer,
                                                     const std::vector<std::string>& keep,
                                                     int threads,
                                                     telemetry::NodeProgress* progress);

}  // namespace headrace::components
