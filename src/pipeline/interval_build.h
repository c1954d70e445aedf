#pragma once
#include <memory>

#include "pipeline/component.h"

namespace headrace::pipeline {

/// The behaviour of an incremental SQL node: one query for each interval of the plan, then one new
/// snapshot of the old rows that stay and the new ones.
std::unique_ptr<Component> MakeIntervalNode();

}  // namespace headrace::pipeline
