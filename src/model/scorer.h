#pragma once
// The one scorer: batch, REST, stream and Spark call it, so the scores are equal bit for bit.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/arrow_abi.h"
#include "model/package.h"

namespace headrace::model {

/// Scores of a batch.
struct ScoreBlock {
  int64_t rows = 0;
  int outputs = 0;
  std::vector<double>
      margins;  ///< calibrated; rows × outputs (binary: log-odds; regression: value)
  std::vector<int32_t> classes;  ///< predicted class per row; empty for regression
  std::vector<double>
      probabilities;  ///< binary: one per row (positive); multiclass: rows × outputs
};

/// Const after Make; any number of threads may score at once.
class Scorer {
 public:
  /// Builds the runtime of every member; errors "damaged_model".
  static Result<std::shared_ptr<const Scorer>> Make(Package package);
  ~Scorer();

  /// The package without the members' texts and the seen rows.
  const Package& package() const;
  /// prediction (BOOLEAN, an integer type or VARCHAR as the target; DOUBLE for regression),
  /// probability | probability_<class>…, model_version (BIGINT).
  const data::Schema& output_schema() const;

  /// Errors "missing_columns", "wrong_type", for all columns at once.
  Status CheckInput(const data::Schema& schema) const;

  /// Scores a batch. The result does not depend on `threads` or on how rows are batched.
  Result<ScoreBlock> ScoreBatch(const data::Schema& schema, const data::Batch& batch,
                                int threads = 1) const;
  /// Scores rows that are already encoded (row-major, encoder width).
  ScoreBlock ScoreRows(const double* rows, int64_t count, int threads = 1) const;
  /// Predicted class and probabilities from calibrated margins.
  ScoreBlock FromMargins(std::vector<double> margins, int64_t rows) const;

  /// A block as columns of output_schema(), in the order of the rows.
  data::Batch ToBatch(const ScoreBlock& block) const;

 private:
  Scorer();
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace headrace::model
