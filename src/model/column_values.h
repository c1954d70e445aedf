#pragma once
// How one cell becomes a number, a text or a part of a date. Training and scoring read columns
// through these functions only.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/batch.h"
#include "model/encoder.h"

namespace headrace::model {

/// Numbers beyond this (infinities too) become ±kLargest: LightGBM and sums stay finite.
constexpr double kLargest = 1e300;

/// One column of a batch; valid as long as the batch lives.
class ColumnValues {
 public:
  ColumnValues(const data::Batch& batch, const data::Schema& schema, int column);

  InputClass input_class() const { return class_; }
  bool IsNull(int64_t row) const { return view_.IsNull(row); }

  /// Rows [first, first + count) as numbers to out[0], out[stride] …; NULL and NaN as NaN, booleans
  /// as 0/1, text parsed (blank or no number = NaN), dates as days, others as microseconds.
  void Numbers(int64_t first, int64_t count, double* out, int64_t stride) const;
  /// The text of a cell that is not NULL: numbers in their shortest form, booleans as true/false,
  /// dates as ISO text. `buffer` keeps the bytes unless the column is text.
  std::string_view Text(int64_t row, std::string* buffer) const;
  /// A part of a date, timestamp, time or of a text that reads as one; NaN when it can't be read.
  double Part(int64_t row, DatePart part) const;
  /// 64 bits of a cell for row hashes; equal numbers of different types hash alike.
  uint64_t Hash(int64_t row) const;

 private:
  template <class T>
  void Copy(int64_t first, int64_t count, double* out, int64_t stride) const;

  data::ColumnView view_;
  const ArrowArray* array_;
  InputClass class_;
  data::TypeClass type_class_;
  char layout_ = 0;  // f d i l: FLOAT, DOUBLE, INTEGER, BIGINT; 0: read value by value
};

/// A number written as text, with blanks around; nullopt when it is none.
std::optional<double> ParseNumber(std::string_view text);
/// Finite (NaN stays) and no −0.
inline double CleanNumber(double value) {
  if (value > kLargest) return kLargest;
  if (value < -kLargest) return -kLargest;
  return value == 0 ? 0.0 : value;
}
/// Parts of a day count since 1970-01-01 and microseconds within the day.
double PartOf(int64_t day, int64_t micros, DatePart part);

}  // namespace headrace::model
