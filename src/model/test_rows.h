#pragma once
// Small tables for tests, without DuckDB.
#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "data/batch.h"

namespace headrace::model {

/// One cell: NULL, a number of BIGINT, BOOLEAN, DATE (days) or TIMESTAMP (µs), a DOUBLE, a text.
using TestCell = std::variant<std::nullptr_t, int64_t, double, std::string>;

/// Rows of the types that data::BatchBuilder takes. For tests only: bad types abort.
class TestRows {
 public:
  /// Names and types.
  explicit TestRows(std::vector<data::Column> columns);
  TestRows& Add(std::vector<TestCell> row);

  const data::Schema& schema() const { return schema_; }
  size_t size() const { return rows_.size(); }
  /// Rows [first, first + count).
  data::Batch MakeBatch(size_t first, size_t count) const;
  data::Batch MakeBatch() const { return MakeBatch(0, rows_.size()); }
  /// All rows in batches of `batch_rows`.
  std::unique_ptr<data::BatchReader> Reader(size_t batch_rows = 100) const;

 private:
  data::Schema schema_;
  std::vector<std::vector<TestCell>> rows_;
};

}  // namespace headrace::model
