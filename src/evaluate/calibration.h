#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::evaluate {

/// probability = sigmoid(slope × margin + intercept). Affine in the margin, so contributions in
/// log-odds still add up. The default of classification.
struct AffineCalibration {
  double slope = 1, intercept = 0;
  double Margin(double margin) const { return slope * margin + intercept; }
  double Apply(double margin) const;
};
/// Maximum likelihood by Newton's method with Platt's targets (N₊+1)/(N₊+2) and 1/(N₋+2) (Platt
/// 1999; Lin, Lin, Weng 2007), as scikit-learn; N are sums of weights. `label` 1 = positive. A
/// negative slope (scores that rank backwards) is returned as it is; the caller decides. Errors
/// (data): "one_class", "no_rows", "bad_margin" (NaN or infinite), internal for sizes.
Result<AffineCalibration> FitAffine(std::span<const int32_t> label, std::span<const double> margin,
                                    std::span<const double> weight = {});

/// Temperature: softmax(margins / T), T > 0; for several classes. Ranking within a row is kept.
struct TemperatureCalibration {
  double temperature = 1;
};
/// Least log loss over T in [0.05, 20]; margins are rows × classes, row by row (classes ≥ 2).
Result<TemperatureCalibration> FitTemperature(std::span<const int32_t> label, int classes,
                                              std::span<const double> margins,
                                              std::span<const double> weight = {});

/// Monotone step-and-line function of the score (pool adjacent violators); x ascending, y not
/// falling. Outside of x the border value; between neighbours linear, as scikit-learn.
struct IsotonicCalibration {
  std::vector<double> x, y;
  double Apply(double score) const;
};
Result<IsotonicCalibration> FitIsotonic(std::span<const int32_t> label,
                                        std::span<const double> score,
                                        std::span<const double> weight = {});
/// The same for any numeric target.
Result<IsotonicCalibration> FitIsotonicValues(std::span<const double> target,
                                              std::span<const double> score,
                                              std::span<const double> weight = {});

/// Split conformal: the k-th smallest score, k = ⌈(n + 1)(1 − alpha)⌉; +inf when k > n (Vovk; Lei
/// et al. 2018). With absolute residuals: prediction ± the result covers ≥ 1 − alpha of new rows
/// that are exchangeable with these.
double ConformalQuantile(std::span<const double> scores, double alpha);

}  // namespace headrace::evaluate
