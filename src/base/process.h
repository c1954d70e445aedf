#pragma once
// What a process can have only once. Called first by main and at Python import, never by Engine.

namespace headrace {

/// Sets OMP_WAIT_POLICY=passive and GOMP_SPINCOUNT (unless set) before any OpenMP library is
/// loaded, ignores SIGPIPE, sets the C locale for numbers. Idempotent.
void InitProcess();

}  // namespace headrace
