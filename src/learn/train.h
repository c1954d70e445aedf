#pragma once
// Training of a model node: rows in, a package ready to write out. Deterministic from its rows,
// seed and budget (in trials) on, whatever the thread count.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"
#include "data/arrow_abi.h"
#include "evaluate/gate.h"
#include "learn/finding.h"
#include "learn/model_spec.h"
#include "model/package.h"

namespace headrace::sql {
class SqlParser;
}

namespace headrace::learn {

/// Called from the calling thread after every trial.
struct TrainProgress {
  std::string stage;  ///< "read", "search", "evaluate", "refit"
  int64_t done = 0, total = 0;
  std::string note;  ///< e.g. "lightgbm_3: roc_auc 0.8471"
};

struct TrainRequest {
  ModelSpec spec;
  /// Every column of the input. Read once; ExpectedRows saves memory.
  std::unique_ptr<data::BatchReader> rows;
  /// The last column of `rows` says how to order them (data::ReadOptions::with_order); else they
  /// are taken as they come, and the model depends on that.
  bool with_order = false;
  int threads = 1;
  Budget* budget = nullptr;  ///< memory is reserved here while Train holds the rows; may be null
  CancelToken cancel;
  std::function<void(const TrainProgress&)> progress;  ///< may be empty
  const model::Package* champion = nullptr;            ///< gates compare with it; may be null
  const model::Package* best = nullptr;  ///< best version ever promoted (ratchet); may be null
  const Clock* clock = nullptr;          ///< needed for budget {minutes} only
  std::string runtime;                   ///< folder of the learners' libraries; "" = search
};

/// One line of the leaderboard, best first; the baseline is always there.
struct LeaderboardRow {
  std::string name;           ///< e.g. "lightgbm_2", "ensemble"
  std::string learner;        ///< lightgbm | linear | baseline | ensemble
  std::string config = "{}";  ///< JSON
  double score = 0;           ///< out-of-fold value of the metric
  double weight = 0;          ///< in the ensemble
  std::string note;           ///< e.g. why it was removed
};

/// The rows that gave the numbers: what the model said of them without having seen them. One entry
/// per row in every vector, `outputs` in margins.
struct TestRows {
  std::vector<uint64_t> ids;
  std::vector<int64_t> input_rows;  ///< position in the input stream
  std::vector<int32_t> folds;       ///< -1 = test set
  std::vector<double> truth;        ///< class index or value
  std::vector<double> weights;      ///< 1 without a weight column
  std::vector<double> margins;      ///< calibrated
  int outputs = 1;
};

struct TrainOutcome {
  model::Package package;  ///< ready to write; version, fingerprints, created are the caller's
  std::vector<LeaderboardRow> leaderboard;
  evaluate::GateResult gate;  ///< verdict of all gates and one line per gate and slice
  bool refused() const { return gate.verdict != evaluate::Verdict::kPass; }
  std::string summary;  ///< e.g. "roc_auc 0.847 [0.836, 0.858], baseline 0.5"
  std::map<std::string, model::MetricValue> baseline;  ///< metrics of the baseline, same rows
  std::map<std::string, model::MetricValue> champion;  ///< of the champion re-scored, same rows
  std::map<std::string, model::MetricValue> seen_groups, new_groups;  ///< time + group: apart
  evaluate::ConfusionMatrix confusion;  ///< classification: of the judged rows; else no cells
  std::vector<Finding> findings;
  TestRows test_rows;
  int64_t rows = 0;  ///< read
  int64_t rows_without_target = 0;
  int64_t trials = 0;  ///< done; replaying with {trials: n} gives the same content
};

/// Errors (blame user or data): unknown target, constant target, text target for regression, too
/// few rows, no feature left …; blame system: learner library missing, memory. Blocking; one call
/// uses up to `threads` threads. A refused candidate is not an error: see TrainOutcome::refused.
Result<TrainOutcome> Train(TrainRequest request);

/// Problems of a spec that need no rows: unknown task, metric, learner, option or gate. All of
/// them. `parser` (for gates) may be null.
std::vector<Error> CheckSpec(const ModelSpec& spec, sql::SqlParser* parser = nullptr);

}  // namespace headrace::learn
