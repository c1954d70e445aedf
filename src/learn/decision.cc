#include "learn/decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/json.h"
#include "base/number_text.h"
#include "base/suggest.h"
#include "evaluate/deterministic_math.h"

namespace headrace::learn {
namespace {

Result<size_t> ClassNumber(const std::string& name, const std::vector<std::string>& classes,
                           const char* field, const std::string& model) {
  const auto at = std::find(classes.begin(), classes.end(), name);
  if (at != classes.end()) return static_cast<size_t>(at - classes.begin());
  return UserError("unknown_class",
                   fmt::format("`{}` of model '{}' names '{}', which is no value of "
                               "its target",
                               field, model, name))
      .Subject(name)
      .Candidates(Suggest(name, classes))
      .Hint(fmt::format("its classes are {}", fmt::join(classes, ", ")));
}

}  // namespace

Result<std::vector<double>> CostsOf(const CostSpec& spec, const std::vector<std::string>& classes,
                                    const std::string& model) {
  std::vector<double> costs;
  if (!spec.given()) return costs;
  const size_t k = classes.size();
  if (spec.matrix.empty()) {
    if (k != 2) {
      return UserError(
                 "bad_costs",
                 fmt::format("model '{}' has {} classes: false_positive and false_negative are "
                             "for two",
                             model, k))
          .Hint("write a matrix: costs: {actual: {predicted: cost}}");
    }
    return std::vector<double>{0, *spec.false_positive, *spec.false_negative, 0};
  }
  costs.assign(k * k, 1.0);
  for (size_t i = 0; i < k; ++i) costs[i * k + i] = 0;
  for (const auto& [actual, row] : spec.matrix) {
    HR_ASSIGN(const size_t a, ClassNumber(actual, classes, "costs", model));
    for (const auto& [predicted, cost] : row) {
      HR_ASSIGN(const size_t p, ClassNumber(predicted, classes, "costs", model));
      costs[a * k + p] = cost;
    }
  }
  return costs;
}

Result<std::vector<double>> LearningWeights(const ClassWeightSpec& spec, const Frame& frame,
                                            const std::string& model) {
  std::vector<double> out;
  if (!spec.given() || frame.task == model::Task::kRegression) return out;
  const auto weight = [&](size_t row) { return frame.weight.empty() ? 1.0 : frame.weight[row]; };
  const size_t n = frame.label.size();
  std::vector<double> of_class(frame.classes.size(), 1.0);
  if (spec.balanced) {
    std::vector<double> sum(frame.classes.size(), 0.0);
    double all = 0;
    for (size_t i = 0; i < n; ++i) {
      sum[static_cast<size_t>(frame.label[i])] += weight(i);
      all += weight(i);
    }
    for (size_t c = 0; c < sum.size(); ++c) {
      if (sum[c] > 0) of_class[c] = all / (static_cast<double>(sum.size()) * sum[c]);
    }
  }
  for (const auto& [name, value] : spec.weights) {
    HR_ASSIGN(const size_t c, ClassNumber(name, frame.classes, "class_weight", model));
    of_class[c] = value;
  }
  out.resize(n);
  for (size_t i = 0; i < n; ++i) {
    out[i] = weight(i) * of_class[static_cast<size_t>(frame.label[i])];
  }
  return out;
}

double ThresholdByTheory(std::span<const double> costs) {
  if (costs.size() != 4) return 0.5;
  // Gain of saying positive when the row is negative (a loss) and when it is positive.
  const double wrong = costs[1] - costs[0], missed = costs[2] - costs[3];
  return wrong + missed > 0 ? std::clamp(wrong / (wrong + missed), 1e-6, 1 - 1e-6) : 0.5;
}

double ChooseThreshold(const Frame& frame, std::span<const uint32_t> rows,
                       std::span<const double> margins, Finding* finding) {
  const double theory = ThresholdByTheory(frame.costs);
  std::vector<double> p(margins.begin(), margins.end());
  evaluate::SigmoidEach(p, p);
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return p[a] != p[b] ? p[a] < p[b] : a < b; });
  const auto cost = [&](uint32_t i, size_t decided) {
    const double w = frame.weight.empty() ? 1.0 : frame.weight[rows[i]];
    return w * frame.costs[static_cast<size_t>(frame.label[rows[i]]) * 2 + decided];
  };
  double now = 0, total_weight = 0, at_half = 0;
  for (const uint32_t i : order) {
    now += cost(i, 1);  // everything is called positive
    total_weight += frame.weight.empty() ? 1.0 : frame.weight[rows[i]];
    at_half += cost(i, p[i] >= 0.5 ? 1 : 0);
  }
  const auto cut = [&](size_t i) {  // a threshold with the first i rows below it
    const double low = i == 0 ? 0 : p[order[i - 1]];
    const double high = i == order.size() ? 1 : p[order[i]];
    return theory > low && theory <= high ? theory : 0.5 * (low + high);
  };
  double best = cut(0), least = now;
  for (size_t first = 0; first < order.size();) {
    size_t end = first;
    for (; end < order.size() && p[order[end]] == p[order[first]]; ++end) {
      now += cost(order[end], 0) - cost(order[end], 1);
    }
    first = end;
    const double threshold = cut(first);
    const double slack = 1e-12 * std::max(1.0, std::fabs(least));
    if (now < least - slack ||
        (now <= least + slack && std::fabs(threshold - theory) < std::fabs(best - theory))) {
      best = threshold;
      least = std::min(least, now);
    }
  }
  best = std::clamp(best, 1e-9, 1 - 1e-9);
  const double per_row = least / std::max(total_weight, 1e-300);
  *finding = Note("threshold", "",
                  fmt::format("'{}' is predicted from a probability of {:.4g} on: that costs {} "
                              "a row out of fold ({} from 0.5 on; {:.4g} is the threshold by "
                              "theory)",
                              frame.classes[1], best, Compact(per_row),
                              Compact(at_half / total_weight), theory));
  finding->evidence = DumpJson({{"threshold", best},
                                {"cost", per_row},
                                {"cost_at_half", at_half / total_weight},
                                {"by_theory", theory},
                                {"rows", rows.size()}});
  finding->field = "costs";
  return best;
}

}  // namespace headrace::learn
