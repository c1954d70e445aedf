// evaluation.json:
//   format, task, metric, higher_is_better, rows
//   binary      base_rate, threshold, roc [[false positive rate, true positive rate]…],
//               pr [[recall, precision]…], thresholds [{threshold, flagged, precision, recall}…],
//               scores {edges, negative, positive}
//   classes     classes, confusion (rows: actual; columns: predicted)
//   both        calibration [{predicted, actual, low, high, rows}…] (several classes: of the
//               confidence in the predicted one)
//   regression  residuals {edges, counts, below, above}, fit [{predicted, actual, low, high,
//               rows}…] (low, high: middle 80 % of what came true), error {mean, median, p90}
//   influence, slices: evaluation_groups.cc
#include "learn/evaluation_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>

#include "evaluate/curves.h"
#include "learn/score_view.h"

namespace headrace::learn {
namespace {

constexpr size_t kCurvePoints = 120;
constexpr int kBins = 10;
constexpr int kScoreBins = 20;
constexpr size_t kMostClasses = 12;  // in a confusion matrix
constexpr double kZ = 1.959964;      // 95 %

/// 95 % bounds of a share (Wilson 1927): they stay within 0 and 1 and hold for few rows.
std::pair<double, double> Wilson(double share, double n) {
  if (n <= 0) return {0, 1};
  const double z2 = kZ * kZ;
  const double middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Json Calibration(const evaluate::ScoredRows& rows) {
  Json out = Json::array();
  for (const auto& bin : evaluate::ReliabilityBins(rows, kBins, /*equal_counts=*/true)) {
    const auto [low, high] = Wilson(bin.mean_actual, static_cast<double>(bin.rows));
    out.push_back({{"predicted", ShortNumber(bin.mean_predicted)},
                   {"actual", ShortNumber(bin.mean_actual)},
                   {"low", ShortNumber(low)},
                   {"high", ShortNumber(high)},
                   {"rows", bin.rows}});
  }
  return out;
}

/// What each threshold would flag and find; rows by falling score, weights respected.
Json Thresholds(const evaluate::ScoredRows& rows) {
  Json out = Json::array();
  for (int step = 1; step < 20; ++step) {
    const double threshold = step * 0.05;
    double flagged = 0, hit = 0, positive = 0, all = 0;
    for (size_t i = 0; i < rows.label.size(); ++i) {
      const double weight = rows.weight.empty() ? 1 : rows.weight[i];
      all += weight;
      positive += rows.label[i] == 1 ? weight : 0;
      if (rows.score[i] < threshold) continue;
      flagged += weight;
      hit += rows.label[i] == 1 ? weight : 0;
    }
    out.push_back({{"threshold", ShortNumber(threshold)},
                   {"flagged", ShortNumber(flagged / all)},
                   {"precision", flagged > 0 ? ShortNumber(hit / flagged) : Json(nullptr)},
                   {"recall", positive > 0 ? ShortNumber(hit / positive) : Json(nullptr)}});
  }
  return out;
}

Json ScoreBins(const evaluate::ScoredRows& rows) {
  std::vector<int64_t> negative(kScoreBins), positive(kScoreBins);
  for (size_t i = 0; i < rows.label.size(); ++i) {
    const int bin = std::clamp(static_cast<int>(rows.score[i] * kScoreBins), 0, kScoreBins - 1);
    ++(rows.label[i] == 1 ? positive : negative)[static_cast<size_t>(bin)];
  }
  Json edges = Json::array();
  for (int i = 0; i <= kScoreBins; ++i) edges.push_back(ShortNumber(1.0 * i / kScoreBins));
  return {{"edges", std::move(edges)}, {"negative", negative}, {"positive", positive}};
}

void AddBinary(const evaluate::ScoredRows& rows, Json* out) {
  const auto positives = std::count(rows.label.begin(), rows.label.end(), 1);
  (*out)["base_rate"] =
      ShortNumber(static_cast<double>(positives) / static_cast<double>(rows.label.size()));
  (*out)["threshold"] = rows.threshold;
  Json roc = Json::array(), pr = Json::array();
  for (const auto& point : evaluate::Thin(evaluate::RocCurve(rows), kCurvePoints)) {
    roc.push_back({ShortNumber(point.false_positive_rate), ShortNumber(point.true_positive_rate)});
  }
  for (const auto& point : evaluate::Thin(evaluate::PrecisionRecallCurve(rows), kCurvePoints)) {
    pr.push_back({ShortNumber(point.recall), ShortNumber(point.precision)});
  }
  (*out)["roc"] = std::move(roc);
  (*out)["pr"] = std::move(pr);
  (*out)["thresholds"] = Thresholds(rows);
  (*out)["scores"] = ScoreBins(rows);
  (*out)["calibration"] = Calibration(rows);
}

/// The most frequent classes by name, the others as one.
void AddConfusion(const evaluate::ScoredRows& rows, const std::vector<std::string>& names,
                  Json* out) {
  const evaluate::ConfusionMatrix all = evaluate::Confusion(rows);
  std::vector<int> order(static_cast<size_t>(all.classes));
  std::iota(order.begin(), order.end(), 0);
  std::vector<double> count(order.size());
  for (const int a : order) {
    for (const int p : order) count[static_cast<size_t>(a)] += all.At(a, p);
  }
  const bool folded = order.size() > kMostClasses;
  if (folded) {
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return count[static_cast<size_t>(a)] > count[static_cast<size_t>(b)];
    });
  }
  const size_t shown = folded ? kMostClasses - 1 : order.size();
  const size_t size = folded ? kMostClasses : order.size();
  std::vector<std::vector<double>> cells(size, std::vector<double>(size, 0.0));
  for (size_t a = 0; a < order.size(); ++a) {
    for (size_t p = 0; p < order.size(); ++p) {
      cells[std::min(a, size - 1)][std::min(p, size - 1)] += all.At(order[a], order[p]);
    }
  }
  Json classes = Json::array();
  for (size_t i = 0; i < shown; ++i) classes.push_back(names[static_cast<size_t>(order[i])]);
  if (folded) classes.push_back(fmt::format("{} others", order.size() - shown));
  (*out)["classes"] = std::move(classes);
  (*out)["confusion"] = cells;
}

/// How sure it was of the class it named, against how often that was right.
void AddConfidence(const evaluate::ScoredRows& rows, Json* out) {
  const std::vector<int32_t> decided = evaluate::Decisions(rows);
  std::vector<int32_t> right(rows.label.size());
  std::vector<double> sure(rows.label.size());
  for (size_t i = 0; i < right.size(); ++i) {
    right[i] = decided[i] == rows.label[i] ? 1 : 0;
    sure[i] = rows.score[i * static_cast<size_t>(rows.classes) + static_cast<size_t>(decided[i])];
  }
  (*out)["calibration"] = Calibration(evaluate::BinaryRows(right, sure, rows.weight));
}

double QuantileOf(std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

/// A step of 1, 2 or 5 times a power of ten, so that about `count` of them cover `range`.
double RoundStep(double range, int count) {
  const double raw = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

Json Residuals(std::vector<double> residual) {
  std::sort(residual.begin(), residual.end());
  const double low = QuantileOf(residual, 0.01), high = QuantileOf(residual, 0.99);
  if (!(high > low)) return Json::object();
  const double step = RoundStep(high - low, 24);
  const double first = std::floor(low / step) * step;
  const auto bins = static_cast<size_t>(std::ceil((high - first) / step + 1e-9));
  std::vector<int64_t> counts(bins, 0);
  int64_t below = 0, above = 0;
  for (const double r : residual) {
    const double at = std::floor((r - first) / step);
    if (at < 0) {
      ++below;
    } else if (at >= static_cast<double>(bins)) {
      ++above;
    } else {
      ++counts[static_cast<size_t>(at)];
    }
  }
  Json edges = Json::array();
  for (size_t i = 0; i <= bins; ++i) {
    edges.push_back(ShortNumber(first + step * static_cast<double>(i)));
  }
  return {{"edges", std::move(edges)}, {"counts", counts}, {"below", below}, {"above", above}};
}

void AddRegression(const evaluate::ScoredRows& rows, Json* out) {
  const size_t n = rows.actual.size();
  std::vector<double> residual(n), size(n);
  for (size_t i = 0; i < n; ++i) {
    residual[i] = rows.actual[i] - rows.score[i];
    size[i] = std::fabs(residual[i]);
  }
  (*out)["residuals"] = Residuals(residual);
  std::sort(size.begin(), size.end());
  const double mean = std::accumulate(size.begin(), size.end(), 0.0) / static_cast<double>(n);
  (*out)["error"] = {{"mean", ShortNumber(mean)},
                     {"median", ShortNumber(QuantileOf(size, 0.5))},
                     {"p90", ShortNumber(QuantileOf(size, 0.9))}};
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return rows.score[a] < rows.score[b]; });
  const size_t bins = std::min<size_t>(kBins, n / static_cast<size_t>(kFewestInGroup));
  Json fit = Json::array();
  for (size_t b = 0; b < bins; ++b) {
    const size_t from = n * b / bins, to = n * (b + 1) / bins;
    double predicted = 0, actual = 0;
    std::vector<double> values;
    for (size_t i = from; i < to; ++i) {
      predicted += rows.score[order[i]];
      actual += rows.actual[order[i]];
      values.push_back(rows.actual[order[i]]);
    }
    std::sort(values.begin(), values.end());
    const auto count = static_cast<double>(to - from);
    fit.push_back({{"predicted", ShortNumber(predicted / count)},
                   {"actual", ShortNumber(actual / count)},
                   {"low", ShortNumber(QuantileOf(values, 0.1))},
                   {"high", ShortNumber(QuantileOf(values, 0.9))},
                   {"rows", to - from}});
  }
  (*out)["fit"] = std::move(fit);
}

}  // namespace

Json ShortNumber(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

Result<std::string> EvaluationSummary(const EvaluationInput& input) {
  const Frame& frame = *input.frame;
  Json out = {{"format", 1},
              {"task", model::Name(frame.task)},
              {"metric", input.metric->name},
              {"higher_is_better", input.metric->higher_is_better},
              {"rows", input.rows.size()}};
  if (input.rows.empty()) return DumpJson(out);
  const ScoreView view(frame, input.rows, input.margins, input.package->threshold);
  const evaluate::ScoredRows rows = view.View();
  if (frame.task == model::Task::kRegression) {
    AddRegression(rows, &out);
  } else {
    if (frame.task == model::Task::kBinary) AddBinary(rows, &out);
    if (frame.task == model::Task::kMulticlass) AddConfidence(rows, &out);
    AddConfusion(rows, frame.classes, &out);
  }
  HR_ASSIGN(out["influence"], Influence(input));
  HR_ASSIGN(out["slices"], Slices(input, out["influence"]));
  return DumpJson(out);
}

}  // namespace headrace::learn
