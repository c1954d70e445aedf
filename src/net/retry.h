#pragma once
// When to try again, and how fast to ask. Pure computation: the clock and the waiting are the
// caller's.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"

namespace headrace::net {

/// How often a request is tried and how long is waited in between.
struct RetryPolicy {
  int attempts = 5;                   ///< the first one included
  int64_t first_wait = 500'000;       ///< microseconds; doubles with each attempt
  int64_t longest_wait = 60'000'000;  ///< a server that asks for more is given up
};

/// Microseconds before attempt `next` (2, 3 …): exponential, of which the upper half is drawn by
/// `random` in [0, 1), so that many clients don't come back at the same moment.
int64_t BackoffMicros(const RetryPolicy& policy, int next, double random);

/// Seconds or a date of HTTP → microseconds from `now` (0 when in the past); nullopt for neither.
std::optional<int64_t> ParseRetryAfter(std::string_view text, Timestamp now);
/// "Sun, 06 Nov 1994 08:49:37 GMT"; nullopt for anything else.
std::optional<Timestamp> ParseHttpDate(std::string_view text);

/// Statuses after which the same request may succeed: 408, 425, 429, 500, 502, 503, 504.
bool IsRetriable(int status);

/// "10/s", "100/min", "5000/hour" → microseconds between two requests. Error "bad_rate".
Result<int64_t> ParseRate(std::string_view text);

/// Waits `micros`, or until cancelled (error "cancelled").
Status WaitFor(const Clock& clock, const CancelToken& cancel, int64_t micros);

}  // namespace headrace::net
