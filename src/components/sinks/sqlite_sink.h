#pragma once
// `sink: sqlite`.
#include <memory>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& SqliteSinkSpec();
std::unique_ptr<pipeline::Component> MakeSqliteSink(const spec::NodeSpec& node);

}  // namespace headrace::components
