#pragma once
// Symmetric linear systems of the fits.
#include <functional>

#include "learn/linear/eigen.h"

namespace headrace::learn {

/// x with `matrix` x = right (symmetric, positive semidefinite). Cholesky when the matrix is well
/// conditioned; else the smallest x that solves it best, by eigenvalues; `deficient` says so. The
/// fallback costs about 20 times more.
Eigen::VectorXd SolveSymmetric(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& right,
                               bool* deficient);

/// Preconditioned conjugate gradients for matrices that are only known by their products. Entries
/// are summed over all columns, so several outputs are one system. Stops when the residual has
/// shrunk by `tolerance` or after `most` steps; returns the steps done.
struct ConjugateGradients {
  std::function<Eigen::MatrixXd(const Eigen::MatrixXd&)> multiply, precondition;
  int most = 200;
  double tolerance = 1e-3;
  int Solve(const Eigen::MatrixXd& right, Eigen::MatrixXd& x) const;
};

}  // namespace headrace::learn
