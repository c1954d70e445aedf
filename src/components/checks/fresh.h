#pragma once
// Check `fresh`.
#include <memory>

#include "pipeline/check.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& FreshSpec();
/// Never null; faults of the options go to the context's diagnostics, else to Check::Lint.
std::unique_ptr<pipeline::Check> MakeFresh(const pipeline::CheckContext& context);

}  // namespace headrace::components
