#include "evaluate/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "evaluate/deterministic_math.h"
#include "evaluate/ranking.h"

namespace headrace::evaluate {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double Weight(const ScoredRows& rows, size_t i) {
  return rows.weight.empty() ? 1.0 : rows.weight[i];
}

template <class Point>
std::vector<Point> ThinPoints(std::vector<Point> curve, size_t most) {
  if (most < 2 || curve.size() <= most) return curve;
  std::vector<Point> thin;
  thin.reserve(most);
  for (size_t i = 0; i < most; ++i) thin.push_back(curve[i * (curve.size() - 1) / (most - 1)]);
  return thin;
}

/// Weights of the four cells when everything from a threshold up is called positive.
struct Cells {
  double tp, fp, fn, tn;
};

/// Tries the cut below every distinct score and the one above all; `cost` is minimised.
Result<ThresholdChoice> BestCut(const ScoredRows& rows,
                                const std::function<double(const Cells&)>& cost) {
  if (rows.task != Task::kBinary) return InternalError("thresholds are for binary rows");
  HR_TRY(CheckRows(rows));
  const RankCounts counts = CountByRank(rows);
  const double p = counts.positives.back(), n = counts.negatives.back();
  const size_t distinct = counts.threshold.size();
  const auto cells = [&](size_t cut) -> Cells {  // the `cut` highest distinct scores are positive
    const double tp = cut == 0 ? 0 : counts.positives[cut - 1];
    const double fp = cut == 0 ? 0 : counts.negatives[cut - 1];
    return {tp, fp, p - tp, n - fp};
  };
  const auto threshold = [&](size_t cut) {
    const double above = cut == 0 ? std::max(1.0, std::nextafter(counts.threshold[0], kInf))
                                  : counts.threshold[cut - 1];
    const double below = cut == distinct ? std::min(0.0, above) : counts.threshold[cut];
    const double middle = below + (above - below) / 2;
    return middle > below ? middle : above;
  };
  ThresholdChoice best;
  double best_distance = kInf;
  best.mean_cost = kInf;
  for (size_t cut = 0; cut <= distinct; ++cut) {
    const double value = cost(cells(cut));
    const double slack = 1e-12 * std::max(1.0, std::fabs(value));
    const double where = threshold(cut);
    const double distance = std::fabs(where - 0.5);
    if (value < best.mean_cost - slack ||
        (value <= best.mean_cost + slack && distance < best_distance)) {
      const Cells at = cells(cut);
      best = {where, value, 0, (at.tp + at.fp) / (p + n)};
      best_distance = distance;
    }
  }
  size_t half = 0;
  while (half < distinct && counts.threshold[half] >= 0.5) ++half;
  best.at_half = cost(cells(half));
  return best;
}

double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

double MatthewsOf(const Cells& c) {
  const double product = (c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn);
  return product > 0 ? (c.tp * c.tn - c.fp * c.fn) / std::sqrt(product) : 0;
}

using FromCells = double (*)(const Cells&);

FromCells MetricOfCells(const std::string& metric) {
  if (metric == "f1") return [](const Cells& c) { return Ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn); };
  if (metric == "f2") {
    return [](const Cells& c) { return Ratio(5 * c.tp, 5 * c.tp + c.fp + 4 * c.fn); };
  }
  if (metric == "accuracy") {
    return [](const Cells& c) { return (c.tp + c.tn) / (c.tp + c.tn + c.fp + c.fn); };
  }
  if (metric == "balanced_accuracy") {
    return
        [](const Cells& c) { return 0.5 * (Ratio(c.tp, c.tp + c.fn) + Ratio(c.tn, c.tn + c.fp)); };
  }
  if (metric == "matthews_corrcoef" || metric == "mcc") return MatthewsOf;
  return nullptr;
}

/// Bounds of bins at the quantiles of the scores, linear between neighbours.
std::vector<double> QuantileBounds(std::span<const double> score, int bins) {
  std::vector<double> sorted(score.begin(), score.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> bounds;
  for (int i = 0; i <= bins; ++i) {
    const double at = static_cast<double>(i) / bins * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    const double t = at - static_cast<double>(below);
    const double step = sorted[above] - sorted[below];
    bounds.push_back(t < 0.5 ? sorted[below] + step * t : sorted[above] - step * (1.0 - t));
  }
  return bounds;
}

}  // namespace

std::vector<RocPoint> RocCurve(const ScoredRows& rows, bool keep_all) {
  const RankCounts counts = CountByRank(rows);
  std::vector<RocPoint> curve;
  if (counts.threshold.empty()) return curve;
  const double p = counts.positives.back(), n = counts.negatives.back();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto add = [&](double threshold, double fp, double tp) {
    curve.push_back({threshold, n > 0 ? fp / n : nan, p > 0 ? tp / p : nan});
  };
  add(kInf, 0, 0);
  const size_t last = counts.threshold.size() - 1;
  for (size_t i = 0; i <= last; ++i) {
    // A point is on a straight line when both second differences vanish.
    if (!keep_all && i > 0 && i < last) {
      const auto bend = [i](const std::vector<double>& v) {
        return (v[i + 1] - v[i]) - (v[i] - v[i - 1]);
      };
      if (bend(counts.negatives) == 0 && bend(counts.positives) == 0) continue;
    }
    add(counts.threshold[i], counts.negatives[i], counts.positives[i]);
  }
  return curve;
}

std::vector<PrPoint> PrecisionRecallCurve(const ScoredRows& rows) {
  const RankCounts counts = CountByRank(rows);
  std::vector<PrPoint> curve;
  if (counts.threshold.empty()) return curve;
  const double p = counts.positives.back();
  for (size_t i = counts.threshold.size(); i-- > 0;) {
    const double tp = counts.positives[i];
    // Without positives recall is 1 everywhere, as in scikit-learn.
    curve.push_back({counts.threshold[i], Ratio(tp, tp + counts.negatives[i]), p > 0 ? tp / p : 1});
  }
  curve.push_back({kInf, 1, 0});
  return curve;
}

std::vector<RocPoint> Thin(std::vector<RocPoint> curve, size_t most) {
  return ThinPoints(std::move(curve), most);
}
std::vector<PrPoint> Thin(std::vector<PrPoint> curve, size_t most) {
  return ThinPoints(std::move(curve), most);
}

std::vector<ReliabilityBin> ReliabilityBins(const ScoredRows& rows, int bins, bool equal_counts) {
  std::vector<ReliabilityBin> result;
  if (rows.size() == 0 || bins < 1) return result;
  std::vector<double> bounds;
  if (equal_counts) {
    bounds = QuantileBounds(rows.score, bins);
  } else {
    for (int i = 0; i <= bins; ++i) bounds.push_back(i * (1.0 / bins));
    bounds.back() = 1.0;
  }
  struct Total {
    CompensatedSum weight, predicted, actual;
    size_t rows = 0;
  };
  std::vector<Total> totals(static_cast<size_t>(bins));
  for (size_t i = 0; i < rows.size(); ++i) {
    // Inner bounds only; a score on a bound belongs to the bin below it.
    const auto found = std::lower_bound(bounds.begin() + 1, bounds.end() - 1, rows.score[i]);
    Total& total = totals[static_cast<size_t>(found - bounds.begin() - 1)];
    const double w = Weight(rows, i);
    total.weight.Add(w);
    total.predicted.Add(w * rows.score[i]);
    total.actual.Add(w * rows.label[i]);
    ++total.rows;
  }
  for (size_t b = 0; b < totals.size(); ++b) {
    const double w = totals[b].weight.Value();
    if (w <= 0) continue;
    result.push_back({bounds[b], bounds[b + 1], totals[b].predicted.Value() / w,
                      totals[b].actual.Value() / w, w, totals[b].rows});
  }
  return result;
}

Result<ThresholdChoice> ThresholdByCosts(const ScoredRows& rows, const Costs& costs) {
  return BestCut(rows, [&](const Cells& c) {
    return (costs.false_positive * c.fp + costs.false_negative * c.fn + costs.true_positive * c.tp +
            costs.true_negative * c.tn) /
           (c.tp + c.fp + c.fn + c.tn);
  });
}

Result<ThresholdChoice> ThresholdByMetric(const ScoredRows& rows, const std::string& metric) {
  const FromCells value = MetricOfCells(metric);
  if (value == nullptr) {
    return UserError("unknown_metric", fmt::format("a threshold can't be chosen by '{}'", metric))
        .Subject(metric)
        .Hint("choose by f1, f2, accuracy, balanced_accuracy, matthews_corrcoef or by costs");
  }
  HR_ASSIGN(ThresholdChoice choice, BestCut(rows, [&](const Cells& c) { return -value(c); }));
  choice.mean_cost = -choice.mean_cost;
  choice.at_half = -choice.at_half;
  return choice;
}

double Lift(const ScoredRows& rows, double share) {
  // Whole rows as scikit-learn users count them; weights count within the chosen rows.
  const auto count =
      std::max<size_t>(1, static_cast<size_t>(share * static_cast<double>(rows.size()) + 1e-9));
  const std::vector<uint32_t> ranked =
      rows.order.empty() ? RankByScore(rows.score) : std::vector<uint32_t>();
  const std::span<const uint32_t> order = rows.order.empty() ? ranked : rows.order;
  CompensatedSum top, top_weight, all, all_weight;
  for (size_t i = 0; i < order.size(); ++i) {
    const double w = Weight(rows, order[i]);
    if (i < count) {
      top.Add(w * rows.label[order[i]]);
      top_weight.Add(w);
    }
    all.Add(w * rows.label[order[i]]);
    all_weight.Add(w);
  }
  if (all.Value() <= 0 || top_weight.Value() <= 0) return std::numeric_limits<double>::quiet_NaN();
  return (top.Value() / top_weight.Value()) / (all.Value() / all_weight.Value());
}

}  // namespace headrace::evaluate
