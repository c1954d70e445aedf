#pragma once
// What a wrong decision costs, and the threshold that follows from it.
#include <span>
#include <string>
#include <vector>

#include "learn/finding.h"
#include "learn/frame.h"
#include "learn/model_spec.h"

namespace headrace::learn {

/// The costs of a spec for these classes (binary: negative, positive), classes × classes, by actual
/// class, then predicted; empty without `costs:`. Error "unknown_class" with candidates.
Result<std::vector<double>> CostsOf(const CostSpec& spec, const std::vector<std::string>& classes,
                                    const std::string& model);

/// Weights for learning when `class_weight:` is given, else empty: the row's weight times that of
/// its class. "balanced": each class weighs the same in all, the mean weight stays. Error
/// "unknown_class".
Result<std::vector<double>> LearningWeights(const ClassWeightSpec& spec, const Frame& frame,
                                            const std::string& model);

/// Probability from which on the positive class costs less, if probabilities are right.
double ThresholdByTheory(std::span<const double> costs);

/// The threshold of least cost on these rows (binary, calibrated margins); of equally cheap ones
/// that nearest to theory. A note about it goes to `finding`.
double ChooseThreshold(const Frame& frame, std::span<const uint32_t> rows,
                       std::span<const double> margins, Finding* finding);

}  // namespace headrace::learn
