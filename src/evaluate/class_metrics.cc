// Metrics of decisions and of probabilities.
#include <algorithm>
#include <cmath>

#include "evaluate/cheapest.h"
#include "evaluate/deterministic_math.h"
#include "evaluate/metric_functions.h"

namespace headrace::evaluate {
namespace {

double Weight(const ScoredRows& rows, size_t i) {
  return rows.weight.empty() ? 1.0 : rows.weight[i];
}

double TotalWeight(const ScoredRows& rows) {
  return rows.weight.empty() ? static_cast<double>(rows.size()) : Sum(rows.weight);
}

/// Σ w loss(i) / Σ w.
template <class Loss>
double Mean(const ScoredRows& rows, Loss loss) {
  CompensatedSum sum;
  for (size_t i = 0; i < rows.size(); ++i) sum.Add(Weight(rows, i) * loss(i));
  return sum.Value() / TotalWeight(rows);
}

int32_t DecisionOf(const ScoredRows& rows, size_t i) {
  if (!rows.decision.empty()) return rows.decision[i];
  if (rows.task == Task::kBinary) return rows.score[i] >= rows.threshold ? 1 : 0;
  const auto row =
      rows.score.subspan(i * static_cast<size_t>(rows.classes), static_cast<size_t>(rows.classes));
  if (!rows.costs.empty()) return CheapestClass(row, rows.costs);
  return static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

/// Row and column sums and the diagonal of a confusion matrix.
struct Margins {
  std::vector<double> actual, predicted, hit;
  double total = 0;
};

Margins MarginsOf(const ConfusionMatrix& confusion) {
  const auto classes = static_cast<size_t>(confusion.classes);
  Margins margins{std::vector<double>(classes), std::vector<double>(classes),
                  std::vector<double>(classes), 0};
  for (size_t a = 0; a < classes; ++a) {
    for (size_t p = 0; p < classes; ++p) {
      const double cell = confusion.cells[a * classes + p];
      margins.actual[a] += cell;
      margins.predicted[p] += cell;
      margins.total += cell;
    }
    margins.hit[a] = confusion.cells[a * classes + a];
  }
  return margins;
}

double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

double ScoreOfCounts(PerClass kind, double hit, double actual, double predicted) {
  switch (kind) {
    case PerClass::kPrecision:
      return Ratio(hit, predicted);
    case PerClass::kRecall:
      return Ratio(hit, actual);
    case PerClass::kF1:
      return Ratio(2 * hit, actual + predicted);
    case PerClass::kF2:
      return Ratio(5 * hit, 4 * actual + predicted);
  }
  return 0;
}

/// Mean log loss of always predicting the classes' shares.
double LogLossOfShares(const ScoredRows& rows) {
  constexpr double kEpsilon = 0x1p-52;
  std::vector<CompensatedSum> totals(static_cast<size_t>(rows.classes));
  for (size_t i = 0; i < rows.size(); ++i) {
    totals[static_cast<size_t>(rows.label[i])].Add(Weight(rows, i));
  }
  const double all = TotalWeight(rows);
  CompensatedSum loss;
  for (const CompensatedSum& total : totals) {
    const double share = total.Value() / all;
    if (share > 0) loss.Add(-share * Log(std::clamp(share, kEpsilon, 1.0 - kEpsilon)));
  }
  return loss.Value();
}

}  // namespace

std::vector<int32_t> Decisions(const ScoredRows& rows) {
  std::vector<int32_t> decisions(rows.size());
  for (size_t i = 0; i < decisions.size(); ++i) decisions[i] = DecisionOf(rows, i);
  return decisions;
}

ConfusionMatrix Confusion(const ScoredRows& rows) {
  ConfusionMatrix confusion;
  confusion.classes = rows.classes;
  const auto classes = static_cast<size_t>(rows.classes);
  std::vector<CompensatedSum> cells(classes * classes);
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t cell =
        static_cast<size_t>(rows.label[i]) * classes + static_cast<size_t>(DecisionOf(rows, i));
    cells[cell].Add(Weight(rows, i));
  }
  for (const CompensatedSum& cell : cells) confusion.cells.push_back(cell.Value());
  return confusion;
}

MetricValue LogLoss(const ScoredRows& rows) {
  constexpr double kEpsilon = 0x1p-52;  // scikit-learn clips to the machine epsilon
  return Defined(Mean(rows, [&](size_t i) {
    double p = 0;
    if (rows.task == Task::kBinary) {
      p = rows.label[i] == 1 ? rows.score[i] : 1.0 - rows.score[i];
    } else {
      p = rows.score[i * static_cast<size_t>(rows.classes) + static_cast<size_t>(rows.label[i])];
    }
    return -Log(std::clamp(p, kEpsilon, 1.0 - kEpsilon));
  }));
}

MetricValue D2LogLoss(const ScoredRows& rows) {
  const double reference = LogLossOfShares(rows);
  if (reference <= 0) return Undefined("all rows are of one class");
  return Defined(1.0 - LogLoss(rows).value / reference);
}

MetricValue Brier(const ScoredRows& rows) {
  return Defined(Mean(rows, [&](size_t i) {
    if (rows.task == Task::kBinary) {
      const double error = rows.score[i] - rows.label[i];
      return error * error;
    }
    double sum = 0;
    for (int k = 0; k < rows.classes; ++k) {
      const double p = rows.score[i * static_cast<size_t>(rows.classes) + static_cast<size_t>(k)];
      const double error = p - (rows.label[i] == k ? 1.0 : 0.0);
      sum += error * error;
    }
    return sum;
  }));
}

MetricValue Accuracy(const ScoredRows& rows) {
  return Defined(
      Mean(rows, [&](size_t i) { return DecisionOf(rows, i) == rows.label[i] ? 1.0 : 0.0; }));
}

MetricValue Cost(const ScoredRows& rows) {
  if (rows.costs.empty()) return Undefined("the model has no `costs:`");
  const auto classes = static_cast<size_t>(rows.classes);
  return Defined(Mean(rows, [&](size_t i) {
    return rows.costs[static_cast<size_t>(rows.label[i]) * classes +
                      static_cast<size_t>(DecisionOf(rows, i))];
  }));
}

MetricValue BalancedAccuracy(const ScoredRows& rows) {
  const Margins margins = MarginsOf(Confusion(rows));
  CompensatedSum sum;
  int present = 0;
  for (size_t k = 0; k < margins.actual.size(); ++k) {
    if (margins.actual[k] <= 0) continue;
    sum.Add(margins.hit[k] / margins.actual[k]);
    ++present;
  }
  return Defined(sum.Value() / present);
}

MetricValue ClassScore(const ScoredRows& rows, PerClass kind, Average average) {
  const Margins margins = MarginsOf(Confusion(rows));
  if (rows.task == Task::kBinary && average == Average::kPlain) {
    return Defined(ScoreOfCounts(kind, margins.hit[1], margins.actual[1], margins.predicted[1]));
  }
  if (average == Average::kMicro) {
    double hit = 0;
    for (const double h : margins.hit) hit += h;
    return Defined(ScoreOfCounts(kind, hit, margins.total, margins.total));
  }
  CompensatedSum sum, weights;
  for (size_t k = 0; k < margins.actual.size(); ++k) {
    // A class that neither occurs nor is predicted takes no part in the mean.
    if (margins.actual[k] <= 0 && margins.predicted[k] <= 0) continue;
    const double weight = average == Average::kWeighted ? margins.actual[k] : 1.0;
    sum.Add(weight * ScoreOfCounts(kind, margins.hit[k], margins.actual[k], margins.predicted[k]));
    weights.Add(weight);
  }
  return Defined(sum.Value() / weights.Value());
}

MetricValue Specificity(const ScoredRows& rows) {
  const Margins margins = MarginsOf(Confusion(rows));
  if (margins.actual[0] <= 0) return Undefined("no row is negative");
  return Defined(margins.hit[0] / margins.actual[0]);
}

MetricValue Matthews(const ScoredRows& rows) {
  const Margins margins = MarginsOf(Confusion(rows));
  CompensatedSum hit, both, predicted, actual;
  for (size_t k = 0; k < margins.actual.size(); ++k) {
    hit.Add(margins.hit[k]);
    both.Add(margins.actual[k] * margins.predicted[k]);
    predicted.Add(margins.predicted[k] * margins.predicted[k]);
    actual.Add(margins.actual[k] * margins.actual[k]);
  }
  const double n = margins.total;
  const double product = (n * n - predicted.Value()) * (n * n - actual.Value());
  if (!(product > 0)) return Defined(0);
  return Defined((hit.Value() * n - both.Value()) / std::sqrt(product));
}

MetricValue CohenKappa(const ScoredRows& rows) {
  const Margins margins = MarginsOf(Confusion(rows));
  CompensatedSum hit, chance;
  for (size_t k = 0; k < margins.actual.size(); ++k) {
    hit.Add(margins.hit[k]);
    chance.Add(margins.actual[k] * margins.predicted[k]);
  }
  const double n = margins.total;
  const double expected = n - chance.Value() / n;
  if (!(expected > 0)) return Undefined("truth and decision are the same single class");
  return Defined(1.0 - (n - hit.Value()) / expected);
}

MetricValue TopKAccuracy(const ScoredRows& rows, int k) {
  return Defined(Mean(rows, [&](size_t i) {
    const auto row = rows.score.subspan(i * static_cast<size_t>(rows.classes),
                                        static_cast<size_t>(rows.classes));
    const auto own = static_cast<size_t>(rows.label[i]);
    int before = 0;
    for (size_t c = 0; c < row.size(); ++c) {
      if (row[c] > row[own] || (row[c] == row[own] && c > own)) ++before;
    }
    return before < k ? 1.0 : 0.0;
  }));
}

MetricValue CalibrationError(const ScoredRows& rows, int bins, bool equal_counts) {
  // Binary: probability and outcome of the positive class. Multiclass: of the class decided for.
  const size_t n = rows.size();
  std::vector<double> probability(n);
  std::vector<double> outcome(n);
  for (size_t i = 0; i < n; ++i) {
    if (rows.task == Task::kBinary) {
      probability[i] = rows.score[i];
      outcome[i] = rows.label[i];
    } else {
      const auto decision = static_cast<size_t>(DecisionOf(rows, i));
      probability[i] = rows.score[i * static_cast<size_t>(rows.classes) + decision];
      outcome[i] = static_cast<int32_t>(decision) == rows.label[i] ? 1.0 : 0.0;
    }
  }
  std::vector<size_t> bin(n);
  const auto count = static_cast<size_t>(bins);
  if (equal_counts) {
    // The first n mod bins parts hold one row more (numpy's array_split).
    std::vector<double> falling(n);
    for (size_t i = 0; i < n; ++i) falling[i] = -probability[i];
    const std::vector<uint32_t> order = RankByScore(falling);
    const size_t size = n / count, larger = n % count;
    size_t next = 0;
    for (size_t b = 0; b < count; ++b) {
      for (size_t j = 0; j < size + (b < larger ? 1 : 0); ++j) bin[order[next++]] = b;
    }
  } else {
    for (size_t i = 0; i < n; ++i) {
      const double p = std::clamp(probability[i], 0.0, 1.0);
      bin[i] = std::min(static_cast<size_t>(p * bins), count - 1);
    }
  }
  std::vector<CompensatedSum> gaps(count);
  for (size_t i = 0; i < n; ++i) gaps[bin[i]].Add(Weight(rows, i) * (outcome[i] - probability[i]));
  CompensatedSum error;
  for (const CompensatedSum& gap : gaps) error.Add(std::fabs(gap.Value()));
  return Defined(error.Value() / TotalWeight(rows));
}

}  // namespace headrace::evaluate
