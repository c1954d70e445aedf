#include "learn/linear/solve.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>

namespace headrace::learn {
namespace {

constexpr double kCondition = 1e-12;  // relative size below which a pivot or eigenvalue is noise
constexpr Eigen::Index kEigenLimit = 800;  // eigenvalues of more take too long

/// Cholesky is trusted when no pivot has lost nearly all digits of its diagonal entry.
bool WellConditioned(const Eigen::LLT<Eigen::MatrixXd>& factor, const Eigen::MatrixXd& matrix) {
  if (factor.info() != Eigen::Success) return false;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    const double pivot = factor.matrixLLT()(i, i);
    if (!(pivot * pivot > kCondition * matrix(i, i))) return false;
  }
  return true;
}

}  // namespace

Eigen::VectorXd SolveSymmetric(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& right,
                               bool* deficient) {
  *deficient = false;
  if (matrix.rows() == 0) return Eigen::VectorXd(0);
  const Eigen::LLT<Eigen::MatrixXd> factor(matrix);
  if (WellConditioned(factor, matrix)) return factor.solve(right);
  *deficient = true;
  if (matrix.rows() > kEigenLimit) {
    // A small ridge gives nearly the smallest solution at the price of another factorisation.
    Eigen::MatrixXd lifted = matrix;
    lifted.diagonal().array() += 1e-9 * std::max(matrix.diagonal().maxCoeff(), 1e-300);
    return Eigen::LLT<Eigen::MatrixXd>(lifted).solve(right);
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(matrix);
  const Eigen::VectorXd& values = eigen.eigenvalues();
  const double least =
      kCondition * static_cast<double>(matrix.rows()) * std::max(values.maxCoeff(), 0.0);
  Eigen::VectorXd parts = eigen.eigenvectors().transpose() * right;
  for (Eigen::Index i = 0; i < parts.size(); ++i) {
    parts[i] = values[i] > least ? parts[i] / values[i] : 0.0;
  }
  return eigen.eigenvectors() * parts;
}

int ConjugateGradients::Solve(const Eigen::MatrixXd& right, Eigen::MatrixXd& x) const {
  const auto dot = [](const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    return a.cwiseProduct(b).sum();
  };
  x = Eigen::MatrixXd::Zero(right.rows(), right.cols());
  Eigen::MatrixXd residual = right;
  Eigen::MatrixXd z = precondition(residual);
  Eigen::MatrixXd direction = z;
  double size = dot(residual, z);
  const double goal = tolerance * tolerance * size;
  for (int step = 0; step < most; ++step) {
    if (!(size > goal)) return step;
    const Eigen::MatrixXd product = multiply(direction);
    const double curvature = dot(direction, product);
    if (!(curvature > 0)) return step;  // flat direction: what has been found is the best
    const double length = size / curvature;
    x += length * direction;
    residual -= length * product;
    z = precondition(residual);
    const double next = dot(residual, z);
    direction = z + (next / size) * direction;
    size = next;
  }
  return most;
}

}  // namespace headrace::learn
