#pragma once
// `sink: postgres`.
#include <memory>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& PostgresSinkSpec();
std::unique_ptr<pipeline::Component> MakePostgresSink(const spec::NodeSpec& node);

}  // namespace headrace::components
