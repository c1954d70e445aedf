#pragma once
// `source: parquet`.
#include <memory>

#include "components/sources/csv_files.h"
#include "pipeline/component.h"
#include "spec/spec.h"

namespace headrace::components {

const FileEndings& ParquetEndings();
const spec::Spec& ParquetSourceSpec();
std::unique_ptr<pipeline::Component> MakeParquetSource(const spec::NodeSpec& node);

}  // namespace headrace::components
