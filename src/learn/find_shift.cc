// Whether the test rows are of another kind than the training rows: the largest distance of two
// distribution functions (numbers), or the total variation (classes, levels). What luck alone would
// give is taken off first; whole groups count once, as their rows are alike.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "learn/findings.h"

namespace headrace::learn {
namespace {

constexpr size_t kSample = 20'000;
constexpr double kClear = 0.2;  // beyond luck

struct Side {
  std::vector<uint32_t> rows;
  double independent = 0;  ///< rows, or groups
};

Side SideOf(const FindingInput& input, const std::vector<uint32_t>& rows) {
  Side side;
  for (const uint32_t i : SomeRows(static_cast<int64_t>(rows.size()), kSample)) {
    side.rows.push_back(rows[i]);
  }
  side.independent = static_cast<double>(side.rows.size());
  if (!input.frame->group.empty()) {
    std::set<uint32_t> units;
    for (const uint32_t row : side.rows) units.insert(input.plan->unit[row]);
    side.independent = static_cast<double>(units.size());
  }
  return side;
}

struct Difference {
  double distance = 0, luck = 0;
  bool clear() const { return distance - luck >= kClear; }
};

/// `value(row)`; missing values count as the largest.
template <class F>
Difference Numbers(const Side& a, const Side& b, const F& value) {
  const auto sorted = [&](const Side& side) {
    std::vector<double> out;
    for (const uint32_t row : side.rows) {
      const double v = value(row);
      out.push_back(std::isnan(v) ? std::numeric_limits<double>::infinity() : v);
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  const std::vector<double> x = sorted(a), y = sorted(b);
  Difference out;
  size_t i = 0, j = 0;
  while (i < x.size() && j < y.size()) {
    const double at = std::min(x[i], y[j]);
    while (i < x.size() && x[i] == at) ++i;
    while (j < y.size() && y[j] == at) ++j;
    out.distance =
        std::max(out.distance, std::fabs(static_cast<double>(i) / static_cast<double>(x.size()) -
                                         static_cast<double>(j) / static_cast<double>(y.size())));
  }
  // Kolmogorov and Smirnov: exceeded once in some 10,000 columns that don't differ.
  out.luck = 2.2 * std::sqrt(1 / a.independent + 1 / b.independent);
  return out;
}

template <class F>
Difference Levels(const Side& a, const Side& b, const F& value) {
  std::map<double, std::pair<double, double>> share;
  for (const uint32_t row : a.rows) {
    const double v = value(row);
    share[std::isnan(v) ? -1 : v].first += 1 / static_cast<double>(a.rows.size());
  }
  for (const uint32_t row : b.rows) {
    const double v = value(row);
    share[std::isnan(v) ? -1 : v].second += 1 / static_cast<double>(b.rows.size());
  }
  Difference out;
  const double one = 1 / a.independent + 1 / b.independent;
  double variance = 0;
  for (const auto& [level, s] : share) {
    out.distance += 0.5 * std::fabs(s.first - s.second);
    const double pooled = 0.5 * (s.first + s.second);
    out.luck += 0.4 * std::sqrt(pooled * (1 - pooled) * one);  // E|normal| / 2
    variance += 0.25 * pooled * (1 - pooled) * one;
  }
  out.luck += 3.5 * std::sqrt(variance);
  return out;
}

Finding Shifted(const FindingInput& input, const std::string& code, const std::string& column,
                const Difference& difference, const std::string& numbers, const Side& train,
                const Side& test) {
  const std::string when =
      input.frame->time.empty() ? "the test rows" : "the latest rows (the test set)";
  return Hint(code, column,
              fmt::format("'{}' is distributed otherwise in {} than in the rows before (distance "
                          "{:.2f} of 1, {:.2f} may be luck{}): numbers from the past may not hold",
                          column, when, difference.distance, difference.luck, numbers),
              DumpJson({{"distance", difference.distance},
                        {"luck", difference.luck},
                        {"train_rows", train.rows.size()},
                        {"test_rows", test.rows.size()}}),
              code == "target_shift" ? "target" : "");
}

template <class F>
std::string Means(const Side& train, const Side& test, const F& value) {
  const auto mean = [&](const Side& side) {
    double sum = 0, count = 0;
    for (const uint32_t row : side.rows) {
      if (const double v = value(row); !std::isnan(v)) sum += v, count += 1;
    }
    return count > 0 ? sum / count : std::nan("");
  };
  return fmt::format(", mean {:.4g} against {:.4g}", mean(test), mean(train));
}

}  // namespace

std::vector<Finding> FindShift(const FindingInput& input) {
  std::vector<Finding> out;
  const Frame& frame = *input.frame;
  if (input.plan->test.empty()) return out;
  const Side train = SideOf(input, input.plan->train), test = SideOf(input, input.plan->test);
  std::set<std::string> told;
  for (size_t s = 0; s < frame.features.size(); ++s) {
    const model::Step& step = frame.encoder.steps()[s];
    if (step.kind == model::StepKind::kDatePart) continue;  // dates go on, that is their nature
    const auto value = [&](uint32_t row) { return frame.features[s][row]; };
    const Difference difference =
        step.categorical() ? Levels(train, test, value) : Numbers(train, test, value);
    if (!difference.clear() || !told.insert(ColumnOf(frame, s)).second) continue;
    out.push_back(Shifted(input, "shift", ColumnOf(frame, s), difference,
                          step.categorical() ? "" : Means(train, test, value), train, test));
  }
  const bool number = frame.task == model::Task::kRegression;
  const auto target = [&](uint32_t row) {
    return number ? frame.target[row] : static_cast<double>(frame.label[row]);
  };
  const Difference difference = number ? Numbers(train, test, target) : Levels(train, test, target);
  if (difference.clear()) {
    out.push_back(Shifted(input, "target_shift", input.spec->target, difference,
                          number ? Means(train, test, target) : "", train, test));
  }
  return out;
}

}  // namespace headrace::learn
