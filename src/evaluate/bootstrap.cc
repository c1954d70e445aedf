// Poisson bootstrap: in each round every unit (row, group or time block) is drawn Poisson(1) times,
// which is the multinomial bootstrap for many units, and the draws multiply the rows' weights. A
// round is one evaluation of the metric with other weights: no rows are copied, the ranking by
// score is computed once, and the draw of a unit is a function of (seed, round, unit), so threads
// and their number can't matter.
#include "evaluate/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "base/thread_pool.h"
#include "evaluate/deterministic_math.h"
#include "evaluate/metric_functions.h"
#include "evaluate/random.h"

namespace headrace::evaluate {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr Interval kUnknown{kNaN, kNaN, kNaN, 0};

/// Draws of one round, made for rows one after another.
class Draws {
 public:
  Draws(const BootstrapOptions& options, int64_t round)
      : table_(options.seed, static_cast<uint64_t>(round)), unit_(options.unit) {}
  int Of(size_t row) const { return table_.Poisson1(unit_.empty() ? row : unit_[row]); }

 private:
  RandomTable table_;
  std::span<const uint32_t> unit_;
};

/// Weights of a round; `left_out` gives the weights of the rows that were not drawn instead.
/// False when no weight is left.
bool Reweigh(const ScoredRows& rows, const Draws& draws, bool left_out,
             std::vector<double>& weight) {
  weight.resize(rows.size());
  bool any = false;
  for (size_t i = 0; i < weight.size(); ++i) {
    const int drawn = draws.Of(i);
    const double times = left_out ? (drawn == 0 ? 1 : 0) : drawn;
    weight[i] = times * (rows.weight.empty() ? 1.0 : rows.weight[i]);
    any = any || weight[i] > 0;
  }
  return any;
}

/// Rows with the ranking and the decisions computed once for all rounds.
struct Prepared {
  ScoredRows rows;
  std::vector<uint32_t> order;
  std::vector<int32_t> decision;
};

void Prepare(const Metric& metric, const ScoredRows& rows, Prepared& prepared) {
  prepared.rows = rows;
  if (rows.task == Task::kRegression) return;
  const bool ranks = !metric.uses_decision && !metric.needs_probability;
  if (ranks && rows.order.empty()) {
    prepared.order = RankAll(rows);
    prepared.rows.order = prepared.order;
  }
  if (rows.decision.empty()) {
    prepared.decision = Decisions(rows);
    prepared.rows.decision = prepared.decision;
  }
}

/// Rows by falling score, so that a round of a metric that only ranks walks through memory from one
/// end to the other; a unit is drawn by its own number as before, so no bit changes.
struct SortedRows {
  std::vector<int32_t> label;
  std::vector<double> score, weight;
  std::vector<uint32_t> unit, order;
};

bool OnlyRanks(const Metric& metric, const ScoredRows& rows) {
  return rows.task == Task::kBinary && !metric.uses_decision && !metric.needs_probability;
}

ScoredRows SortRows(const ScoredRows& rows, std::span<const uint32_t> unit, SortedRows& sorted) {
  sorted.order = rows.order.empty() ? RankAll(rows)
                                    : std::vector<uint32_t>(rows.order.begin(), rows.order.end());
  for (const uint32_t row : sorted.order) {
    sorted.label.push_back(rows.label[row]);
    sorted.score.push_back(rows.score[row]);
    if (!rows.weight.empty()) sorted.weight.push_back(rows.weight[row]);
    sorted.unit.push_back(unit.empty() ? row : unit[row]);
  }
  std::iota(sorted.order.begin(), sorted.order.end(), 0u);
  ScoredRows out = rows;
  out.label = sorted.label;
  out.score = sorted.score;
  out.weight = sorted.weight;
  out.order = sorted.order;
  out.decision = {};
  return out;
}

/// The area under the ROC curve of one round, of rows without weights: draws are whole numbers, so
/// the pairs are counted exactly and nothing is stored; five times faster than reweighing the rows
/// and asking the metric, with the same result.
class DrawnRocArea {
 public:
  static bool Serves(const Metric& metric, const ScoredRows& rows) {
    constexpr size_t kMostRows = size_t{1} << 30;  // pairs × 2 stay below 2^63
    return metric.compute == &RocAuc && OnlyRanks(metric, rows) && rows.weight.empty() &&
           rows.size() < kMostRows;
  }

  explicit DrawnRocArea(const SortedRows& rows) : unit_(rows.unit) {
    for (size_t i = 0; i < rows.label.size(); ++i) {
      const bool last = i + 1 == rows.label.size() || rows.score[i] != rows.score[i + 1];
      marks_.push_back(
          static_cast<uint8_t>((rows.label[i] == 1 ? kPositive : 0) | (last ? kLastOfScore : 0)));
    }
  }

  /// NaN when one side is not drawn.
  double Of(const RandomTable& table) const {
    constexpr size_t kAtOnce = 1024;
    std::array<uint8_t, kAtOnce> drawn;
    // Twice the pairs that stand in order, ties counting half.
    uint64_t area = 0, positives = 0, negatives = 0, tied_positives = 0, tied_negatives = 0;
    for (size_t first = 0; first < marks_.size(); first += kAtOnce) {
      const size_t count = std::min(kAtOnce, marks_.size() - first);
      table.Poisson1Each(unit_.subspan(first, count), drawn.data());
      for (size_t i = 0; i < count; ++i) {
        const uint8_t mark = marks_[first + i];
        const uint64_t positive = drawn[i] & -static_cast<uint64_t>(mark & kPositive);
        tied_positives += positive;
        tied_negatives += drawn[i] - positive;
        if ((mark & kLastOfScore) == 0) continue;
        area += tied_negatives * (2 * positives + tied_positives);
        positives += tied_positives;
        negatives += tied_negatives;
        tied_positives = tied_negatives = 0;
      }
    }
    if (positives == 0 || negatives == 0) return kNaN;
    return static_cast<double>(area) * 0.5 / static_cast<double>(positives) /
           static_cast<double>(negatives);
  }

 private:
  static constexpr uint8_t kPositive = 1, kLastOfScore = 2;
  std::span<const uint32_t> unit_;
  std::vector<uint8_t> marks_;  // by falling score
};

double ValueWith(const Metric& metric, const Prepared& prepared, std::span<const double> weight) {
  ScoredRows rows = prepared.rows;
  rows.weight = weight;
  const MetricValue value = metric.compute(rows);
  return value.defined() && std::isfinite(value.value) ? value.value : kNaN;
}

/// Runs `round` for every round in parallel into its own slot.
Result<std::vector<double>> Rounds(const BootstrapOptions& options,
                                   const std::function<double(int64_t)>& round) {
  std::vector<double> values(static_cast<size_t>(std::max(options.rounds, 0)), kNaN);
  const CancelToken cancel = options.cancel == nullptr ? CancelToken() : *options.cancel;
  HR_TRY(ParallelFor(options.threads, static_cast<int64_t>(values.size()), cancel,
                     [&](int64_t i) -> Status {
                       values[static_cast<size_t>(i)] = round(i);
                       return Ok();
                     }));
  if (options.cancel != nullptr) HR_TRY(options.cancel->Check());
  return values;
}

/// Linear interpolation between order statistics.
double Quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

Interval IntervalOf(std::vector<double> values, const BootstrapOptions& options) {
  std::erase_if(values, [](double v) { return v != v; });
  Interval interval;
  interval.rounds = static_cast<int>(values.size());
  if (values.empty() || 2 * interval.rounds < options.rounds) {
    return {kNaN, kNaN, kNaN, interval.rounds};
  }
  CompensatedSum sum, squares;
  for (const double v : values) sum.Add(v);
  const double mean = sum.Value() / interval.rounds;
  for (const double v : values) squares.Add((v - mean) * (v - mean));
  interval.standard_error = std::sqrt(squares.Value() / std::max(1, interval.rounds - 1));
  std::sort(values.begin(), values.end());
  interval.low = Quantile(values, 0.5 * (1.0 - options.level));
  interval.high = Quantile(values, 0.5 * (1.0 + options.level));
  return interval;
}

Status CheckOptions(const BootstrapOptions& options, size_t rows) {
  if (!options.unit.empty() && options.unit.size() != rows) {
    return InternalError(fmt::format("bootstrap: {} units for {} rows", options.unit.size(), rows));
  }
  if (!(options.level > 0 && options.level < 1)) {
    return InternalError(fmt::format("bootstrap: level {} is not within 0 and 1", options.level));
  }
  return Ok();
}

Status CheckPair(const ScoredRows& a, const ScoredRows& b) {
  HR_TRY(CheckRows(a));
  HR_TRY(CheckRows(b));
  const auto equal = [](auto x, auto y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  };
  if (a.task != b.task || a.classes != b.classes || !equal(a.label, b.label) ||
      !equal(a.actual, b.actual) || !equal(a.weight, b.weight)) {
    return InternalError("a paired comparison got different rows on its two sides");
  }
  return Ok();
}

}  // namespace

Result<Estimate> EstimateMetric(const Metric& metric, const ScoredRows& given,
                                const BootstrapOptions& asked) {
  HR_TRY(CheckRows(given));
  HR_TRY(CheckOptions(asked, given.size()));
  SortedRows sorted;
  ScoredRows rows = given;
  BootstrapOptions options = asked;
  if (OnlyRanks(metric, given)) {
    rows = SortRows(given, asked.unit, sorted);
    options.unit = sorted.unit;
  }
  Prepared prepared;
  Prepare(metric, rows, prepared);
  Estimate estimate;
  estimate.rows = rows.size();
  estimate.value = metric.compute(prepared.rows);
  estimate.interval = kUnknown;
  if (!estimate.value.defined()) return estimate;
  std::function<double(int64_t)> value = [&](int64_t round) {
    std::vector<double> weight;
    if (!Reweigh(rows, Draws(options, round), false, weight)) return kNaN;
    return ValueWith(metric, prepared, weight);
  };
  if (DrawnRocArea::Serves(metric, rows)) {
    value = [&options, area = DrawnRocArea(sorted)](int64_t round) {
      return area.Of(RandomTable(options.seed, static_cast<uint64_t>(round)));
    };
  }
  HR_ASSIGN(std::vector<double> values, Rounds(options, value));
  estimate.interval = IntervalOf(std::move(values), options);
  return estimate;
}

Result<PairedEstimate> EstimateDifference(const Metric& metric, const ScoredRows& a,
                                          const ScoredRows& b, const BootstrapOptions& options) {
  HR_TRY(CheckPair(a, b));
  HR_TRY(CheckOptions(options, a.size()));
  Prepared first, second;
  Prepare(metric, a, first);
  Prepare(metric, b, second);
  PairedEstimate estimate;
  estimate.rows = a.size();
  estimate.interval = kUnknown;
  const MetricValue value_a = metric.compute(first.rows), value_b = metric.compute(second.rows);
  if (!value_a.defined() || !value_b.defined()) {
    estimate.difference = value_a.defined() ? value_b : value_a;
    return estimate;
  }
  estimate.difference = Defined(value_a.value - value_b.value);
  HR_ASSIGN(std::vector<double> values, Rounds(options, [&](int64_t round) {
              std::vector<double> weight;
              if (!Reweigh(a, Draws(options, round), false, weight)) return kNaN;
              return ValueWith(metric, first, weight) - ValueWith(metric, second, weight);
            }));
  int64_t better = 0, defined = 0;
  for (const double v : values) {
    if (v != v) continue;
    ++defined;
    better += metric.Better(v, 0) ? 1 : 0;
  }
  estimate.share_a_better =
      defined > 0 ? static_cast<double>(better) / static_cast<double>(defined) : kNaN;
  estimate.interval = IntervalOf(std::move(values), options);
  return estimate;
}

Result<CorrectedEstimate> CorrectForSelection(const Metric& metric,
                                              std::span<const ScoredRows> candidates,
                                              const BootstrapOptions& options) {
  if (candidates.empty()) return InternalError("there are no candidates to choose from");
  for (const ScoredRows& rows : candidates) HR_TRY(CheckPair(candidates[0], rows));
  HR_TRY(CheckOptions(options, candidates[0].size()));
  std::vector<Prepared> prepared(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) Prepare(metric, candidates[i], prepared[i]);

  const auto best_with = [&](std::span<const double> weight) {
    size_t best = candidates.size();
    double best_value = kNaN;
    for (size_t i = 0; i < candidates.size(); ++i) {
      const double value = ValueWith(metric, prepared[i], weight);
      if (value != value) continue;
      if (best == candidates.size() || metric.Better(value, best_value)) {
        best = i;
        best_value = value;
      }
    }
    return best;
  };
  CorrectedEstimate estimate;
  estimate.interval = kUnknown;
  estimate.best = best_with(candidates[0].weight);
  if (estimate.best == candidates.size()) {
    estimate.best = 0;
    estimate.naive = estimate.corrected = metric.compute(candidates[0]);
    return estimate;
  }
  estimate.naive = metric.compute(prepared[estimate.best].rows);
  HR_ASSIGN(std::vector<double> values, Rounds(options, [&](int64_t round) {
              const Draws draws(options, round);
              std::vector<double> weight;
              if (!Reweigh(candidates[0], draws, false, weight)) return kNaN;
              const size_t best = best_with(weight);
              if (best == candidates.size()) return kNaN;
              if (!Reweigh(candidates[0], draws, true, weight)) return kNaN;
              return ValueWith(metric, prepared[best], weight);
            }));
  CompensatedSum sum;
  int defined = 0;
  for (const double v : values) {
    if (v != v) continue;
    sum.Add(v);
    ++defined;
  }
  estimate.corrected =
      defined > 0 ? Defined(sum.Value() / defined) : Undefined("undefined in every round");
  estimate.interval = IntervalOf(std::move(values), options);
  return estimate;
}

}  // namespace headrace::evaluate
