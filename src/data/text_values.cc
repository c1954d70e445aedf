#include "data/text_values.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace headrace::data {
namespace {

constexpr size_t kLongest = 64;  // longer texts are no values
constexpr int64_t kExact = int64_t{1} << 53;

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
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

/// Two digits; adds what is none to `bad`.
int Pair(const char* at, unsigned& bad) {
  const unsigned tens = static_cast<unsigned char>(at[0] - '0');
  const unsigned ones = static_cast<unsigned char>(at[1] - '0');
  bad |= static_cast<unsigned>(tens > 9) | static_cast<unsigned>(ones > 9);
  return static_cast<int>(tens * 10 + ones);
}

/// The date in the first ten characters.
bool TakeDate(const char* at, int32_t& days) {
  unsigned bad = static_cast<unsigned>(at[4] != '-') | static_cast<unsigned>(at[7] != '-');
  const int century = Pair(at, bad);
  const int year = century * 100 + Pair(at + 2, bad);
  const int month = Pair(at + 5, bad), day = Pair(at + 8, bad);
  if (bad != 0 || year < 1 || month < 1 || month > 12 || day < 1) return false;
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  static constexpr int kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kDays[month - 1] + (month == 2 && leap ? 1 : 0)) return false;
  const int past = year - 1;  // whole years since the year 1, which began 719,162 days before 1970
  days = past * 365 + past / 4 - past / 100 + past / 400 + kBefore[month - 1] +
         (month > 2 && leap ? 1 : 0) + day - 1 - 719162;
  return true;
}

/// Integers of a text without blanks around it.
bool WholeOf(std::string_view text, int64_t& value) {
  const bool negative = !text.empty() && text[0] == '-';
  const char* at = text.data() + (negative ? 1 : 0);
  const char* const end = text.data() + text.size();
  const auto digits = end - at;
  if (digits <= 0 || digits > 19) return false;
  if (*at == '0' && (digits > 1 || negative)) return false;
  uint64_t sum = 0;
  unsigned bad = 0;
  for (; at != end; ++at) {
    const unsigned digit = static_cast<unsigned char>(*at - '0');
    bad |= static_cast<unsigned>(digit > 9);
    sum = sum * 10 + digit;
  }
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (bad != 0 || sum > kMost + (negative ? 1 : 0)) return false;  // 19 digits fit in 64 bits
  value = static_cast<int64_t>(negative ? 0 - sum : sum);
  return true;
}

constexpr double kTens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// What `from_chars` reads: digits, '.', exponent; checked before.
bool ParseDouble(std::string_view text, char decimal_separator, double& value) {
  char copy[kLongest];
  if (decimal_separator != '.') {
    std::replace_copy(text.begin(), text.end(), copy, decimal_separator, '.');
    text = {copy, text.size()};
  }
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool BooleanOf(std::string_view text, bool& value) {
  if (text == "true" || text == "false") {
    value = text.size() == 4;
    return true;
  }
  value = EqualsNoCase(text, "true");
  return value || EqualsNoCase(text, "false");
}

bool IntegerOf(std::string_view text, int64_t& value) {
  if (WholeOf(text, value)) return true;
  if (text.size() > kLongest) return false;
  const std::string_view trimmed = Trim(text);
  return trimmed.size() < text.size() && WholeOf(trimmed, value);
}

bool DoubleOf(std::string_view text, char decimal_separator, double& value) {
  if (text.size() > kLongest) return false;
  text = Trim(text);
  const bool negative = !text.empty() && text[0] == '-';
  const std::string_view number = negative ? text.substr(1) : text;
  if (number.empty()) return false;
  uint64_t mantissa = 0;  // of up to 19 digits; more than that go another way
  size_t whole = 0;
  while (whole < number.size() && IsDigit(number[whole])) {
    mantissa = mantissa * 10 + static_cast<uint64_t>(number[whole++] - '0');
  }
  if (whole > 1 && number[0] == '0') return false;
  if (whole == number.size()) {
    if (whole > 16 || mantissa > static_cast<uint64_t>(kExact)) return false;
    value = static_cast<double>(mantissa);
    if (negative) value = -value;
    return true;
  }
  size_t at = whole, fraction = 0;
  if (number[at] == decimal_separator) {
    for (++at; at < number.size() && IsDigit(number[at]); ++at, ++fraction) {
      mantissa = mantissa * 10 + static_cast<uint64_t>(number[at] - '0');
    }
  }
  if (whole + fraction == 0) {
    if (!EqualsNoCase(number, "nan") && !EqualsNoCase(number, "inf") &&
        !EqualsNoCase(number, "infinity")) {
      return false;
    }
    value = (number[0] | 32) == 'n' ? std::numeric_limits<double>::quiet_NaN()
                                    : std::numeric_limits<double>::infinity();
    if (negative) value = -value;
    return true;
  }
  if (at == number.size()) {
    // Both are exact as doubles, so their quotient is the nearest one (Clinger 1990).
    if (whole + fraction <= 19 && mantissa <= static_cast<uint64_t>(kExact)) {
      value = static_cast<double>(mantissa) / kTens[fraction];
      if (negative) value = -value;
      return true;
    }
    return ParseDouble(text, decimal_separator, value);
  }
  if ((number[at] | 32) != 'e') return false;
  ++at;
  if (at < number.size() && (number[at] == '+' || number[at] == '-')) ++at;
  if (at == number.size() ||
      !std::all_of(number.begin() + static_cast<ptrdiff_t>(at), number.end(), IsDigit)) {
    return false;
  }
  return ParseDouble(text, decimal_separator, value);
}

bool DateOf(std::string_view text, int32_t& days) {
  return text.size() == 10 && TakeDate(text.data(), days);
}

bool TimestampOf(std::string_view text, int64_t& micros) {
  constexpr int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;
  int32_t days = 0;
  if (text.size() < 10 || text.size() > kLongest || !TakeDate(text.data(), days)) return false;
  micros = days * kDay;
  if (text.size() == 10) return true;
  if (text.size() < 16 || (text[10] != ' ' && text[10] != 'T') || text[13] != ':') return false;
  unsigned bad = 0;
  const int hour = Pair(text.data() + 11, bad), minute = Pair(text.data() + 14, bad);
  if (bad != 0 || hour > 23 || minute > 59) return false;
  micros += (hour * 3600 + minute * 60) * kSecond;
  size_t at = 16;
  if (text.size() > at && text[at] == ':') {
    if (text.size() < 19) return false;
    const int second = Pair(text.data() + 17, bad);
    if (bad != 0 || second > 59) return false;
    micros += second * kSecond;
    at = 19;
    if (text.size() > at && text[at] == '.') {
      int64_t unit = kSecond;
      size_t digits = 0;
      for (++at; at < text.size() && IsDigit(text[at]) && digits < 6; ++at, ++digits) {
        unit /= 10;
        micros += (text[at] - '0') * unit;
      }
      if (digits == 0) return false;
    }
  }
  std::string_view zone = text.substr(at);
  if (zone.empty() || zone == "Z") return true;
  const bool west = zone[0] == '-';
  if ((!west && zone[0] != '+') || zone.size() < 3) return false;
  const int hours = Pair(zone.data() + 1, bad);
  if (bad != 0 || hours > 14) return false;
  int minutes = 0;
  zone.remove_prefix(3);
  if (!zone.empty()) {
    if (zone[0] == ':') zone.remove_prefix(1);
    if (zone.size() != 2) return false;
    minutes = Pair(zone.data(), bad);
    if (bad != 0 || minutes > 59) return false;
  }
  const int64_t offset = (hours * 3600 + minutes * 60) * kSecond;
  micros += west ? offset : -offset;
  return true;
}

}  // namespace headrace::data
