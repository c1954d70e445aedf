#include "net/retry.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace headrace::net {

int64_t BackoffMicros(const RetryPolicy& policy, int next, double random) {
  int64_t wait = policy.first_wait;
  for (int n = 2; n < next && wait < policy.longest_wait; ++n) wait *= 2;
  wait = std::min(wait, policy.longest_wait);
  return wait / 2 + static_cast<int64_t>(static_cast<double>(wait - wait / 2) * random);
}

std::optional<Timestamp> ParseHttpDate(std::string_view text) {
  // A local format would bring the locale in: names of months are compared by hand.
  char month[4] = {};
  std::tm time{};
  int used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &time.tm_mday,
                  month, &time.tm_year, &time.tm_hour, &time.tm_min, &time.tm_sec, &used) != 6 ||
      used != static_cast<int>(copy.size())) {
    return std::nullopt;
  }
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const size_t at = kMonths.find(month);
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  time.tm_mon = static_cast<int>(at / 3);
  if (time.tm_year < 1970 || time.tm_year > 9999) return std::nullopt;
  time.tm_year -= 1900;
  return static_cast<Timestamp>(timegm(&time)) * 1'000'000;
}

std::optional<int64_t> ParseRetryAfter(std::string_view text, Timestamp now) {
  int64_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && seconds >= 0) {
    return std::min<int64_t>(seconds, 1'000'000'000) * 1'000'000;
  }
  if (const auto date = ParseHttpDate(text)) return std::max<int64_t>(0, *date - now);
  return std::nullopt;
}

bool IsRetriable(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

Result<int64_t> ParseRate(std::string_view text) {
  double count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(parsed.ptr, text.data() + text.size() - parsed.ptr);
  int64_t micros = 0;
  if (unit == "/s" || unit == "/second") micros = 1'000'000;
  if (unit == "/m" || unit == "/min" || unit == "/minute") micros = 60'000'000;
  if (unit == "/h" || unit == "/hour") micros = 3'600'000'000;
  if (unit == "/d" || unit == "/day") micros = 86'400'000'000;
  if (parsed.ec != std::errc() || micros == 0 || !(count > 0) || count > 1e6) {
    return UserError("bad_rate", "'" + std::string(text) + "' is no rate")
        .Subject(std::string(text))
        .Hint("write it like 10/s, 100/min or 5000/hour");
  }
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(micros) / count));
}

Status WaitFor(const Clock& clock, const CancelToken& cancel, int64_t micros) {
  constexpr int64_t kSlice = 50'000;
  const int64_t end = clock.MonotonicNanos() + micros * 1000;
  while (true) {
    HR_TRY(cancel.Check());
    const int64_t left = (end - clock.MonotonicNanos()) / 1000;
    if (left <= 0) return Ok();
    clock.SleepMicros(std::min(left, kSlice));
  }
}

}  // namespace headrace::net
