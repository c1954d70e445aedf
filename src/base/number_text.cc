#include "base/number_text.h"

#include <fmt/format.h>

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

}  // namespace headrace
