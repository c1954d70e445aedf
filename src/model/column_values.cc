#include "model/column_values.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/clock.h"
#include "base/hash.h"
#include "evaluate/random.h"

namespace headrace::model {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

char LayoutOf(std::string_view type) {
  if (type == "DOUBLE") return 'd';
  if (type == "FLOAT") return 'f';
  if (type == "INTEGER") return 'i';
  if (type == "BIGINT") return 'l';
  return 0;
}

struct Civil {
  int64_t year;
  int month, day;
};

/// Proleptic Gregorian date of a day count: eras of 400 years counted from 0000-03-01, so that the
/// leap day ends a year (H. Hinnant, "chrono-compatible low-level date algorithms").
Civil CivilOf(int64_t day) {
  const int64_t shifted = day + 719468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const int64_t of_era = shifted - era * 146097;
  const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const int64_t mp = (5 * of_year + 2) / 153;
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {year + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(of_year - (153 * mp + 2) / 5 + 1)};
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

std::optional<double> ParseNumber(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) return {};
  if (!std::isfinite(value)) return {};
  return CleanNumber(value);
}

double PartOf(int64_t day, int64_t micros, DatePart part) {
  switch (part) {
    case DatePart::kYear:
      return static_cast<double>(CivilOf(day).year);
    case DatePart::kMonth:
      return CivilOf(day).month;
    case DatePart::kDay:
      return CivilOf(day).day;
    case DatePart::kWeekday:  // 0 = Monday; day 0 was a Thursday
      return static_cast<double>(((day + 3) % 7 + 7) % 7);
    case DatePart::kHour:
      return static_cast<double>(micros / 3'600'000'000);
    case DatePart::kEpochDays:
      return static_cast<double>(day) +
             static_cast<double>(micros) / static_cast<double>(kMicrosPerDay);
    case DatePart::kSecondOfDay:
      return static_cast<double>(micros) / 1e6;
  }
  return kNan;
}

ColumnValues::ColumnValues(const data::Batch& batch, const data::Schema& schema, int column)
    : view_(batch, schema, column),
      array_(&batch.column(column)),
      class_(InputClassOf(schema.columns[static_cast<size_t>(column)].type)),
      type_class_(view_.type_class()),
      layout_(LayoutOf(schema.columns[static_cast<size_t>(column)].type)) {}

template <class T>
void ColumnValues::Copy(int64_t first, int64_t count, double* out, int64_t stride) const {
  const T* values = static_cast<const T*>(array_->buffers[1]) + array_->offset + first;
  for (int64_t i = 0; i < count; ++i) out[i * stride] = CleanNumber(static_cast<double>(values[i]));
  if (array_->buffers[0] == nullptr) return;
  for (int64_t i = 0; i < count; ++i) {
    if (view_.IsNull(first + i)) out[i * stride] = kNan;
  }
}

void ColumnValues::Numbers(int64_t first, int64_t count, double* out, int64_t stride) const {
  switch (layout_) {
    case 'd':
      return Copy<double>(first, count, out, stride);
    case 'f':
      return Copy<float>(first, count, out, stride);
    case 'i':
      return Copy<int32_t>(first, count, out, stride);
    case 'l':
      return Copy<int64_t>(first, count, out, stride);
    default:
      break;
  }
  for (int64_t i = 0; i < count; ++i) {
    double& to = out[i * stride];
    if (view_.IsNull(first + i)) {
      to = kNan;
    } else if (class_ == InputClass::kText) {
      to = ParseNumber(view_.AsText(first + i)).value_or(kNan);
    } else {
      to = CleanNumber(view_.AsDouble(first + i));
    }
  }
}

std::string_view ColumnValues::Text(int64_t row, std::string* buffer) const {
  switch (class_) {
    case InputClass::kText:
      return view_.AsText(row);
    case InputClass::kBoolean:
      return view_.AsInt64(row) != 0 ? "true" : "false";
    case InputClass::kDate: {
      const Civil date = CivilOf(view_.AsInt64(row));
      *buffer = fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
      return *buffer;
    }
    case InputClass::kTimestamp:
      *buffer = FormatTimestamp(view_.AsInt64(row));
      return *buffer;
    default:
      break;
  }
  if (type_class_ == data::TypeClass::kInteger || class_ == InputClass::kTime) {
    const double value = view_.AsDouble(row);
    // UBIGINT wraps as int64; beyond 2^53 the double's text is as good as any.
    *buffer = value >= 9.2e18 ? fmt::format("{}", value) : fmt::format("{}", view_.AsInt64(row));
  } else {
    *buffer = fmt::format("{}", CleanNumber(view_.AsDouble(row)));
  }
  return *buffer;
}

double ColumnValues::Part(int64_t row, DatePart part) const {
  if (view_.IsNull(row)) return kNan;
  if (class_ == InputClass::kDate) return PartOf(view_.AsInt64(row), 0, part);
  int64_t micros = 0;
  if (class_ == InputClass::kText) {
    const auto parsed = ParseTimestamp(view_.AsText(row));
    if (!parsed.ok()) return kNan;
    micros = *parsed;
  } else {
    micros = view_.AsInt64(row);
  }
  const int64_t day = FloorDiv(micros, kMicrosPerDay);
  return PartOf(day, micros - day * kMicrosPerDay, part);
}

uint64_t ColumnValues::Hash(int64_t row) const {
  if (view_.IsNull(row)) return 0x6e756c6cULL;
  switch (class_) {
    case InputClass::kText:
      return HashBytes64(view_.AsText(row), 1);
    case InputClass::kUnsupported: {
      // Nested values have no reader; UUID and BLOB are text here.
      const std::string_view text = view_.AsText(row);
      return HashBytes64(text, 2);
    }
    default:
      break;
  }
  double value = view_.AsDouble(row);
  if (value == 0) value = 0.0;
  if (value != value) return 0x6e616eULL;
  // Beyond 2^53 doubles run together: the whole number tells keys apart.
  if (std::fabs(value) >= 0x1p53 && type_class_ == data::TypeClass::kInteger) {
    return evaluate::Mix64(static_cast<uint64_t>(view_.AsInt64(row)) ^ 0x696e74ULL);
  }
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return evaluate::Mix64(bits + 0x9e3779b97f4a7c15ULL);
}

}  // namespace headrace::model
