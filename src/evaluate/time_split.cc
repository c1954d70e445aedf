// Splits by time: the model is judged on rows later than all it learned from.
//
//   |—— block 0 ——|—— 1 ——|—— 2 ——| … |—— k ——|.. gap ..|———— test ————|→ time
//    fold 1: train 0, valid 1; fold 2: train 0–1, valid 2; …
//
// A row's target is known only `label_after` after its time, so rows whose target was still unknown
// when the next part began are left out of what comes before it. Equal times never part.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

constexpr size_t kUnits = 200;  // time blocks that bootstraps draw

/// "2026-01-31", or with the time of day when it is not midnight.
std::string TimeText(int64_t microseconds) {
  const std::chrono::sys_time<std::chrono::microseconds> time{
      std::chrono::microseconds(microseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  const int64_t seconds = (time - day).count() / 1000000;
  if (time != day) {
    text += fmt::format(" {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  return text;
}

/// Rows by time; ties in row order.
std::vector<uint32_t> ByTime(std::span<const int64_t> time) {
  std::vector<uint32_t> order(time.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return time[a] != time[b] ? time[a] < time[b] : a < b; });
  return order;
}

/// Position in `order` near `wanted`, within (low, high), at which a new time begins; 0 if none.
size_t CutNear(std::span<const uint32_t> order, std::span<const int64_t> time, size_t wanted,
               size_t low, size_t high) {
  const auto starts = [&](size_t i) { return time[order[i]] != time[order[i - 1]]; };
  for (size_t step = 0; step < order.size(); ++step) {
    if (wanted >= step && wanted - step > low && wanted - step < high && starts(wanted - step)) {
      return wanted - step;
    }
    if (wanted + step > low && wanted + step < high && starts(wanted + step)) return wanted + step;
  }
  return 0;
}

bool OneClass(const SplitInput& input, std::span<const uint32_t> rows) {
  if (input.label.empty()) return false;
  return std::all_of(rows.begin(), rows.end(),
                     [&](uint32_t row) { return input.label[row] == input.label[rows[0]]; });
}

/// Whether a row of time `t` is known when a part that begins at `start` begins. No overflow.
bool KnownBefore(int64_t t, int64_t start, int64_t label_after) {
  return t < start && static_cast<uint64_t>(start) - static_cast<uint64_t>(t) >=
                          static_cast<uint64_t>(label_after);
}

Result<int64_t> ChooseTestStart(const SplitInput& input, const SplitOptions& options,
                                std::span<const uint32_t> order) {
  const int64_t first = input.time[order.front()], last = input.time[order.back()];
  if (first == last) {
    return DataError("one_time", fmt::format("all {} rows have the time {}; rows can't be divided "
                                             "into earlier and later ones",
                                             order.size(), TimeText(first)))
        .Hint("remove `time:` or name a column that differs between rows");
  }
  if (options.test_duration) {
    const uint64_t span = static_cast<uint64_t>(last) - static_cast<uint64_t>(first);
    if (static_cast<uint64_t>(*options.test_duration) > span) {
      return DataError("train_empty",
                       fmt::format("the test duration covers all rows: they reach from {} to {}",
                                   TimeText(first), TimeText(last)))
          .Hint("choose a shorter test duration");
    }
    // The latest 30 days: times above last − 30 days.
    for (const uint32_t row : order) {
      const uint64_t back = static_cast<uint64_t>(last) - static_cast<uint64_t>(input.time[row]);
      if (back < static_cast<uint64_t>(*options.test_duration)) return input.time[row];
    }
  }
  const size_t n = order.size();
  const auto wanted =
      n - static_cast<size_t>(std::llround(options.test_share * static_cast<double>(n)));
  return input.time[order[CutNear(order, input.time, wanted, 0, n)]];
}

void NumberTimeBlocks(std::span<const uint32_t> order, std::span<const int64_t> time,
                      SplitPlan& plan) {
  const size_t n = order.size();
  uint32_t block = 0;
  size_t next = std::max<size_t>(1, n / kUnits);
  for (size_t i = 0; i < n; ++i) {
    if (i >= next && time[order[i]] != time[order[i - 1]]) {
      ++block;
      next = i + std::max<size_t>(1, n / kUnits);
    }
    plan.unit[order[i]] = block;
  }
  plan.units = block + 1;
}

/// Expanding blocks over the training rows.
void LayOutBlocks(const SplitInput& input, const SplitOptions& options, SplitPlan& plan) {
  std::vector<uint32_t> order = plan.train;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return input.time[a] != input.time[b] ? input.time[a] < input.time[b] : a < b;
  });
  const size_t n = order.size();
  const auto blocks = static_cast<size_t>(options.folds) + 1;
  std::vector<size_t> cuts;
  for (size_t b = 1; b < blocks; ++b) {
    const size_t low = cuts.empty() ? 0 : cuts.back();
    const size_t cut = CutNear(order, input.time, b * n / blocks, low, n);
    if (cut != 0) cuts.push_back(cut);
  }
  for (size_t b = 0; b < cuts.size(); ++b) {
    const size_t end = b + 1 < cuts.size() ? cuts[b + 1] : n;
    const int64_t start = input.time[order[cuts[b]]];
    Fold fold;
    fold.valid.assign(order.begin() + static_cast<std::ptrdiff_t>(cuts[b]),
                      order.begin() + static_cast<std::ptrdiff_t>(end));
    for (size_t i = 0; i < cuts[b]; ++i) {
      if (KnownBefore(input.time[order[i]], start, options.label_after)) {
        fold.train.push_back(order[i]);
      }
    }
    if (fold.train.size() < 10 || fold.valid.empty() || OneClass(input, fold.train) ||
        OneClass(input, fold.valid)) {
      continue;
    }
    std::sort(fold.train.begin(), fold.train.end());
    std::sort(fold.valid.begin(), fold.valid.end());
    plan.folds.push_back(std::move(fold));
  }
  if (plan.folds.size() < static_cast<size_t>(options.folds)) {
    plan.notes.push_back(
        fmt::format("{} validation blocks instead of {}: the others had too few "
                    "times, rows or classes",
                    plan.folds.size(), options.folds));
  }
}

void MarkSeenGroups(const SplitInput& input, SplitPlan& plan) {
  if (input.group.empty()) return;
  std::vector<uint8_t> trained(plan.units);
  for (const uint32_t row : plan.train) trained[plan.unit[row]] = 1;
  for (const uint32_t row : plan.test) plan.test_group_seen.push_back(trained[plan.unit[row]]);
}

}  // namespace

Status PlanTimeSplit(const SplitInput& input, const SplitOptions& options, SplitPlan& plan) {
  plan.kind = SplitKind::kTime;
  const std::vector<uint32_t> order = ByTime(input.time);
  HR_ASSIGN(const int64_t start, ChooseTestStart(input, options, order));
  plan.test_from = start;
  for (uint32_t row = 0; row < input.size(); ++row) {
    if (input.time[row] >= start) {
      plan.test.push_back(row);
    } else if (KnownBefore(input.time[row], start, options.label_after)) {
      plan.train.push_back(row);
    } else {
      plan.gap.push_back(row);
    }
  }
  if (plan.train.size() < 10) {
    return DataError("train_empty",
                     fmt::format("{} rows are known before the test set begins at {}, expected at "
                                 "least 10",
                                 plan.train.size(), TimeText(start)))
        .Hint("shorten label_after or the test duration, or collect a longer history");
  }
  if (OneClass(input, plan.train)) {
    return DataError("one_class", fmt::format("all {} rows before the test set (from {}) are of "
                                              "one class",
                                              plan.train.size(), TimeText(start)));
  }
  if (OneClass(input, plan.test)) {
    plan.notes.push_back(
        fmt::format("the test set (from {}) holds one class only: its metrics "
                    "can't tell good from bad",
                    TimeText(start)));
  }
  LayOutBlocks(input, options, plan);
  if (plan.folds.empty()) {
    return DataError("train_empty",
                     fmt::format("the {} rows before {} can't be divided into earlier and later "
                                 "ones with both classes and 10 rows to learn from",
                                 plan.train.size(), TimeText(start)))
        .Hint("shorten label_after or the test duration, or collect a longer history");
  }
  if (input.group.empty()) NumberTimeBlocks(order, input.time, plan);
  MarkSeenGroups(input, plan);

  plan.description = fmt::format(
      "Test set: the latest {} of {} rows, from {}; {} expanding blocks over the {} rows before it "
      "choose the model.",
      Thousands(plan.test.size()), Thousands(input.size()), TimeText(start), plan.folds.size(),
      Thousands(plan.train.size()));
  if (!plan.gap.empty()) {
    plan.description += fmt::format(
        " {} rows between were left out: their target was not yet "
        "known when the test set begins.",
        Thousands(plan.gap.size()));
  }
  if (!plan.test_group_seen.empty()) {
    const auto seen = static_cast<size_t>(
        std::count(plan.test_group_seen.begin(), plan.test_group_seen.end(), 1));
    plan.description += fmt::format(" {} test rows are of groups seen in training, {} are not.",
                                    Thousands(seen), Thousands(plan.test.size() - seen));
  }
  return Ok();
}

}  // namespace headrace::evaluate
