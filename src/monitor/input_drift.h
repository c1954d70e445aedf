#pragma once
// Drift of a model's inputs: the rows of now against the profile that its package keeps of the rows
// it was trained on. One pass over the rows of now; none over those of then.
//
// The distance is the population stability index, the sum over bins of (p − q) ln(p / q), with
// shares p then and q now. Bins of a number are the tenths of its training values, of a category
// its 100 most frequent levels and one for all others; missing values are a bin. A bin that is
// empty on one side counts half a row there, or one absent level would make the index infinite.
//
// Between two draws from one distribution the index is not 0: times n·m / (n + m) it is distributed
// about like chi-square with bins − 1 degrees of freedom. Its mean and three deviations are `luck`,
// so that a column of few rows and many levels doesn't drift by itself. Dates and free text are not
// judged: time goes on, and words have no bins.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/arrow_abi.h"
#include "model/package.h"

namespace headrace::monitor {

struct StabilityIndex {
  double value = 0;
  double luck = 0;  ///< what equal distributions seldom exceed
};
/// Counts by bin; spans of equal size. Zero when one side has no rows.
StabilityIndex PopulationStability(std::span<const int64_t> then, std::span<const int64_t> now);

/// One input column of a model, judged.
struct ColumnDrift {
  std::string column;
  StabilityIndex index;
  /// Beyond the limit, and not by luck.
  bool Drifted(double limit) const { return index.value - index.luck >= limit; }
};

/// Counts rows into the bins of a package's profile. Not thread-safe.
class InputDrift {
 public:
  /// `package` must outlive it. Error "no_profile" when it keeps no bins (versions trained before
  /// there were any).
  static Result<InputDrift> Make(const model::Package& package);

  /// The columns that are read, in the signature's order.
  std::vector<std::string> Columns() const;
  /// Error "missing_column"/"wrong_type" as the model's signature says.
  Status Add(const data::Schema& schema, const data::Batch& batch);
  int64_t rows() const { return rows_; }
  /// The columns that can be judged, furthest from their profile first.
  std::vector<ColumnDrift> Judge() const;

 private:
  struct Bins {
    std::string column;
    size_t step = 0;
    bool levels = false;
    std::vector<double> edges;       ///< of numbers: a bin holds values up to its edge
    size_t codes = 0;                ///< of levels: codes below have a bin of their own
    std::vector<int64_t> then, now;  ///< …, others, missing
  };
  explicit InputDrift(const model::Package& package) : package_(&package) {}

  const model::Package* package_;
  std::vector<Bins> bins_;
  int64_t rows_ = 0;
};

}  // namespace headrace::monitor
