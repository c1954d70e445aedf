// Ridge regression. The intercept is free, so it is eliminated first: with weighted means taken out
// of every column and of y, the coefficients solve (G + penalty) β = c, where G is the centred Gram
// matrix. Up to 2,000 coefficients G is built once (also for a whole path of penalties) and solved
// by Cholesky; beyond, conjugate gradients only multiply by the data.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "learn/linear/blocks.h"
#include "learn/linear/linear_fit.h"
#include "learn/linear/solve.h"

namespace headrace::learn {
namespace {

constexpr Eigen::Index kDirectLimit = 2000;

struct Moments {
  Eigen::MatrixXd gram;     // centred, without the intercept; empty beyond kDirectLimit
  Eigen::VectorXd product;  // centred columns · w (y − mean)
  Eigen::VectorXd mean;     // weighted mean of every standardised column
  Eigen::VectorXd weight, diagonal;
  double mean_y = 0;
};

Moments Measure(const Blocks& blocks, std::span<const double> y) {
  const auto n = static_cast<Eigen::Index>(blocks.rows());
  const Eigen::Index width = blocks.size() - 1;
  Moments moments;
  moments.weight.resize(n);
  Eigen::MatrixXd residual(n, 1);
  double sum = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    moments.weight[i] = blocks.WeightAt(static_cast<size_t>(i));
    sum += moments.weight[i] * y[static_cast<size_t>(i)];
  }
  moments.mean_y = sum / blocks.total_weight();
  for (Eigen::Index i = 0; i < n; ++i) {
    residual(i, 0) = moments.weight[i] * (y[static_cast<size_t>(i)] - moments.mean_y);
  }
  moments.product = blocks.Backward(residual).col(0).head(width);
  moments.mean = blocks.Backward(moments.weight).col(0).head(width) / blocks.total_weight();
  // Σ w (y − mean) is 0 up to rounding, so centring the columns does not change the product.
  if (width <= kDirectLimit) {
    moments.gram = blocks.Gram(moments.weight).topLeftCorner(width, width);
    moments.gram -= blocks.total_weight() * moments.mean * moments.mean.transpose();
  } else {
    moments.diagonal = blocks.GramDiagonal(moments.weight).head(width);
    moments.diagonal -= blocks.total_weight() * moments.mean.cwiseAbs2();
  }
  return moments;
}

/// (centred XᵀWX + penalty) v without the matrix.
Eigen::MatrixXd Multiply(const Blocks& blocks, const Moments& moments,
                         const Eigen::VectorXd& penalty, const Eigen::MatrixXd& v) {
  Eigen::MatrixXd theta(blocks.size(), 1);
  theta.topRows(v.rows()) = v;
  theta(v.rows(), 0) = -moments.mean.dot(v.col(0));
  Eigen::MatrixXd margins(static_cast<Eigen::Index>(blocks.rows()), 1);
  blocks.Forward(theta, margins);
  margins.array() *= moments.weight.array();
  return blocks.Backward(margins).topRows(v.rows()) + penalty.asDiagonal() * v;
}

LinearCoefficients Fit(const Blocks& blocks, const Moments& moments, const LinearOptions& options,
                       double l2) {
  const Eigen::Index width = blocks.size() - 1;
  const Eigen::VectorXd penalty = blocks.Penalty(l2, options.standardise).head(width);
  LinearCoefficients model;
  model.width = static_cast<size_t>(width);
  Eigen::VectorXd beta;
  if (width <= kDirectLimit) {
    Eigen::MatrixXd matrix = moments.gram;
    matrix.diagonal() += penalty;
    // Constant columns have no entry at all; give them one so that Cholesky passes.
    for (Eigen::Index j = 0; j < width; ++j) {
      if (matrix(j, j) <= 0) matrix(j, j) = 1;
    }
    bool deficient = false;
    beta = SolveSymmetric(matrix, moments.product, &deficient);
    model.iterations = 1;
    if (deficient) {
      model.note =
          "columns are collinear; of all coefficients that fit equally well the smallest "
          "were taken";
    }
  } else {
    Eigen::VectorXd inverse = (moments.diagonal + penalty).cwiseMax(1e-12).cwiseInverse();
    ConjugateGradients cg;
    cg.most = std::max(options.max_iterations, 1000);
    cg.tolerance = 1e-10;
    cg.multiply = [&](const Eigen::MatrixXd& v) { return Multiply(blocks, moments, penalty, v); };
    cg.precondition = [&](const Eigen::MatrixXd& v) -> Eigen::MatrixXd {
      return inverse.asDiagonal() * v;
    };
    Eigen::MatrixXd x;
    model.iterations = cg.Solve(moments.product, x);
    model.converged = model.iterations < cg.most;
    if (!model.converged) model.note = fmt::format("stopped after {} steps", model.iterations);
    beta = x.col(0);
  }
  Eigen::VectorXd theta(blocks.size());
  theta.head(width) = beta;
  theta[width] = moments.mean_y - moments.mean.dot(beta);
  model.coefficient.resize(model.width);
  model.intercept.resize(1);
  blocks.ToRaw(theta, model.coefficient, model.intercept.data());
  return model;
}

Status CheckTarget(const DesignMatrix& x, std::span<const double> y) {
  if (y.size() != x.rows) {
    return InternalError(fmt::format("{} targets for {} rows", y.size(), x.rows));
  }
  for (size_t i = 0; i < y.size(); ++i) {
    if (std::isfinite(y[i])) continue;
    return DataError("not_finite", fmt::format("the target of row {} is {}", i + 1, y[i]))
        .Rows(fmt::format("row {}", i + 1));
  }
  return Ok();
}

}  // namespace

Result<std::vector<LinearCoefficients>> RidgePath(const DesignMatrix& x, std::span<const double> y,
                                                  std::span<const double> weight,
                                                  const LinearOptions& options,
                                                  std::span<const double> l2) {
  HR_TRY(CheckDesign(x, weight));
  HR_TRY(CheckTarget(x, y));
  const Blocks blocks(x, weight);
  const Moments moments = Measure(blocks, y);
  std::vector<LinearCoefficients> models;
  for (const double strength : l2) {
    if (!(strength >= 0)) return InternalError(fmt::format("l2 is {}", strength));
    if (options.cancel != nullptr) HR_TRY(options.cancel->Check());
    models.push_back(Fit(blocks, moments, options, strength));
  }
  return models;
}

Result<LinearCoefficients> FitRidge(const DesignMatrix& x, std::span<const double> y,
                                    std::span<const double> weight, const LinearOptions& options) {
  const double l2[] = {options.l2};
  HR_ASSIGN(std::vector<LinearCoefficients> models, RidgePath(x, y, weight, options, l2));
  return std::move(models[0]);
}

}  // namespace headrace::learn
