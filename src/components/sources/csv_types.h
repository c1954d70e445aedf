#pragma once
// Types of CSV columns, found from their texts.
//
// A type must give every value back as it was: 007, +49 and integers of 20 digits stay text, and
// integers above 2^53 do not share a column with fractions. The types form a lattice; the type of
// a column is the join of those of its values, so it depends on the content alone and not on where
// the sample ended or which conflict came first.
#include <string>
#include <string_view>

namespace headrace::components {

enum class CsvType {
  kNone,         ///< no value yet: stored as text
  kBoolean,      ///< true, false
  kInteger,      ///< up to 2^53: exact as a double
  kWideInteger,  ///< up to 64 bits
  kDouble,
  kDate,
  kTimestamp,      ///< without offset: UTC
  kTimestampZone,  ///< with Z or an offset
  kText,
};

struct CsvTypeRules {
  char decimal_separator = '.';
  std::string date_format;       ///< "" = 2026-01-31
  std::string timestamp_format;  ///< "" = 2026-01-31 09:30[:00[.123456]][Z|+02:00], T for the blank
};

/// Type of one value that is not NULL.
CsvType TypeOfText(std::string_view text, const CsvTypeRules& rules);
/// The narrowest type that holds both.
CsvType Join(CsvType a, CsvType b);
/// DuckDB's name, "BIGINT".
std::string_view SqlTypeOf(CsvType type);

/// Whether a text has the shape of a strptime format; true for formats with parts that are not
/// known here.
bool MatchesFormat(std::string_view text, std::string_view format);

}  // namespace headrace::components
