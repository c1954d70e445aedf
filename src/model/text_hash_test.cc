#include "model/text_hash.h"

#include <gtest/gtest.h>

#include <set>

namespace headrace::model {
namespace {

TEST(TextHash, WordsAndPairsWithoutCaseAndSigns) {
  TextHash hash;
  const std::vector<uint16_t> a = hash.Of("The pump LEAKS, badly");
  EXPECT_EQ(a.size(), 7u);  // four words, three pairs
  EXPECT_EQ(hash.Of("  the pump... leaks badly!"), a);
  EXPECT_NE(hash.Of("badly leaks pump the"), a);
  EXPECT_TRUE(hash.Of(" ,.- ").empty());
  EXPECT_TRUE(hash.Of("").empty());
}

TEST(TextHash, NumbersAreFixedForEver) {
  // They stand in packages: a change breaks every model that reads text.
  TextHash hash;
  EXPECT_EQ(hash.Of("leak"), (std::vector<uint16_t>{11039}));
  EXPECT_EQ(hash.Of("pump leak"), (std::vector<uint16_t>{56585, 11039, 33823}));
}

TEST(TextHash, BoundedAndWholeBeyondAscii) {
  TextHash hash;
  std::string lots;
  for (int i = 0; i < 5000; ++i) lots += "w" + std::to_string(i) + " ";
  EXPECT_EQ(hash.Of(lots).size(), 2 * TextHash::kMostWords - 1);
  EXPECT_EQ(CountWords(lots), 1000);
  EXPECT_EQ(CountWords("größe über alles"), 3);
  EXPECT_EQ(hash.Of(std::string(100, 'x')), hash.Of(std::string(200, 'x')));
  EXPECT_EQ(hash.Of(std::string("a\0b", 3)).size(), 3u);  // a NUL divides words
}

}  // namespace
}  // namespace headrace::model
