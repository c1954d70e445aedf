#pragma once
// What a model wants to see: its raw input columns. Checked before any row is scored.
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/types.h"

namespace headrace::model {

/// How a column's values are read. Columns of one class may differ in width between training and
/// scoring (INTEGER and DOUBLE are both numbers), classes may not.
enum class InputClass { kNumber, kBoolean, kText, kDate, kTimestamp, kTime, kUnsupported };

const char* Name(InputClass c);  ///< "number", "boolean", "text", "date", "timestamp", "time", …

/// Class of a DuckDB type, e.g. "DECIMAL(10,2)" → number. Text is VARCHAR; UUID, BLOB, INTERVAL and
/// nested types are not supported.
InputClass InputClassOf(std::string_view type);

struct InputColumn {
  std::string name;
  std::string type;  ///< DuckDB's name of the type at training, e.g. "DECIMAL(10,2)"
  InputClass input_class = InputClass::kNumber;
};

struct Signature {
  std::vector<InputColumn> inputs;

  /// Positions of `inputs` among the columns of `schema`, without regard to ASCII case. One error
  /// lists all faults: "missing_columns" (with near names) or "wrong_type".
  Result<std::vector<int>> Bind(const data::Schema& schema) const;

  Json ToJson() const;
  static Result<Signature> FromJson(const Json& json);
};

}  // namespace headrace::model
