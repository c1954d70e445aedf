#include "model/test_rows.h"

#include <algorithm>
#include <cstdlib>

namespace headrace::model {

TestRows::TestRows(std::vector<data::Column> columns) { schema_.columns = std::move(columns); }

TestRows& TestRows::Add(std::vector<TestCell> row) {
  if (row.size() != schema_.size()) std::abort();
  rows_.push_back(std::move(row));
  return *this;
}

data::Batch TestRows::MakeBatch(size_t first, size_t count) const {
  auto builder = data::BatchBuilder::Make(schema_);
  if (!builder.ok()) std::abort();
  for (size_t r = first; r < first + count; ++r) {
    for (const TestCell& cell : rows_[r]) {
      switch (cell.index()) {
        case 1:
          builder->AppendInt64(std::get<int64_t>(cell));
          break;
        case 2:
          builder->AppendDouble(std::get<double>(cell));
          break;
        case 3:
          builder->AppendText(std::get<std::string>(cell));
          break;
        default:
          builder->AppendNull();
      }
    }
  }
  return builder->Finish();
}

std::unique_ptr<data::BatchReader> TestRows::Reader(size_t batch_rows) const {
  std::vector<data::Batch> batches;
  for (size_t first = 0; first < rows_.size(); first += batch_rows) {
    batches.push_back(MakeBatch(first, std::min(batch_rows, rows_.size() - first)));
  }
  return data::ReadBatches(schema_, std::move(batches));
}

}  // namespace headrace::model
