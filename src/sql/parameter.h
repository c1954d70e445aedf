#pragma once
#include <string_view>

#include "data/value.h"

namespace headrace::sql {

/// `$from`, `$to` (bounds of an incremental node's interval) and `$run_time`: no project parameter
/// may have such a name. All are TIMESTAMP (UTC).
bool IsReservedParameter(std::string_view name);
/// The three, with NULL as value; for describing.
const data::Parameters& ReservedParameters();

}  // namespace headrace::sql
