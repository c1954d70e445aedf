#include "data/batch.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "data/arrow_builder.h"

namespace headrace::data {

ColumnView::ColumnView(const Batch& batch, const Schema& schema, int column)
    : array_(&batch.column(column)) {
  const void* const* buffers = array_->buffers;
  if (array_->null_count != 0) valid_ = static_cast<const uint8_t*>(buffers[0]);
  Result<TypeTree> parsed = ParseType(schema.columns[static_cast<size_t>(column)].type);
  if (!parsed.ok()) return;
  type_class_ = parsed->type_class;
  internal::TypePlan plan = internal::MakePlan(*parsed);
  using internal::Kind;
  switch (plan.kind) {
    case Kind::kBool:
      physical_ = Physical::kBit;
      break;
    case Kind::kFloat:
      physical_ = Physical::kF32;
      break;
    case Kind::kDouble:
      physical_ = Physical::kF64;
      break;
    case Kind::kDecimal:
      physical_ = Physical::kDecimal;
      scale_ = std::pow(10.0, parsed->scale);
      break;
    case Kind::kUuid:
    case Kind::kText:
      physical_ = Physical::kText;
      break;
    case Kind::kFixed: {
      static constexpr Physical kSigned[] = {Physical::kI8, Physical::kI16, Physical::kI32,
                                             Physical::kI64};
      static constexpr Physical kUnsigned[] = {Physical::kU8, Physical::kU16, Physical::kU32,
                                               Physical::kU64};
      int index = plan.width == 1 ? 0 : plan.width == 2 ? 1 : plan.width == 4 ? 2 : 3;
      physical_ = plan.is_signed ? kSigned[index] : kUnsigned[index];
      if (parsed->name == "TIMESTAMP_NS") physical_ = Physical::kNanos;
      break;
    }
    default:
      return;
  }
  if (physical_ == Physical::kText) {
    offsets_ = static_cast<const int32_t*>(buffers[1]);
    data_ = static_cast<const uint8_t*>(buffers[2]);
  } else {
    data_ = static_cast<const uint8_t*>(buffers[1]);
  }
}

int64_t ColumnView::AsInt64(int64_t row) const {
  auto get = [&](auto type) {
    decltype(type) value;
    std::memcpy(&value, data_ + static_cast<size_t>(row) * sizeof value, sizeof value);
    return static_cast<int64_t>(value);
  };
  switch (physical_) {
    case Physical::kBit:
      return (data_[row >> 3] >> (row & 7)) & 1;
    case Physical::kI8:
      return get(int8_t{});
    case Physical::kI16:
      return get(int16_t{});
    case Physical::kI32:
      return get(int32_t{});
    case Physical::kI64:
      return get(int64_t{});
    case Physical::kU8:
      return get(uint8_t{});
    case Physical::kU16:
      return get(uint16_t{});
    case Physical::kU32:
      return get(uint32_t{});
    case Physical::kU64:
      return get(uint64_t{});
    case Physical::kNanos: {
      int64_t nanos = get(int64_t{});
      return nanos / 1000 - (nanos % 1000 < 0 ? 1 : 0);
    }
    default:
      return 0;
  }
}

double ColumnView::AsDouble(int64_t row) const {
  const uint8_t* at = data_;
  switch (physical_) {
    case Physical::kF64: {
      double value;
      std::memcpy(&value, at + static_cast<size_t>(row) * 8, 8);
      return value;
    }
    case Physical::kF32: {
      float value;
      std::memcpy(&value, at + static_cast<size_t>(row) * 4, 4);
      return value;
    }
    case Physical::kDecimal: {
      __int128 value;
      std::memcpy(&value, at + static_cast<size_t>(row) * 16, 16);
      return static_cast<double>(value) / scale_;
    }
    case Physical::kU64: {
      uint64_t value;
      std::memcpy(&value, at + static_cast<size_t>(row) * 8, 8);
      return static_cast<double>(value);
    }
    default:
      return static_cast<double>(AsInt64(row));
  }
}

std::string_view ColumnView::AsText(int64_t row) const {
  if (physical_ != Physical::kText) return {};
  auto start = static_cast<size_t>(offsets_[row]);
  return {reinterpret_cast<const char*>(data_) + start,
          static_cast<size_t>(offsets_[row + 1]) - start};
}

struct BatchBuilder::State {
  Schema schema;
  std::vector<internal::TypePlan> plans;
  std::vector<internal::ArrowBuilder> builders;
  size_t column = 0;
  int64_t rows = 0;

  internal::ArrowBuilder& Next() {
    internal::ArrowBuilder& out = builders[column];
    if (++column == builders.size()) {
      column = 0;
      ++rows;
    }
    return out;
  }
};

BatchBuilder::BatchBuilder(std::unique_ptr<State> state) : state_(std::move(state)) {}
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;
BatchBuilder& BatchBuilder::operator=(BatchBuilder&&) noexcept = default;
BatchBuilder::~BatchBuilder() = default;

Result<BatchBuilder> BatchBuilder::Make(Schema schema) {
  static constexpr std::string_view kTypes[] = {"BOOLEAN",
                                                "SMALLINT",
                                                "INTEGER",
                                                "BIGINT",
                                                "FLOAT",
                                                "DOUBLE",
                                                "DECIMAL",
                                                "VARCHAR",
                                                "BLOB",
                                                "DATE",
                                                "TIME",
                                                "TIMESTAMP",
                                                "TIMESTAMP WITH TIME ZONE"};
  auto state = std::make_unique<State>();
  for (const Column& column : schema.columns) {
    HR_ASSIGN(TypeTree type, ParseType(column.type));
    bool known = false;
    for (std::string_view name : kTypes) known = known || type.name == name;
    if (!known) {
      return UserError("bad_type", fmt::format("column '{}': {} can't be built row by row",
                                               column.name, column.type));
    }
    state->plans.push_back(internal::MakePlan(type));
  }
  for (const internal::TypePlan& plan : state->plans) state->builders.emplace_back(plan);
  state->schema = std::move(schema);
  return BatchBuilder(std::move(state));
}

const Schema& BatchBuilder::schema() const { return state_->schema; }

void BatchBuilder::AppendNull() { state_->Next().AppendNull(); }

void BatchBuilder::AppendInt64(int64_t value) {
  const internal::TypePlan& plan = state_->plans[state_->column];
  internal::ArrowBuilder& builder = state_->Next();
  if (plan.kind == internal::Kind::kBool) {
    builder.AppendBool(value != 0);
  } else if (plan.kind == internal::Kind::kDouble) {
    auto real = static_cast<double>(value);
    builder.AppendBytes(&real, 8);
  } else if (plan.width == 4) {
    auto narrow = static_cast<int32_t>(value);
    builder.AppendBytes(&narrow, 4);
  } else if (plan.width == 2) {
    auto narrow = static_cast<int16_t>(value);
    builder.AppendBytes(&narrow, 2);
  } else {
    builder.AppendBytes(&value, 8);
  }
}

void BatchBuilder::AppendFloat(float value) { state_->Next().AppendBytes(&value, 4); }

void BatchBuilder::AppendDouble(double value) { state_->Next().AppendBytes(&value, 8); }

void BatchBuilder::AppendDecimal(__int128 value) { state_->Next().AppendBytes(&value, 16); }

void BatchBuilder::AppendText(std::string_view value) { state_->Next().AppendText(value); }

int64_t BatchBuilder::rows() const { return state_->rows; }

int64_t BatchBuilder::bytes() const {
  int64_t total = 0;
  for (const internal::ArrowBuilder& builder : state_->builders) total += builder.bytes();
  return total;
}

Batch BatchBuilder::Finish() {
  std::vector<ArrowArray> columns;
  for (internal::ArrowBuilder& builder : state_->builders) columns.push_back(builder.Finish());
  int64_t rows = state_->rows;
  state_->rows = 0;
  return internal::MakeBatch(std::move(columns), rows);
}

namespace {

class MemoryReader : public BatchReader {
 public:
  MemoryReader(Schema schema, std::vector<Batch> batches)
      : schema_(std::move(schema)), batches_(std::move(batches)) {}
  const Schema& schema() const override { return schema_; }
  Result<std::optional<Batch>> Next() override {
    while (next_ < batches_.size()) {
      Batch batch = std::move(batches_[next_++]);
      if (batch.rows() > 0) return std::optional<Batch>(std::move(batch));
    }
    return std::optional<Batch>();
  }

 private:
  Schema schema_;
  std::vector<Batch> batches_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<BatchReader> ReadBatches(Schema schema, std::vector<Batch> batches) {
  return std::make_unique<MemoryReader>(std::move(schema), std::move(batches));
}

}  // namespace headrace::data
