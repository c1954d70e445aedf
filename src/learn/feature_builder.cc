// Encodings are chosen when all rows were seen:
//   numbers     as they are;
//   text        a category, levels by descending frequency then name. Text of which 99 % reads as
//               numbers (and of more than 20 values) is a number: files often quote them, or write
//               a blank for a missing one. Text with nearly as many values as rows is an
//               identifier;
//   whole numbers, each different and together dense, are row numbers: left out likewise;
//   free text   only when the model says so: counts of hashed words (text_feature.cc);
//   dates       year, month, day, weekday, hour, days since 1970; parts that never change are
//   dropped.
// Nothing here looks at the target, so fitting on all rows leaks nothing into validation.
#include "learn/feature_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>

#include "learn/row_order.h"
#include "learn/text_feature.h"
#include "model/text_hash.h"

namespace headrace::learn {
namespace {

using model::DatePart;
using model::InputClass;
using model::InputColumn;
using model::Step;
using model::StepKind;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kPlainLevels = 254;  ///< up to here every level is kept
constexpr size_t kMostLevels = 1000;  ///< of those seen at least twice
constexpr size_t kNumberLikeLevels = 20;
constexpr int64_t kFewestForIdentifier = 50;
constexpr size_t kManyLevels = 1000;  ///< from here on a hint says how few are told apart
constexpr double kWordsOfFreeText = 3;

/// Bins between the tenths of a sample, and how many of all values fall into each: what drift is
/// measured against (monitor/input_drift.h). A value equal to an edge lies below it; tenths that
/// are equal give one edge, so that few distinct values have bins of their own.
template <class T>
Json NumberBins(const std::vector<double>& sorted_sample, const T* values, int64_t rows) {
  constexpr size_t kTenths = 10;
  std::vector<double> edges;
  for (size_t tenth = 1; tenth < kTenths && !sorted_sample.empty(); ++tenth) {
    const double edge = sorted_sample[(sorted_sample.size() - 1) * tenth / kTenths];
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  // Edges that aren't there are never passed: nine comparisons without a branch take a third of the
  // time of a binary search, whose guesses go wrong.
  std::array<double, kTenths - 1> passed;
  passed.fill(std::numeric_limits<double>::infinity());
  std::copy(edges.begin(), edges.end(), passed.begin());
  std::array<int64_t, kTenths> counts{};
  int64_t missing = 0;  // passes no edge, so it is counted in the first bin
  for (int64_t i = 0; i < rows; ++i) {
    const auto value = static_cast<double>(values[i]);
    size_t bin = 0;
    for (const double edge : passed) bin += value > edge ? 1 : 0;
    ++counts[bin];
    missing += std::isnan(value) ? 1 : 0;
  }
  counts[0] -= missing;
  return {{"edges", edges},
          {"counts",
           std::vector<int64_t>(counts.begin(),
                                counts.begin() + static_cast<std::ptrdiff_t>(edges.size()) + 1)}};
}

/// Missing, range, mean, deviation, quantiles of a sample of at most 10,000 values.
template <class T>
Json NumberProfile(const InputColumn& column, const T* values, int64_t rows) {
  int64_t present = 0;
  double sum = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (!std::isnan(values[i])) sum += static_cast<double>(values[i]), ++present;
  }
  const double mean = present > 0 ? sum / static_cast<double>(present) : 0;
  double squares = 0;
  std::vector<double> sample;
  const int64_t stride = std::max<int64_t>(1, rows / 10'000);
  for (int64_t i = 0; i < rows; ++i) {
    if (std::isnan(values[i])) continue;
    const double off = static_cast<double>(values[i]) - mean;
    squares += off * off;
  }
  for (int64_t i = 0; i < rows; i += stride) {
    if (!std::isnan(values[i])) sample.push_back(static_cast<double>(values[i]));
  }
  std::sort(sample.begin(), sample.end());
  Json quantiles = Json::array();
  for (int q = 0; q <= 20 && !sample.empty(); ++q) {
    quantiles.push_back(sample[(sample.size() - 1) * static_cast<size_t>(q) / 20]);
  }
  Json out = {{"name", column.name},
              {"type", column.type},
              {"rows", rows},
              {"missing", rows - present},
              {"mean", std::isfinite(mean) ? Json(mean) : Json(nullptr)}};
  const double deviation = present > 0 ? std::sqrt(squares / static_cast<double>(present)) : 0;
  out["stddev"] = std::isfinite(deviation) ? Json(deviation) : Json(nullptr);
  out["quantiles"] = std::move(quantiles);
  out["bins"] = NumberBins(sample, values, rows);
  return out;
}

Json NumberProfile(const InputColumn& column, const NumberColumn& values) {
  return values.With([&](const auto* data) { return NumberProfile(column, data, values.size()); });
}

struct Range {
  double min = 0, max = 0;
  int64_t present = 0;
  void Add(double value) {
    if (std::isnan(value)) return;
    min = present == 0 ? value : std::min(min, value);
    max = present == 0 ? value : std::max(max, value);
    ++present;
  }
};

Step NumberStep(const std::string& name, int input, const Range& range) {
  Step step;
  step.name = name;
  step.input = input;
  step.min = range.min;
  step.max = range.max;
  return step;
}

void LeaveOut(BuiltFeature* out, std::string code, std::string reason, const Json& evidence) {
  out->left_out_code = std::move(code);
  out->left_out = std::move(reason);
  out->evidence = DumpJson(evidence);
}

/// Leaves a column of numbers out that is of no use.
void LeaveOutUseless(const Range& range, int64_t rows, BuiltFeature* out) {
  if (range.present == 0) {
    LeaveOut(out, "empty_column", "has no values", {{"rows", rows}});
  } else if (range.min == range.max && range.present == rows) {
    LeaveOut(out, "constant_column", "is constant", {{"rows", rows}, {"value", range.min}});
  }
}

class NumberBuilder : public FeatureBuilder {
 public:
  NumberBuilder(InputColumn column, int input, bool wanted, int64_t rows)
      : column_(std::move(column)), input_(input), wanted_(wanted) {
    values_.Reserve(rows);
  }

  void Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep) override {
    buffer_.resize(static_cast<size_t>(rows));
    values.Numbers(0, rows, buffer_.data(), 1);
    for (int64_t i = 0; i < rows; ++i) {
      if (keep != nullptr && keep[i] == 0) continue;
      const double value = buffer_[static_cast<size_t>(i)];
      values_.Append(value);
      range_.Add(value);
      if (std::fabs(value) >= model::kLargest) ++infinite_;
    }
  }

  void Reorder(std::span<const uint32_t> order) override { values_.Reorder(order); }

  BuiltFeature Finish() override {
    BuiltFeature out;
    out.profile = NumberProfile(column_, values_).dump();
    LeaveOutUseless(range_, values_.size(), &out);
    if (out.left_out.empty() && !wanted_ && IsRowNumber()) {
      LeaveOut(&out, "id_like_column",
               "is a whole number, different in every row: it looks like an identifier",
               {{"rows", values_.size()}, {"distinct", values_.size()}});
      out.serial = std::move(values_);
    }
    if (!out.left_out.empty()) return out;
    if (infinite_ > 0) {
      out.findings.push_back(
          Hint("infinite_values", column_.name,
               fmt::format("'{}' is infinite (or beyond 1e300) in {} of {} rows; it is read as "
                           "±1e300 there: cap it or make it NULL in SQL",
                           column_.name, infinite_, values_.size()),
               DumpJson({{"rows", values_.size()}, {"infinite", infinite_}})));
    }
    out.steps.push_back(NumberStep(column_.name, input_, range_));
    out.columns.push_back(std::move(values_));
    return out;
  }

 private:
  bool IsRowNumber() const {
    const int64_t rows = values_.size();
    if (column_.input_class != InputClass::kNumber || rows < kFewestForIdentifier ||
        range_.present != rows || !(range_.max - range_.min < 2.0 * static_cast<double>(rows))) {
      return false;
    }
    std::vector<bool> seen(static_cast<size_t>(range_.max - range_.min) + 1);
    for (int64_t i = 0; i < rows; ++i) {
      const double at = values_[i] - range_.min;
      if (at != std::floor(at) || seen[static_cast<size_t>(at)]) return false;
      seen[static_cast<size_t>(at)] = true;
    }
    return true;
  }

  InputColumn column_;
  int input_;
  bool wanted_;
  NumberColumn values_;
  Range range_;
  int64_t infinite_ = 0;
  std::vector<double> buffer_;
};

class CategoryBuilder : public FeatureBuilder {
 public:
  CategoryBuilder(InputColumn column, int input, FeatureRole role, bool wanted, int64_t rows)
      : column_(std::move(column)), input_(input), role_(role), wanted_(wanted) {
    codes_.reserve(static_cast<size_t>(rows));
  }

  void Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep) override {
    if (too_many_) return;
    for (int64_t i = 0; i < rows; ++i) {
      if (keep != nullptr && keep[i] == 0) continue;
      if (values.IsNull(i)) {
        codes_.push_back(-1);
        continue;
      }
      const std::string_view text = values.Text(i, &buffer_);
      auto at = index_.find(text);
      if (at == index_.end()) {
        if (names_.size() >= static_cast<size_t>(model::Encoder::kMaxLevels)) {
          too_many_ = true;
          std::vector<int32_t>().swap(codes_);
          return;
        }
        at = index_.emplace(std::string(text), static_cast<int32_t>(names_.size())).first;
        names_.push_back(&at->first);
        counts_.push_back(0);
      }
      codes_.push_back(at->second);
      ++counts_[static_cast<size_t>(at->second)];
    }
  }

  void Reorder(std::span<const uint32_t> order) override {
    if (too_many_) return;
    learn::Reorder(&codes_, order);
    NumberByAppearance(&codes_, &names_, &counts_);
  }

  BuiltFeature Finish() override {
    BuiltFeature out;
    if (too_many_) {
      LeaveOut(&out, "many_categories",
               fmt::format("has more than {} different values", model::Encoder::kMaxLevels),
               {{"distinct_more_than", model::Encoder::kMaxLevels}});
      out.profile = Json{{"name", column_.name}, {"type", column_.type}}.dump();
      return out;
    }
    const auto rows = static_cast<int64_t>(codes_.size());
    const int64_t present = std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
    if (role_ == FeatureRole::kAuto && ReadsAsNumber()) return FinishAsNumber();
    SortLevels();
    Profile(rows - present, &out);
    const auto distinct = static_cast<int64_t>(names_.size());
    if (present == 0) {
      LeaveOut(&out, "empty_column", "has no values", {{"rows", rows}});
    } else if (distinct == 1 && present == rows) {
      LeaveOut(&out, "constant_column", "is constant", {{"rows", rows}, {"value", *names_[0]}});
    } else if (!wanted_ && present >= kFewestForIdentifier && distinct * 10 >= present * 9) {
      LeaveOut(&out, "id_like_column",
               fmt::format("has {} different values in {} rows: it looks like an identifier",
                           distinct, present),
               {{"rows", present}, {"distinct", distinct}});
      NoteFreeText(&out);
    }
    if (!out.left_out.empty()) return out;

    Step step;
    step.name = column_.name;
    step.input = input_;
    step.kind = StepKind::kCategory;
    const size_t kept = KeptLevels();
    for (size_t i = 0; i < kept; ++i) step.levels.push_back(*names_[order_[i]]);
    NoteRareLevels(kept, &out);
    std::vector<float> code_of(names_.size(), static_cast<float>(kept));
    for (size_t i = 0; i < kept; ++i) code_of[order_[i]] = static_cast<float>(i);
    NumberColumn column;
    column.Reserve(rows);
    for (const int32_t code : codes_) {
      column.Append(code < 0 ? kNan : static_cast<double>(code_of[static_cast<size_t>(code)]));
    }
    out.steps.push_back(std::move(step));
    out.columns.push_back(std::move(column));
    return out;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void NoteRareLevels(size_t kept, BuiltFeature* out) const {
    if (kept == names_.size()) return;
    std::string message = fmt::format("{} of {} values of '{}' are rare and treated as one",
                                      names_.size() - kept, names_.size(), column_.name);
    if (names_.size() < kManyLevels) {
      out->findings.push_back(Note("rare_levels", column_.name, std::move(message)));
      return;
    }
    out->findings.push_back(
        Hint("many_categories", column_.name,
             message + ": group them in SQL, or leave the column out if it names single things",
             DumpJson({{"rows", codes_.size()}, {"distinct", names_.size()}, {"kept", kept}})));
    NoteFreeText(out);
  }

  /// Sentences rather than names: their words may be worth reading.
  void NoteFreeText(BuiltFeature* out) const {
    if (column_.input_class != InputClass::kText || role_ != FeatureRole::kAuto) return;
    const size_t some = std::min<size_t>(names_.size(), 1000);
    int64_t words = 0;
    for (size_t i = 0; i < some; ++i) words += model::CountWords(*names_[i]);
    const double mean = static_cast<double>(words) / static_cast<double>(std::max<size_t>(some, 1));
    if (mean < kWordsOfFreeText) return;
    out->findings.push_back(
        Hint("free_text", column_.name,
             fmt::format("'{0}' looks like free text (about {1:.0f} words): `features: {{types: "
                         "{{{0}: text}}}}` lets the model read its words",
                         column_.name, mean),
             DumpJson({{"mean_words", mean}}), "features"));
  }

  static bool Blank(std::string_view text) {
    return text.find_first_not_of(' ') == std::string_view::npos;
  }

  bool ReadsAsNumber() const {
    if (column_.input_class != InputClass::kText || names_.size() <= kNumberLikeLevels)
      return false;
    int64_t number = 0, other = 0;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (model::ParseNumber(*names_[i])) {
        number += counts_[i];
      } else if (!Blank(*names_[i])) {
        other += counts_[i];
      }
    }
    return number > 0 && other * 99 <= number;
  }

  BuiltFeature FinishAsNumber() {
    BuiltFeature out;
    std::vector<double> value_of;
    int64_t unread = 0;
    for (size_t i = 0; i < names_.size(); ++i) {
      value_of.push_back(model::ParseNumber(*names_[i]).value_or(kNan));
      if (std::isnan(value_of.back())) unread += counts_[i];
    }
    NumberColumn values;
    values.Reserve(static_cast<int64_t>(codes_.size()));
    Range range;
    for (const int32_t code : codes_) {
      const double value = code < 0 ? kNan : value_of[static_cast<size_t>(code)];
      values.Append(value);
      range.Add(value);
    }
    out.findings.push_back(
        {"text_as_number", column_.name,
         fmt::format(
             "'{}' is text but reads as numbers and is used so; {} values are no number and "
             "count as missing",
             column_.name, unread)});
    out.profile = NumberProfile(column_, values).dump();
    LeaveOutUseless(range, values.size(), &out);
    if (!out.left_out.empty()) return out;
    out.steps.push_back(NumberStep(column_.name, input_, range));
    out.columns.push_back(std::move(values));
    return out;
  }

  void SortLevels() {
    order_.resize(names_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : *names_[a] < *names_[b];
    });
  }

  size_t KeptLevels() const {
    if (names_.size() <= kPlainLevels) return names_.size();
    size_t kept = 0;
    while (kept < kMostLevels && kept < order_.size() && counts_[order_[kept]] >= 2) ++kept;
    return kept;
  }

  void Profile(int64_t missing, BuiltFeature* out) const {
    Json levels = Json::array();
    for (size_t i = 0; i < std::min<size_t>(order_.size(), 100); ++i) {
      levels.push_back({*names_[order_[i]], counts_[order_[i]]});
    }
    const Json json = {{"name", column_.name},      {"type", column_.type},
                       {"rows", codes_.size()},     {"missing", missing},
                       {"distinct", names_.size()}, {"levels", std::move(levels)}};
    out->profile = json.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
  }

  InputColumn column_;
  int input_;
  FeatureRole role_;
  bool wanted_;
  bool too_many_ = false;
  std::vector<int32_t> codes_;  // −1 = NULL, else by first appearance
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> index_;
  std::vector<const std::string*> names_;  // keys of index_: nodes don't move
  std::vector<int64_t> counts_;
  std::vector<size_t> order_;
  std::string buffer_;
};

class DateBuilder : public FeatureBuilder {
 public:
  DateBuilder(InputColumn column, int input, int64_t rows)
      : column_(std::move(column)), input_(input) {
    using P = std::pair<DatePart, const char*>;
    if (column_.input_class == InputClass::kTime) {
      parts_ = {P{DatePart::kSecondOfDay, "second"}};
    } else {
      parts_ = {P{DatePart::kEpochDays, "day_number"}, P{DatePart::kYear, "year"},
                P{DatePart::kMonth, "month"}, P{DatePart::kDay, "day"},
                P{DatePart::kWeekday, "weekday"}};
      if (column_.input_class != InputClass::kDate) parts_.push_back({DatePart::kHour, "hour"});
    }
    columns_.resize(parts_.size());
    ranges_.resize(parts_.size());
    for (NumberColumn& column : columns_) column.Reserve(rows);
  }

  void Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep) override {
    for (size_t p = 0; p < parts_.size(); ++p) {
      for (int64_t i = 0; i < rows; ++i) {
        if (keep != nullptr && keep[i] == 0) continue;
        const double value = values.Part(i, parts_[p].first);
        columns_[p].Append(value);
        ranges_[p].Add(value);
      }
    }
  }

  void Reorder(std::span<const uint32_t> order) override {
    for (NumberColumn& column : columns_) column.Reorder(order);
  }

  BuiltFeature Finish() override {
    BuiltFeature out;
    out.profile = NumberProfile(column_, columns_[0]).dump();
    LeaveOutUseless(ranges_[0], columns_[0].size(), &out);
    if (!out.left_out.empty()) return out;
    for (size_t p = 0; p < parts_.size(); ++p) {
      if (ranges_[p].min == ranges_[p].max && p > 0) continue;
      Step step = NumberStep(column_.name + "." + parts_[p].second, input_, ranges_[p]);
      step.kind = StepKind::kDatePart;
      step.part = parts_[p].first;
      out.steps.push_back(std::move(step));
      out.columns.push_back(std::move(columns_[p]));
    }
    return out;
  }

 private:
  InputColumn column_;
  int input_;
  std::vector<std::pair<DatePart, const char*>> parts_;
  std::vector<NumberColumn> columns_;
  std::vector<Range> ranges_;
};

}  // namespace

std::unique_ptr<FeatureBuilder> FeatureBuilder::Make(const InputColumn& column, int input,
                                                     FeatureRole role, bool wanted, int64_t rows) {
  const InputClass c = column.input_class;
  if (c == InputClass::kUnsupported) return nullptr;
  const bool date = c == InputClass::kDate || c == InputClass::kTimestamp || c == InputClass::kTime;
  if (role == FeatureRole::kText) return MakeTextBuilder(column, input);
  if (role == FeatureRole::kCategory || (role == FeatureRole::kAuto && c == InputClass::kText)) {
    return std::make_unique<CategoryBuilder>(column, input, role, wanted, rows);
  }
  if (role == FeatureRole::kDate || (date && role == FeatureRole::kAuto)) {
    return std::make_unique<DateBuilder>(column, input, rows);
  }
  return std::make_unique<NumberBuilder>(column, input, wanted, rows);
}

}  // namespace headrace::learn
