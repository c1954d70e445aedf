#include "pipeline/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace headrace::pipeline {

Timestamp MovedBy(Timestamp time, const spec::Duration& duration, int64_t times) {
  if (duration.months != 0) {
    using std::chrono::floor;
    const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(time)};
    const auto day = floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const auto month = std::chrono::year_month{date.year(), date.month()} +
                       std::chrono::months(duration.months * times);
    const auto last =
        std::chrono::year_month_day_last{month.year(), std::chrono::month_day_last{month.month()}};
    const std::chrono::sys_days moved = date.day() > last.day()
                                            ? std::chrono::sys_days(last)
                                            : std::chrono::sys_days(month / date.day());
    time =
        std::chrono::duration_cast<std::chrono::microseconds>(moved.time_since_epoch() + (at - day))
            .count();
  }
  return time + duration.micros * times;
}

Result<std::vector<Interval>> WantedIntervals(const IntervalRules& rules, Timestamp now,
                                              bool bounded, std::optional<Timestamp> last) {
  std::vector<Interval> wanted;
  if (bounded && !last) return wanted;
  for (int64_t k = 0;; ++k) {
    const Interval interval{rules.Bound(k), rules.Bound(k + 1)};
    if (interval.from > now || (bounded && rules.Window(interval).from > *last)) return wanted;
    if (k == kMostIntervals) {
      return UserError("too_many_intervals",
                       fmt::format("from {} to {} there are more than {} intervals of {}",
                                   TimeText(rules.start), TimeText(now), kMostIntervals,
                                   rules.every.text))
          .Hint("let 'start' be later, or 'every' longer");
    }
    wanted.push_back(interval);
  }
}

std::string TimeText(Timestamp time) {
  std::string text = FormatTimestamp(time);
  const std::string_view midnight = "T00:00:00Z";
  if (text.ends_with(midnight)) text.resize(text.size() - midnight.size());
  return text;
}

std::string IntervalText(const Interval& interval) {
  return TimeText(interval.from) + " … " + TimeText(interval.to);
}

std::vector<std::vector<Interval>> Batches(const std::vector<Interval>& intervals, int batch) {
  std::vector<std::vector<Interval>> groups;
  for (const Interval& interval : intervals) {
    const bool joins = !groups.empty() && groups.back().back().to == interval.from &&
                       static_cast<int>(groups.back().size()) < batch;
    if (!joins) groups.emplace_back();
    groups.back().push_back(interval);
  }
  return groups;
}

}  // namespace headrace::pipeline
