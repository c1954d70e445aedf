#pragma once
#include <vector>

#include "base/result.h"
#include "learn/search.h"

namespace headrace::learn {

/// A weighted average of candidates' margins.
struct Ensemble {
  struct Part {
    size_t candidate;
    double weight;
  };
  std::vector<Part> parts;      ///< weights sum to 1
  std::vector<double> margins;  ///< of the out-of-fold rows, before calibration
  double score = 0;             ///< the metric on them
};

/// Greedy selection with replacement (Caruana et al., "Ensemble selection from libraries of
/// models", ICML 2004): in each step the candidate is added that makes the average best; the best
/// of all averages on the way is kept. At most kMostParts different candidates, so that scoring
/// stays quick. Candidates with a note don't take part; the baseline does only when nothing else
/// can.
Result<Ensemble> SelectEnsemble(const Frame& frame, const OutOfFold& out_of_fold,
                                const std::vector<Candidate>& candidates,
                                const evaluate::Metric& metric, int threads,
                                const CancelToken& cancel);

constexpr size_t kMostParts = 5;

/// Affine calibration of the margins (binary: Platt; multiclass: temperature; regression: none).
Result<model::Calibration> FitCalibration(const Frame& frame, const OutOfFold& out_of_fold,
                                          const std::vector<double>& margins);
/// No change.
model::Calibration NoCalibration(int outputs);
void Calibrate(const model::Calibration& calibration, std::vector<double>* margins);

}  // namespace headrace::learn
