#include "evaluate/deterministic_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "evaluate/random.h"

namespace headrace::evaluate {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double Ulps(double got, long double wanted) {
  const auto w = static_cast<double>(wanted);
  if (got == w || (std::isnan(got) && std::isnan(w))) return 0;
  return std::fabs(static_cast<double>(std::bit_cast<int64_t>(got) - std::bit_cast<int64_t>(w)));
}

TEST(DeterministicMath, AgreesWithLongDoubleWithinTwoUlp) {
  Random random(1);
  double exp = 0, log = 0, log1p = 0, expm1 = 0, sigmoid = 0, softplus = 0;
  for (int i = 0; i < 200000; ++i) {
    const double wide = random.Uniform(-745, 709), near = random.Uniform(-2, 2);
    const double any =
        std::ldexp(random.Uniform(0.5, 1), static_cast<int>(random.Below(2090)) - 1060);
    const double tiny = std::ldexp(random.Uniform(-1, 1), -static_cast<int>(random.Below(60)));
    const double margin = random.Uniform(-40, 40);
    exp = std::max({exp, Ulps(Exp(wide), std::exp(static_cast<long double>(wide))),
                    Ulps(Exp(near), std::exp(static_cast<long double>(near)))});
    log = std::max({log, Ulps(Log(any), std::log(static_cast<long double>(any))),
                    Ulps(Log(near + 2.5), std::log(static_cast<long double>(near + 2.5)))});
    log1p = std::max(log1p, Ulps(Log1p(tiny), std::log1p(static_cast<long double>(tiny))));
    expm1 = std::max({expm1, Ulps(Expm1(tiny), std::expm1(static_cast<long double>(tiny))),
                      Ulps(Expm1(near), std::expm1(static_cast<long double>(near)))});
    const long double e = std::exp(-static_cast<long double>(margin));
    sigmoid = std::max(sigmoid, Ulps(Sigmoid(margin), 1 / (1 + e)));
    softplus = std::max(softplus, Ulps(Softplus(margin), std::log1p(1 / e)));
  }
  EXPECT_LE(exp, 1);
  EXPECT_LE(log, 1);
  EXPECT_LE(log1p, 2);
  EXPECT_LE(expm1, 2);
  EXPECT_LE(sigmoid, 2);
  EXPECT_LE(softplus, 2);
}

TEST(DeterministicMath, EdgesOfTheRange) {
  EXPECT_EQ(Exp(0), 1);
  EXPECT_EQ(Exp(710), kInf);
  EXPECT_EQ(Exp(kInf), kInf);
  EXPECT_EQ(Exp(-kInf), 0);
  EXPECT_EQ(Exp(-746), 0);
  EXPECT_EQ(Exp(-745), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::isnan(Exp(kNaN)));
  EXPECT_EQ(Log(1), 0);
  EXPECT_EQ(Log(0), -kInf);
  EXPECT_EQ(Log(kInf), kInf);
  EXPECT_TRUE(std::isnan(Log(-1)));
  EXPECT_EQ(Log1p(-1), -kInf);
  EXPECT_TRUE(std::isnan(Log1p(-1.5)));
  EXPECT_EQ(Expm1(-1000), -1);
  EXPECT_EQ(Sigmoid(0), 0.5);
  EXPECT_EQ(Sigmoid(kInf), 1);
  EXPECT_EQ(Sigmoid(-kInf), 0);
  EXPECT_TRUE(std::isnan(Sigmoid(kNaN)));
  EXPECT_EQ(Logit(0), -kInf);
  EXPECT_EQ(Logit(0.5), 0);
  EXPECT_EQ(Logit(1), kInf);
  EXPECT_TRUE(std::isnan(Logit(1.1)));
  EXPECT_EQ(Softplus(1000), 1000);
  EXPECT_EQ(Pow(2, 0), 1);
  EXPECT_NEAR(Pow(2, 10), 1024, 1e-11);
}

// The bits themselves: any compiler, flag or processor that changes them must fail here.
TEST(DeterministicMath, BitsAreFixed) {
  Random random(2);
  uint64_t digest = 0;
  for (int i = 0; i < 10000; ++i) {
    const double x = random.Uniform(-20, 20);
    for (const double v : {Exp(x), Log(std::fabs(x)), Sigmoid(x), Log1p(x * x), NormalCdf(x)}) {
      digest = Mix64(digest ^ std::bit_cast<uint64_t>(v));
    }
  }
  EXPECT_EQ(digest, 18037178745112017993u);
}

TEST(DeterministicMath, VectorAndScalarSigmoidAreEqual) {
  Random random(3);
  std::vector<double> x(1001), out(1001);
  for (double& v : x) v = random.Uniform(-800, 800);
  x[7] = kNaN;
  SigmoidEach(x, out);
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(std::bit_cast<uint64_t>(out[i]), std::bit_cast<uint64_t>(Sigmoid(x[i]))) << x[i];
  }
}

TEST(DeterministicMath, SoftmaxSumsToOneAndIgnoresAShift) {
  const std::vector<double> x = {1000, 1001, 999};
  std::vector<double> out(3);
  Softmax(x, out);
  EXPECT_NEAR(out[0] + out[1] + out[2], 1, 1e-15);
  EXPECT_NEAR(out[1] / out[0], std::exp(1.0), 1e-14);
  EXPECT_NEAR(LogSumExp(x), 1000 + std::log(1 + std::exp(1.0) + std::exp(-1.0)), 1e-12);
  EXPECT_EQ(LogSumExp({}), -kInf);
}

TEST(DeterministicMath, NormalDistribution) {
  for (double x = -8; x <= 8; x += 0.01) {
    EXPECT_NEAR(NormalCdf(x), 0.5 * std::erfc(-x / std::sqrt(2.0)), 1e-15) << x;
  }
  for (const double p : {1e-12, 1e-6, 0.01, 0.024, 0.025, 0.3, 0.5, 0.77, 0.975, 0.9999}) {
    EXPECT_NEAR(NormalCdf(NormalQuantile(p)) / p, 1, 1e-12) << p;
  }
  EXPECT_EQ(NormalQuantile(0), -kInf);
  EXPECT_EQ(NormalQuantile(1), kInf);
  EXPECT_TRUE(std::isnan(NormalQuantile(-0.1)));
}

TEST(CompensatedSum, KeepsWhatPlainSumsLose) {
  EXPECT_EQ(Sum(std::vector<double>{1, 1e100, 1, -1e100}), 2);
  EXPECT_EQ(Sum(std::vector<double>(10, 0.1)), 1);
  EXPECT_EQ(Sum(std::vector<double>{1, kInf}), kInf);
  EXPECT_TRUE(std::isnan(Sum(std::vector<double>{kInf, -kInf})));
}

TEST(Random, IsAFunctionOfSeedStreamAndIndex) {
  const RandomTable table(7, 3);
  EXPECT_EQ(table.Bits(5), RandomTable(7, 3).Bits(5));
  EXPECT_NE(table.Bits(5), RandomTable(7, 4).Bits(5));
  EXPECT_NE(table.Bits(5), RandomTable(8, 3).Bits(5));
  EXPECT_EQ(RandomTable(1, 0).Bits(0),
            2424468580836592839u);  // never changes: stored models depend on it
}

TEST(Random, DistributionsHaveTheirMoments) {
  Random random(5);
  const RandomTable table(5, 9);
  double sum = 0, square = 0, poisson = 0, poisson_square = 0;
  constexpr int kDraws = 200000;
  std::vector<int> sixes(6);
  for (int i = 0; i < kDraws; ++i) {
    const double z = random.Normal();
    sum += z;
    square += z * z;
    const int k = table.Poisson1(static_cast<uint64_t>(i));
    poisson += k;
    poisson_square += k * k;
    ++sixes[random.Below(6)];
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.01);
  EXPECT_NEAR(square / kDraws, 1, 0.02);
  EXPECT_NEAR(poisson / kDraws, 1, 0.01);
  EXPECT_NEAR(poisson_square / kDraws, 2, 0.03);
  for (const int count : sixes) EXPECT_NEAR(count, kDraws / 6, 700);
  EXPECT_EQ(random.Below(0), 0u);
}

TEST(Random, ShuffleIsAPermutation) {
  std::vector<int> items = {0, 1, 2, 3, 4, 5, 6, 7};
  Random(1).Shuffle(std::span<int>(items));
  EXPECT_NE(items, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace headrace::evaluate
