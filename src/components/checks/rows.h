#pragma once
// Check `rows`.
#include <memory>

#include "pipeline/check.h"
#include "spec/spec.h"

namespace headrace::components {

const spec::Spec& RowsSpec();
/// Never null; faults of the options go to the context's diagnostics, else to Check::Lint.
std::unique_ptr<pipeline::Check> MakeRows(const pipeline::CheckContext& context);

}  // namespace headrace::components
