#pragma once
// The one scorer: batch, REST, stream and Spark call it, so the scores are equal bit for bit.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/package.h"

struct ArrowSchema;
struct ArrowArray;

namespace headrace::model {

/// A column that predictions have.
struct OutputColumn {
  std::string name;  ///< prediction, probability, probability_<class>, model_version
  std::string type;  ///< DuckDB type
};

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
  std::vector<OutputColumn> outputs() const;

  /// Errors "missing_columns", "wrong_type", for all columns at once.
  Status CheckInput(const ArrowSchema& schema) const;

  /// Scores a struct batch. The result does not depend on `threads` or on how rows are batched.
  Result<ScoreBlock> ScoreBatch(const ArrowSchema& schema, const ArrowArray& batch,
                                int threads = 1) const;
  /// Scores rows that are already encoded (row-major, encoder width).
  ScoreBlock ScoreRows(const double* rows, int64_t count, int threads = 1) const;
  /// Predicted class and probabilities from calibrated margins.
  ScoreBlock FromMargins(std::vector<double> margins, int64_t rows) const;

  /// Like ScoreBatch, but gives an Arrow struct batch with the columns of outputs(). The caller
  /// releases both.
  Status ScoreToArrow(const ArrowSchema& schema, const ArrowArray& batch, int threads,
                      ArrowSchema* out_schema, ArrowArray* out) const;

 private:
  Scorer();
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace headrace::model
