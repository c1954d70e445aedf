#pragma once
// Two versions of a model on the same rows: `model compare`.
#include <string>
#include <vector>

#include "base/cancel.h"
#include "data/arrow_abi.h"
#include "learn/model_spec.h"
#include "model/package.h"

namespace headrace::learn {

struct ComparedMetric {
  std::string name;
  bool higher_is_better = true;
  double a = 0, b = 0;
  double difference = 0, low = 0, high = 0;  ///< b − a, 95 % bounds (paired bootstrap)
};

struct VersionComparison {
  int64_t rows = 0;  ///< that both versions have an honest score for
  int64_t rows_labelled = 0;
  std::string metric;  ///< the model's main one; first of the list
  std::vector<ComparedMetric> metrics;
  /// "better", "worse" (b against a in the main metric, interval beyond 0) or "no clear
  /// difference".
  std::string verdict;
};

/// Rows neither version learned from are scored now; others enter by the stored out-of-fold scores,
/// if they are unchanged. Error "not_comparable" when no row is left.
Result<VersionComparison> CompareVersions(data::BatchReader& rows, const ModelSpec& spec,
                                          const model::Package& a, const model::Package& b,
                                          int threads, const CancelToken& cancel);

}  // namespace headrace::learn
