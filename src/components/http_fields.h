#pragma once
// Fields that everything that talks HTTP has: sources, webhooks, notifications.
#include <string>

#include "net/http.h"
#include "spec/spec.h"

namespace headrace::components {

/// Who asks; exactly one of bearer, header, basic, param.
struct HttpAuth {
  std::string bearer;
  std::string header, param;  ///< a name; its value is `value`
  std::string value;
  std::string basic;  ///< "user:password"
  static const spec::Spec& Describe();

  /// Adds the header; nothing for `param`.
  void AddTo(net::Headers& headers) const;
};

/// How often and how long.
struct HttpRetry {
  int attempts = 5;
  spec::Duration wait;     ///< before the second attempt; not given = 0.5 s
  spec::Duration longest;  ///< not given = 1 minute
  spec::Duration timeout;  ///< of one attempt; not given = 2 minutes
  static const spec::Spec& Describe();

  net::RetryPolicy Policy() const;
  int64_t TimeoutMicros() const;
};

}  // namespace headrace::components
