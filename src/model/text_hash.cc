#include "model/text_hash.h"

#include "base/hash.h"

namespace headrace::model {
namespace {

bool InWord(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Calls `word(first, end)` for each word, at most `most` times.
template <class F>
void EachWord(std::string_view text, size_t most, const F& word) {
  size_t at = 0;
  for (size_t words = 0; words < most; ++words) {
    while (at < text.size() && !InWord(text[at])) ++at;
    if (at == text.size()) return;
    const size_t first = at;
    while (at < text.size() && InWord(text[at])) ++at;
    word(first, at);
  }
}

}  // namespace

const std::vector<uint16_t>& TextHash::Of(std::string_view text) {
  buckets_.clear();
  uint64_t before = 0;
  bool first_word = true;
  EachWord(text, kMostWords, [&](size_t first, size_t end) {
    word_.clear();
    for (size_t i = first; i < end && word_.size() < kLongestWord; ++i) word_ += Lower(text[i]);
    const uint64_t hash = HashBytes64(word_, 1);
    buckets_.push_back(static_cast<uint16_t>(hash % kBuckets));
    if (!first_word) {
      // The word hashed with the one before it as the seed.
      buckets_.push_back(static_cast<uint16_t>(HashBytes64(word_, before) % kBuckets));
    }
    before = hash;
    first_word = false;
  });
  return buckets_;
}

int64_t CountWords(std::string_view text) {
  int64_t words = 0;
  EachWord(text, TextHash::kMostWords, [&](size_t, size_t) { ++words; });
  return words;
}

}  // namespace headrace::model
