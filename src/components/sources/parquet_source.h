#pragma once
// `source: parquet`.
#include <memory>

#include "pipeline/component.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& ParquetSourceSpec();
std::unique_ptr<pipeline::Component> MakeParquetSource(const spec::NodeSpec& node);

}  // namespace headrace::components
