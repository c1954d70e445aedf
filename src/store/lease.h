#pragma once
// A run's claim on a target. How it is kept: sqlite_lease.cc.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"

namespace headrace::store {

/// What a commit or send shows to prove that its run still holds the target. A plain value.
struct Claim {
  std::string target;
  int64_t epoch = 0;
};

/// Who holds a target.
struct LeaseHolder {
  int64_t epoch = 0;
  std::string run;
  int64_t pid = 0;
  std::string host;
  Timestamp since = 0;
};

struct LeaseOptions {
  bool no_wait = false;  ///< error "target_busy" (exit code 1) instead of waiting
  /// Called once for every holder this call waits for, from the calling thread.
  std::function<void(const LeaseHolder&)> on_wait;
  CancelToken cancel;  ///< ends the wait with error "cancelled"
  /// A holder whose process lives but whose beat has not moved for so long is overtaken. Default:
  /// HEADRACE_LEASE_TIMEOUT seconds, else 10 s.
  std::optional<int64_t> takeover_after_micros;
};

/// A held lease; a thread of its own keeps its beat. Thread-safe.
class Lease {
 public:
  virtual ~Lease() = default;  ///< releases
  virtual const Claim& claim() const = 0;
  /// Lets the next run in. Idempotent. A lease that was overtaken is released without an error.
  virtual Status Release() = 0;
};

}  // namespace headrace::store
