#pragma once
// `predict: churn`: scores the rows of a node with a model version.
#include <memory>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

struct PredictOptions {
  std::string from;
  std::vector<std::string> keep;
  int64_t reasons = 0;
};
const spec::Spec& PredictSpec();
std::unique_ptr<pipeline::Component> MakePredictNode(const spec::NodeSpec& node);

}  // namespace headrace::components
