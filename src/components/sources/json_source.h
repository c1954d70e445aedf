#pragma once
// `source: json`.
#include <memory>

#include "components/sources/csv_files.h"
#include "pipeline/component.h"
#include "spec/spec.h"

namespace headrace::components {

const FileEndings& JsonEndings();
const spec::Spec& JsonSourceSpec();
std::unique_ptr<pipeline::Component> MakeJsonSource(const spec::NodeSpec& node);

}  // namespace headrace::components
