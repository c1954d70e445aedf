#pragma once
// Digest and profile of rows as they stream by. Internal to src/data.
#include <memory>
#include <mutex>
#include <vector>

#include "data/digest.h"
#include "data/profile.h"
#include "data/vector_view.h"

namespace headrace::data::internal {

/// Statistics of one column in the making: numbers in the column's own integers, unscaled.
struct ColumnStats {
  int64_t nulls = 0, nans = 0, finite = 0;
  DistinctSketch distinct;
  bool any = false;           ///< min and max are set
  __int128 min = 0, max = 0;  ///< integers, decimals, dates, times, booleans
  double min_double = 0, max_double = 0;
  std::string min_text, max_text;
  double sum = 0, mean = 0, m2 = 0;
  int64_t min_length = -1, max_length = -1;
};

/// Thread-safe: each call works on a partial state of its own; Finish adds them up.
class Observer {
 public:
  /// `schema`: of stored types only.
  explicit Observer(Schema schema);
  ~Observer();

  /// Rows of a chunk whose columns from `first` on are those of the schema.
  void Update(duckdb_data_chunk chunk, idx_t first);
  Digest digest() const;
  Profile profile() const;
  const Schema& schema() const { return schema_; }

 private:
  struct Partial;
  std::unique_ptr<Partial> Take();

  Schema schema_;
  std::vector<TypePlan> plans_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Partial>> partials_;
};

}  // namespace headrace::data::internal
