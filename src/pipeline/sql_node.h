#pragma once
#include <memory>

#include "pipeline/component.h"

namespace headrace::pipeline {

/// The behaviour of a node of kind sql: its SELECT is materialised into a snapshot. A view has no
/// rows of its own; its checks, if any, run over the query.
std::unique_ptr<Component> MakeSqlNode(bool view);

}  // namespace headrace::pipeline
