#include "base/suggest.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

using Words = std::vector<std::string>;

TEST(EditDistance, CountsEditsAndSwaps) {
  EXPECT_EQ(EditDistance("", "", 3), 0);
  EXPECT_EQ(EditDistance("trget", "target", 3), 1);
  EXPECT_EQ(EditDistance("taregt", "target", 3), 1);
  EXPECT_EQ(EditDistance("TARGET", "target", 3), 0);
  EXPECT_EQ(EditDistance("kitten", "sitting", 5), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting", 2), 3) << "cut off at limit + 1";
  EXPECT_EQ(EditDistance("a", "abcdef", 2), 3);
}

TEST(EditDistance, IsSymmetric) {
  const Words words = {"", "a", "ab", "ba", "target", "trgaet", "features", "feature"};
  for (const auto& a : words) {
    for (const auto& b : words) EXPECT_EQ(EditDistance(a, b, 20), EditDistance(b, a, 20));
  }
}

TEST(Suggest, BestFirst) {
  const Words known = {"time", "target", "tags", "type", "features"};
  EXPECT_EQ(Suggest("trget", known), Words({"target"}));
  EXPECT_EQ(Suggest("tme", known), Words({"time"}));
  EXPECT_EQ(Suggest("feat", known), Words({"features"}));
  EXPECT_EQ(Suggest("Target", known), Words({"target"}));
  EXPECT_EQ(Suggest("zzz", known), Words());
  EXPECT_EQ(Suggest("", known), Words());
  EXPECT_EQ(Suggest("x", {"y", "z"}), Words()) << "one letter is near to everything";
}

TEST(Suggest, TiesByNameAtMostAsked) {
  EXPECT_EQ(Suggest("cat", {"rat", "bat", "hat", "mat"}), Words({"bat", "hat", "mat"}));
  EXPECT_EQ(Suggest("cat", {"rat", "bat"}, 1), Words({"bat"}));
  EXPECT_EQ(Suggest("cat", {"bat", "bat"}), Words({"bat"}));
}

}  // namespace
}  // namespace headrace
