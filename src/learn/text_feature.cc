// A bucket becomes a column if it occurs in enough rows, and not in all; the target isn't looked
// at, so fitting on all rows leaks nothing into validation. While the rows stream by only the
// numbers of their buckets are kept (2 bytes a word or pair).
#include "learn/text_feature.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "model/text_hash.h"

namespace headrace::learn {
namespace {

using model::TextHash;

class TextBuilder : public FeatureBuilder {
 public:
  TextBuilder(model::InputColumn column, int input) : column_(std::move(column)), input_(input) {
    rows_with_.assign(TextHash::kBuckets, 0);
    last_row_.assign(TextHash::kBuckets, -1);
  }

  void Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep) override {
    for (int64_t i = 0; i < rows; ++i) {
      if (keep != nullptr && keep[i] == 0) continue;
      const auto row = static_cast<int64_t>(end_.size());
      missing_.push_back(values.IsNull(i));
      if (!missing_.back()) {
        for (const uint16_t bucket : hash_.Of(values.Text(i, &buffer_))) {
          buckets_.push_back(bucket);
          if (last_row_[bucket] != row) ++rows_with_[bucket];
          last_row_[bucket] = row;
        }
      }
      end_.push_back(buckets_.size());
    }
  }

  void Reorder(std::span<const uint32_t> order) override {
    std::vector<uint16_t> buckets;
    std::vector<size_t> end;
    std::vector<bool> missing;
    buckets.reserve(buckets_.size());
    for (const uint32_t row : order) {
      const size_t first = row == 0 ? 0 : end_[row - 1];
      buckets.insert(buckets.end(), buckets_.begin() + static_cast<std::ptrdiff_t>(first),
                     buckets_.begin() + static_cast<std::ptrdiff_t>(end_[row]));
      end.push_back(buckets.size());
      missing.push_back(missing_[row]);
    }
    buckets_.swap(buckets);
    end_.swap(end);
    missing_.swap(missing);
  }

  BuiltFeature Finish() override {
    BuiltFeature out;
    const auto rows = static_cast<int64_t>(end_.size());
    const auto missing = std::count(missing_.begin(), missing_.end(), true);
    const std::vector<uint16_t> chosen = Choose(rows);
    out.profile = DumpJson({{"name", column_.name},
                            {"type", column_.type},
                            {"rows", rows},
                            {"missing", missing},
                            {"words", buckets_.size()}});
    if (chosen.empty()) {
      out.left_out = missing == rows ? "has no values" : "has no words that several rows share";
      out.left_out_code = missing == rows ? "empty_column" : "constant_column";
      out.evidence = DumpJson({{"rows", rows}, {"missing", missing}});
      return out;
    }
    out.columns = Columns(chosen);
    for (size_t c = 0; c < chosen.size(); ++c) {
      model::Step step;
      step.name = fmt::format("{}.w{}", column_.name, chosen[c]);
      step.input = input_;
      step.kind = model::StepKind::kText;
      step.bucket = chosen[c];
      for (int64_t i = 0; i < rows; ++i) {
        const double value = out.columns[c][i];
        if (value > step.max) step.max = value;
      }
      out.steps.push_back(std::move(step));
    }
    return out;
  }

 private:
  /// The buckets that occur in the most rows, by number.
  std::vector<uint16_t> Choose(int64_t rows) const {
    const int64_t fewest = std::max<int64_t>(3, rows / 2000);
    std::vector<uint16_t> out;
    for (uint32_t bucket = 0; bucket < TextHash::kBuckets; ++bucket) {
      if (rows_with_[bucket] >= fewest && rows_with_[bucket] < rows) {
        out.push_back(static_cast<uint16_t>(bucket));
      }
    }
    std::stable_sort(out.begin(), out.end(),
                     [&](uint16_t a, uint16_t b) { return rows_with_[a] > rows_with_[b]; });
    out.resize(std::min(out.size(), kTextColumns));
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<NumberColumn> Columns(const std::vector<uint16_t>& chosen) const {
    std::vector<int32_t> column_of(TextHash::kBuckets, -1);
    for (size_t c = 0; c < chosen.size(); ++c) column_of[chosen[c]] = static_cast<int32_t>(c);
    std::vector<NumberColumn> out(chosen.size());
    for (NumberColumn& column : out) column.Reserve(static_cast<int64_t>(end_.size()));
    std::vector<double> counts(chosen.size());
    size_t at = 0;
    for (size_t row = 0; row < end_.size(); ++row) {
      const double none = missing_[row] ? std::numeric_limits<double>::quiet_NaN() : 0.0;
      std::fill(counts.begin(), counts.end(), none);
      for (; at < end_[row]; ++at) {
        const int32_t c = column_of[buckets_[at]];
        if (c >= 0) counts[static_cast<size_t>(c)] += 1;
      }
      for (size_t c = 0; c < counts.size(); ++c) out[c].Append(counts[c]);
    }
    return out;
  }

  model::InputColumn column_;
  int input_;
  TextHash hash_;
  std::vector<uint16_t> buckets_;  // of all rows, one after another
  std::vector<size_t> end_;        // of each row in buckets_
  std::vector<bool> missing_;
  std::vector<int64_t> rows_with_, last_row_;  // by bucket
  std::string buffer_;
};

}  // namespace

std::unique_ptr<FeatureBuilder> MakeTextBuilder(const model::InputColumn& column, int input) {
  return std::make_unique<TextBuilder>(column, input);
}

}  // namespace headrace::learn
