#include "base/number_text.h"

#include <fmt/format.h>

#include <cmath>

namespace headrace {
namespace {

std::string_view Ending(int64_t number) { return number == 1 ? "" : "s"; }

}  // namespace

std::string Grouped(int64_t number) {
  std::string digits = fmt::format("{}", number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string Counted(int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, Ending(number));
}

std::string Tally(int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", Grouped(number), noun, Ending(number));
}

std::string Compact(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  // A digit that rounding made up says nothing; an exponent is for the very large and small.
  if (size >= std::pow(10.0, digits - 1) && size < 1e15) return Grouped(std::llround(value));
  return fmt::format("{:.{}g}", value, digits);
}

}  // namespace headrace
