#include "learn/linear/blocks.h"

#include <algorithm>

#include "evaluate/deterministic_math.h"

namespace headrace::learn {
namespace {

constexpr size_t kBlock = 1024;  // rows; a block of a column is 8 KiB

using ConstColumn = Eigen::Map<const Eigen::ArrayXd>;

}  // namespace

Blocks::Blocks(const DesignMatrix& x, std::span<const double> weight) : x_(x), weight_(weight) {
  Standardisation standardisation = MeasureColumns(x, weight);
  mean_ = std::move(standardisation.mean);
  scale_ = std::move(standardisation.scale);
  for (const double scale : scale_) inverse_scale_.push_back(scale > 0 ? 1.0 / scale : 0.0);
  auto next = static_cast<Eigen::Index>(x.numeric.size());
  for (const DesignMatrix::CategoryColumn& column : x.categories) {
    first_level_.push_back(next);
    next += column.levels;
  }
  size_ = next + 1;
  total_weight_ = weight.empty() ? static_cast<double>(x.rows) : evaluate::Sum(weight);
}

void Blocks::Forward(const Eigen::MatrixXd& theta, Eigen::MatrixXd& margins) const {
  for (size_t first = 0; first < x_.rows; first += kBlock) {
    const size_t count = std::min(kBlock, x_.rows - first);
    const auto at = static_cast<Eigen::Index>(first), length = static_cast<Eigen::Index>(count);
    for (Eigen::Index k = 0; k < theta.cols(); ++k) {
      auto out = margins.col(k).segment(at, length).array();
      out.setConstant(theta(size_ - 1, k));
      for (size_t j = 0; j < x_.numeric.size(); ++j) {
        const double factor = theta(static_cast<Eigen::Index>(j), k) * inverse_scale_[j];
        if (factor == 0) continue;
        out += factor * (ConstColumn(x_.numeric[j].data() + first, length) - mean_[j]);
      }
      for (size_t j = 0; j < x_.categories.size(); ++j) {
        const double* coefficient = theta.col(k).data() + first_level_[j];
        const int32_t* level = x_.categories[j].level.data() + first;
        for (size_t i = 0; i < count; ++i) {
          if (level[i] >= 0) out[static_cast<Eigen::Index>(i)] += coefficient[level[i]];
        }
      }
    }
  }
}

Eigen::MatrixXd Blocks::Backward(const Eigen::MatrixXd& residual) const {
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(size_, residual.cols());
  for (size_t first = 0; first < x_.rows; first += kBlock) {
    const size_t count = std::min(kBlock, x_.rows - first);
    const auto at = static_cast<Eigen::Index>(first), length = static_cast<Eigen::Index>(count);
    for (Eigen::Index k = 0; k < residual.cols(); ++k) {
      const auto r = residual.col(k).segment(at, length).array();
      for (size_t j = 0; j < x_.numeric.size(); ++j) {
        const ConstColumn column(x_.numeric[j].data() + first, length);
        sum(static_cast<Eigen::Index>(j), k) += (r * (column - mean_[j])).sum() * inverse_scale_[j];
      }
      for (size_t j = 0; j < x_.categories.size(); ++j) {
        double* out = sum.col(k).data() + first_level_[j];
        const int32_t* level = x_.categories[j].level.data() + first;
        for (size_t i = 0; i < count; ++i) {
          if (level[i] >= 0) out[level[i]] += r[static_cast<Eigen::Index>(i)];
        }
      }
      sum(size_ - 1, k) += r.sum();
    }
  }
  return sum;
}

void Blocks::FillNumeric(size_t first, size_t stride, Eigen::MatrixXd& out) const {
  for (size_t j = 0; j < x_.numeric.size(); ++j) {
    const Eigen::Map<const Eigen::ArrayXd, 0, Eigen::InnerStride<>> column(
        x_.numeric[j].data() + first, out.rows(),
        Eigen::InnerStride<>(static_cast<Eigen::Index>(stride)));
    out.col(static_cast<Eigen::Index>(j)) = (column - mean_[j]) * inverse_scale_[j];
  }
}

Eigen::MatrixXd Blocks::Gram(const Eigen::VectorXd& curvature, size_t stride) const {
  const auto numeric = static_cast<Eigen::Index>(x_.numeric.size());
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(size_, size_);
  Eigen::MatrixXd block, weighted;
  Eigen::MatrixXd product = Eigen::MatrixXd::Zero(numeric + 1, numeric + 1);  // its lower half
  std::vector<Eigen::Index> set;  // coefficients whose column is 1 in a row
  for (size_t first = 0; first < x_.rows; first += kBlock * stride) {
    const size_t count = std::min(kBlock, (x_.rows - first + stride - 1) / stride);
    // One more column of ones: its products are the sums that the intercept's row needs.
    block.resize(static_cast<Eigen::Index>(count), numeric + 1);
    FillNumeric(first, stride, block);
    block.col(numeric).setOnes();
    const Eigen::Map<const Eigen::ArrayXd, 0, Eigen::InnerStride<>> w(
        curvature.data() + first, block.rows(),
        Eigen::InnerStride<>(static_cast<Eigen::Index>(stride)));
    weighted = block.array().colwise() * w;
    product.triangularView<Eigen::Lower>() = block.transpose() * weighted;
    gram.topLeftCorner(numeric, numeric) += product.topLeftCorner(numeric, numeric);
    gram.bottomLeftCorner(1, numeric) += product.bottomLeftCorner(1, numeric);
    gram(size_ - 1, size_ - 1) += product(numeric, numeric);
    if (x_.categories.empty()) continue;
    for (size_t i = 0; i < count; ++i) {
      const size_t row = first + i * stride;
      const auto r = static_cast<Eigen::Index>(i);
      set.clear();
      for (size_t j = 0; j < x_.categories.size(); ++j) {
        const int32_t level = x_.categories[j].level[row];
        if (level >= 0) set.push_back(first_level_[j] + level);
      }
      for (size_t a = 0; a < set.size(); ++a) {
        gram.row(set[a]).head(numeric) += weighted.row(r).head(numeric);
        for (size_t b = 0; b <= a; ++b) gram(set[a], set[b]) += w[r];
        gram(size_ - 1, set[a]) += w[r];
      }
    }
  }
  gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
  return stride == 1 ? gram : Eigen::MatrixXd(gram * static_cast<double>(stride));
}

Eigen::VectorXd Blocks::GramDiagonal(const Eigen::VectorXd& curvature) const {
  Eigen::VectorXd diagonal = Eigen::VectorXd::Zero(size_);
  for (size_t j = 0; j < x_.numeric.size(); ++j) {
    const ConstColumn column(x_.numeric[j].data(), static_cast<Eigen::Index>(x_.rows));
    const double factor = inverse_scale_[j] * inverse_scale_[j];
    diagonal[static_cast<Eigen::Index>(j)] =
        (curvature.array() * (column - mean_[j]).square()).sum() * factor;
  }
  for (size_t j = 0; j < x_.categories.size(); ++j) {
    for (size_t i = 0; i < x_.rows; ++i) {
      const int32_t level = x_.categories[j].level[i];
      if (level >= 0) diagonal[first_level_[j] + level] += curvature[static_cast<Eigen::Index>(i)];
    }
  }
  diagonal[size_ - 1] = curvature.sum();
  return diagonal;
}

Eigen::VectorXd Blocks::Penalty(double l2, bool standardise) const {
  Eigen::VectorXd penalty = Eigen::VectorXd::Constant(size_, l2);
  for (size_t j = 0; j < scale_.size() && !standardise; ++j) {
    penalty[static_cast<Eigen::Index>(j)] = l2 * inverse_scale_[j] * inverse_scale_[j];
  }
  penalty[size_ - 1] = 0;
  return penalty;
}

void Blocks::ToRaw(const Eigen::VectorXd& theta, std::span<double> coefficient,
                   double* intercept) const {
  evaluate::CompensatedSum shift;
  for (size_t j = 0; j < coefficient.size(); ++j) {
    coefficient[j] = theta[static_cast<Eigen::Index>(j)];
    if (j >= scale_.size()) continue;
    coefficient[j] *= inverse_scale_[j];
    shift.Add(coefficient[j] * mean_[j]);
  }
  *intercept = theta[size_ - 1] - shift.Value();
}

Eigen::VectorXd Blocks::FromRaw(std::span<const double> coefficient, double intercept) const {
  Eigen::VectorXd theta(size_);
  evaluate::CompensatedSum shift;
  for (size_t j = 0; j < coefficient.size(); ++j) {
    double value = coefficient[j];
    if (j < scale_.size()) {
      shift.Add(value * mean_[j]);
      value *= scale_[j];
    }
    theta[static_cast<Eigen::Index>(j)] = value;
  }
  theta[size_ - 1] = intercept + shift.Value();
  return theta;
}

}  // namespace headrace::learn
