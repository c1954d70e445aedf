#pragma once
// Input of the linear learners. Categories stay index columns: a level is a virtual column of zeros
// and ones that is never written out, so thousands of levels cost nothing per row.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace headrace::learn {

/// A view; the spans must outlive it. Order of coefficients everywhere: numeric columns, then the
/// levels of each category column.
struct DesignMatrix {
  struct CategoryColumn {
    std::span<const int32_t> level;  ///< 0 … levels − 1; −1 = none of them (a row of zeros)
    int32_t levels = 0;
  };
  size_t rows = 0;
  std::vector<std::span<const double>> numeric;  ///< `rows` finite values each
  std::vector<CategoryColumn> categories;

  size_t NumericCount() const { return numeric.size(); }
  size_t Width() const;  ///< number of coefficients without the intercept
};

/// Sizes agree, numbers are finite, levels lie in range, `weight` is empty or finite and ≥ 0 with a
/// positive sum. Errors: "not_finite" (data; names column number and row), internal for shapes.
Status CheckDesign(const DesignMatrix& x, std::span<const double> weight);

/// Weighted mean and standard deviation (divisor Σw) of each numeric column. A constant column has
/// scale 0: its standardised values count as 0 and its coefficient stays 0.
struct Standardisation {
  std::vector<double> mean, scale;
};
Standardisation MeasureColumns(const DesignMatrix& x, std::span<const double> weight);

}  // namespace headrace::learn
