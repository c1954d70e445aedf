#pragma once
// Frozen encoding of raw columns into numbers. Fitted once in training, kept in the package, and
// the same code serves training, batch and one row, so that a value can't be encoded in two ways.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/arrow_abi.h"
#include "model/signature.h"

namespace headrace::model {

class ColumnValues;

enum class StepKind {
  kNumber,    ///< value as double; NULL and NaN → NaN; ±inf → the largest finite double
  kCategory,  ///< text (or a number's text) → code by descending frequency in training
  kDatePart,  ///< one number of a date, timestamp or time
  kText,      ///< how often a bucket of words occurs in a text (text_hash.h); NULL → NaN
};

/// Numbers that a date, timestamp or time yields.
enum class DatePart { kYear, kMonth, kDay, kWeekday, kHour, kEpochDays, kSecondOfDay };

/// One output column of the encoder. Codes of a category: 0 … n-1 = levels, n = rare (levels folded
/// away in training) and unseen. Missing is NaN for every kind.
struct Step {
  std::string name;  ///< of the feature, e.g. "plan", "signup.month"
  int input = 0;     ///< index into Signature::inputs
  StepKind kind = StepKind::kNumber;
  DatePart part = DatePart::kYear;
  uint16_t bucket = 0;              ///< kText; steps of one input stand side by side
  std::vector<std::string> levels;  ///< kCategory
  double min = 0, max = 0;          ///< training range of a number (of present values)

  bool categorical() const { return kind == StepKind::kCategory; }
};

/// A column that is not an input of the model, with the reason ("as many values as rows", …).
struct LeftOut {
  std::string column, reason;
};

/// Row-major block of doubles: rows × width; NaN = missing.
struct RowBlock {
  int64_t rows = 0;
  int64_t width = 0;
  std::vector<double> values;
};

/// Thread-safe once built.
class Encoder {
 public:
  static constexpr int64_t kMaxLevels = 100'000;  ///< of one column, also when read from a file
  static constexpr size_t kMaxSteps = 100'000;

  Encoder() = default;
  /// Checks the steps (input indices, limits, duplicate levels).
  static Result<Encoder> Make(Signature signature, std::vector<Step> steps,
                              std::vector<LeftOut> left_out);

  const Signature& signature() const { return signature_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<LeftOut>& left_out() const { return left_out_; }
  int64_t width() const { return static_cast<int64_t>(steps_.size()); }

  /// Encodes rows [first, first + count) of a struct batch. `columns` from Signature::Bind. Value
  /// of step s and row r goes to out[(r - first) * row_stride + s * step_stride].
  Status EncodeInto(const data::Schema& schema, const data::Batch& batch,
                    const std::vector<int>& columns, int64_t first, int64_t count, double* out,
                    int64_t row_stride, int64_t step_stride) const;

  /// Binds and encodes a whole batch.
  Result<RowBlock> Encode(const data::Schema& schema, const data::Batch& batch) const;

  Json ToJson() const;
  static Result<Encoder> FromJson(const Json& json);

 private:
  /// Steps [first, first + count) of one text: the text is read once for all of them.
  struct TextRun {
    size_t first = 0, count = 0;
    std::shared_ptr<std::vector<int32_t>> step_of;  // by bucket, −1 = none; fixed once made
  };
  struct TextKeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Codes = std::unordered_map<std::string, int32_t, TextKeyHash, std::equal_to<>>;

  Status AddText(size_t s);
  static void EncodeText(const ColumnValues& values, const TextRun& run, int64_t first,
                         int64_t count, double* out, int64_t row_stride, int64_t step_stride);

  Signature signature_;
  std::vector<Step> steps_;
  std::vector<LeftOut> left_out_;
  std::vector<std::shared_ptr<const Codes>> codes_;  // by step; null unless kCategory
  std::vector<TextRun> texts_;
};

}  // namespace headrace::model
