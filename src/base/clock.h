#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace {

/// Microseconds since 1970-01-01T00:00:00Z.
using Timestamp = int64_t;

/// Time as the engine sees it; tests turn ManualClock by hand. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;
  /// Never goes back; only differences mean anything. Nanoseconds.
  virtual int64_t MonotonicNanos() const = 0;
  virtual void SleepMicros(int64_t micros) const = 0;
};

/// The machine's clock (static, stateless).
const Clock& SystemClock();

class ManualClock : public Clock {
 public:
  explicit ManualClock(Timestamp now) : now_(now) {}
  Timestamp Now() const override { return now_; }
  int64_t MonotonicNanos() const override { return now_ * 1000; }
  void SleepMicros(int64_t micros) const override { now_ += micros; }
  void Advance(int64_t micros) { now_ += micros; }

 private:
  mutable std::atomic<Timestamp> now_;
};

/// "2026-01-31T09:30:00.123456Z"; the fraction is left out when zero.
std::string FormatTimestamp(Timestamp t);
/// Accepts "2026-01-31", "2026-01-31 09:30[:00[.123456]]", 'T' for the blank, "Z" or "+02:00".
Result<Timestamp> ParseTimestamp(std::string_view text);
/// "2 days", "15 minutes", "1 hour 30 minutes", "30s", "7d" → microseconds. Months and years are
/// refused here (they have no fixed length).
Result<int64_t> ParseDuration(std::string_view text);
/// "1.2 s", "3 m 20 s", "12 ms": for people.
std::string FormatSeconds(double seconds);

}  // namespace headrace
