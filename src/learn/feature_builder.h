#pragma once
// Fits the encoding of one raw column while its rows stream by once.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "learn/number_column.h"
#include "learn/train.h"
#include "model/column_values.h"
#include "model/encoder.h"

namespace headrace::learn {

/// What became of a raw column: steps with their columns, or the reason why it is left out.
struct BuiltFeature {
  std::vector<model::Step> steps;
  std::vector<NumberColumn> columns;   ///< one per step
  std::string left_out;                ///< not empty: no steps
  std::string left_out_code;           ///< code of the hint about it; "" = a mere note
  std::string evidence = "{}";         ///< of that hint
  std::optional<NumberColumn> serial;  ///< left out as a row number: its values
  std::vector<Finding> findings;
  std::string profile;  ///< JSON object
};

/// How a column is to be read; kAuto decides by type and values.
enum class FeatureRole { kAuto, kNumber, kCategory, kDate, kText };

/// Feeds of one column. Not thread-safe; different columns are independent.
class FeatureBuilder {
 public:
  virtual ~FeatureBuilder() = default;
  /// Appends rows [0, rows) with keep[i] != 0 (null: all).
  virtual void Add(const model::ColumnValues& values, int64_t rows, const uint8_t* keep) = 0;
  /// Row i becomes what row order[i] was.
  virtual void Reorder(std::span<const uint32_t> order) = 0;
  virtual BuiltFeature Finish() = 0;

  /// `wanted`: the user listed the column, so it isn't left out for looking like an identifier.
  /// `rows`: expected number, or 0. nullptr when the class can't be a feature.
  static std::unique_ptr<FeatureBuilder> Make(const model::InputColumn& column, int input,
                                              FeatureRole role, bool wanted, int64_t rows);
};

}  // namespace headrace::learn
