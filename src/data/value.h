#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/types.h"

namespace headrace::data {

/// One cell. NULL, boolean, an integer that fits 64 bits, a double, or a text: texts of VARCHAR and
/// everything else as DuckDB prints it ("2026-01-31", "12.50", "[1, 2]").
struct Value {
  std::variant<std::monostate, bool, int64_t, double, std::string> value;

  bool is_null() const { return value.index() == 0; }
  bool AsBool() const;      ///< false for NULL; numbers ≠ 0
  int64_t AsInt64() const;  ///< 0 for NULL and texts; doubles are cut off
  double AsDouble() const;  ///< 0 for NULL and texts
  /// As people read it; NULL as `null_text`.
  std::string Text(const std::string& null_text = "NULL") const;
  friend bool operator==(const Value&, const Value&) = default;
};

/// A small result, held in memory.
struct Rows {
  Schema schema;
  std::vector<std::vector<Value>> rows;
  size_t size() const { return rows.size(); }
  const Value& at(size_t row, size_t column) const { return rows[row][column]; }
};

/// A named parameter of a query ($name). `text` is read as `type` (BOOLEAN, integers, DOUBLE,
/// DECIMAL(p,s), VARCHAR, DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE); nullopt = NULL of that type.
struct Parameter {
  std::string name;
  std::string type;
  std::optional<std::string> text;
};
using Parameters = std::vector<Parameter>;

}  // namespace headrace::data
