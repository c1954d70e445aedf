#pragma once
// Words of a text as numbered buckets: how free text becomes numbers (`types: {comment: text}`).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::model {

/// Splits text into words and hashes each word and each pair of neighbouring words into one of
/// kBuckets. Deterministic: XXH3 of lower-cased bytes, the same on every machine. A word is a run
/// of ASCII letters and digits and of bytes beyond ASCII (so UTF-8 words stay whole; their case is
/// kept). Bounded: kMostWords words of a text count. Not thread-safe (keeps a buffer).
class TextHash {
 public:
  static constexpr uint32_t kBuckets = 1 << 16;
  static constexpr size_t kMostWords = 1000;
  static constexpr size_t kLongestWord = 64;  ///< bytes; the rest of a longer one is passed over

  /// The buckets of all words and pairs, in order, with repetitions. Valid until the next call.
  const std::vector<uint16_t>& Of(std::string_view text);

 private:
  std::vector<uint16_t> buckets_;
  std::string word_;
};

/// Number of words, at most TextHash::kMostWords.
int64_t CountWords(std::string_view text);

}  // namespace headrace::model
