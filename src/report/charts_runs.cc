// Charts over runs: checks, rows of a table.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/number_text.h"
#include "report/plot.h"

namespace headrace::report {
namespace {

/// A square for one verdict; its sign says the same as its colour.
Markup Verdict(double x, double y, double size, const CheckHistory::Point& point) {
  Markup g("g");
  g.Add(Markup("title", fmt::format("{}: {}{}", point.run, point.status,
                                    point.failing > 0 ? ", " + Tally(point.failing, "row") : "")));
  g.Add(Markup("rect")
            .Class("verdict " + point.status)
            .Attr("x", x)
            .Attr("y", y)
            .Attr("width", size)
            .Attr("height", size)
            .Attr("rx", 3));
  const char* sign = point.status == "fail" ? "✕" : point.status == "warn" ? "!" : "✓";
  g.Add(SvgText(x + size / 2, y + size / 2 + 4, "middle", sign, "sign " + point.status));
  return g;
}

}  // namespace

Chart CheckChart(const std::string& id, const std::vector<CheckHistory>& checks) {
  if (checks.empty()) return std::nullopt;
  constexpr size_t kMostRuns = 20, kMostChecks = 40;
  // Failing and warning ones are never cut away.
  std::vector<const CheckHistory*> rows;
  for (const bool passing : {false, true}) {
    for (const CheckHistory& check : checks) {
      if (check.points.empty()) continue;
      if ((check.points.back().status == "pass") == passing) rows.push_back(&check);
    }
  }
  if (rows.empty()) return std::nullopt;
  const size_t cut = rows.size() > kMostChecks ? rows.size() - kMostChecks : 0;
  rows.resize(rows.size() - cut);
  std::map<std::string, size_t> runs;  // ids sort by time
  for (const CheckHistory* check : rows) {
    for (const auto& point : check->points) runs[point.run] = 0;
  }
  while (runs.size() > kMostRuns) runs.erase(runs.begin());
  size_t column = 0;
  for (auto& [run, at] : runs) at = column++;
  constexpr double kSize = 18, kGap = 4, kNames = 330;
  const double height = static_cast<double>(rows.size()) * (kSize + kGap) + 22;
  const double width =
      kNames + static_cast<double>(std::max<size_t>(runs.size(), 6)) * (kSize + kGap) + 90;
  size_t failed = 0, warned = 0;
  for (const CheckHistory* check : rows) {
    failed += check->points.back().status == "fail" ? 1 : 0;
    warned += check->points.back().status == "warn" ? 1 : 0;
  }
  const std::string says = fmt::format(
      "{}: {} passed, {} warned, {} failed when they ran last.{} Newest run at the right; at its "
      "side the rows that broke the rule.",
      Tally(static_cast<int64_t>(rows.size()), "check"), rows.size() - failed - warned, warned,
      failed, cut > 0 ? fmt::format(" {} more that passed are not drawn.", cut) : "");
  Markup drawing = Drawing(id, "Checks over the last runs", says, width, height);
  double y = 0;
  for (const CheckHistory* check : rows) {
    drawing.Add(SvgText(kNames - 10, y + kSize / 2 + 4, "end", CutText(check->check, 48), "t ink"));
    double end = kNames;
    for (const auto& point : check->points) {
      const auto found = runs.find(point.run);
      if (found == runs.end()) continue;
      const double x = kNames + static_cast<double>(found->second) * (kSize + kGap);
      drawing.Add(Verdict(x, y, kSize, point));
      end = x + kSize;
    }
    const auto& last = check->points.back();
    if (last.failing > 0) {
      drawing.Add(SvgText(end + 8, y + kSize / 2 + 4, "start",
                          fmt::format("{} of {}", Grouped(last.failing), Grouped(last.rows)), "t"));
    }
    y += kSize + kGap;
  }
  return FigureOf(std::move(drawing), "Over the last runs", says);
}

Chart RowsSpark(const std::string& id, const NodeLine& node) {
  if (node.rows_history.size() < 3) return std::nullopt;
  const int64_t most = *std::max_element(node.rows_history.begin(), node.rows_history.end());
  if (most <= 0) return std::nullopt;
  constexpr double kHeight = 18, kStep = 7;
  std::string numbers;
  for (const int64_t rows : node.rows_history) {
    numbers += (numbers.empty() ? "" : ", ") + Grouped(std::max<int64_t>(rows, 0));
  }
  Markup svg = Drawing(id, "Rows of " + node.name + " over the last runs", numbers,
                       kStep * static_cast<double>(node.rows_history.size()), kHeight);
  double x = 0;
  for (const int64_t rows : node.rows_history) {
    const double height =
        std::max(1.0, kHeight * static_cast<double>(rows) / static_cast<double>(most));
    svg.Add(Markup("rect")
                .Class(x + kStep * 1.5 > kStep * static_cast<double>(node.rows_history.size())
                           ? "bar"
                           : "bar past")
                .Attr("x", x)
                .Attr("y", kHeight - height)
                .Attr("width", kStep - 2)
                .Attr("height", height));
    x += kStep;
  }
  return svg;
}

}  // namespace headrace::report
