#include "evaluate/random.h"

#include <array>

#include "evaluate/deterministic_math.h"

namespace headrace::evaluate {

namespace {

// P(X ≤ k) for k = 0 … 17; e^-1 Σ 1/i!, correctly rounded.
constexpr std::array<double, 18> kCumulative = {
    0x1.78b56362cef38p-2, 0x1.78b56362cef38p-1, 0x1.d6e2bc3b82b06p-1, 0x1.f6472f2e6944ap-1,
    0x1.fe204beb22e9cp-1, 0x1.ffb21e77480acp-1, 0x1.fff516e3f8e59p-1, 0x1.fffea81812296p-1,
    0x1.ffffda3e9551ep-1, 0x1.fffffc42dcc83p-1, 0x1.ffffffa9b0ba6p-1, 0x1.fffffff8db44cp-1,
    0x1.ffffffff7425ap-1, 0x1.fffffffff60f9p-1, 0x1.ffffffffff572p-1, 0x1.fffffffffff58p-1,
    0x1.ffffffffffff6p-1, 0x1.fffffffffffffp-1};

inline int Poisson1Of(double u) {
  // Nearly all draws are below 4: four comparisons without a branch, which would be guessed wrong
  // every other time.
  int k =
      (u >= kCumulative[0]) + (u >= kCumulative[1]) + (u >= kCumulative[2]) + (u >= kCumulative[3]);
  if (k < 4) [[likely]] {
    return k;
  }
  while (k < 18 && u >= kCumulative[static_cast<size_t>(k)]) ++k;
  return k;
}

}  // namespace

int RandomTable::Poisson1(uint64_t index) const { return Poisson1Of(Uniform(index)); }

void RandomTable::Poisson1Each(std::span<const uint32_t> index, uint8_t* out) const {
  for (size_t i = 0; i < index.size(); ++i) {
    out[i] = static_cast<uint8_t>(Poisson1Of(Uniform(index[i])));
  }
}

uint64_t Random::Below(uint64_t n) {
  if (n <= 1) return 0;
  // Numbers above the largest multiple of n would favour small remainders: draw again.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t bits = Bits();
  while (bits >= limit) bits = Bits();
  return bits % n;
}

double Random::Normal() {
  // The half step keeps 0 and 1 out of the quantile's reach.
  return NormalQuantile((static_cast<double>(Bits() >> 11) + 0.5) * 0x1.0p-53);
}

}  // namespace headrace::evaluate
