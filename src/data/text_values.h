#pragma once
// Numbers, dates and times from their texts, exactly or not at all.
//
// DuckDB's casts round 1.5 to 2 for an integer, take 007 and +49 for numbers and drop the offset of
// a time; the general forms of its parsers also cost more. What is read here has one form, the one
// that components/sources/csv_types.h finds types by: blanks around a number are left out, nothing
// else is.
#include <cstdint>
#include <string_view>

namespace headrace::data {

/// "true", "false" in any case.
bool BooleanOf(std::string_view text, bool& value);

/// Digits, '-' before them, no leading zero, no "-0", at most 64 bits.
bool IntegerOf(std::string_view text, int64_t& value);

/// Digits with a decimal separator or an exponent or both, nan, inf, infinity; integers up to
/// 2^53, above which a double may not hold them. False beyond the range of a double.
bool DoubleOf(std::string_view text, char decimal_separator, double& value);

/// Days since 1970 of 2024-01-31.
bool DateOf(std::string_view text, int32_t& days);

/// Microseconds since 1970, UTC, of a date, or of a date and time: 2024-01-31 09:30[:00[.123456]]
/// [Z|+02[[:]00]], T for the blank.
bool TimestampOf(std::string_view text, int64_t& micros);

}  // namespace headrace::data
