#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>

namespace headrace {
namespace {

constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

Timestamp Parse(std::string_view text) {
  auto t = ParseTimestamp(text);
  EXPECT_TRUE(t.ok()) << text << ": " << (t.ok() ? "" : t.error().message);
  return t.ok() ? *t : -1;
}

TEST(Timestamp, Formats) {
  EXPECT_EQ(FormatTimestamp(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTimestamp(951'782'400 * kSecond + 5), "2000-02-29T00:00:00.000005Z");
}

TEST(Timestamp, AcceptedForms) {
  const Timestamp t = Parse("2026-01-31T09:30:00Z");
  EXPECT_EQ(FormatTimestamp(t), "2026-01-31T09:30:00Z");
  EXPECT_EQ(Parse("2026-01-31 09:30"), t);
  EXPECT_EQ(Parse("2026-01-31 09:30:00"), t);
  EXPECT_EQ(Parse("2026-01-31T11:30:00+02:00"), t);
  EXPECT_EQ(Parse("2026-01-31T04:00:00-0530"), t);
  EXPECT_EQ(Parse("2026-01-31 10:30+01"), t);
  EXPECT_EQ(Parse("2026-01-31 09:30:00.5"), t + 500'000);
  EXPECT_EQ(Parse("2026-01-31 09:30:00.123456Z"), t + 123'456);
  EXPECT_EQ(Parse("2026-01-31"), t - 9 * kHour - 30 * kMinute);
  EXPECT_EQ(Parse("0000-02-29"), Parse("0000-03-01") - kDay);
}

TEST(Timestamp, RefusedForms) {
  for (const char* text : {"",
                           "2026",
                           "2026-1-31",
                           "2026-01-31T",
                           "2026-01-31 9:30",
                           "2026-01-31 09",
                           "26-01-31",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-01-00",
                           "2026-02-29",
                           "1900-02-29",
                           "2026-04-31",
                           "2026-01-31 24:00",
                           "2026-01-31 23:60",
                           "2026-01-31 23:59:60",
                           "2026-01-31 09:30:00.",
                           "2026-01-31 09:30:00.1234567",
                           "2026-01-31 09:30z",
                           "2026-01-31 09:30 Z",
                           " 2026-01-31",
                           "2026-01-31 ",
                           "2026-01-31Z",
                           "2026-01-31 09:30+24:00",
                           "2026-01-31 09:30+02:",
                           "2026/01/31",
                           "+2026-01-31",
                           "+999999-01-01",
                           "-000001-1-1"}) {
    EXPECT_FALSE(ParseTimestamp(text).ok()) << text;
  }
  EXPECT_EQ(Render(ParseTimestamp("2026-02-30").error()),
            "error[bad_timestamp]: '2026-02-30' is not a timestamp: that month has no day 30\n"
            "  hint: write 2026-01-31, 2026-01-31 09:30 or 2026-01-31T09:30:00.123456+02:00");
}

TEST(Timestamp, EveryOneSurvivesTheRoundTrip) {
  std::mt19937_64 random(7);
  const auto check = [](Timestamp t) { EXPECT_EQ(Parse(FormatTimestamp(t)), t); };
  check(std::numeric_limits<Timestamp>::max());
  check(std::numeric_limits<Timestamp>::min());
  for (int i = 0; i < 20'000; ++i) {
    const auto t = static_cast<Timestamp>(random());
    check(t);
    check(t >> (random() % 60));
  }
}

TEST(Timestamp, AgreesWithTheStandardCalendar) {
  using namespace std::chrono;
  for (int64_t day = -800'000; day < 3'000'000; day += 97) {
    const year_month_day date{sys_days{days{day}}};
    const std::string text = FormatTimestamp(day * kDay);
    EXPECT_EQ(std::stoi(text.substr(text.size() - 15, 2)), unsigned{date.month()});
    EXPECT_EQ(std::stoi(text.substr(text.size() - 12, 2)), unsigned{date.day()});
    EXPECT_EQ(std::stoi(text.substr(0, text.size() - 16)), int{date.year()});
  }
}

int64_t Duration(std::string_view text) {
  auto d = ParseDuration(text);
  EXPECT_TRUE(d.ok()) << text;
  return d.ok() ? *d : -1;
}

TEST(Duration, Accepted) {
  EXPECT_EQ(Duration("2 days"), 2 * kDay);
  EXPECT_EQ(Duration("15 minutes"), 15 * kMinute);
  EXPECT_EQ(Duration("1 hour 30 minutes"), 90 * kMinute);
  EXPECT_EQ(Duration("30s"), 30 * kSecond);
  EXPECT_EQ(Duration("7d"), 7 * kDay);
  EXPECT_EQ(Duration("1h30m"), 90 * kMinute);
  EXPECT_EQ(Duration(" 250 ms "), 250'000);
  EXPECT_EQ(Duration("1.5 hours"), 90 * kMinute);
  EXPECT_EQ(Duration("2w"), 14 * kDay);
  EXPECT_EQ(Duration("10 us"), 10);
  EXPECT_EQ(Duration("0 s"), 0);
  EXPECT_EQ(Duration("1 sec"), kSecond);
}

TEST(Duration, Refused) {
  for (const char* text : {"",
                           " ",
                           "5",
                           "days",
                           "-1 day",
                           "1 fortnight",
                           "1 month",
                           "2 years",
                           "1 ss",
                           "1 hs",
                           "1 day 1 day",
                           "1 minute 1 hour",
                           "1..5 s",
                           ". s",
                           "1. s",
                           "1e3 s",
                           "1 day,",
                           "1,000 s",
                           "99999999999999 days",
                           "106751992 days",
                           "0.0000001 s",
                           "1 hour and 2 minutes"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
  EXPECT_EQ(Render(ParseDuration("1 month").error()),
            "error[bad_duration]: '1 month' is not a duration: months and years have no fixed "
            "length\n"
            "  hint: write a number and a unit, e.g. 2 days, 15 minutes, 1 hour 30 minutes, 30s, "
            "7d");
}

TEST(Duration, SumOfItsParts) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2'000; ++i) {
    const int64_t d = random() % 1000, h = random() % 1000, s = random() % 1000;
    EXPECT_EQ(
        Duration(std::to_string(d) + "d " + std::to_string(h) + " hours" + std::to_string(s) + "s"),
        d * kDay + h * kHour + s * kSecond);
  }
}

TEST(FormatSeconds, ForPeople) {
  EXPECT_EQ(FormatSeconds(0), "0 ms");
  EXPECT_EQ(FormatSeconds(0.012), "12 ms");
  EXPECT_EQ(FormatSeconds(0.9996), "1.0 s");
  EXPECT_EQ(FormatSeconds(1.24), "1.2 s");
  EXPECT_EQ(FormatSeconds(59.96), "1 m 0 s");
  EXPECT_EQ(FormatSeconds(200), "3 m 20 s");
  EXPECT_EQ(FormatSeconds(7500), "2 h 5 m");
  EXPECT_EQ(FormatSeconds(200'000), "2 d 7 h");
  EXPECT_EQ(FormatSeconds(-1), "0 ms");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::infinity()), "for ever");
}

TEST(Clocks, ManualTurnsByHand) {
  ManualClock clock(5);
  clock.Advance(10);
  clock.SleepMicros(5);
  EXPECT_EQ(clock.Now(), 20);
  EXPECT_EQ(clock.MonotonicNanos(), 20'000);
  EXPECT_GT(SystemClock().Now(), Parse("2020-01-01"));
}

}  // namespace
}  // namespace headrace
