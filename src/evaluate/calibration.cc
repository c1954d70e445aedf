#include "evaluate/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "evaluate/deterministic_math.h"

namespace headrace::evaluate {
namespace {

Status CheckSizes(size_t rows, size_t scores, size_t weights) {
  if (rows == 0) return DataError("no_rows", "there are no rows to calibrate on");
  if (scores != rows || (weights != 0 && weights != rows)) {
    return InternalError(
        fmt::format("calibration got {} rows, {} scores, {} weights", rows, scores, weights));
  }
  return Ok();
}

Status CheckFinite(std::span<const double> values, size_t per_row) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return DataError("bad_margin", fmt::format("the score of row {} is {}; calibration needs "
                                               "finite scores",
                                               i / per_row + 1, values[i]))
        .Rows(fmt::format("row {}", i / per_row + 1));
  }
  return Ok();
}

double WeightAt(std::span<const double> weight, size_t i) {
  return weight.empty() ? 1.0 : weight[i];
}

/// Cross entropy of soft targets and its derivatives in (slope, intercept) over scaled margins.
struct AffineLoss {
  std::span<const double> margin, weight;
  std::vector<double> target;
  double scale = 1;  // margins are divided by it

  double Loss(double slope, double intercept) const {
    CompensatedSum loss;
    for (size_t i = 0; i < margin.size(); ++i) {
      const double m = slope * (margin[i] / scale) + intercept;
      loss.Add(WeightAt(weight, i) * (Softplus(m) - target[i] * m));
    }
    return loss.Value();
  }

  struct Derivatives {
    double slope, intercept;          // gradient
    double slope2, both, intercept2;  // Hessian
  };
  Derivatives At(double slope, double intercept) const {
    CompensatedSum gs, gi, hss, hsi, hii;
    for (size_t i = 0; i < margin.size(); ++i) {
      const double f = margin[i] / scale;
      const double p = Sigmoid(slope * f + intercept);
      const double g = WeightAt(weight, i) * (p - target[i]);
      const double h = WeightAt(weight, i) * p * (1.0 - p);
      gs.Add(g * f);
      gi.Add(g);
      hss.Add(h * f * f);
      hsi.Add(h * f);
      hii.Add(h);
    }
    return {gs.Value(), gi.Value(), hss.Value(), hsi.Value(), hii.Value()};
  }
};

/// Newton's method with step halving; the loss is convex.
AffineCalibration Minimise(const AffineLoss& loss, double total, double intercept) {
  double slope = 0, value = loss.Loss(slope, intercept);
  for (int step = 0; step < 100; ++step) {
    const AffineLoss::Derivatives d = loss.At(slope, intercept);
    if (std::max(std::fabs(d.slope), std::fabs(d.intercept)) <= 1e-12 * total) break;
    const double ridge = 1e-12 * (d.slope2 + d.intercept2) + 1e-300;
    const double a = d.slope2 + ridge, c = d.intercept2 + ridge;
    const double determinant = a * c - d.both * d.both;
    if (!(determinant > 0)) break;
    const double ds = -(c * d.slope - d.both * d.intercept) / determinant;
    const double di = -(a * d.intercept - d.both * d.slope) / determinant;
    const double descent = d.slope * ds + d.intercept * di;
    double length = 1;
    bool moved = false;
    for (int halving = 0; halving < 40 && !moved; ++halving, length *= 0.5) {
      const double next = loss.Loss(slope + length * ds, intercept + length * di);
      if (next > value + 1e-4 * length * descent) continue;
      moved = next < value;
      slope += length * ds;
      intercept += length * di;
      value = next;
      break;
    }
    if (!moved) break;
  }
  return {slope / loss.scale, intercept};
}

double MulticlassLogLoss(std::span<const int32_t> label, size_t classes,
                         std::span<const double> margins, std::span<const double> weight,
                         double temperature) {
  CompensatedSum loss, total;
  std::vector<double> scaled(classes);
  for (size_t i = 0; i < label.size(); ++i) {
    for (size_t k = 0; k < classes; ++k) scaled[k] = margins[i * classes + k] / temperature;
    const double w = WeightAt(weight, i);
    loss.Add(w * (LogSumExp(scaled) - scaled[static_cast<size_t>(label[i])]));
    total.Add(w);
  }
  return loss.Value() / total.Value();
}

}  // namespace

double AffineCalibration::Apply(double margin) const { return Sigmoid(Margin(margin)); }

Result<AffineCalibration> FitAffine(std::span<const int32_t> label, std::span<const double> margin,
                                    std::span<const double> weight) {
  HR_TRY(CheckSizes(label.size(), margin.size(), weight.size()));
  HR_TRY(CheckFinite(margin, 1));
  CompensatedSum positives, negatives;
  double largest = 0;
  for (size_t i = 0; i < label.size(); ++i) {
    (label[i] == 1 ? positives : negatives).Add(WeightAt(weight, i));
    largest = std::max(largest, std::fabs(margin[i]));
  }
  const double p = positives.Value(), n = negatives.Value();
  if (p <= 0 || n <= 0) {
    return DataError("one_class", fmt::format("calibration needs rows of both classes; got {} {}",
                                              label.size(), p > 0 ? "positive" : "negative"));
  }
  AffineLoss loss{margin, weight, {}, largest > 0 ? largest : 1.0};
  const double high = (p + 1.0) / (p + 2.0), low = 1.0 / (n + 2.0);
  for (const int32_t l : label) loss.target.push_back(l == 1 ? high : low);
  return Minimise(loss, p + n, Log((p + 1.0) / (n + 1.0)));
}

Result<TemperatureCalibration> FitTemperature(std::span<const int32_t> label, int classes,
                                              std::span<const double> margins,
                                              std::span<const double> weight) {
  const auto width = static_cast<size_t>(classes);
  if (classes < 2 || margins.size() != label.size() * width) {
    return InternalError(fmt::format("temperature: {} margins for {} rows of {} classes",
                                     margins.size(), label.size(), classes));
  }
  HR_TRY(CheckSizes(label.size(), label.size(), weight.size()));
  HR_TRY(CheckFinite(margins, width));
  // Golden section over log T: the loss is convex in 1/T, so it has one valley.
  const auto loss = [&](double log_t) {
    return MulticlassLogLoss(label, width, margins, weight, Exp(log_t));
  };
  const double ratio = 0.5 * (std::sqrt(5.0) - 1.0);
  double low = Log(0.05), high = Log(20.0);
  double a = high - ratio * (high - low), b = low + ratio * (high - low);
  double fa = loss(a), fb = loss(b);
  while (high - low > 1e-9) {
    if (fa <= fb) {
      high = b;
      b = a;
      fb = fa;
      fa = loss(a = high - ratio * (high - low));
    } else {
      low = a;
      a = b;
      fa = fb;
      fb = loss(b = low + ratio * (high - low));
    }
  }
  return TemperatureCalibration{Exp(0.5 * (low + high))};
}

Result<IsotonicCalibration> FitIsotonic(std::span<const int32_t> label,
                                        std::span<const double> score,
                                        std::span<const double> weight) {
  const std::vector<double> target(label.begin(), label.end());
  return FitIsotonicValues(target, score, weight);
}

Result<IsotonicCalibration> FitIsotonicValues(std::span<const double> target,
                                              std::span<const double> score,
                                              std::span<const double> weight) {
  HR_TRY(CheckSizes(target.size(), score.size(), weight.size()));
  HR_TRY(CheckFinite(score, 1));
  HR_TRY(CheckFinite(target, 1));
  std::vector<uint32_t> order(score.size());
  std::iota(order.begin(), order.end(), 0u);
  std::erase_if(order, [&](uint32_t i) { return WeightAt(weight, i) <= 0; });
  if (order.empty()) return DataError("no_rows", "all weights of the calibration rows are 0");
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return score[a] != score[b] ? score[a] < score[b] : a < b;
  });

  // Equal scores become one point; then neighbouring blocks merge while they fall.
  struct Block {
    size_t first, last;  // points
    double weight, mean;
  };
  std::vector<double> x;
  std::vector<Block> blocks;
  for (size_t i = 0; i < order.size();) {
    const double at = score[order[i]];
    CompensatedSum sum, total;
    for (; i < order.size() && score[order[i]] == at; ++i) {
      const double w = WeightAt(weight, order[i]);
      sum.Add(w * target[order[i]]);
      total.Add(w);
    }
    blocks.push_back({x.size(), x.size(), total.Value(), sum.Value() / total.Value()});
    x.push_back(at);
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean >= blocks.back().mean) {
      const Block right = blocks.back();
      blocks.pop_back();
      Block& left = blocks.back();
      const double w = left.weight + right.weight;
      left.mean = (left.weight * left.mean + right.weight * right.mean) / w;
      left.weight = w;
      left.last = right.last;
    }
  }
  IsotonicCalibration fit;  // the ends of every block are enough
  for (const Block& block : blocks) {
    fit.x.push_back(x[block.first]);
    fit.y.push_back(block.mean);
    if (block.last == block.first) continue;
    fit.x.push_back(x[block.last]);
    fit.y.push_back(block.mean);
  }
  return fit;
}

double IsotonicCalibration::Apply(double score) const {
  if (x.empty() || score != score) return std::numeric_limits<double>::quiet_NaN();
  if (score <= x.front()) return y.front();
  if (score >= x.back()) return y.back();
  const auto above = static_cast<size_t>(std::upper_bound(x.begin(), x.end(), score) - x.begin());
  const size_t below = above - 1;
  const double slope = (y[above] - y[below]) / (x[above] - x[below]);
  return slope * (score - x[below]) + y[below];
}

double ConformalQuantile(std::span<const double> scores, double alpha) {
  const auto n = static_cast<double>(scores.size());
  const double k = std::ceil((n + 1.0) * (1.0 - alpha));
  if (k > n) return std::numeric_limits<double>::infinity();
  std::vector<double> sorted(scores.begin(), scores.end());
  const size_t index = k < 1 ? 0 : static_cast<size_t>(k) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(index),
                   sorted.end());
  return sorted[index];
}

}  // namespace headrace::evaluate
