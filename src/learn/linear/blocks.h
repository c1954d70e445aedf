#pragma once
// Products with the standardised design matrix, a block of rows at a time: the rows of a block stay
// in the cache while every column passes. Columns of the standardised matrix: numeric columns
// (x − mean) / scale, then the levels of each category as zeros and ones, then a column of ones for
// the intercept.
#include "learn/linear/design_matrix.h"
#include "learn/linear/eigen.h"

namespace headrace::learn {

class Blocks {
 public:
  /// `x` and `weight` must outlive it. Means and scales as MeasureColumns; a scale of 0 (constant
  /// column) makes a column of zeros.
  Blocks(const DesignMatrix& x, std::span<const double> weight);

  size_t rows() const { return x_.rows; }
  /// Coefficients with the intercept, which is the last.
  Eigen::Index size() const { return size_; }
  double total_weight() const { return total_weight_; }
  double WeightAt(size_t row) const { return weight_.empty() ? 1.0 : weight_[row]; }

  /// margins(i, k) = row i · theta.col(k). `margins` is rows × outputs.
  void Forward(const Eigen::MatrixXd& theta, Eigen::MatrixXd& margins) const;
  /// Σ_i residual(i, k) × row i, size() × outputs.
  Eigen::MatrixXd Backward(const Eigen::MatrixXd& residual) const;
  /// Σ_i curvature(i) row i row iᵀ over every `stride`-th row, times `stride`; size() × size().
  Eigen::MatrixXd Gram(const Eigen::VectorXd& curvature, size_t stride = 1) const;
  /// The diagonal of Gram.
  Eigen::VectorXd GramDiagonal(const Eigen::VectorXd& curvature) const;

  /// Penalty of each coefficient for strength `l2`: on standardised or on raw numeric columns; 0
  /// for the intercept.
  Eigen::VectorXd Penalty(double l2, bool standardise) const;

  /// Coefficients of the raw columns from those of the standardised ones, and back.
  void ToRaw(const Eigen::VectorXd& theta, std::span<double> coefficient, double* intercept) const;
  Eigen::VectorXd FromRaw(std::span<const double> coefficient, double intercept) const;

 private:
  /// Standardised numeric values of rows [first, first + out.rows() × stride).
  void FillNumeric(size_t first, size_t stride, Eigen::MatrixXd& out) const;

  const DesignMatrix& x_;
  std::span<const double> weight_;
  std::vector<double> mean_, scale_, inverse_scale_;
  std::vector<Eigen::Index> first_level_;  // coefficient of each category column's level 0
  Eigen::Index size_ = 0;
  double total_weight_ = 0;
};

}  // namespace headrace::learn
