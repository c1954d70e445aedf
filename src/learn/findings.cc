#include "learn/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "learn/number_ranks.h"

namespace headrace::learn {
namespace {

constexpr int64_t kFewRows = 200;  // the fewest a gate is judged on
constexpr int64_t kFewOfClass = 30;

constexpr int64_t kFewestForOrder = 50;
constexpr double kReversed = -0.9;

/// Share of rows whose value of a date column lies after the row's time, and an example.
void FindLater(const FindingInput& input, std::vector<Finding>* out) {
  const Frame& frame = *input.frame;
  constexpr int64_t kDay = 86'400'000'000;
  for (size_t s = 0; s < frame.features.size(); ++s) {
    const model::Step& step = frame.encoder.steps()[s];
    if (step.kind != model::StepKind::kDatePart || step.part != model::DatePart::kEpochDays) {
      continue;
    }
    int64_t present = 0, later = 0;
    double days = 0;
    for (int64_t i = 0; i < frame.rows(); ++i) {
      const double day = frame.features[s][i];
      if (std::isnan(day)) continue;
      ++present;
      const int64_t time = frame.time[static_cast<size_t>(i)];
      const int64_t of_time = time / kDay - (time % kDay < 0 ? 1 : 0);
      if (day > static_cast<double>(of_time)) {
        ++later;
        days += day - static_cast<double>(of_time);
      }
    }
    if (later < 10 || later * 20 < present) continue;
    const std::string& column = ColumnOf(frame, s);
    const double mean = days / static_cast<double>(later);
    out->push_back(
        Hint("later_than_time", column,
             fmt::format("'{}' lies after '{}' in {} of {} rows ({:.0f} days on average): if it "
                         "wasn't known then, leave it out (features: exclude)",
                         column, input.spec->time, later, present, mean),
             DumpJson({{"rows", present}, {"later", later}, {"mean_days", mean}}), "time"));
  }
}

/// Row numbers, keys and other dates rise with time; where they fall, the time runs backwards.
void FindReversed(const FindingInput& input, std::vector<Finding>* out) {
  const Frame& frame = *input.frame;
  if (frame.rows() < kFewestForOrder) return;
  const std::vector<uint32_t> rows = SomeRows(frame.rows(), 20'000);
  std::vector<double> time;
  for (const uint32_t row : rows) time.push_back(static_cast<double>(frame.time[row]));
  const auto check = [&](const std::string& column, const NumberColumn& values) {
    std::vector<double> x, t;
    for (size_t i = 0; i < rows.size(); ++i) {
      const double value = values[rows[i]];
      if (std::isnan(value)) continue;
      x.push_back(value);
      t.push_back(time[i]);
    }
    if (static_cast<int64_t>(x.size()) < kFewestForOrder) return;
    const double correlation = RankCorrelation(x, t);
    if (!(correlation <= kReversed)) return;
    out->push_back(
        Hint("reversed_time", input.spec->time,
             fmt::format("'{}' falls as '{}' rises (rank correlation {:.2f} on {} rows): does the "
                         "time run backwards? The model is judged on the latest rows by it",
                         column, input.spec->time, correlation, x.size()),
             DumpJson({{"column", column}, {"rank_correlation", correlation}, {"rows", x.size()}}),
             "time"));
  };
  if (frame.key_number.size() == frame.rows()) check(input.spec->key[0], frame.key_number);
  for (const auto& [column, values] : frame.serials) check(column, values);
  for (size_t s = 0; s < frame.features.size(); ++s) {
    const model::Step& step = frame.encoder.steps()[s];
    if (step.kind == model::StepKind::kDatePart && step.part == model::DatePart::kEpochDays) {
      check(ColumnOf(frame, s), frame.features[s]);
    }
  }
}

void Take(std::vector<Finding> from, std::vector<Finding>* to) {
  for (Finding& finding : from) to->push_back(std::move(finding));
}

}  // namespace

std::vector<uint32_t> SomeRows(int64_t rows, int64_t most) {
  const int64_t count = std::min(rows, most);
  std::vector<uint32_t> out;
  out.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) out.push_back(static_cast<uint32_t>(i * rows / count));
  return out;
}

const std::string& ColumnOf(const Frame& frame, size_t step) {
  const auto input = static_cast<size_t>(frame.encoder.steps()[step].input);
  return frame.encoder.signature().inputs[input].name;
}

std::vector<Finding> FindTimeFaults(const FindingInput& input) {
  std::vector<Finding> out;
  if (input.frame->time.empty()) return out;
  FindLater(input, &out);
  FindReversed(input, &out);
  return out;
}

std::vector<Finding> FindFewRows(const FindingInput& input) {
  const Frame& frame = *input.frame;
  std::vector<Finding> out;
  if (frame.rows() < kFewRows) {
    out.push_back(
        Hint("few_rows", "",
             fmt::format("there are only {} rows with a target: bounds are wide, and gates "
                         "stay undecided below {} judged rows",
                         frame.rows(), kFewRows),
             DumpJson({{"rows", frame.rows()}, {"expected", kFewRows}})));
  }
  std::vector<int64_t> counts(frame.classes.size(), 0);
  for (const int32_t label : frame.label) ++counts[static_cast<size_t>(label)];
  for (size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] >= kFewOfClass) continue;
    out.push_back(
        Hint("rare_class", frame.classes[k],
             fmt::format("class '{}' has only {} of {} rows; {} or more are needed to judge it",
                         frame.classes[k], counts[k], frame.rows(), kFewOfClass),
             DumpJson({{"rows", counts[k]}, {"expected", kFewOfClass}}), "target"));
  }
  return out;
}

Result<std::vector<Finding>> FindFaults(const FindingInput& input,
                                        std::vector<ColumnPower>* powers) {
  std::vector<Finding> out = FindFewRows(input);
  HR_ASSIGN(auto leaks, FindLeaks(input, powers));
  Take(std::move(leaks), &out);
  Take(FindTimeFaults(input), &out);
  HR_TRY(input.cancel.Check());
  Take(FindSharedRows(input), &out);
  HR_TRY(input.cancel.Check());
  Take(FindShift(input), &out);
  return out;
}

}  // namespace headrace::learn
