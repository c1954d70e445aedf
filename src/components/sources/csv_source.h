#pragma once
// `source: csv`.
#include <memory>

#include "components/sources/csv_options.h"
#include "pipeline/component.h"

namespace headrace::components {

std::unique_ptr<pipeline::Component> MakeCsvSource(const spec::NodeSpec& node);

}  // namespace headrace::components
