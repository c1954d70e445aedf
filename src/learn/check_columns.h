#pragma once
// What a model's spec says of its columns, held against their types: before any row is read.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/types.h"
#include "learn/feature_builder.h"
#include "learn/model_spec.h"
#include "model/signature.h"

namespace headrace::learn {

/// A fault and the field of the spec at which it stands ("time", "features.types.zip").
struct ColumnFault {
  std::string field;
  Error error;
};

/// Columns of a wrong type or in two roles, the target among the inputs, no input at all. Unknown
/// columns are passed over: their names are another matter.
std::vector<ColumnFault> CheckColumns(const ModelSpec& spec, const data::Schema& schema);

/// How `features.types` of a model wants a column of that class to be read.
Result<FeatureRole> RoleOf(const ModelSpec& spec, const std::string& column,
                           const std::string& type, model::InputClass found);

}  // namespace headrace::learn
