#include "learn/ensemble.h"

#include <algorithm>
#include <map>

#include "base/thread_pool.h"
#include "evaluate/calibration.h"
#include "learn/score_view.h"

namespace headrace::learn {
namespace {

constexpr int kSteps = 25;
constexpr size_t kPool = 12;            ///< candidates considered, best first
constexpr size_t kMostCells = 100'000;  ///< rows × outputs that choose; more change nothing

/// Every n-th row with its margins.
struct Sample {
  std::vector<uint32_t> rows;
  std::vector<size_t> at;  ///< positions in the out-of-fold rows
};

Sample Take(const OutOfFold& out_of_fold, size_t outputs) {
  Sample out;
  const size_t n = out_of_fold.rows.size();
  const size_t most = std::max<size_t>(1000, kMostCells / outputs);
  const size_t stride = n <= most ? 1 : (n + most - 1) / most;
  for (size_t i = 0; i < n; i += stride) {
    out.at.push_back(i);
    out.rows.push_back(out_of_fold.rows[i]);
  }
  return out;
}

std::vector<double> Pick(const std::vector<double>& margins, const Sample& sample, size_t outputs) {
  std::vector<double> out;
  out.reserve(sample.at.size() * outputs);
  for (const size_t at : sample.at) {
    for (size_t k = 0; k < outputs; ++k) out.push_back(margins[at * outputs + k]);
  }
  return out;
}

}  // namespace

Result<Ensemble> SelectEnsemble(const Frame& frame, const OutOfFold& out_of_fold,
                                const std::vector<Candidate>& candidates,
                                const evaluate::Metric& metric, int threads,
                                const CancelToken& cancel) {
  const auto outputs = static_cast<size_t>(frame.outputs());
  std::vector<size_t> pool;
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (candidates[i].note.empty()) pool.push_back(i);
  }
  if (pool.empty()) pool.push_back(0);
  std::stable_sort(pool.begin(), pool.end(), [&](size_t a, size_t b) {
    return metric.Better(candidates[a].score, candidates[b].score);
  });
  if (pool.size() > kPool) pool.resize(kPool);

  const Sample sample = Take(out_of_fold, outputs);
  std::vector<std::vector<double>> margins;
  for (const size_t i : pool) margins.push_back(Pick(candidates[i].margins, sample, outputs));
  std::vector<double> sum(sample.rows.size() * outputs, 0.0);
  std::vector<int> counts(pool.size(), 0), best_counts;
  double best_score = 0;
  for (int step = 1; step <= kSteps; ++step) {
    std::vector<double> scores(pool.size(), 0);
    const auto distinct = static_cast<size_t>(
        std::count_if(counts.begin(), counts.end(), [](int c) { return c > 0; }));
    const auto allowed = [&](size_t i) { return counts[i] > 0 || distinct < kMostParts; };
    HR_TRY(ParallelFor(threads, static_cast<int64_t>(pool.size()), cancel,
                       [&](int64_t task) -> Status {
                         const auto i = static_cast<size_t>(task);
                         if (!allowed(i)) return Ok();
                         std::vector<double> average(sum.size());
                         for (size_t j = 0; j < sum.size(); ++j) {
                           average[j] = (sum[j] + margins[i][j]) / step;
                         }
                         HR_ASSIGN(scores[i], ScoreMargins(frame, sample.rows, average, metric));
                         return Ok();
                       }));
    size_t chosen = pool.size();
    for (size_t i = 0; i < pool.size(); ++i) {
      if (!allowed(i)) continue;
      const bool better = chosen == pool.size() || metric.Better(scores[i], scores[chosen]) ||
                          (scores[i] == scores[chosen] && counts[i] > 0 && counts[chosen] == 0);
      if (better) chosen = i;
    }
    ++counts[chosen];
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += margins[chosen][j];
    if (step == 1 || metric.Better(scores[chosen], best_score)) {
      best_score = scores[chosen];
      best_counts = counts;
    }
    if (pool.size() == 1) break;
  }

  Ensemble out;
  int total = 0;
  for (const int count : best_counts) total += count;
  out.margins.assign(out_of_fold.rows.size() * outputs, 0.0);
  for (size_t i = 0; i < pool.size(); ++i) {
    if (best_counts[i] == 0) continue;
    out.parts.push_back({pool[i], static_cast<double>(best_counts[i]) / total});
    const std::vector<double>& from = candidates[pool[i]].margins;
    for (size_t j = 0; j < from.size(); ++j) out.margins[j] += out.parts.back().weight * from[j];
  }
  HR_ASSIGN(out.score, ScoreMargins(frame, out_of_fold.rows, out.margins, metric));
  return out;
}

model::Calibration NoCalibration(int outputs) {
  return {1, std::vector<double>(static_cast<size_t>(outputs), 0.0)};
}

Result<model::Calibration> FitCalibration(const Frame& frame, const OutOfFold& out_of_fold,
                                          const std::vector<double>& margins) {
  model::Calibration out = NoCalibration(frame.outputs());
  if (frame.task == model::Task::kRegression || out_of_fold.rows.empty()) return out;
  std::vector<int32_t> label;
  std::vector<double> weight;
  for (const uint32_t row : out_of_fold.rows) {
    label.push_back(frame.label[row]);
    if (!frame.weight.empty()) weight.push_back(frame.weight[row]);
  }
  if (frame.task == model::Task::kBinary) {
    const auto fit = evaluate::FitAffine(label, margins, weight);
    // Scores that rank backwards or say nothing are left as they are: turning them would hide it.
    if (!fit.ok() || !(fit->slope > 0)) return out;
    out.scale = fit->slope;
    out.offsets[0] = fit->intercept;
    return out;
  }
  HR_ASSIGN(const auto fit, evaluate::FitTemperature(label, frame.outputs(), margins, weight));
  out.scale = 1 / fit.temperature;
  return out;
}

void Calibrate(const model::Calibration& calibration, std::vector<double>* margins) {
  const size_t outputs = calibration.offsets.size();
  for (size_t i = 0; i < margins->size(); ++i) {
    (*margins)[i] = calibration.scale * (*margins)[i] + calibration.offsets[i % outputs];
  }
}

}  // namespace headrace::learn
