#include "data/time_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "data/quote.h"

namespace headrace::data {
namespace {

constexpr int64_t kHour = 3'600'000'000;
constexpr int64_t kDay = 24 * kHour;
// A commit's ranges are read by every plan: more pieces than this say nothing more.
constexpr size_t kMostRanges = 2000;

int64_t CeilTo(int64_t value, int64_t unit) {
  const int64_t rest = ((value % unit) + unit) % unit;
  return rest == 0 ? value : value + (unit - rest);
}

std::string DateLiteral(int64_t time) {
  return "DATE " + QuoteLiteral(FormatTimestamp(time).substr(0, 10));
}

/// Rows by the hour: how many, and the sums of both halves of their hashes.
std::string ByTheHour(const std::string& relation, const Schema& schema, const std::string& time) {
  return fmt::format(
      "SELECT hour, count(*) AS n, sum((hash & 18446744073709551615::UHUGEINT)::UBIGINT) AS low, "
      "sum((hash >> 64)::UBIGINT) AS high FROM (SELECT date_trunc('hour', {0}) AS hour, {1} AS "
      "hash FROM {2} WHERE isfinite({0})) GROUP BY hour",
      TimestampSql(time), RowHashSql(schema.Names()), relation);
}

}  // namespace

std::vector<TimeRange> Joined(std::vector<TimeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const TimeRange& a, const TimeRange& b) { return a.from < b.from; });
  std::vector<TimeRange> out;
  for (const TimeRange& range : ranges) {
    if (range.from >= range.to) continue;
    if (!out.empty() && range.from <= out.back().to) {
      out.back().to = std::max(out.back().to, range.to);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

bool Overlaps(const std::vector<TimeRange>& ranges, Timestamp from, Timestamp to) {
  const auto after = std::partition_point(ranges.begin(), ranges.end(),
                                          [&](const TimeRange& r) { return r.to <= from; });
  return after != ranges.end() && after->from < to;
}

std::vector<TimeRange> Coarsened(std::vector<TimeRange> ranges, size_t most) {
  if (ranges.size() <= most) return ranges;
  std::vector<int64_t> gaps;
  for (size_t i = 1; i < ranges.size(); ++i) gaps.push_back(ranges[i].from - ranges[i - 1].to);
  // The widest `most - 1` gaps stay.
  std::vector<int64_t> sorted = gaps;
  const auto nth = sorted.begin() + static_cast<long>(sorted.size() - (most - 1));
  std::nth_element(sorted.begin(), nth, sorted.end());
  const int64_t narrowest = nth == sorted.end() ? INT64_MAX : *nth;
  std::vector<TimeRange> out = {ranges.front()};
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (gaps[i - 1] >= narrowest && out.size() < most) {
      out.push_back(ranges[i]);
    } else {
      out.back().to = ranges[i].to;
    }
  }
  return out;
}

std::string ToText(const Touched& touched) {
  Json json;
  json["time"] = touched.time;
  if (touched.all) json["all"] = true;
  if (touched.last) json["last"] = *touched.last;
  if (touched.without_time > 0) json["without_time"] = touched.without_time;
  Json ranges = Json::array();
  for (const TimeRange& range : touched.ranges) ranges.push_back({range.from, range.to});
  json["ranges"] = std::move(ranges);
  return DumpJson(json);
}

std::optional<Touched> TouchedFromText(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto json = ParseJson(text, "touched");
  if (!json.ok()) return std::nullopt;
  try {
    Touched touched;
    touched.time = json->at("time").get<std::string>();
    touched.all = json->value("all", false);
    if (json->contains("last")) touched.last = json->at("last").get<int64_t>();
    touched.without_time = json->value("without_time", int64_t{0});
    for (const auto& range : json->at("ranges")) {
      touched.ranges.push_back({range.at(0).get<int64_t>(), range.at(1).get<int64_t>()});
    }
    return touched;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool IsTime(std::string_view type) {
  const TypeClass type_class = ClassOf(type);
  return type_class == TypeClass::kDate || type_class == TypeClass::kTimestamp;
}

std::string TimestampSql(const std::string& column) {
  return "CAST(" + QuoteIdentifier(column) + " AS TIMESTAMP)";
}

std::string TimeLiteral(Timestamp time) {
  std::string text = FormatTimestamp(time);
  text.pop_back();  // without the Z
  return "TIMESTAMP " + QuoteLiteral(text);
}

std::string InRangesSql(const Column& column, const std::vector<TimeRange>& ranges) {
  const bool date = ClassOf(column.type) == TypeClass::kDate;
  // A bare column lets DuckDB leave out row groups by their statistics.
  const bool bare = date || column.type == "TIMESTAMP";
  const std::string value = bare ? QuoteIdentifier(column.name) : TimestampSql(column.name);
  std::string out;
  for (const TimeRange& range : ranges) {
    const std::string from = date ? DateLiteral(CeilTo(range.from, kDay)) : TimeLiteral(range.from);
    const std::string to = date ? DateLiteral(CeilTo(range.to, kDay)) : TimeLiteral(range.to);
    out +=
        fmt::format("{}({} >= {} AND {} < {})", out.empty() ? "" : " OR ", value, from, value, to);
  }
  return out.empty() ? "false" : "(" + out + ")";
}

Result<std::vector<TimeRange>> DifferentHours(DuckConnection& connection, const std::string& before,
                                              const std::string& after, const Schema& schema,
                                              const std::string& time,
                                              const QueryOptions& options) {
  HR_ASSIGN(
      Rows rows,
      connection.Query(
          fmt::format("SELECT epoch_us(coalesce(a.hour, b.hour)) AS changed FROM ({}) AS a FULL "
                      "JOIN ({}) AS b ON a.hour = b.hour WHERE (a.n, a.low, a.high) IS "
                      "DISTINCT FROM (b.n, b.low, b.high) ORDER BY changed",
                      ByTheHour(before, schema, time), ByTheHour(after, schema, time)),
          {}, options));
  std::vector<TimeRange> ranges;
  for (const auto& row : rows.rows) {
    const int64_t hour = row[0].AsInt64();
    ranges.push_back({hour, hour + kHour});
  }
  return Coarsened(Joined(std::move(ranges)), kMostRanges);
}

Result<Touched> CompareTimes(DuckConnection& connection, const std::string& warehouse,
                             const Snapshot* before, const Snapshot& after, const std::string& time,
                             const QueryOptions& options) {
  Touched touched;
  touched.time = time;
  const std::string now = "(" + ReadSnapshotSql(warehouse, after) + ")";
  HR_ASSIGN(Rows rows,
            connection.Query(fmt::format("SELECT epoch_us(max({0}) FILTER (WHERE isfinite({0}))), "
                                         "count(*) FILTER (WHERE NOT coalesce(isfinite({0}), "
                                         "false)) FROM {1}",
                                         TimestampSql(time), now),
                             {}, options));
  if (!rows.at(0, 0).is_null()) touched.last = rows.at(0, 0).AsInt64();
  touched.without_time = rows.at(0, 1).AsInt64();
  touched.all = before == nullptr || before->schema != after.schema;
  if (touched.all) return touched;
  std::set<std::string> old_files, new_files;
  for (const SnapshotFile& file : before->files) old_files.insert(file.path);
  for (const SnapshotFile& file : after.files) new_files.insert(file.path);
  const auto only = [&](const Snapshot& snapshot, const std::set<std::string>& others) {
    Snapshot part = snapshot;
    std::erase_if(part.files, [&](const SnapshotFile& file) { return others.contains(file.path); });
    if (part.files.empty()) return "(SELECT * FROM " + now + " LIMIT 0)";
    return "(" + ReadSnapshotSql(warehouse, part) + ")";
  };
  HR_ASSIGN(touched.ranges, DifferentHours(connection, only(*before, new_files),
                                           only(after, old_files), after.schema, time, options));
  return touched;
}

}  // namespace headrace::data
