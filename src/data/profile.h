#pragma once
// Statistics of a table that can be merged with those of other rows of the same schema.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/types.h"

namespace headrace::data {

/// Distinct values, estimated (HyperLogLog, 2^10 registers: standard error 3.3 %; exact-ish below a
/// few hundred by linear counting). Flajolet et al., "HyperLogLog", AofA 2007.
class DistinctSketch {
 public:
  void Add(uint64_t hash) {
    uint32_t index = hash >> (64 - kBits);
    uint64_t rest = (hash << kBits) | (1ULL << (kBits - 1));
    auto rank = static_cast<uint8_t>(__builtin_clzll(rest) + 1);
    if (rank > registers_[index]) registers_[index] = rank;
  }
  void Merge(const DistinctSketch& other);
  int64_t Estimate() const;
  /// The registers as text, short when few are set; "" when none is.
  std::string ToText() const;
  static std::optional<DistinctSketch> FromText(const std::string& text);

 private:
  static constexpr int kBits = 10;
  std::array<uint8_t, 1 << kBits> registers_{};
};

/// One column's statistics. What does not apply to its type stays empty.
struct ColumnProfile {
  std::string name, type;
  int64_t nulls = 0;
  int64_t nans = 0;
  DistinctSketch distinct;
  /// Smallest and largest value (NaN left out); numbers, booleans as 0/1, dates as days, times and
  /// timestamps as microseconds.
  std::optional<double> min, max;
  /// The same as text: exact for integers and decimals; texts are cut to 64 bytes.
  std::optional<std::string> min_text, max_text;
  int64_t finite = 0;  ///< numbers, booleans: values that are neither NULL nor NaN nor infinite
  double sum = 0;      ///< of these
  double m2 = 0;       ///< sum of their squared differences from the mean
  int64_t min_length = -1, max_length = -1;  ///< texts, blobs: bytes; lists: elements

  std::optional<double> Mean() const;
  std::optional<double> StandardDeviation() const;  ///< of the sample (n - 1)
};

struct Profile {
  int64_t rows = 0;
  /// Rows that went since the columns' statistics were last taken from rows. Their values still
  /// count in `distinct`; all else is exact.
  int64_t removed = 0;
  std::vector<ColumnProfile> columns;
  const ColumnProfile* Find(std::string_view column) const;
  /// Error "profile_mismatch" (internal) when columns or types differ.
  Status Merge(const Profile& other);
};

/// What is left of a table's profile when rows go, without reading those that stay. Counts and
/// moments are subtracted; a sketch can't forget, so `distinct` stays an upper bound; a smallest or
/// largest value may have gone: such columns are stale and must be taken anew.
struct RemainingProfile {
  Profile profile;
  std::vector<std::string> stale;
};
/// `taken`: rows of files that are rewritten; `again`: rows written in their place; `removed`: how
/// many rows went for good. What is left is to be merged with `again`.
RemainingProfile ProfileWithout(const Profile& old, const Profile& taken, const Profile& again,
                                int64_t removed);

/// {"rows": 10, "columns": [{"name": "x", "type": "DOUBLE", "nulls": 0, "distinct": 9, "min":
/// "0.5", "max": "7.0", "mean": …, "stddev": …, "sketch": "…"}]}. What does not apply is left out.
/// Doubles carry 12 digits, so that the order of summation does not show.
Json ToJson(const Profile& profile);
Result<Profile> ProfileFromJson(const Json& json);

}  // namespace headrace::data
