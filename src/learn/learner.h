#pragma once
// What the search knows of a learner. A trial is one configuration; its folds are fitted one per
// task on one thread each, so the number of threads can't change a result.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "evaluate/split.h"
#include "learn/frame.h"

namespace headrace::learn {

/// What all trials of a training share. Outlives them.
struct TrainingSet {
  const Frame* frame = nullptr;
  std::vector<evaluate::Fold> folds;
  uint64_t seed = 0;
  int threads = 1;  ///< for work outside of folds
  std::string runtime;
  CancelToken cancel;
};

/// Values of a configuration: numbers by name (flags are 0/1).
using Config = std::map<std::string, double>;
std::string ConfigText(const Config& config);  ///< JSON object

/// One configuration. FitFold and ScoreFold may run at the same time for different folds; the other
/// calls are made alone. Order: FitFold of all folds, Choose, ScoreFold.
class Trial {
 public:
  virtual ~Trial() = default;
  /// False: nothing is chosen by folds, FitRows can be called at once.
  virtual bool needs_folds() const = 0;
  virtual Status FitFold(size_t fold) = 0;
  /// Fixes what is chosen by all folds together (rounds, penalty).
  virtual Status Choose() = 0;
  /// margins[i * outputs + k] of the fold's validation rows, in their order.
  virtual Status ScoreFold(size_t fold, double* margins) = 0;
  /// The configuration with all that was chosen: enough to repeat it.
  virtual Config chosen() const = 0;
  /// Trains the chosen configuration on these rows (ascending) and returns the member's text.
  virtual Result<std::string> FitRows(std::span<const uint32_t> rows, int threads) = 0;
};

/// One parameter of a learner, for options and for the random search.
struct Parameter {
  std::string_view name;
  double low, high;
  bool whole;  ///< whole numbers only (flags: 0 and 1)
  std::string_view doc;
  /// The random search draws from [search_low, search_high]; equal: it isn't searched.
  double search_low = 0, search_high = 0;
  bool log_scale = false;
};

/// Checks an options object against the parameters. Errors (user): "bad_options",
/// "unknown_option" with candidates, "out_of_range".
Result<Config> ParseOptions(std::string_view learner, std::span<const Parameter> parameters,
                            const std::string& options);

/// Values for every searched parameter that `fixed` leaves open, a function of seed and number.
Config DrawConfig(std::span<const Parameter> parameters, const Config& fixed, uint64_t seed,
                  int64_t number);

class Learner {
 public:
  virtual ~Learner() = default;
  virtual std::string_view name() const = 0;
  virtual std::span<const Parameter> parameters() const = 0;
  /// Rows it learns from at most; of more it takes an even sample.
  virtual int64_t most_rows() const { return INT64_MAX; }
  /// Configurations to try first, best bets first, for a task and a number of rows.
  virtual std::vector<Config> Portfolio(model::Task task, int64_t rows) const = 0;
  /// Prepares what its trials share. Called once, before Make.
  virtual Status Prepare(const TrainingSet& set, const Config& fixed) = 0;
  /// Makes the data of folds ready (needed by trials that need folds); called before FitFold.
  virtual Status PrepareFolds() = 0;
  virtual std::unique_ptr<Trial> Make(const Config& config) = 0;
};

/// Mean loss (log loss or squared error) of margins, weighted; for choices inside a learner. `rows`
/// are row numbers of the frame.
double MeanLoss(const Frame& frame, std::span<const uint32_t> rows, const double* margins);

/// Scores rows of the frame with a member's text, block by block.
Status ScoreMember(const Frame& frame, const std::string& kind, const std::string& text,
                   std::span<const uint32_t> rows, double* margins);

std::unique_ptr<Learner> MakeLightGbmLearner();
std::unique_ptr<Learner> MakeLinearLearner();
std::unique_ptr<Learner> MakeBaselineLearner();

}  // namespace headrace::learn
