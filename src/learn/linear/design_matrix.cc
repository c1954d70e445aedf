#include "learn/linear/design_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluate/deterministic_math.h"

namespace headrace::learn {

size_t DesignMatrix::Width() const {
  size_t width = numeric.size();
  for (const CategoryColumn& column : categories) width += static_cast<size_t>(column.levels);
  return width;
}

Status CheckDesign(const DesignMatrix& x, std::span<const double> weight) {
  if (x.rows == 0) return DataError("too_few_rows", "a linear model got no rows to learn from");
  for (size_t j = 0; j < x.numeric.size(); ++j) {
    if (x.numeric[j].size() != x.rows) {
      return InternalError(fmt::format("numeric column {} has {} rows, expected {}", j,
                                       x.numeric[j].size(), x.rows));
    }
    for (size_t i = 0; i < x.rows; ++i) {
      if (std::isfinite(x.numeric[j][i])) continue;
      return DataError("not_finite",
                       fmt::format("numeric column {} holds {} in row {}; a linear model needs "
                                   "finite numbers, so missing values must be filled before",
                                   j, x.numeric[j][i], i + 1))
          .Rows(fmt::format("row {}", i + 1));
    }
  }
  for (size_t j = 0; j < x.categories.size(); ++j) {
    const DesignMatrix::CategoryColumn& column = x.categories[j];
    if (column.level.size() != x.rows || column.levels < 0) {
      return InternalError(
          fmt::format("category column {} has {} rows and {} levels, expected {} "
                      "rows",
                      j, column.level.size(), column.levels, x.rows));
    }
    for (const int32_t level : column.level) {
      if (level >= -1 && level < column.levels) continue;
      return InternalError(
          fmt::format("category column {} holds level {} of {}", j, level, column.levels));
    }
  }
  if (weight.empty()) return Ok();
  if (weight.size() != x.rows) {
    return InternalError(fmt::format("{} weights for {} rows", weight.size(), x.rows));
  }
  const bool good = std::all_of(weight.begin(), weight.end(),
                                [](double w) { return std::isfinite(w) && w >= 0; });
  if (!good) return DataError("not_finite", "a weight is negative or not a finite number");
  if (evaluate::Sum(weight) > 0) return Ok();
  return DataError("too_few_rows", "all weights are 0; at least one row must count");
}

Standardisation MeasureColumns(const DesignMatrix& x, std::span<const double> weight) {
  const auto weight_at = [&](size_t i) { return weight.empty() ? 1.0 : weight[i]; };
  const double total = weight.empty() ? static_cast<double>(x.rows) : evaluate::Sum(weight);
  Standardisation result;
  for (const std::span<const double> column : x.numeric) {
    evaluate::CompensatedSum sum, squares;
    for (size_t i = 0; i < x.rows; ++i) sum.Add(weight_at(i) * column[i]);
    const double mean = sum.Value() / total;
    double largest = 0;
    for (size_t i = 0; i < x.rows; ++i) {
      const double d = column[i] - mean;
      squares.Add(weight_at(i) * d * d);
      if (weight_at(i) > 0) largest = std::max(largest, std::fabs(column[i]));
    }
    const double scale = std::sqrt(squares.Value() / total);
    // A spread that is only rounding of the mean is a constant column. So is one whose squares
    // overflow: its scale would be infinite.
    const bool constant = !(scale > 1e-14 * largest) || !std::isfinite(scale);
    result.mean.push_back(mean);
    result.scale.push_back(constant ? 0.0 : scale);
  }
  return result;
}

}  // namespace headrace::learn
