#include "net/retry.h"

#include <gtest/gtest.h>

namespace headrace::net {
namespace {

TEST(Retry, BackoffDoublesUpToTheLongest) {
  const RetryPolicy policy{.attempts = 9, .first_wait = 1000, .longest_wait = 5000};
  EXPECT_EQ(BackoffMicros(policy, 2, 0), 500);
  EXPECT_EQ(BackoffMicros(policy, 2, 0.999), 999);
  EXPECT_EQ(BackoffMicros(policy, 3, 0), 1000);
  EXPECT_EQ(BackoffMicros(policy, 4, 0), 2000);
  EXPECT_EQ(BackoffMicros(policy, 5, 0), 2500);
  EXPECT_EQ(BackoffMicros(policy, 1000, 0), 2500);
}

TEST(Retry, RetryAfterInSecondsOrAsDate) {
  const Timestamp now = *ParseTimestamp("1994-11-06 08:49:30");
  EXPECT_EQ(ParseRetryAfter("120", now), 120'000'000);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now), 7'000'000);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:00:00 GMT", now), 0);
  EXPECT_EQ(ParseRetryAfter("99999999999999", now), 1'000'000'000'000'000);
  for (const char* bad : {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:49:37 GMT x",
                          "Sun, 06 ovN 1994 08:49:37 GMT"}) {
    EXPECT_EQ(ParseRetryAfter(bad, now), std::nullopt) << bad;
  }
}

TEST(Retry, Rates) {
  EXPECT_EQ(*ParseRate("10/s"), 100'000);
  EXPECT_EQ(*ParseRate("0.5/s"), 2'000'000);
  EXPECT_EQ(*ParseRate("100/min"), 600'000);
  EXPECT_EQ(*ParseRate("5000/hour"), 720'000);
  for (const char* bad : {"", "10", "10/", "0/s", "-1/s", "/s", "1/week", "nan/s", "1e99/s"}) {
    EXPECT_FALSE(ParseRate(bad).ok()) << bad;
  }
}

TEST(Retry, AWaitEndsWhenCancelled) {
  ManualClock clock(0);
  CancelToken cancel;
  EXPECT_TRUE(WaitFor(clock, cancel, 3'000'000).ok());
  EXPECT_EQ(clock.Now(), 3'000'000);
  cancel.Cancel();
  EXPECT_EQ(WaitFor(clock, cancel, 3'000'000).error().code, "cancelled");
  EXPECT_EQ(clock.Now(), 3'000'000);
}

}  // namespace
}  // namespace headrace::net
