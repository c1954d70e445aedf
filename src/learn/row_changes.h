#pragma once
// How far the rows have gone since a version learned from them: `retrain: {rows: 10%}`.
#include "learn/frame.h"

namespace headrace::learn {

struct RowChanges {
  int64_t rows = 0;     ///< with a target
  int64_t added = 0;    ///< keys the version has not seen
  int64_t changed = 0;  ///< keys whose features or target differ from then
  int64_t trained = 0;  ///< rows the version knew
  int64_t moved() const { return added + changed; }
};

/// Reads all rows once. Rows of one key count once. Errors as ReadFrame.
Result<RowChanges> CountChanges(data::BatchReader& rows, const FrameOptions& options,
                                const model::SeenRows& seen);

}  // namespace headrace::learn
