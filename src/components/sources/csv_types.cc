#include "components/sources/csv_types.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace headrace::components {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool EqualsNoCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

/// kNone when it is no number.
CsvType TypeOfNumber(std::string_view text, char decimal_separator) {
  text = Trim(text);
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  if (digits.empty()) return CsvType::kNone;
  const auto whole =
      static_cast<size_t>(std::find_if_not(digits.begin(), digits.end(), IsDigit) - digits.begin());
  const bool leading_zero = whole > 1 && digits[0] == '0';
  if (leading_zero) return CsvType::kNone;
  if (whole == digits.size()) {
    if (negative && digits == "0") return CsvType::kDouble;
    int64_t value = 0;
    auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc()) return CsvType::kNone;  // more than 64 bits: stays text
    constexpr int64_t kExact = int64_t{1} << 53;
    return value >= -kExact && value <= kExact ? CsvType::kInteger : CsvType::kWideInteger;
  }
  if (EqualsNoCase(digits, "nan") || EqualsNoCase(digits, "inf") ||
      EqualsNoCase(digits, "infinity")) {
    return CsvType::kDouble;
  }
  std::string_view rest = digits.substr(whole);
  bool any = whole > 0;
  if (rest.front() == decimal_separator) {
    rest.remove_prefix(1);
    while (!rest.empty() && IsDigit(rest.front())) {
      any = true;
      rest.remove_prefix(1);
    }
  }
  if (!any) return CsvType::kNone;
  if (!rest.empty() && (rest.front() == 'e' || rest.front() == 'E')) {
    rest.remove_prefix(1);
    if (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) rest.remove_prefix(1);
    if (rest.empty()) return CsvType::kNone;
    while (!rest.empty() && IsDigit(rest.front())) rest.remove_prefix(1);
    double value = 0;
    char copy[64];
    if (text.size() >= sizeof copy) return CsvType::kNone;
    std::replace_copy(text.begin(), text.end(), copy, decimal_separator, '.');
    // Beyond the range of a double (1e400) it stays text.
    if (std::from_chars(copy, copy + text.size(), value).ec != std::errc()) return CsvType::kNone;
  }
  return rest.empty() ? CsvType::kDouble : CsvType::kNone;
}

/// Reads digits of a fixed width range; -1 when there are none or the number is out of range.
int TakeNumber(std::string_view& text, int least, int most, int low, int high) {
  int value = 0, count = 0;
  while (count < most && !text.empty() && IsDigit(text.front())) {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
    ++count;
  }
  return count >= least && value >= low && value <= high ? value : -1;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view& text) {
  const int year = TakeNumber(text, 4, 4, 1, 9999);
  if (year < 0 || !Take(text, '-')) return false;
  const int month = TakeNumber(text, 2, 2, 1, 12);
  if (month < 0 || !Take(text, '-')) return false;
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days = kDays[month - 1] + (month == 2 && leap ? 1 : 0);
  return TakeNumber(text, 2, 2, 1, days) > 0;
}

/// kNone when it is neither.
CsvType TypeOfIsoTime(std::string_view text) {
  if (!TakeDate(text)) return CsvType::kNone;
  if (text.empty()) return CsvType::kDate;
  if (!Take(text, ' ') && !Take(text, 'T')) return CsvType::kNone;
  if (TakeNumber(text, 2, 2, 0, 23) < 0 || !Take(text, ':')) return CsvType::kNone;
  if (TakeNumber(text, 2, 2, 0, 59) < 0) return CsvType::kNone;
  if (Take(text, ':')) {
    if (TakeNumber(text, 2, 2, 0, 59) < 0) return CsvType::kNone;
    if (Take(text, '.') && TakeNumber(text, 1, 6, 0, 999999) < 0) return CsvType::kNone;
  }
  if (text.empty()) return CsvType::kTimestamp;
  if (text == "Z") return CsvType::kTimestampZone;
  if (!Take(text, '+') && !Take(text, '-')) return CsvType::kNone;
  if (TakeNumber(text, 2, 2, 0, 14) < 0) return CsvType::kNone;
  if (!text.empty()) {
    Take(text, ':');
    if (TakeNumber(text, 2, 2, 0, 59) < 0) return CsvType::kNone;
  }
  return text.empty() ? CsvType::kTimestampZone : CsvType::kNone;
}

}  // namespace

bool MatchesFormat(std::string_view text, std::string_view format) {
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      if (!Take(text, format[at])) return false;
      continue;
    }
    char part = format[++at];
    if (part == '-' && at + 1 < format.size()) part = format[++at];
    const auto take_letters = [&text] {
      const size_t before = text.size();
      while (!text.empty() && ((text.front() | 32) >= 'a' && (text.front() | 32) <= 'z')) {
        text.remove_prefix(1);
      }
      return text.size() < before;
    };
    bool fits = true;
    switch (part) {
      case 'Y':
        fits = TakeNumber(text, 4, 4, 0, 9999) >= 0;
        break;
      case 'y':
        fits = TakeNumber(text, 1, 2, 0, 99) >= 0;
        break;
      case 'm':
        fits = TakeNumber(text, 1, 2, 1, 12) > 0;
        break;
      case 'd':
        fits = TakeNumber(text, 1, 2, 1, 31) > 0;
        break;
      case 'H':
        fits = TakeNumber(text, 1, 2, 0, 23) >= 0;
        break;
      case 'I':
        fits = TakeNumber(text, 1, 2, 1, 12) > 0;
        break;
      case 'M':
      case 'S':
        fits = TakeNumber(text, 1, 2, 0, 59) >= 0;
        break;
      case 'j':
        fits = TakeNumber(text, 1, 3, 1, 366) > 0;
        break;
      case 'f':
        fits = TakeNumber(text, 1, 6, 0, 999999) >= 0;
        break;
      case 'p':
      case 'a':
      case 'A':
      case 'b':
      case 'B':
        fits = take_letters();
        break;
      case '%':
        fits = Take(text, '%');
        break;
      default:
        return true;
    }
    if (!fits) return false;
  }
  return text.empty();
}

CsvType TypeOfText(std::string_view text, const CsvTypeRules& rules) {
  if (text.empty() || text.size() > 64) return CsvType::kText;
  if (!rules.timestamp_format.empty() && MatchesFormat(text, rules.timestamp_format)) {
    return CsvType::kTimestamp;
  }
  if (!rules.date_format.empty() && MatchesFormat(text, rules.date_format)) return CsvType::kDate;
  const char first = text[0];
  if (IsDigit(first) || first == '-' || IsBlank(first) || first == rules.decimal_separator ||
      (first | 32) == 'n' || (first | 32) == 'i') {
    const CsvType number = TypeOfNumber(text, rules.decimal_separator);
    if (number != CsvType::kNone) return number;
    if (text.size() >= 10 && IsDigit(first)) {
      const CsvType time = TypeOfIsoTime(text);
      if (time == CsvType::kDate && rules.date_format.empty()) return time;
      if (time > CsvType::kDate && rules.timestamp_format.empty()) return time;
    }
  }
  if (EqualsNoCase(text, "true") || EqualsNoCase(text, "false")) return CsvType::kBoolean;
  return CsvType::kText;
}

CsvType Join(CsvType a, CsvType b) {
  if (a > b) std::swap(a, b);
  if (a == b || a == CsvType::kNone) return b;
  if (a == CsvType::kInteger && (b == CsvType::kWideInteger || b == CsvType::kDouble)) return b;
  if (a == CsvType::kDate && b == CsvType::kTimestamp) return b;
  if ((a == CsvType::kDate || a == CsvType::kTimestamp) && b == CsvType::kTimestampZone) return b;
  return CsvType::kText;
}

std::string_view SqlTypeOf(CsvType type) {
  switch (type) {
    case CsvType::kBoolean:
      return "BOOLEAN";
    case CsvType::kInteger:
    case CsvType::kWideInteger:
      return "BIGINT";
    case CsvType::kDouble:
      return "DOUBLE";
    case CsvType::kDate:
      return "DATE";
    case CsvType::kTimestamp:
      return "TIMESTAMP";
    case CsvType::kTimestampZone:
      return "TIMESTAMP WITH TIME ZONE";
    case CsvType::kNone:
    case CsvType::kText:
      break;
  }
  return "VARCHAR";
}

}  // namespace headrace::components
