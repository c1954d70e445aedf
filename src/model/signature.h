#pragma once
// What a model wants to see: its raw input columns. Checked before any row is scored.
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

struct ArrowSchema;

namespace headrace::model {

/// How a column's values are read. Columns of one class may differ in width between training and
/// scoring (INTEGER and DOUBLE are both numbers), classes may not.
enum class InputClass { kNumber, kBoolean, kText, kDate, kTimestamp, kTime, kUnsupported };

const char* Name(InputClass c);  ///< "number", "boolean", "text", "date", "timestamp", "time", …

/// Class and DuckDB type name of a column of the Arrow C data interface. Dictionary-encoded text
/// is text.
InputClass ClassOf(const ArrowSchema& column);
std::string DuckTypeOf(const ArrowSchema& column);

struct InputColumn {
  std::string name;
  std::string type;  ///< DuckDB's name of the type at training, e.g. "DECIMAL(10,2)"
  InputClass input_class = InputClass::kNumber;
};

struct Signature {
  std::vector<InputColumn> inputs;

  /// Positions of `inputs` among the children of a batch's struct schema. Names are compared
  /// exactly, then without regard to ASCII case. Errors list all faults in one message:
  /// "missing_columns" (with near names) and "wrong_type".
  Result<std::vector<int>> Bind(const ArrowSchema& batch) const;

  Json ToJson() const;
  static Result<Signature> FromJson(const Json& json);
};

}  // namespace headrace::model
