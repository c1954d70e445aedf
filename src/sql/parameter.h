#pragma once
#include "config/params.h"
#include "data/value.h"

namespace headrace::sql {

/// `$from`, `$to` (bounds of an incremental node's interval) and `$run_time`, with the type
/// TIMESTAMP (UTC) and NULL as value; config::IsReservedParam knows their names.
const data::Parameters& ReservedParameters();

/// The project's parameters as data::DuckConnection binds them: BOOLEAN, BIGINT, DOUBLE, VARCHAR,
/// DATE, TIMESTAMP.
data::Parameters ToParameters(const config::ParamValues& values);

}  // namespace headrace::sql
