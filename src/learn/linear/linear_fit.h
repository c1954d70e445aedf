#pragma once
// Ridge and logistic regression. One fit uses one thread and sums in a fixed order: the result does
// not depend on the number of threads. Objectives are scikit-learn's, so coefficients agree with
// Ridge and LogisticRegression.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "learn/linear/design_matrix.h"

namespace headrace::learn {

/// What a fit returns: margin_k = intercept_k + Σ_j coefficient[k × width + j] x_j in the units of
/// the raw columns. outputs: 1 for regression and binary, the number of classes for multinomial.
struct LinearCoefficients {
  size_t width = 0;
  int outputs = 1;
  std::vector<double> coefficient;  ///< outputs × width
  std::vector<double> intercept;    ///< outputs
  int iterations = 0;
  bool converged = true;
  /// Empty, or what a reader should know: "stopped after 200 steps …", "collinear columns …".
  std::string note;
};

struct LinearOptions {
  /// Strength of L2: ridge minimises Σ w (y − f)² + l2 |β|²; logistic Σ w loss + l2/2 |β|², which
  /// is scikit-learn's C = 1 / l2. The intercept is free. 0 = none.
  double l2 = 1.0;
  /// Penalise coefficients of standardised numeric columns (recommended; scikit-learn behind a
  /// StandardScaler) or of the raw ones. Levels of categories are never scaled.
  bool standardise = true;
  int max_iterations = 200;
  /// Largest absolute entry of the gradient, per unit of weight, at which a fit is done.
  double tolerance = 1e-9;
  const CancelToken* cancel = nullptr;  ///< checked between iterations; may be null
};

/// Ridge by Cholesky of the normal equations (≤ 2,000 coefficients) or conjugate gradients (more).
/// Collinear columns without penalty: the smallest coefficients that fit (stated in note).
/// Errors (data): "not_finite"; "too_few_rows" (none); "cancelled".
Result<LinearCoefficients> FitRidge(const DesignMatrix& x, std::span<const double> y,
                                    std::span<const double> weight, const LinearOptions& options);

/// Logistic regression of label 0 | 1 (classes = 2: one output, the margin of class 1) or
/// multinomial with softmax (one output per class, Σ_k β_k = 0). Separable data without penalty
/// stop at max_iterations with converged = false and finite coefficients. `start` warm-starts (a
/// result of the same shape; may be null). Errors as above; "one_class".
Result<LinearCoefficients> FitLogistic(const DesignMatrix& x, std::span<const int32_t> label,
                                       int classes, std::span<const double> weight,
                                       const LinearOptions& options,
                                       const LinearCoefficients* start = nullptr);

/// Fits every strength in `l2` (sorted from strong to weak inside, each started from its
/// neighbour); results in the order given.
Result<std::vector<LinearCoefficients>> RidgePath(const DesignMatrix& x, std::span<const double> y,
                                                  std::span<const double> weight,
                                                  const LinearOptions& options,
                                                  std::span<const double> l2);
Result<std::vector<LinearCoefficients>> LogisticPath(const DesignMatrix& x,
                                                     std::span<const int32_t> label, int classes,
                                                     std::span<const double> weight,
                                                     const LinearOptions& options,
                                                     std::span<const double> l2);

/// margins: rows × outputs, row by row; per output columns are added in order, the intercept first.
/// Errors: internal when widths differ.
Status LinearMargins(const LinearCoefficients& model, const DesignMatrix& x,
                     std::span<double> margins);

}  // namespace headrace::learn
