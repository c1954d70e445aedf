#pragma once
// The grid of an incremental node: time cut into intervals of equal length in UTC.
//
// Interval k is [start + k * every, start + (k + 1) * every). Months are counted from `start`
// itself, so a start on the 31st gives the last days of shorter months and comes back to the 31st.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "data/time_ranges.h"
#include "spec/value.h"

namespace headrace::pipeline {

/// [from, to), UTC.
using Interval = data::TimeRange;

/// A time moved by `times` durations; a day that the month doesn't have becomes its last.
Timestamp MovedBy(Timestamp time, const spec::Duration& duration, int64_t times);

/// What an incremental node says about its intervals, checked.
struct IntervalRules {
  std::string time;  ///< column of the node's own rows
  spec::Duration every;
  Timestamp start = 0;
  spec::Duration lookback;      ///< zero = none
  std::set<std::string> fixed;  ///< `static:`: inputs whose change makes nothing stale
  std::set<std::string> whole;  ///< inputs that are read whole although they have a time
  int batch = 1;                ///< neighbouring intervals that one query builds

  Timestamp Bound(int64_t k) const { return MovedBy(start, every, k); }
  /// The times of inputs that an interval's rows are made of.
  Interval Window(const Interval& interval) const {
    return {MovedBy(interval.from, lookback, -1), interval.to};
  }
};

/// More intervals than this are a slip of the pen ("every: 1 hour" since 1970).
inline constexpr int64_t kMostIntervals = 100'000;

/// The intervals there should be: those that have begun `now` and whose window begins no later than
/// `last`, the latest time of the inputs (nullopt: no input has a time, or none has rows).
/// Error "too_many_intervals".
Result<std::vector<Interval>> WantedIntervals(const IntervalRules& rules, Timestamp now,
                                              bool bounded, std::optional<Timestamp> last);

/// "2024-03-01", "2024-03-01T05:00:00Z": for people.
std::string TimeText(Timestamp time);
/// "2024-03-01 … 2024-03-04" or a single one's beginning.
std::string IntervalText(const Interval& interval);

/// Neighbours put together: at most `batch` in a group, only adjacent ones.
std::vector<std::vector<Interval>> Batches(const std::vector<Interval>& intervals, int batch);

}  // namespace headrace::pipeline
