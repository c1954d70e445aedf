#pragma once
// Grows Arrow arrays from DuckDB's vectors or from single values. Internal to src/data.
#include <memory>
#include <vector>

#include "data/arrow_abi.h"
#include "data/vector_view.h"

namespace headrace::data::internal {

/// One column (and its children) in the making, in the layout that Batch documents.
class ArrowBuilder {
 public:
  explicit ArrowBuilder(const TypePlan& plan);

  /// Rows [from, from + count) of a vector of the same plan.
  void Append(const VectorView& view, idx_t from, idx_t count);

  // Single values; the type must fit.
  void AppendNull();
  void AppendBytes(const void* value, size_t width);  ///< fixed size
  void AppendBool(bool value);
  void AppendText(std::string_view value);

  int64_t rows() const { return rows_; }
  int64_t bytes() const;
  /// The rows so far; the builder is empty afterwards.
  ArrowArray Finish();

 private:
  void AppendValidity(const VectorView& view, idx_t from, idx_t count);
  void PushValid(bool valid);
  void AppendDecimals(const VectorView& view, idx_t from, idx_t count);
  void AppendLists(const VectorView& view, idx_t from, idx_t count);

  const TypePlan* plan_;
  int64_t rows_ = 0, nulls_ = 0;
  std::vector<uint8_t> validity_;  // empty until the first NULL
  std::vector<uint8_t> data_;
  std::vector<int32_t> offsets_;  // texts, lists: rows_ + 1
  std::vector<ArrowBuilder> children_;
};

/// Puts columns together to a batch.
Batch MakeBatch(std::vector<ArrowArray> columns, int64_t rows);

}  // namespace headrace::data::internal
