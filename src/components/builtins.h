#pragma once
// Every component that comes with Headrace, by name. No static initialisers: what is not in the
// list of builtins.cc does not exist.
#include "pipeline/registry.h"

namespace headrace::components {

/// Adds all built-in components, checks and specs to an empty registry. Their specs are static:
/// the registry may outlive everything else.
void RegisterBuiltins(pipeline::Registry& registry);

}  // namespace headrace::components
