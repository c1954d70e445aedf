#include <fmt/format.h>

#include "learn/linear/linear_fit.h"

namespace headrace::learn {

Status LinearMargins(const LinearCoefficients& model, const DesignMatrix& x,
                     std::span<double> margins) {
  const auto outputs = static_cast<size_t>(model.outputs);
  if (model.width != x.Width() || margins.size() != x.rows * outputs) {
    return InternalError(
        fmt::format("a linear model of {} coefficients got {} columns and room "
                    "for {} margins",
                    model.width, x.Width(), margins.size()));
  }
  // Columns outside, rows inside: one order of additions for every row, whatever the batch.
  for (size_t k = 0; k < outputs; ++k) {
    const double* coefficient = model.coefficient.data() + k * model.width;
    for (size_t i = 0; i < x.rows; ++i) margins[i * outputs + k] = model.intercept[k];
    for (const std::span<const double> column : x.numeric) {
      for (size_t i = 0; i < x.rows; ++i) margins[i * outputs + k] += *coefficient * column[i];
      ++coefficient;
    }
    for (const DesignMatrix::CategoryColumn& column : x.categories) {
      for (size_t i = 0; i < x.rows; ++i) {
        if (column.level[i] >= 0) margins[i * outputs + k] += coefficient[column.level[i]];
      }
      coefficient += column.levels;
    }
  }
  return Ok();
}

}  // namespace headrace::learn
