#pragma once
// Rows of a frame with margins, as the metrics want to see them.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "evaluate/metrics.h"
#include "learn/frame.h"

namespace headrace::learn {

/// Owns what its view shows but the costs, which are the frame's.
class ScoreView {
 public:
  /// margins: rows × outputs.
  ScoreView(const Frame& frame, std::span<const uint32_t> rows, std::span<const double> margins,
            std::optional<double> threshold = std::nullopt);
  ScoreView(ScoreView&&) = default;
  ScoreView& operator=(ScoreView&&) = default;
  evaluate::ScoredRows View() const;

 private:
  evaluate::Task task_;
  int classes_;
  double threshold_;
  std::span<const double> costs_;
  std::vector<int32_t> label_;
  std::vector<double> actual_, score_, weight_;
};

evaluate::Task EvaluateTask(model::Task task);

/// The metric's value on these rows; an undefined one is the worst there is.
Result<double> ScoreMargins(const Frame& frame, std::span<const uint32_t> rows,
                            std::span<const double> margins, const evaluate::Metric& metric);

}  // namespace headrace::learn
