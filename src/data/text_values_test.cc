#include "data/text_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "data/duck.h"

namespace headrace::data {
namespace {

TEST(TextValues, Integers) {
  int64_t value = 1;
  for (const char* text : {"0", "7", "-7", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_TRUE(IntegerOf(text, value)) << text;
    EXPECT_EQ(std::to_string(value), text);
  }
  EXPECT_TRUE(IntegerOf(" 12\t", value));
  EXPECT_EQ(value, 12);
  for (const char* text :
       {"", " ", "-", "-0", "00", "007", "-07", "+5", "1.0", "1e3", "1 2", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999", "0x1", "1_000", "१"}) {
    EXPECT_FALSE(IntegerOf(text, value)) << text;
  }
}

TEST(TextValues, Doubles) {
  double value = 0;
  for (const char* text :
       {"0.1", "-0", "0", ".5", "5.", "-.5", "1e3", "1E+3", "1.5e-7", "123456.78",
        "11.714285714285714", "0.30000000000000004", "1.7976931348623157e308", "9007199254740992",
        "12345678901234567890.125", "2.2250738585072014e-308", "179769313486231570000.5",
        "0.00000000000000000000000001234"}) {
    ASSERT_TRUE(DoubleOf(text, '.', value)) << text;
    EXPECT_EQ(value, std::strtod(text, nullptr)) << text;
  }
  EXPECT_TRUE(std::signbit((DoubleOf("-0", '.', value), value)));
  EXPECT_TRUE(DoubleOf(" 1,25 ", ',', value));
  EXPECT_EQ(value, 1.25);
  EXPECT_TRUE(DoubleOf("NaN", '.', value));
  EXPECT_TRUE(std::isnan(value));
  EXPECT_TRUE(DoubleOf("-Infinity", '.', value));
  EXPECT_TRUE(std::isinf(value) && value < 0);
  for (const char* text : {"", ".", "-", "1,5", "00.5", "007", "+1.5", "1e", "1e+", "e5", ".e5",
                           "1e400", "9007199254740993", "1.5x", "0x1p3", "infinit", "1.5.2"}) {
    EXPECT_FALSE(DoubleOf(text, '.', value)) << text;
  }
  EXPECT_FALSE(DoubleOf("1.5", ',', value));
}

TEST(TextValues, DatesAndTimesAreDuckDBs) {
  auto instance = DuckInstance::Open(DuckOptions()).value();
  auto connection = instance->Connect().value();
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
    };
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", pick(1, round % 2 == 0 ? 9999 : 2100),
                  pick(0, 13), pick(0, 32));
    int32_t days = 0;
    const bool is_date = DateOf(text, days);
    auto day = connection.Query(std::string("SELECT coalesce(TRY_CAST('") + text +
                                "' AS DATE) - DATE '1970-01-01', -99999999)");
    ASSERT_TRUE(day.ok()) << text << day.error().message;
    EXPECT_EQ(is_date ? days : -99999999, day->at(0, 0).AsInt64()) << text;
    std::string time = text;
    std::snprintf(text, sizeof text, "%c%02d:%02d", pick(0, 1) == 0 ? ' ' : 'T', pick(0, 24),
                  pick(0, 60));
    time += text;
    const char* zones[] = {"", "Z", "+02", "-11:30", "+14:00", "+05:45"};
    const std::string zone = zones[pick(0, 5)];
    if (!zone.empty() || pick(0, 3) > 0) {  // DuckDB knows no offset without seconds
      std::snprintf(text, sizeof text, ":%02d", pick(0, 60));
      time += text;
      if (pick(0, 1) == 0) time += "." + std::to_string(pick(0, 999999));
    }
    time += zone;
    int64_t micros = 0;
    if (!TimestampOf(time, micros)) continue;
    auto at = connection.Query("SELECT epoch_us(CAST('" + time +
                               "' AS TIMESTAMP WITH TIME ZONE)), "
                               "epoch_us(hr_timestamp('" +
                               time + "')), epoch_us(hr_timestamptz('" + time + "'))");
    ASSERT_TRUE(at.ok()) << time << at.error().message;
    for (int n = 0; n < 3; ++n) EXPECT_EQ(micros, at->at(0, n).AsInt64()) << time;
  }
  int64_t micros = 0;
  for (const char* text :
       {"2024-01-31 9:30", "2024-01-31 09:30:00.1234567", "2024-01-31x09:30",
        "2024-01-31 09:30:00.", "2024-01-31 09:30 Z", "2024-01-31 09:30+2", "2024-01-31 09:30+15",
        "2024-01-31 09", "2024-01-31 09:30:0", "2024-01"}) {
    EXPECT_FALSE(TimestampOf(text, micros)) << text;
  }
}

TEST(TextValues, FunctionsKeepNullsAndNameWhatIsNone) {
  auto instance = DuckInstance::Open(DuckOptions()).value();
  auto connection = instance->Connect().value();
  auto rows = connection.Query(
      "SELECT hr_integer(x), hr_double(x, '.'), hr_boolean(NULL), hr_date('2024-02-29')::VARCHAR "
      "FROM (VALUES ('5'), (NULL), ('-3')) t(x)");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->at(0, 0).AsInt64(), 5);
  EXPECT_TRUE(rows->at(1, 0).is_null());
  EXPECT_TRUE(rows->at(1, 1).is_null());
  EXPECT_TRUE(rows->at(0, 2).is_null());
  EXPECT_EQ(rows->at(2, 1).AsDouble(), -3);
  EXPECT_EQ(rows->at(0, 3).Text(), "2024-02-29");
  EXPECT_FALSE(connection.Query("SELECT hr_integer('1.5')").ok());
  EXPECT_FALSE(connection.Query("SELECT hr_small_integer('9007199254740993')").ok());
  EXPECT_TRUE(connection.Query("SELECT hr_integer('9007199254740993')").ok());
}

}  // namespace
}  // namespace headrace::data
