#pragma once
// The candidates of one training and their out-of-fold scores.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "evaluate/metrics.h"
#include "learn/learner.h"
#include "learn/model_spec.h"

namespace headrace::learn {

/// One configuration in the race. Margins are those of OutOfFold::rows.
struct Candidate {
  std::string name;  ///< e.g. "lightgbm_2"
  Learner* learner = nullptr;
  Config config;
  std::unique_ptr<Trial> trial;
  std::vector<double> margins;  ///< rows × outputs; empty before it ran, or when folds were not run
  double score = 0;             ///< the metric on these
  std::string note;             ///< why it was removed; "" = it takes part
};

/// Rows that are in some fold's validation part, ascending.
struct OutOfFold {
  std::vector<uint32_t> rows;
};
OutOfFold OutOfFoldRows(const std::vector<evaluate::Fold>& folds);

/// Everything a search needs to make candidates.
struct Race {
  std::vector<std::unique_ptr<Learner>> learners;
  std::vector<Candidate> candidates;  ///< the baseline is first
  int64_t trials = 0;                 ///< candidates without the baseline
};

/// Learners, their fixed options and the configurations to try, in the order in which they run:
/// the portfolio first, then random draws up to the budget. Errors: unknown learner or option.
Result<Race> PlanRace(const ModelSpec& spec, model::Task task, int64_t rows, int outputs);

struct SearchOptions {
  const TrainingSet* set = nullptr;
  const evaluate::Metric* metric = nullptr;
  const Clock* clock = nullptr;  ///< with `minutes`
  std::optional<double> minutes;
  std::function<void(int64_t done, int64_t total, const std::string& note)> progress;
};

/// Fits and scores the folds of every candidate: each fold is one task on one thread, results are
/// taken in order. With minutes it stops after the trial that crosses the limit; candidates that
/// did not run are dropped. A candidate whose scores explode is marked by a note.
Status RunSearch(const SearchOptions& options, const OutOfFold& out_of_fold, Race* race);

}  // namespace headrace::learn
