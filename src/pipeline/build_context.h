#pragma once
#include "pipeline/component.h"
#include "pipeline/project.h"

namespace headrace::pipeline {

/// Those of `all` that the node's SQL or the views it uses name: DuckDB refuses values that no
/// $name asks for.
data::Parameters UsedParameters(const Project& project, const Node& node,
                                const data::Parameters& all);

}  // namespace headrace::pipeline
