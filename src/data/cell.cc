#include "data/cell.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace headrace::data::internal {
namespace {

using Unsigned128 = unsigned __int128;

std::string UnsignedText(Unsigned128 value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return out;
}

std::string DecimalText(__int128 value, int precision, int scale) {
  bool negative = value < 0;
  std::string digits =
      UnsignedText(negative ? -static_cast<Unsigned128>(value) : static_cast<Unsigned128>(value));
  std::string_view sign = negative ? "-" : "";
  if (scale == 0) return fmt::format("{}{}", sign, digits);
  // DECIMAL(4,4) is printed as .0000
  size_t least = static_cast<size_t>(scale) + (scale < precision ? 1 : 0);
  std::string padded = fmt::format("{:0>{}}", digits, least);
  std::string_view all = padded;
  size_t point = all.size() - static_cast<size_t>(scale);
  return fmt::format("{}{}.{}", sign, all.substr(0, point), all.substr(point));
}

// Days since 1970 to year-month-day: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::string DateText(int64_t days) {
  if (days == INT32_MAX) return "infinity";
  if (days == -INT32_MAX) return "-infinity";
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  month = month < 10 ? month + 3 : month - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  if (year > 0) return fmt::format("{:04}-{:02}-{:02}", year, month, day);
  return fmt::format("{:04}-{:02}-{:02} (BC)", 1 - year, month, day);
}

// A fraction without trailing zeros; "" for zero.
std::string FractionText(int64_t part, int digits) {
  if (part == 0) return "";
  std::string out = fmt::format(".{:0{}}", part, digits);
  out.erase(out.find_last_not_of('0') + 1);
  return out;
}

std::string TimeText(int64_t units, int64_t per_second) {
  int64_t seconds = units / per_second;
  return fmt::format("{:02}:{:02}:{:02}{}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     FractionText(units % per_second, per_second == 1000000 ? 6 : 9));
}

std::string TimestampText(int64_t units, int64_t per_second, bool zone) {
  if (units == INT64_MAX) return "infinity";
  if (units == -INT64_MAX) return "-infinity";
  int64_t per_day = per_second * 86400;
  int64_t days = units / per_day, rest = units % per_day;
  if (rest < 0) rest += per_day, --days;
  return fmt::format("{} {}{}", DateText(days), TimeText(rest, per_second), zone ? "+00" : "");
}

}  // namespace

std::string DoubleText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string out = fmt::format("{}", value);
  bool integral = out.find_first_of(".e") == std::string::npos;
  return integral ? out + ".0" : out;
}

std::string Int128Text(__int128 value) { return DecimalText(value, 38, 0); }

std::string IntegerText(const TypeTree& type, __int128 value) {
  auto narrow = static_cast<int64_t>(value);
  if (type.name == "BOOLEAN") return value != 0 ? "true" : "false";
  if (type.name == "DECIMAL") return DecimalText(value, type.precision, type.scale);
  if (type.name == "DATE") return DateText(narrow);
  if (type.name == "TIME") return TimeText(narrow, 1000000);
  if (type.name == "TIMESTAMP") return TimestampText(narrow, 1000000, false);
  if (type.name == "TIMESTAMP_NS") return TimestampText(narrow, 1000000000, false);
  if (type.name == "TIMESTAMP WITH TIME ZONE") return TimestampText(narrow, 1000000, true);
  return DecimalText(value, 38, 0);
}

std::string UuidText(uint64_t high, uint64_t low) {
  high ^= 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffULL);
}

bool IsPlain(const TypeTree& type) {
  if (type.name == "HUGEINT" || type.name == "UHUGEINT") return true;
  Kind kind = MakePlan(type).kind;
  return kind == Kind::kBool || kind == Kind::kFixed || kind == Kind::kFloat ||
         kind == Kind::kDouble || kind == Kind::kDecimal || kind == Kind::kUuid ||
         (kind == Kind::kText && type.name != "BLOB");
}

Value CellOf(const VectorView& view, const TypeTree& type, idx_t row) {
  if (view.IsNull(row)) return {};
  const TypePlan& plan = *view.plan;
  auto of_integer = [&](__int128 value) -> Value {
    if (plan.tree.type_class != TypeClass::kInteger) return {IntegerText(type, value)};
    if (value < INT64_MIN || value > INT64_MAX) return {Int128Text(value)};
    return {static_cast<int64_t>(value)};
  };
  if (type.name == "HUGEINT") return of_integer(view.Values<__int128>()[row]);
  if (type.name == "UHUGEINT") {
    Unsigned128 value = view.Values<Unsigned128>()[row];
    if (value > static_cast<Unsigned128>(INT64_MAX)) return {UnsignedText(value)};
    return {static_cast<int64_t>(value)};
  }
  switch (plan.kind) {
    case Kind::kBool:
      return {view.Values<uint8_t>()[row] != 0};
    case Kind::kFloat:  // 0.1, not 0.10000000149
      return {std::strtod(fmt::format("{}", view.Values<float>()[row]).c_str(), nullptr)};
    case Kind::kDouble:
      return {view.Values<double>()[row]};
    case Kind::kText:
      return {std::string(view.Text(row))};
    case Kind::kUuid: {
      const duckdb_hugeint& uuid = view.Values<duckdb_hugeint>()[row];
      return {UuidText(static_cast<uint64_t>(uuid.upper), uuid.lower)};
    }
    case Kind::kFixed:
    case Kind::kDecimal:
      break;
    default:
      return {std::string("?")};
  }
  switch (plan.width) {
    case 1:
      return of_integer(plan.is_signed ? static_cast<int>(view.Values<int8_t>()[row])
                                       : static_cast<int>(view.Values<uint8_t>()[row]));
    case 2:
      return of_integer(plan.is_signed ? static_cast<int>(view.Values<int16_t>()[row])
                                       : static_cast<int>(view.Values<uint16_t>()[row]));
    case 4:
      return of_integer(plan.is_signed ? static_cast<int64_t>(view.Values<int32_t>()[row])
                                       : static_cast<int64_t>(view.Values<uint32_t>()[row]));
    case 8:
      return of_integer(plan.is_signed ? static_cast<__int128>(view.Values<int64_t>()[row])
                                       : static_cast<__int128>(view.Values<uint64_t>()[row]));
    default:
      return of_integer(view.Values<__int128>()[row]);
  }
}

}  // namespace headrace::data::internal
