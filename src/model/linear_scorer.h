#pragma once
// Linear members. A margin is an intercept plus one function per feature: a table of numbers for a
// category, a polyline for a number. A polyline is constant outside its first and last knot, which
// clips inputs to the training range; a plain coefficient is a polyline of two knots.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::model {

/// Plain data; what a member's text holds.
struct LinearModel {
  struct Number {
    int step = 0;                 ///< feature (encoder step)
    std::vector<double> x;        ///< knots, increasing; at least one
    std::vector<double> y;        ///< knots × outputs
    std::vector<double> missing;  ///< outputs
  };
  struct Category {
    int step = 0;
    std::vector<double> y;        ///< codes × outputs, for codes 0 … n - 1
    std::vector<double> unseen;   ///< outputs; for every other code
    std::vector<double> missing;  ///< outputs
  };
  int outputs = 1;
  std::vector<double> intercept;  ///< outputs
  std::vector<Number> numbers;
  std::vector<Category> categories;
};

std::string LinearText(const LinearModel& model);

/// A checked model. Immutable, thread-safe.
class LinearScorer {
 public:
  /// Errors "damaged_model". `features`: width of the rows it will see.
  static Result<LinearScorer> Make(LinearModel model, int features);
  static Result<LinearScorer> Parse(std::string_view text, int features);

  int outputs() const { return model_.outputs; }
  const LinearModel& model() const { return model_; }

  /// margins[r * outputs + k]; row r starts at rows + r * stride, NaN = missing. The sum of a row
  /// runs in the order intercept, numbers, categories, whatever the block.
  void Margins(const double* rows, int64_t count, int64_t stride, double* margins) const;

 private:
  LinearModel model_;
};

}  // namespace headrace::model
