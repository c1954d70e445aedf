#pragma once
// `model: classification` and `model: regression`.
#include <memory>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& ClassificationSpec();
const spec::Spec& RegressionSpec();
std::unique_ptr<pipeline::Component> MakeModelNode(const spec::NodeSpec& node);

}  // namespace headrace::components
