#include "monitor/input_drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace headrace::monitor {
namespace {

using Counts = std::vector<int64_t>;

TEST(PopulationStability, IsTheSumOverBins) {
  const Counts then = {500, 300, 200}, now = {200, 300, 500};
  const double expected = 2 * 0.3 * std::log(2.5);
  EXPECT_NEAR(PopulationStability(then, now).value, expected, 1e-12);
  EXPECT_NEAR(PopulationStability(now, then).value, expected, 1e-12);
  EXPECT_EQ(PopulationStability(then, then).value, 0);
}

TEST(PopulationStability, AnEmptyBinCountsHalfARow) {
  const Counts then = {1000, 0}, now = {500, 500};
  const double expected = (1 - 0.5) * std::log(1 / 0.5) + (0.0005 - 0.5) * std::log(0.0005 / 0.5);
  EXPECT_NEAR(PopulationStability(then, now).value, expected, 1e-12);
  EXPECT_EQ(PopulationStability(Counts{0, 0}, Counts{3, 4}).value, 0);
}

TEST(PopulationStability, LuckShrinksWithTheRows) {
  const Counts few = {10, 10, 10, 10}, many = {10'000, 10'000, 10'000, 10'000};
  EXPECT_GT(PopulationStability(few, few).luck, 0.4);
  EXPECT_LT(PopulationStability(many, many).luck, 0.001);
}

// Draws from one distribution: the index seldom exceeds what luck gives.
TEST(PopulationStability, LuckIsSeldomExceeded) {
  uint64_t state = 7;
  const auto random = [&] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<size_t>(state >> 33) % 10;
  };
  int beyond = 0;
  for (int round = 0; round < 1000; ++round) {
    Counts then(10, 0), now(10, 0);
    for (int i = 0; i < 1000; ++i) ++then[random()];
    for (int i = 0; i < 300; ++i) ++now[random()];
    const auto index = PopulationStability(then, now);
    beyond += index.value > index.luck ? 1 : 0;
  }
  EXPECT_LE(beyond, 20);
}

}  // namespace
}  // namespace headrace::monitor
