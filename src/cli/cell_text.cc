#include "cli/cell_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/clock.h"

namespace headrace::cli {
namespace {

using data::TypeClass;
using data::TypeTree;

constexpr int64_t kDayMicros = 86'400'000'000;

template <class T>
T At(const ArrowArray& array, int64_t row) {
  T value;
  std::memcpy(&value, static_cast<const char*>(array.buffers[1]) + row * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

bool Bit(const void* bits, int64_t row) {
  return ((static_cast<const uint8_t*>(bits)[row >> 3] >> (row & 7)) & 1) != 0;
}

bool IsNull(const ArrowArray& array, int64_t row) {
  return array.n_buffers > 0 && array.buffers[0] != nullptr && !Bit(array.buffers[0], row);
}

std::string_view Bytes(const ArrowArray& array, int64_t row) {
  const auto begin = At<int32_t>(array, row), end = At<int32_t>(array, row + 1);
  return {static_cast<const char*>(array.buffers[2]) + begin, static_cast<size_t>(end - begin)};
}

std::string DoubleText(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string DecimalText(__int128 value, int scale) {
  const bool negative = value < 0;
  auto rest =
      negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string digits;
  while (rest > 0 || static_cast<int>(digits.size()) <= scale) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return negative ? "-" + digits : digits;
}

/// Ends of the range stand for infinity, as in DuckDB.
template <class T>
const char* Infinite(T value) {
  if (value == std::numeric_limits<T>::max()) return "infinity";
  return value == -std::numeric_limits<T>::max() ? "-infinity" : nullptr;
}

std::string DateText(int32_t days) {
  if (const char* infinite = Infinite(days)) return infinite;
  const std::string text = FormatTimestamp(days * kDayMicros);
  return text.substr(0, text.find('T'));
}

std::string TimestampText(int64_t micros, bool zone) {
  if (const char* infinite = Infinite(micros)) return infinite;
  std::string text = FormatTimestamp(micros);
  if (const size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
  if (text.ends_with('Z')) text.pop_back();
  if (text.find('.') != std::string::npos) text.erase(text.find_last_not_of('0') + 1);
  return zone ? text + "+00" : text;
}

std::string TimeText(int64_t micros) {
  const std::string text = TimestampText(micros, false);
  return text.substr(text.find(' ') + 1);
}

std::string BlobText(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte >= 0x20 && byte < 0x7F && c != '\\' ? std::string(1, c)
                                                     : fmt::format("\\x{:02X}", byte);
  }
  return text;
}

std::string IntegerText(const std::string& type, const ArrowArray& array, int64_t row) {
  if (type == "TINYINT") return fmt::format("{}", int{At<int8_t>(array, row)});
  if (type == "UTINYINT") return fmt::format("{}", int{At<uint8_t>(array, row)});
  if (type == "SMALLINT") return fmt::format("{}", At<int16_t>(array, row));
  if (type == "USMALLINT") return fmt::format("{}", At<uint16_t>(array, row));
  if (type == "INTEGER") return fmt::format("{}", At<int32_t>(array, row));
  if (type == "UINTEGER") return fmt::format("{}", At<uint32_t>(array, row));
  if (type == "UBIGINT") return fmt::format("{}", At<uint64_t>(array, row));
  return fmt::format("{}", At<int64_t>(array, row));
}

std::string Text(const TypeTree& type, const ArrowArray& array, int64_t row);

/// Elements of a list or map, from one row's offsets.
std::string Elements(const TypeTree& type, const ArrowArray& array, int64_t row) {
  const auto begin = At<int32_t>(array, row), end = At<int32_t>(array, row + 1);
  const bool map = type.type_class == TypeClass::kMap;
  std::string text;
  for (int32_t i = begin; i < end; ++i) {
    if (i > begin) text += ", ";
    const ArrowArray& child = *array.children[0];
    text += map ? Text(type.children[0], *child.children[0], i) + "=" +
                      Text(type.children[1], *child.children[1], i)
                : Text(type.children[0], child, i);
  }
  return map ? "{" + text + "}" : "[" + text + "]";
}

std::string Fields(const TypeTree& type, const ArrowArray& array, int64_t row) {
  std::string text;
  for (size_t i = 0; i < type.children.size(); ++i) {
    text += fmt::format("{}'{}': {}", i > 0 ? ", " : "", type.fields[i],
                        Text(type.children[i], *array.children[i], row));
  }
  return "{" + text + "}";
}

std::string Text(const TypeTree& type, const ArrowArray& array, int64_t row) {
  if (IsNull(array, row)) return "NULL";
  switch (type.type_class) {
    case TypeClass::kBoolean:
      return Bit(array.buffers[1], row) ? "true" : "false";
    case TypeClass::kInteger:
      return IntegerText(type.name, array, row);
    case TypeClass::kFloating: {
      if (type.name != "FLOAT") return DoubleText(At<double>(array, row));
      const auto value = At<float>(array, row);
      return std::isfinite(value) ? fmt::format("{}", value) : DoubleText(value);
    }
    case TypeClass::kDecimal:
      return DecimalText(At<__int128>(array, row), type.scale);
    case TypeClass::kText:
    case TypeClass::kUuid:
      return std::string(Bytes(array, row));
    case TypeClass::kDate:
      return DateText(At<int32_t>(array, row));
    case TypeClass::kTime:
      return TimeText(At<int64_t>(array, row));
    case TypeClass::kTimestamp: {
      const bool nanos = type.name == "TIMESTAMP_NS";
      const auto value = At<int64_t>(array, row);
      return TimestampText(nanos && Infinite(value) == nullptr ? value / 1000 : value,
                           type.name.find("TIME ZONE") != std::string::npos);
    }
    case TypeClass::kBlob:
      return BlobText(Bytes(array, row));
    case TypeClass::kList:
    case TypeClass::kMap:
      return Elements(type, array, row);
    case TypeClass::kStruct:
      return Fields(type, array, row);
    case TypeClass::kInterval:  // no batch carries these; queries cast them to texts
    case TypeClass::kOther:
      break;
  }
  return "?";
}

}  // namespace

Result<CellText> CellText::Make(const std::string& type) {
  HR_ASSIGN(data::TypeTree tree, data::ParseType(type));
  return CellText(std::move(tree));
}

std::string CellText::Of(const ArrowArray& column, int64_t row) const {
  return Text(type_, column, row);
}

}  // namespace headrace::cli
