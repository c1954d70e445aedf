#pragma once
// Reading and building batches of the plain types, value by value.
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "data/arrow_abi.h"

namespace headrace::data {

/// Reads one column of a batch. Cheap to make; valid as long as the batch lives. The As… calls
/// assume that the row is not NULL.
class ColumnView {
 public:
  ColumnView() = default;
  ColumnView(const Batch& batch, const Schema& schema, int column);

  TypeClass type_class() const { return type_class_; }
  int64_t rows() const { return array_->length; }
  bool IsNull(int64_t row) const {
    return valid_ != nullptr && ((valid_[row >> 3] >> (row & 7)) & 1) == 0;
  }
  /// Booleans as 0/1, integers, decimals as the nearest double, dates as days, times, timestamps as
  /// microseconds.
  double AsDouble(int64_t row) const;
  /// Booleans, integers, dates (days), times and timestamps (microseconds); 0 for other types.
  /// UBIGINT above 2^63 wraps.
  int64_t AsInt64(int64_t row) const;
  /// VARCHAR, BLOB and UUID; "" for other types.
  std::string_view AsText(int64_t row) const;

 private:
  enum class Physical : uint8_t {
    kNone,
    kBit,
    kI8,
    kI16,
    kI32,
    kI64,
    kU8,
    kU16,
    kU32,
    kU64,
    kF32,
    kF64,
    kDecimal,
    kText,
    kNanos
  };
  const ArrowArray* array_ = nullptr;
  const uint8_t* valid_ = nullptr;
  const uint8_t* data_ = nullptr;
  const int32_t* offsets_ = nullptr;
  double scale_ = 1;
  TypeClass type_class_ = TypeClass::kOther;
  Physical physical_ = Physical::kNone;
};

/// Builds batches row by row for sources that have no columns of their own (SQLite …). Types:
/// BOOLEAN, SMALLINT, INTEGER, BIGINT, FLOAT, DOUBLE, DECIMAL, VARCHAR, BLOB, DATE (days), TIME and
/// TIMESTAMP [WITH TIME ZONE] (µs). Values come in the order of the columns, one Append per column
/// and row. Not thread-safe.
class BatchBuilder {
 public:
  /// Error "bad_type" for another type.
  static Result<BatchBuilder> Make(Schema schema);
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) noexcept;
  ~BatchBuilder();

  const Schema& schema() const;
  void AppendNull();
  /// Integers (that fit), DATE, TIME, TIMESTAMP; also BOOLEAN (≠ 0) and DOUBLE.
  void AppendInt64(int64_t value);
  void AppendFloat(float value);    ///< FLOAT only
  void AppendDouble(double value);  ///< DOUBLE only
  /// DECIMAL only: value × 10^scale.
  void AppendDecimal(__int128 value);
  void AppendText(std::string_view value);  ///< VARCHAR and BLOB; VARCHAR must be UTF-8
  int64_t rows() const;                     ///< complete rows so far
  int64_t bytes() const;                    ///< memory held
  /// The rows so far as a batch; the builder is empty afterwards.
  Batch Finish();

 private:
  struct State;
  explicit BatchBuilder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A reader over batches in memory; for tests and small inputs.
std::unique_ptr<BatchReader> ReadBatches(Schema schema, std::vector<Batch> batches);

}  // namespace headrace::data
