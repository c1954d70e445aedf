#include "learn/score_view.h"

#include <limits>

#include "evaluate/deterministic_math.h"

namespace headrace::learn {

evaluate::Task EvaluateTask(model::Task task) {
  switch (task) {
    case model::Task::kBinary:
      return evaluate::Task::kBinary;
    case model::Task::kMulticlass:
      return evaluate::Task::kMulticlass;
    case model::Task::kRegression:
      return evaluate::Task::kRegression;
  }
  return evaluate::Task::kBinary;
}

ScoreView::ScoreView(const Frame& frame, std::span<const uint32_t> rows,
                     std::span<const double> margins, std::optional<double> threshold)
    : task_(EvaluateTask(frame.task)),
      classes_(static_cast<int>(frame.classes.size())),
      threshold_(threshold.value_or(frame.threshold)),
      costs_(frame.costs),
      score_(margins.begin(), margins.end()) {
  for (const uint32_t row : rows) {
    if (task_ == evaluate::Task::kRegression) {
      actual_.push_back(frame.target[row]);
    } else {
      label_.push_back(frame.label[row]);
    }
    if (!frame.weight.empty()) weight_.push_back(frame.weight[row]);
  }
  if (task_ == evaluate::Task::kBinary) {
    evaluate::SigmoidEach(score_, score_);
  } else if (task_ == evaluate::Task::kMulticlass) {
    const auto outputs = static_cast<size_t>(classes_);
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::span<double> p(score_.data() + i * outputs, outputs);
      evaluate::Softmax(p, p);
    }
  }
}

evaluate::ScoredRows ScoreView::View() const {
  evaluate::ScoredRows rows;
  rows.task = task_;
  rows.label = label_;
  rows.actual = actual_;
  rows.score = score_;
  rows.weight = weight_;
  rows.classes = classes_;
  rows.threshold = threshold_;
  rows.costs = costs_;
  return rows;
}

Result<double> ScoreMargins(const Frame& frame, std::span<const uint32_t> rows,
                            std::span<const double> margins, const evaluate::Metric& metric) {
  const ScoreView view(frame, rows, margins);
  HR_TRY(evaluate::CheckRows(view.View()));
  const evaluate::MetricValue value = metric.compute(view.View());
  if (value.defined()) return value.value;
  const double worst = std::numeric_limits<double>::max();
  return metric.higher_is_better ? -worst : worst;
}

}  // namespace headrace::learn
