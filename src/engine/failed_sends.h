#pragma once
#include <string>
#include <vector>

#include "store/records.h"

namespace headrace::engine {

/// Name of the table of an action's failed sends; no node can have it.
std::string FailedSendsOf(const std::string& action);

/// A SELECT that gives them: key, idempotency_key, status ("failed", or "in doubt": no result yet),
/// attempts, run, tried_at, detail.
std::string FailedSendsSql(const std::vector<store::SendRecord>& sends);

}  // namespace headrace::engine
