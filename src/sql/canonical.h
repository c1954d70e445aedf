#pragma once
#include "base/hash.h"
#include "base/json.h"

namespace headrace::sql {

/// Digest of a statement's tree that ignores what SQL ignores: positions, formatting, comments, the
/// case of names. See canonical.cc.
Hash128 CanonicalHash(const Json& statement);
/// The text that is hashed, for tests and for looking into differences.
std::string CanonicalText(const Json& statement);

}  // namespace headrace::sql
