#pragma once
// Cells of batches as people read them, for the table of `query`.
#include <string>

#include "data/arrow_abi.h"

namespace headrace::cli {

/// Reads one column of a batch of any type that batches carry, nested ones too.
class CellText {
 public:
  /// `type` is DuckDB's type text. Error "bad_type".
  static Result<CellText> Make(const std::string& type);
  /// As DuckDB prints it: "12.50", "2026-01-31", "[1, 2]", "{'a': 1}"; "NULL". `column` must be of
  /// the type.
  std::string Of(const ArrowArray& column, int64_t row) const;

 private:
  explicit CellText(data::TypeTree type) : type_(std::move(type)) {}
  data::TypeTree type_;
};

}  // namespace headrace::cli
