#include "config/sample.h"

#include <gtest/gtest.h>

namespace headrace::config {
namespace {

TEST(Sample, SharesAreReadExactly) {
  EXPECT_EQ(*ParseSample("1%"), 10'000);
  EXPECT_EQ(*ParseSample("0.05%"), 500);
  EXPECT_EQ(*ParseSample("99.9999%"), 999'999);
  EXPECT_EQ(*ParseSample("12.5%"), 125'000);
  EXPECT_EQ(SampleText(10'000), "1%");
  EXPECT_EQ(SampleText(500), "0.05%");
  EXPECT_EQ(SampleState("dev", 10'000), "dev__sample_1");
  EXPECT_EQ(SampleState("dev", 125'000), "dev__sample_12_5");
}

TEST(Sample, OtherTextsAreRefused) {
  for (const char* text : {"", "%", "1", "1000", "0%", "0.0000%", "100%", "130%", "-1%", ".5%",
                           "1.%", "0.00001%", "1 %", "one%", "1e1%"}) {
    EXPECT_FALSE(ParseSample(text).ok()) << text;
  }
}

}  // namespace
}  // namespace headrace::config
