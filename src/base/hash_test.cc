#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>

#include "base/id.h"

namespace headrace {
namespace {

TEST(Hash128, AddsModulo2To128InAnyOrder) {
  const Hash128 a = HashBytes("a"), b = HashBytes("b"), c = HashBytes("c");
  Hash128 x = a, y = c;
  (x += b) += c;
  (y += a) += b;
  EXPECT_EQ(x, y);
  Hash128 carry{.low = UINT64_MAX, .high = 1};
  carry += Hash128{.low = 1, .high = 0};
  EXPECT_EQ(carry, (Hash128{.low = 0, .high = 2}));
  EXPECT_EQ(carry.Hex(), "00000000000000020000000000000000");
}

// From the specification of XXH3 (empty input, seed 0). Digests are stored: they may never change.
TEST(HashBytes, IsXxh3) {
  EXPECT_EQ(HashBytes("").Hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(HashBytes64(""), 0x2d06800538d394c2u);
  EXPECT_NE(HashBytes64("a", 1), HashBytes64("a", 2));
}

TEST(Hasher, KeepsPartsApart) {
  std::set<std::string> all;
  all.insert(Hasher().Add("ab").Add("c").Finish().Hex());
  all.insert(Hasher().Add("a").Add("bc").Finish().Hex());
  all.insert(Hasher().Add("abc").Finish().Hex());
  all.insert(Hasher().Add("abc").Add("").Finish().Hex());
  all.insert(Hasher().Add(int64_t{1}).Finish().Hex());
  all.insert(Hasher().Add(int64_t{-1}).Finish().Hex());
  all.insert(Hasher().Add(std::string_view("\1\0\0\0\0\0\0\0", 8)).Finish().Hex());
  EXPECT_EQ(all.size(), 7u);
  EXPECT_EQ(Hasher().Add("x").Finish(), Hasher().Add("x").Finish());
}

// FIPS 180-4 and NIST's examples.
TEST(Sha256, Vectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(Sha256Hex(std::string(64, '\0')),
            "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

TEST(NewId, IsTimeAndRandomness) {
  const ManualClock clock(*ParseTimestamp("2026-01-31 09:30:07.5"));
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(NewId(clock));
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_EQ(ids.begin()->substr(0, 16), "20260131-093007-");
  EXPECT_EQ(ids.begin()->size(), 24u);
}

}  // namespace
}  // namespace headrace
