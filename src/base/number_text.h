#pragma once
// Whole numbers and how many there are of a thing, as people read them. Locale plays no part.
#include <cstdint>
#include <string>
#include <string_view>

namespace headrace {

std::string Grouped(int64_t number);  ///< 1234567 → "1,234,567"

/// "1 row", "2043 rows": the noun with an s unless there is one of it. For messages that people
/// search in logs; Tally is for pages and tables.
std::string Counted(int64_t number, std::string_view noun);
std::string Tally(int64_t number, std::string_view noun);  ///< "1 row", "2,043 rows"

/// So many digits that count, without an exponent below 10^15: 39741.2 → "39,741", 0.849351 →
/// "0.8494", 1e-9 → "1e-09"; "-" for what is not finite.
std::string Compact(double value, int digits = 4);

}  // namespace headrace
