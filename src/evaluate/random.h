#pragma once
// Random numbers that are a function of (seed, stream, index). Nothing depends on the order of
// calls, on threads or on the standard library, whose distributions differ between vendors.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace headrace::evaluate {

/// Bijective 64-bit mixing (the finaliser of splitmix64, Steele, Lea, Flood 2014).
constexpr uint64_t Mix64(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return x;
}

/// An unending table of random numbers, addressed by index. Cheap to copy, immutable, thread-safe.
class RandomTable {
 public:
  explicit constexpr RandomTable(uint64_t seed, uint64_t stream = 0)
      : key_(Mix64(Mix64(seed + 0x9e3779b97f4a7c15ULL) ^ (stream * 0xd1342543de82ef95ULL + 1))) {}

  constexpr uint64_t Bits(uint64_t index) const {
    return Mix64(key_ + (index + 1) * 0x9e3779b97f4a7c15ULL);
  }
  /// In [0, 1), multiples of 2^−53.
  constexpr double Uniform(uint64_t index) const {
    return static_cast<double>(Bits(index) >> 11) * 0x1.0p-53;
  }
  /// How often a row is drawn in a Poisson(1) bootstrap: 0 … 12 or so.
  int Poisson1(uint64_t index) const;
  /// Poisson1 of each index; `out` has as many places. A third of the time of single calls.
  void Poisson1Each(std::span<const uint32_t> index, uint8_t* out) const;

 private:
  uint64_t key_;
};

/// A sequence over a RandomTable. Not thread-safe.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0) : table_(seed, stream) {}

  uint64_t Bits() { return table_.Bits(next_++); }
  double Uniform() { return table_.Uniform(next_++); }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  /// Unbiased whole number in [0, n); 0 when n is 0.
  uint64_t Below(uint64_t n);
  /// Standard normal by inversion: one draw per number.
  double Normal();

  template <class T>
  void Shuffle(std::span<T> items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  RandomTable table_;
  uint64_t next_ = 0;
};

}  // namespace headrace::evaluate
