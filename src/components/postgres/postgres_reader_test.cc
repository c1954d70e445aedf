#include "components/postgres/postgres_reader.h"

#include <gtest/gtest.h>

#include <cmath>

namespace headrace::components {
namespace {

std::string Short(int value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
}

/// As PostgreSQL sends it: digits of base 10,000, the first stands for 10,000^weight.
std::string Sent(const std::vector<int>& digits, int weight, int sign = 0, int scale = 0) {
  std::string bytes =
      Short(static_cast<int>(digits.size())) + Short(weight) + Short(sign) + Short(scale);
  for (const int digit : digits) bytes += Short(digit);
  return bytes;
}

int64_t Low(const std::optional<__int128>& value) {
  return value ? static_cast<int64_t>(*value) : -999;
}

TEST(PostgresNumeric, Decimals) {
  EXPECT_EQ(Low(DecodeDecimal(Sent({}, 0), 2)), 0);
  EXPECT_EQ(Low(DecodeDecimal(Sent({12, 3400}, 0), 2)), 1234);
  EXPECT_EQ(Low(DecodeDecimal(Sent({12, 3400}, 0, 0x4000), 4)), -123400);
  EXPECT_EQ(Low(DecodeDecimal(Sent({1}, 2), 0)), 100'000'000);  // zeros that are not sent
  EXPECT_EQ(Low(DecodeDecimal(Sent({1}, 1), 3)), 10'000'000);   // and those behind the point
  EXPECT_EQ(Low(DecodeDecimal(Sent({1234}, -2), 8)), 1234);     // 0.00001234
  EXPECT_EQ(Low(DecodeDecimal(Sent({1230}, -2), 7)), 123);      // 0.0000123
  EXPECT_EQ(Low(DecodeDecimal(Sent({500}, -1), 2)), 5);         // 0.05
}

TEST(PostgresNumeric, TheLargestDecimal) {
  const auto most =
      DecodeDecimal(Sent({99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999}, 9), 0);
  ASSERT_TRUE(most.has_value());
  __int128 wanted = 1;
  for (int n = 0; n < 38; ++n) wanted *= 10;
  EXPECT_TRUE(*most == wanted - 1);
  EXPECT_FALSE(DecodeDecimal(Sent({100}, 9), 0).has_value());
}

TEST(PostgresNumeric, WhatADecimalCantHold) {
  EXPECT_FALSE(DecodeDecimal(Sent({}, 0, 0xC000), 2).has_value());  // NaN
  EXPECT_FALSE(DecodeDecimal(Sent({}, 0, 0xD000), 2).has_value());  // infinity
  EXPECT_FALSE(DecodeDecimal(Sent({12, 3456}, 0), 2).has_value());  // more digits
  EXPECT_FALSE(DecodeDecimal("", 2).has_value());
  EXPECT_FALSE(DecodeDecimal(Short(9) + Short(0) + Short(0) + Short(0), 2).has_value());  // cut off
}

TEST(PostgresNumeric, Doubles) {
  bool exact = false;
  EXPECT_EQ(DecodeNumeric(Sent({12, 3400}, 0), &exact), 12.34);
  EXPECT_TRUE(exact);
  EXPECT_EQ(DecodeNumeric(Sent({1000}, -1, 0x4000), &exact), -0.1);
  EXPECT_TRUE(exact);
  EXPECT_EQ(DecodeNumeric(Sent({1}, 5), &exact), 1e20);
  EXPECT_TRUE(exact);
  EXPECT_EQ(DecodeNumeric(Sent({12, 3456, 7890, 1234, 5678}, 0), &exact), 12.345678901234567);
  EXPECT_FALSE(exact);
  EXPECT_TRUE(std::isnan(DecodeNumeric(Sent({}, 0, 0xC000), &exact)));
  EXPECT_EQ(DecodeNumeric(Sent({}, 0, 0xF000), &exact), -HUGE_VAL);
  EXPECT_TRUE(exact);
  EXPECT_EQ(DecodeNumeric(Sent({1}, 100), &exact), HUGE_VAL);
  EXPECT_FALSE(exact);
}

}  // namespace
}  // namespace headrace::components
