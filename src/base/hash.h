#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace headrace {

/// 128-bit number, used as XXH3-128 digest. Comparable, printable as 32 hex digits (high first).
struct Hash128 {
  uint64_t low = 0, high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
  /// Addition modulo 2^128: order of addends can't matter.
  Hash128& operator+=(const Hash128& other);
  Hash128& operator-=(const Hash128& other);
  std::string Hex() const;
};

Hash128 HashBytes(std::string_view bytes);
uint64_t HashBytes64(std::string_view bytes, uint64_t seed = 0);

/// Hashes a sequence of labelled parts so that ("ab","c") and ("a","bc") differ. Not thread-safe.
class Hasher {
 public:
  Hasher& Add(std::string_view part);
  Hasher& Add(int64_t number);
  Hash128 Finish() const;

 private:
  std::string buffer_;
};

/// SHA-256 as hex, for artefacts that other tools verify.
std::string Sha256Hex(std::string_view bytes);

}  // namespace headrace
