#include "base/clock.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

namespace headrace {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

// Days from civil and back in the proleptic Gregorian calendar: the year starts in March, so the
// leap day is its last; 400 years are one era of 146,097 days (Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms"). std::chrono's calendar ends at the year 32,767, a Timestamp doesn't.
constexpr int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct Civil {
  int64_t year;
  int month, day;
};

constexpr Civil CivilFromDays(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

int DaysInMonth(int64_t year, int month) {
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Reads a text from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool AtEnd() const { return position_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  bool Take(char c) {
    if (AtEnd() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  /// Exactly `count` digits.
  std::optional<int> Digits(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!IsDigit(Peek())) return std::nullopt;
      value = value * 10 + (text_[position_++] - '0');
    }
    return value;
  }
  std::string_view While(bool (*wanted)(char)) {
    const size_t start = position_;
    while (!AtEnd() && wanted(text_[position_])) ++position_;
    return text_.substr(start, position_ - start);
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

struct Parts {
  int64_t year = 0;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
  int offset_minutes = 0;
};

/// false: the text doesn't have the form of a date.
bool ScanDate(Scanner* in, Parts* parts) {
  // ±YYYYYY is ISO 8601's form for years beyond four digits.
  const char sign = in->Peek();
  const bool expanded = sign == '+' || sign == '-';
  if (expanded) in->Take(sign);
  const auto year = in->Digits(expanded ? 6 : 4);
  if (!year || !in->Take('-')) return false;
  const auto month = in->Digits(2);
  if (!month || !in->Take('-')) return false;
  const auto day = in->Digits(2);
  if (!day) return false;
  parts->year = sign == '-' ? -static_cast<int64_t>(*year) : *year;
  parts->month = *month;
  parts->day = *day;
  return true;
}

bool ScanTime(Scanner* in, Parts* parts) {
  const auto hour = in->Digits(2);
  if (!hour || !in->Take(':')) return false;
  const auto minute = in->Digits(2);
  if (!minute) return false;
  parts->hour = *hour;
  parts->minute = *minute;
  if (!in->Take(':')) return true;
  const auto second = in->Digits(2);
  if (!second) return false;
  parts->second = *second;
  if (!in->Take('.')) return true;
  const std::string_view fraction = in->While(IsDigit);
  if (fraction.empty() || fraction.size() > 6) return false;
  for (size_t i = 0; i < 6; ++i) {
    parts->micros = parts->micros * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  return true;
}

/// "", "Z", "+02:00", "+0200", "+02".
bool ScanOffset(Scanner* in, Parts* parts) {
  if (in->AtEnd() || in->Take('Z')) return true;
  const char sign = in->Peek();
  if (sign != '+' && sign != '-') return false;
  in->Take(sign);
  const auto hours = in->Digits(2);
  if (!hours) return false;
  int minutes = 0;
  if (!in->AtEnd()) {
    in->Take(':');
    const auto digits = in->Digits(2);
    if (!digits) return false;
    minutes = *digits;
  }
  if (*hours > 23 || minutes > 59) return false;
  parts->offset_minutes = (sign == '-' ? -1 : 1) * (*hours * 60 + minutes);
  return true;
}

bool Scan(std::string_view text, Parts* parts) {
  Scanner in(text);
  if (!ScanDate(&in, parts)) return false;
  if (in.AtEnd()) return true;
  if (!in.Take('T') && !in.Take(' ')) return false;
  return ScanTime(&in, parts) && ScanOffset(&in, parts) && in.AtEnd();
}

struct Unit {
  std::string_view name;  // singular; "s" may follow where it is a word
  int64_t micros;
};
constexpr Unit kUnits[] = {
    {"microsecond", 1},    {"us", 1},           {"millisecond", 1000},    {"ms", 1000},
    {"second", kSecond},   {"sec", kSecond},    {"s", kSecond},           {"minute", 60 * kSecond},
    {"min", 60 * kSecond}, {"m", 60 * kSecond}, {"hour", 3600 * kSecond}, {"h", 3600 * kSecond},
    {"day", kDay},         {"d", kDay},         {"week", 7 * kDay},       {"w", 7 * kDay},
};

std::optional<int64_t> UnitMicros(std::string_view word) {
  for (const Unit& unit : kUnits) {
    const bool plural = unit.name.size() > 2 && word.size() == unit.name.size() + 1 &&
                        word.starts_with(unit.name) && word.back() == 's';
    if (word == unit.name || plural) return unit.micros;
  }
  return std::nullopt;
}

Error BadDuration(std::string_view text, std::string_view what) {
  return UserError("bad_duration", fmt::format("'{}' is not a duration: {}", text, what))
      .Subject(std::string(text))
      .Hint("write a number and a unit, e.g. 2 days, 15 minutes, 1 hour 30 minutes, 30s, 7d");
}

/// "1.5" of a unit, exactly, or nothing if it isn't whole microseconds or too large.
std::optional<int64_t> Multiply(std::string_view number, int64_t unit) {
  const size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? "" : number.substr(dot + 1);
  if (whole.empty() || whole.size() > 18 || fraction.size() > 9) return std::nullopt;
  if (dot != std::string_view::npos && fraction.empty()) return std::nullopt;
  if (fraction.find('.') != std::string_view::npos) return std::nullopt;
  __extension__ using Wide = __int128;
  Wide value = 0;
  Wide scale = 1;
  for (char c : whole) value = value * 10 + (c - '0');
  for (char c : fraction) {
    value = value * 10 + (c - '0');
    scale *= 10;
  }
  value *= unit;
  if (value % scale != 0 || value / scale > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(value / scale);
}

class MachineClock : public Clock {
 public:
  Timestamp Now() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  }
  int64_t MonotonicNanos() const override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  }
  void SleepMicros(int64_t micros) const override {
    std::this_thread::sleep_for(std::chrono::microseconds(micros));
  }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

std::string FormatTimestamp(Timestamp t) {
  int64_t days = t / kDay, rest = t % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const Civil date = CivilFromDays(days);
  const bool four_digits = date.year >= 0 && date.year <= 9999;
  std::string out = four_digits
                        ? fmt::format("{:04}", date.year)
                        : fmt::format("{}{:06}", date.year < 0 ? '-' : '+', std::abs(date.year));
  const int64_t seconds = rest / kSecond, micros = rest % kSecond;
  out += fmt::format("-{:02}-{:02}T{:02}:{:02}:{:02}", date.month, date.day, seconds / 3600,
                     seconds / 60 % 60, seconds % 60);
  if (micros != 0) out += fmt::format(".{:06}", micros);
  return out + "Z";
}

Result<Timestamp> ParseTimestamp(std::string_view text) {
  Parts p;
  const auto bad = [&](std::string_view what) {
    return UserError("bad_timestamp", fmt::format("'{}' is not a timestamp: {}", text, what))
        .Subject(std::string(text))
        .Hint("write 2026-01-31, 2026-01-31 09:30 or 2026-01-31T09:30:00.123456+02:00");
  };
  if (!Scan(text, &p)) return bad("it doesn't have the form YYYY-MM-DD [HH:MM[:SS[.ffffff]]]");
  if (p.month < 1 || p.month > 12) return bad(fmt::format("there is no month {}", p.month));
  if (p.day < 1 || p.day > DaysInMonth(p.year, p.month)) {
    return bad(fmt::format("that month has no day {}", p.day));
  }
  if (p.hour > 23 || p.minute > 59 || p.second > 59) return bad("there is no such time of day");
  const int64_t seconds = (p.hour * 60 + p.minute - p.offset_minutes) * 60 + p.second;
  int64_t micros = 0;
  const int64_t in_day = seconds * kSecond + p.micros;
  // At the lower end the day alone may overflow where day and time together don't.
  const int64_t days = DaysFromCivil(p.year, p.month, p.day);
  const int64_t borrowed = days < 0 ? 1 : 0;
  if (__builtin_mul_overflow(days + borrowed, kDay, &micros) ||
      __builtin_add_overflow(micros, in_day - borrowed * kDay, &micros)) {
    return bad("it is too far away");
  }
  return micros;
}

Result<int64_t> ParseDuration(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  const auto number_part = [](char c) { return IsDigit(c) || c == '.'; };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  Scanner in(text);
  int64_t total = 0, smallest = INT64_MAX;
  in.While(blank);
  if (in.AtEnd()) return BadDuration(text, "it is empty");
  while (!in.AtEnd()) {
    const std::string_view number = in.While(number_part);
    if (number.empty()) return BadDuration(text, "a number is missing");
    in.While(blank);
    const std::string_view word = in.While(letter);
    if (word.empty()) return BadDuration(text, "the unit is missing");
    if (word.starts_with("month") || word.starts_with("year") || word == "mo" || word == "y") {
      return BadDuration(text, "months and years have no fixed length");
    }
    const auto unit = UnitMicros(word);
    if (!unit) return BadDuration(text, fmt::format("'{}' is not a unit", word));
    if (*unit >= smallest) return BadDuration(text, "units must go from large to small");
    smallest = *unit;
    const auto part = Multiply(number, *unit);
    if (!part || __builtin_add_overflow(total, *part, &total)) {
      return BadDuration(text, fmt::format("'{}' is not a usable number", number));
    }
    in.While(blank);
  }
  return total;
}

std::string FormatSeconds(double seconds) {
  if (!(seconds >= 0)) seconds = 0;  // NaN too
  if (seconds < 0.0005) return "0 ms";
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  if (seconds >= 1e15) return "for ever";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} m {} s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{} h {} m", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86'400, whole / 3600 % 24);
}

}  // namespace headrace
