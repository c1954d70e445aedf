#pragma once
// Single values as text. Internal to src/data.
#include <string>

#include "data/value.h"
#include "data/vector_view.h"

namespace headrace::data::internal {

/// As DuckDB prints it: "1.0", "1e+100", "nan", "inf".
std::string DoubleText(double value);
/// A value of an integer, decimal, boolean, date, time or timestamp column.
std::string IntegerText(const TypeTree& type, __int128 value);
std::string Int128Text(__int128 value);
std::string UuidText(uint64_t high, uint64_t low);

/// Whether CellOf reads this type; DuckDB casts others to VARCHAR first.
bool IsPlain(const TypeTree& type);
/// One cell of a plain type.
Value CellOf(const VectorView& view, const TypeTree& type, idx_t row);

}  // namespace headrace::data::internal
