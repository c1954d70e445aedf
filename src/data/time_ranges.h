#pragma once
// Which times of a table's rows differ between two of its snapshots. Incremental nodes below
// rebuild the intervals that these times lie in.
//
// Rows are compared by the hour: for each hour the number of rows and the sum of their hashes, over
// the files that only one of the two snapshots has. So an append reads only the new rows, a merge
// the files it rewrote, and a full read that gave the same rows touches nothing.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/duck.h"
#include "data/snapshot.h"

namespace headrace::data {

/// [from, to), UTC.
struct TimeRange {
  Timestamp from = 0, to = 0;
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

/// Sorted; overlapping and adjacent ones joined; empty ones left out.
std::vector<TimeRange> Joined(std::vector<TimeRange> ranges);
/// Whether [from, to) overlaps one of them. `ranges` as Joined gives them.
bool Overlaps(const std::vector<TimeRange>& ranges, Timestamp from, Timestamp to);
/// The same ranges in at most `most` pieces: the smallest gaps between them are filled.
std::vector<TimeRange> Coarsened(std::vector<TimeRange> ranges, size_t most);

/// What one commit did to a node's rows, by their `time:`.
struct Touched {
  std::string time;               ///< the column
  bool all = false;               ///< no snapshot before, or other columns: every row is new
  std::vector<TimeRange> ranges;  ///< otherwise: hours in which rows differ
  std::optional<Timestamp> last;  ///< the latest time in the new snapshot
  int64_t without_time = 0;       ///< rows whose time is NULL or infinite: no interval reads them
  friend bool operator==(const Touched&, const Touched&) = default;
};
std::string ToText(const Touched& touched);
/// nullopt for a text that ToText didn't write.
std::optional<Touched> TouchedFromText(const std::string& text);

/// True for DATE and every TIMESTAMP.
bool IsTime(std::string_view type);
/// SQL of the column as TIMESTAMP in UTC.
std::string TimestampSql(const std::string& column);
/// SQL literal of a time.
std::string TimeLiteral(Timestamp time);
/// SQL condition: the time lies in one of the ranges. NULL for NULL, false for infinity.
std::string InRangesSql(const Column& column, const std::vector<TimeRange>& ranges);

/// `before` null = there was none. Both files must be readable by the connection.
Result<Touched> CompareTimes(DuckConnection& connection, const std::string& warehouse,
                             const Snapshot* before, const Snapshot& after, const std::string& time,
                             const QueryOptions& options = {});

/// The hours in which the rows of two relations (SQL after FROM) of the same columns differ.
Result<std::vector<TimeRange>> DifferentHours(DuckConnection& connection, const std::string& before,
                                              const std::string& after, const Schema& schema,
                                              const std::string& time,
                                              const QueryOptions& options = {});

}  // namespace headrace::data
