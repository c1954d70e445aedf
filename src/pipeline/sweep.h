#pragma once
#include "pipeline/run.h"

namespace headrace::pipeline {

/// Removes what runs that died left behind: tmp folders of lower epochs and, if there were any,
/// folders of tables and models that the store doesn't know. Call under the lease.
Status SweepLeftovers(const store::Claim& claim, const std::string& target,
                      const RunServices& services);

/// The same, looking at every folder whether a run died or not; for `clean`.
Status SweepEverythingLeft(const store::Claim& claim, const std::string& target,
                           const RunServices& services);

}  // namespace headrace::pipeline
