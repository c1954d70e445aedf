#pragma once
#include "base/result.h"

namespace headrace::components {

/// Whether PostgreSQL's client library can be loaded. Error "libpq_missing" names what to install.
/// A header of its own: who asks need not know the library.
Status CheckLibpq();

}  // namespace headrace::components
