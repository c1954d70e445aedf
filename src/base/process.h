#pragma once
// What a process can have only once.
#include "base/result.h"

namespace headrace {

/// Sets OMP_WAIT_POLICY=passive and GOMP_SPINCOUNT (unless set) before any OpenMP library is
/// loaded, ignores SIGPIPE, sets the C locale for numbers. Idempotent. Called first by main and at
/// Python import, never by Engine.
void InitProcess();

/// The handle of libcurl, loaded when first asked for, its global state set up. HEADRACE_RUNTIME is
/// looked into first. Error "no_libcurl" (blame system). Thread-safe.
Result<void*> LoadCurl();

}  // namespace headrace
