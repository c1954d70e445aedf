#pragma once
#include <string>

#include "store/lease.h"

namespace headrace::store {

/// Removes all rows about the claim's target from the store in `folder`, in one transaction; those
/// of other targets stay, and so does the count of epochs. False when the store holds nothing of
/// any other target, so that the file itself may go. Error "lease_lost" when the claim is not held.
Result<bool> ForgetTarget(const std::string& folder, const Claim& claim);

}  // namespace headrace::store
