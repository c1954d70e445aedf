#pragma once
// Check `references`.
#include <memory>

#include "pipeline/check.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& ReferencesSpec();
/// Never null; faults of the options go to the context's diagnostics, else to Check::Lint.
std::unique_ptr<pipeline::Check> MakeReferences(const pipeline::CheckContext& context);

}  // namespace headrace::components
