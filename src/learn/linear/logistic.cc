// Logistic regression, binary and multinomial, by Newton's method.
//
// Minimised is Σ w loss(margins, label) + l2/2 |β|² over the standardised columns. One step costs
// one pass over the data for the gradient and one for the margins of the direction; the line search
// then only touches the margins. What differs is how the direction is found:
//   - one output and up to 600 coefficients: the Hessian is built and factorised. Building it costs
//     more than all other work of a step, and a few percent of error in the curvature cost a step
//     or two. So it is built again only when the last step did not shrink the gradient to a quarter
//     (along a path of penalties it mostly serves the next one, too), and above 200,000 rows from
//     every s-th row, until such a matrix serves badly. The gradient is always exact, so the result
//     is too.
//   - else: conjugate gradients on products with the Hessian, preconditioned per class by the
//     factorised Gram matrix (or its diagonal when there are many coefficients).
// Measured on one thread, 1 M rows × 20 numeric columns: 1.7 s binary, 5.1 s with four classes, 4.7
// s for a path of six penalties; with a category of 5,000 levels besides, 3.4 s binary.
#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluate/deterministic_math.h"
#include "learn/linear/blocks.h"
#include "learn/linear/linear_fit.h"
#include "learn/linear/solve.h"

namespace headrace::learn {
namespace {

constexpr Eigen::Index kDirectLimit = 600;
constexpr size_t kCurvatureRows = 100000;

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Loss and its derivatives in the margins; margins are rows × outputs.
class LogisticLoss {
 public:
  LogisticLoss(const Blocks& blocks, std::span<const int32_t> label)
      : blocks_(blocks), label_(label) {}

  /// Σ w loss of margins + step × direction.
  double Value(const MatrixXd& margins, const MatrixXd& direction, double step) const {
    evaluate::CompensatedSum total;
    std::vector<double> row(static_cast<size_t>(margins.cols()));
    for (Index i = 0; i < margins.rows(); ++i) {
      for (Index k = 0; k < margins.cols(); ++k) {
        row[static_cast<size_t>(k)] = margins(i, k) + step * direction(i, k);
      }
      const auto label = static_cast<size_t>(label_[static_cast<size_t>(i)]);
      const double loss = row.size() == 1 ? evaluate::Softplus(label == 1 ? -row[0] : row[0])
                                          : evaluate::LogSumExp(row) - row[label];
      total.Add(blocks_.WeightAt(static_cast<size_t>(i)) * loss);
    }
    return total.Value();
  }

  /// probability(i, k), and residual(i, k) = w (probability − truth).
  void Derive(const MatrixXd& margins, MatrixXd& probability, MatrixXd& residual) const {
    std::vector<double> row(static_cast<size_t>(margins.cols()));
    for (Index i = 0; i < margins.rows(); ++i) {
      const int32_t label = label_[static_cast<size_t>(i)];
      const double weight = blocks_.WeightAt(static_cast<size_t>(i));
      if (row.size() == 1) {
        probability(i, 0) = evaluate::Sigmoid(margins(i, 0));
        residual(i, 0) = weight * (probability(i, 0) - label);
        continue;
      }
      for (Index k = 0; k < margins.cols(); ++k) row[static_cast<size_t>(k)] = margins(i, k);
      evaluate::Softmax(row, row);
      for (Index k = 0; k < margins.cols(); ++k) {
        probability(i, k) = row[static_cast<size_t>(k)];
        residual(i, k) = weight * (probability(i, k) - (label == k ? 1.0 : 0.0));
      }
    }
  }

 private:
  const Blocks& blocks_;
  std::span<const int32_t> label_;
};

class LogisticFit {
 public:
  LogisticFit(const Blocks& blocks, std::span<const int32_t> label, int classes,
              const LinearOptions& options)
      : blocks_(blocks),
        loss_(blocks, label),
        options_(options),
        outputs_(classes == 2 ? 1 : classes),
        direct_(outputs_ == 1 && blocks.size() <= kDirectLimit) {
    const auto n = static_cast<Index>(blocks.rows());
    margins_.resize(n, outputs_);
    direction_margins_.resize(n, outputs_);
    probability_.resize(n, outputs_);
    residual_.resize(n, outputs_);
    curvature_.resize(n);
    stride_ = std::max<size_t>(1, blocks.rows() / kCurvatureRows / 2 * 2);
    if (!direct_) MeasureGram();
    theta_ = StartOfShares(label, classes);
  }

  void StartFrom(const MatrixXd& theta) { theta_ = theta; }
  const MatrixXd& theta() const { return theta_; }

  Result<LinearCoefficients> Run(double l2) {
    penalty_ = blocks_.Penalty(l2, options_.standardise);
    LinearCoefficients model;
    model.converged = false;
    blocks_.Forward(theta_, margins_);
    double value = loss_.Value(margins_, margins_, 0) + PenaltyOf(theta_);
    double last_size = 0;
    for (; model.iterations < options_.max_iterations; ++model.iterations) {
      if (options_.cancel != nullptr) HR_TRY(options_.cancel->Check());
      loss_.Derive(margins_, probability_, residual_);
      const MatrixXd gradient = blocks_.Backward(residual_) + penalty_.asDiagonal() * theta_;
      const double size = gradient.cwiseAbs().maxCoeff() / blocks_.total_weight();
      if (size <= options_.tolerance) {
        model.converged = true;
        break;
      }
      Refresh(model.iterations > 0 ? size / last_size : 0);
      last_size = size;
      const MatrixXd direction = direct_ ? Direct(gradient) : Iterative(gradient);
      if (!Move(gradient, direction, value)) {
        // No step makes the loss smaller: rounding is all that is left.
        model.converged = size <= 1e-6;
        break;
      }
    }
    Finish(l2, value, model);
    return model;
  }

 private:
  /// Coefficients 0 and the intercepts that give the classes' shares.
  MatrixXd StartOfShares(std::span<const int32_t> label, int classes) const {
    std::vector<double> share(static_cast<size_t>(classes));
    for (size_t i = 0; i < label.size(); ++i) {
      share[static_cast<size_t>(label[i])] += blocks_.WeightAt(i);
    }
    MatrixXd theta = MatrixXd::Zero(blocks_.size(), outputs_);
    const double floor = 1e-3;  // a class without rows would start at −inf
    for (Index k = 0; k < outputs_; ++k) {
      theta(blocks_.size() - 1, k) = outputs_ == 1
                                         ? evaluate::Log((share[1] + floor) / (share[0] + floor))
                                         : evaluate::Log(share[static_cast<size_t>(k)] + floor);
    }
    if (outputs_ > 1) theta.row(blocks_.size() - 1).array() -= theta.row(blocks_.size() - 1).mean();
    return theta;
  }

  double PenaltyOf(const MatrixXd& theta) const {
    return 0.5 * (penalty_.asDiagonal() * theta).cwiseProduct(theta).sum();
  }

  /// Drops a curvature that served badly; `shrunk` = what the last step left of the gradient.
  void Refresh(double shrunk) {
    const bool cheap = blocks_.size() <= 32;  // as cheap as a pass: the newest is the best
    if (!cheap && shrunk <= 0.25) return;
    if (shrunk > 0.3 && age_ == 1) stride_ = 1;  // new, and bad all the same
    age_ = 0;
  }

  MatrixXd Direct(const MatrixXd& gradient) {
    if (age_++ == 0) {
      for (Index i = 0; i < curvature_.size(); ++i) {
        const double p = probability_(i, 0);
        curvature_[i] = blocks_.WeightAt(static_cast<size_t>(i)) * p * (1.0 - p);
      }
      gram_ = blocks_.Gram(curvature_, stride_);
    }
    MatrixXd hessian = gram_;
    hessian.diagonal() += penalty_;
    return -Factor(std::move(hessian)).solve(gradient);
  }

  /// A little damping keeps the factorisation alive when columns are collinear or constant; the
  /// directions it dampens have no gradient.
  static Eigen::LLT<MatrixXd> Factor(MatrixXd matrix) {
    double damping = 1e-12 * std::max(matrix.diagonal().maxCoeff(), 1e-300);
    for (int attempt = 0; attempt < 12; ++attempt, damping *= 100) {
      MatrixXd lifted = matrix;
      lifted.diagonal().array() += damping;
      Eigen::LLT<MatrixXd> factor(lifted);
      if (factor.info() == Eigen::Success) return factor;
    }
    return Eigen::LLT<MatrixXd>(MatrixXd::Identity(matrix.rows(), matrix.cols()));
  }

  void MeasureGram() {
    VectorXd weight(static_cast<Index>(blocks_.rows()));
    for (Index i = 0; i < weight.size(); ++i) weight[i] = blocks_.WeightAt(static_cast<size_t>(i));
    if (blocks_.size() <= kDirectLimit) {
      gram_ = blocks_.Gram(weight, stride_);
    } else {
      gram_diagonal_ = blocks_.GramDiagonal(weight);
    }
  }

  MatrixXd Iterative(const MatrixXd& gradient) {
    std::vector<Eigen::LLT<MatrixXd>> factors;
    MatrixXd inverse_diagonal(blocks_.size(), outputs_);
    for (Index k = 0; k < outputs_; ++k) {
      const double p = probability_.col(k).mean();
      const double spread =
          (probability_.col(k).array() * (1.0 - probability_.col(k).array())).mean();
      const double factor = std::max(spread, 1e-3 * p * (1.0 - p) + 1e-12);
      if (gram_.size() > 0) {
        MatrixXd matrix = factor * gram_;
        matrix.diagonal() += penalty_;
        factors.push_back(Factor(std::move(matrix)));
      } else {
        inverse_diagonal.col(k) =
            (factor * gram_diagonal_ + penalty_).cwiseMax(1e-12).cwiseInverse();
      }
    }
    ConjugateGradients cg;
    cg.multiply = [&](const MatrixXd& v) { return HessianTimes(v); };
    cg.precondition = [&](const MatrixXd& v) -> MatrixXd {
      if (factors.empty()) return inverse_diagonal.cwiseProduct(v);
      MatrixXd out(v.rows(), v.cols());
      for (Index k = 0; k < v.cols(); ++k)
        out.col(k) = factors[static_cast<size_t>(k)].solve(v.col(k));
      return out;
    };
    // Loose far from the optimum, tight near it: superlinear convergence for little work.
    const double size = gradient.cwiseAbs().maxCoeff() / blocks_.total_weight();
    cg.tolerance = std::clamp(std::sqrt(size), 1e-4, 0.1);
    MatrixXd x;
    cg.Solve(-gradient, x);
    return x;
  }

  MatrixXd HessianTimes(const MatrixXd& v) {
    MatrixXd& m = direction_margins_;
    blocks_.Forward(v, m);
    for (Index i = 0; i < m.rows(); ++i) {
      const double w = blocks_.WeightAt(static_cast<size_t>(i));
      if (outputs_ == 1) {
        m(i, 0) *= w * probability_(i, 0) * (1.0 - probability_(i, 0));
        continue;
      }
      const double mean = m.row(i).dot(probability_.row(i));
      for (Index k = 0; k < outputs_; ++k) m(i, k) = w * probability_(i, k) * (m(i, k) - mean);
    }
    return blocks_.Backward(m) + penalty_.asDiagonal() * v;
  }

  /// Backtracking line search; false when no step helps.
  bool Move(const MatrixXd& gradient, const MatrixXd& direction, double& value) {
    const double slope = gradient.cwiseProduct(direction).sum();
    if (!(slope < 0)) return false;
    blocks_.Forward(direction, direction_margins_);
    double step = 1;
    for (int halving = 0; halving < 40; ++halving, step *= 0.5) {
      const MatrixXd next = theta_ + step * direction;
      const double next_value = loss_.Value(margins_, direction_margins_, step) + PenaltyOf(next);
      // Near the optimum the loss changes less than it can be computed.
      const double rounding = 1e-14 * std::fabs(value);
      if (next_value <= value + 1e-4 * step * slope + rounding) {
        theta_ = next;
        margins_ += step * direction_margins_;
        value = next_value;
        return true;
      }
    }
    return false;
  }

  void Finish(double l2, double value, LinearCoefficients& model) {
    model.width = static_cast<size_t>(blocks_.size()) - 1;
    model.outputs = static_cast<int>(outputs_);
    model.coefficient.resize(model.width * static_cast<size_t>(outputs_));
    model.intercept.resize(static_cast<size_t>(outputs_));
    if (outputs_ > 1) theta_.colwise() -= theta_.rowwise().mean().eval();
    for (Index k = 0; k < outputs_; ++k) {
      const auto output = static_cast<size_t>(k);
      blocks_.ToRaw(theta_.col(k),
                    std::span(model.coefficient).subspan(output * model.width, model.width),
                    &model.intercept[output]);
    }
    if (l2 == 0 && value < 1e-4 * blocks_.total_weight()) {
      model.converged = false;
      model.note =
          "the classes can be separated, so without a penalty coefficients grow without "
          "limit; they were stopped";
    } else if (!model.converged) {
      model.note =
          fmt::format("stopped after {} steps before the tolerance was reached", model.iterations);
    }
  }

  const Blocks& blocks_;
  LogisticLoss loss_;
  LinearOptions options_;
  Index outputs_;
  bool direct_;
  size_t stride_ = 1;
  int age_ = 0;  // steps that gram_ has served (one output only)
  MatrixXd theta_, margins_, direction_margins_, probability_, residual_, gram_;
  VectorXd curvature_, gram_diagonal_, penalty_;
};

Status CheckLabels(const DesignMatrix& x, std::span<const int32_t> label, int classes,
                   std::span<const double> weight) {
  if (label.size() != x.rows || classes < 2) {
    return InternalError(
        fmt::format("{} labels of {} classes for {} rows", label.size(), classes, x.rows));
  }
  std::vector<double> share(static_cast<size_t>(classes));
  for (size_t i = 0; i < label.size(); ++i) {
    if (label[i] < 0 || label[i] >= classes) {
      return InternalError(fmt::format("label {} of {} classes", label[i], classes));
    }
    share[static_cast<size_t>(label[i])] += weight.empty() ? 1.0 : weight[i];
  }
  if (std::count_if(share.begin(), share.end(), [](double s) { return s > 0; }) < 2) {
    return DataError("one_class", "all rows that a linear classifier got are of one class");
  }
  return Ok();
}

}  // namespace

Result<std::vector<LinearCoefficients>> LogisticPath(const DesignMatrix& x,
                                                     std::span<const int32_t> label, int classes,
                                                     std::span<const double> weight,
                                                     const LinearOptions& options,
                                                     std::span<const double> l2) {
  HR_TRY(CheckDesign(x, weight));
  HR_TRY(CheckLabels(x, label, classes, weight));
  const Blocks blocks(x, weight);
  LogisticFit fit(blocks, label, classes, options);
  std::vector<size_t> order(l2.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return l2[a] > l2[b]; });
  std::vector<LinearCoefficients> models(l2.size());
  for (const size_t i : order) {
    if (!(l2[i] >= 0)) return InternalError(fmt::format("l2 is {}", l2[i]));
    HR_ASSIGN(models[i], fit.Run(l2[i]));
  }
  return models;
}

Result<LinearCoefficients> FitLogistic(const DesignMatrix& x, std::span<const int32_t> label,
                                       int classes, std::span<const double> weight,
                                       const LinearOptions& options,
                                       const LinearCoefficients* start) {
  HR_TRY(CheckDesign(x, weight));
  HR_TRY(CheckLabels(x, label, classes, weight));
  if (!(options.l2 >= 0)) return InternalError(fmt::format("l2 is {}", options.l2));
  const Blocks blocks(x, weight);
  LogisticFit fit(blocks, label, classes, options);
  const int outputs = classes == 2 ? 1 : classes;
  if (start != nullptr) {
    if (start->width != x.Width() || start->outputs != outputs) {
      return InternalError("a warm start has another shape than the fit");
    }
    MatrixXd theta(blocks.size(), outputs);
    for (int k = 0; k < outputs; ++k) {
      const auto output = static_cast<size_t>(k);
      theta.col(k) =
          blocks.FromRaw(std::span(start->coefficient).subspan(output * start->width, start->width),
                         start->intercept[output]);
    }
    fit.StartFrom(theta);
  }
  return fit.Run(options.l2);
}

}  // namespace headrace::learn
