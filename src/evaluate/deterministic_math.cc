// How exp and log are computed.
//
// exp: x = k ln 2 + r with |r| ≤ ln 2 / 2. ln 2 is split in two doubles; the upper one has 41 bits,
// so k × upper is exact and r is off by less than 2^-55. e^r = 1 + r + r² P(r) with the Taylor
// polynomial to r^14 (what is left is below 1e-18), and 2^k is put into the exponent in two halves
// so that the result may be denormal. The last addition decides the error: below 1 ulp.
//
// log: x = 2^k m with m in [√½, √2). With f = m − 1 and s = f / (2 + f),
//   log m = 2 atanh s = 2s + s R,  R = 2 (s²/3 + s⁴/5 + … + s²²/23)  (rest below 1e-18)
// and because 2s = f − s f = f − (h − s h) with h = f²/2,
//   log m = f − (h − s (h + R)),
// in which the rounded terms are small against f. Then k ln 2 is added, small part first.
//
// No table and no branch in the middle of exp: compilers turn the loop of SigmoidEach into vector
// instructions, and vector and scalar code give the same bits because each step is one IEEE
// operation. Against the C library on 1e6 random points: exp 1 ulp, log 1 ulp at most.
#include "evaluate/deterministic_math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace headrace::evaluate {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLn2High = 0x1.62e42fefa3000p-1;
constexpr double kLn2Low = 0x1.3de6af278ece6p-42;
constexpr double kInverseLn2 = 0x1.71547652b82fep+0;

/// (e^r − 1 − r) / r² for |r| ≤ 0.35.
inline double ExpTail(double r) {
  double p = 0x1.93974a8c07c9dp-37;
  p = p * r + 0x1.6124613a86d09p-33;
  p = p * r + 0x1.1eed8eff8d898p-29;
  p = p * r + 0x1.ae64567f544e4p-26;
  p = p * r + 0x1.27e4fb7789f5cp-22;
  p = p * r + 0x1.71de3a556c734p-19;
  p = p * r + 0x1.a01a01a01a01ap-16;
  p = p * r + 0x1.a01a01a01a01ap-13;
  p = p * r + 0x1.6c16c16c16c17p-10;
  p = p * r + 0x1.1111111111111p-7;
  p = p * r + 0x1.5555555555555p-5;
  p = p * r + 0x1.5555555555555p-3;
  return p * r + 0.5;
}

struct Reduced {
  double r;   // x − k ln 2
  int64_t k;  // nearest whole number of x / ln 2
};

/// |x| ≤ 1000.
inline Reduced Reduce(double x) {
  // Adding 1.5 × 2^52 rounds to a whole number and leaves it in the low bits.
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * kInverseLn2 + kRound;
  const double k = shifted - kRound;
  const int64_t bits = std::bit_cast<int64_t>(shifted) - std::bit_cast<int64_t>(kRound);
  return {(x - k * kLn2High) - k * kLn2Low, bits};
}

inline double PowerOfTwo(int64_t k) {  // −1022 ≤ k ≤ 1023
  return std::bit_cast<double>(static_cast<uint64_t>(k + 1023) << 52);
}

/// e^x for x in [−1000, 1000]: 0 and +inf beyond the range of doubles.
inline double ExpCore(double x) {
  const Reduced reduced = Reduce(x);
  const double r = reduced.r;
  const double value = 1.0 + (r + (r * r) * ExpTail(r));
  const int64_t half = reduced.k / 2;
  return value * PowerOfTwo(half) * PowerOfTwo(reduced.k - half);
}

inline double Clamp(double x) { return x > 1000.0 ? 1000.0 : (x < -1000.0 ? -1000.0 : x); }

/// x is not NaN, or the caller throws the result away.
inline double SigmoidCore(double x) {
  const double magnitude = x < 0 ? -x : x;
  const double e = ExpCore(-(magnitude < 1000.0 ? magnitude : 1000.0));
  return (x < 0 ? e : 1.0) / (1.0 + e);
}

}  // namespace

double Exp(double x) {
  if (x != x) return x;
  return ExpCore(Clamp(x));
}

double Expm1(double x) {
  if (x != x) return x;
  const Reduced reduced = Reduce(Clamp(x));
  const double r = reduced.r;
  const double small = r + (r * r) * ExpTail(r);  // e^r − 1
  if (reduced.k == 0) return x == 0 ? x : small;
  if (reduced.k < -54) return -1.0;
  if (reduced.k > 54) return Exp(x);  // the 1 is below the last bit
  const double scale = PowerOfTwo(reduced.k);
  return scale * small + (scale - 1.0);
}

double Log(double x) {
  if (x != x) return x;
  if (x <= 0) return x == 0 ? -kInf : kNaN;
  if (x == kInf) return kInf;
  int64_t exponent = 0;
  if (x < 0x1p-1022) {  // denormal
    x *= 0x1p54;
    exponent = -54;
  }
  // Subtracting the bits of √½ makes the exponent field count from m in [√½, √2).
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcdULL;
  const int64_t k = static_cast<int64_t>(bits - kRootHalf) >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<uint64_t>(k) << 52));
  exponent += k;

  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double q = 2.0 / 23;
  q = q * z + 2.0 / 21;
  q = q * z + 2.0 / 19;
  q = q * z + 2.0 / 17;
  q = q * z + 2.0 / 15;
  q = q * z + 2.0 / 13;
  q = q * z + 2.0 / 11;
  q = q * z + 2.0 / 9;
  q = q * z + 2.0 / 7;
  q = q * z + 2.0 / 5;
  q = q * z + 2.0 / 3;
  const double rest = q * z;
  const double h = 0.5 * f * f;
  const double k_value = static_cast<double>(exponent);
  return k_value * kLn2High - ((h - (s * (h + rest) + k_value * kLn2Low)) - f);
}

double Log1p(double x) {
  if (x != x || x == kInf) return x;
  if (x < -1.0) return kNaN;
  const double u = 1.0 + x;
  if (u == 1.0) return x;
  if (u == 0.0) return -kInf;
  // What rounding 1 + x lost comes back to first order.
  return Log(u) + (x - (u - 1.0)) / u;
}

double Log2(double x) { return Log(x) * kInverseLn2; }

double Pow(double x, double y) {
  if (y == 0) return 1.0;
  if (x == 0) return y > 0 ? 0.0 : kInf;
  return Exp(y * Log(x));
}

double Sigmoid(double x) {
  if (x != x) return x;
  return SigmoidCore(x);
}

double Softplus(double x) {
  if (x != x) return x;
  const double magnitude = x < 0 ? -x : x;
  return (x > 0 ? x : 0.0) + Log1p(Exp(-magnitude));
}

double Logit(double p) {
  if (!(p >= 0 && p <= 1)) return kNaN;
  if (p < 0.25 || p > 0.75) return Log(p) - Log1p(-p);
  return Log1p((2.0 * p - 1.0) / (1.0 - p));  // near one half the difference would cancel
}

double LogSumExp(std::span<const double> x) {
  double largest = -kInf;
  for (const double value : x) {
    if (value != value) return value;
    largest = value > largest ? value : largest;
  }
  if (largest == -kInf || largest == kInf) return largest;
  double sum = 0;
  for (const double value : x) sum += Exp(value - largest);
  return largest + Log(sum);
}

void Softmax(std::span<const double> x, std::span<double> out) {
  double largest = -kInf;
  for (const double value : x) largest = value > largest ? value : largest;
  double sum = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    out[k] = Exp(x[k] - largest);
    sum += out[k];
  }
  for (size_t k = 0; k < x.size(); ++k) out[k] /= sum;
}

void SigmoidEach(std::span<const double> x, std::span<double> out) {
  for (size_t i = 0; i < x.size(); ++i) {
    const double value = SigmoidCore(x[i]);
    out[i] = x[i] == x[i] ? value : x[i];
  }
}

double Sum(std::span<const double> x) {
  CompensatedSum sum;
  for (const double value : x) sum.Add(value);
  return sum.Value();
}

}  // namespace headrace::evaluate
