// Charts of numbers: residuals, fit, influence, groups, versions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/number_text.h"
#include "report/plot.h"

namespace headrace::report {
namespace {

constexpr double kRowHeight = 22;

/// A chart of named rows: names at the left, values along x.
PlotSize RowsSize(size_t rows, double left, double right) {
  PlotSize size;
  size.left = left;
  size.right = right;
  size.top = 8;
  size.bottom = 38;
  size.height = size.top + size.bottom + kRowHeight * static_cast<double>(rows);
  return size;
}

Axis RowsAxis(size_t rows) {
  Axis axis;
  axis.low = 0;
  axis.high = static_cast<double>(rows);
  axis.bare = true;  // rows carry their own names
  return axis;
}

/// Middle of row `i` from the top.
double Middle(size_t i, size_t rows) { return static_cast<double>(rows - i) - 0.5; }

/// A range that holds all finite values with some air, not wider than [floor, ceiling].
std::pair<double, double> Hull(const std::vector<double>& values, double floor, double ceiling) {
  double low = INFINITY, high = -INFINITY;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (!(low <= high)) return {0, 1};
  const double air = high > low ? (high - low) * 0.08 : std::max(std::fabs(high) * 0.1, 1e-3);
  return {std::max(low - air, floor), std::min(high + air, ceiling)};
}

bool IsShare(const std::string& metric) {
  static const std::vector<std::string> kShares = {
      "roc_auc",   "accuracy", "average_precision", "f1",
      "precision", "recall",   "f1_macro",          "balanced_accuracy"};
  return std::find(kShares.begin(), kShares.end(), metric) != kShares.end();
}

double CeilingOf(const std::string& metric) { return IsShare(metric) ? 1 : INFINITY; }

/// Mean of the groups' values, by rows: what a group of this column is held against. The value of
/// all rows would not be fair: part of a ranking is between groups, so within them it is lower.
double MeanOfGroups(const Slice& slice) {
  double sum = 0, rows = 0;
  for (const SliceGroup& group : slice.groups) {
    if (!std::isfinite(group.metric)) continue;
    sum += group.metric * static_cast<double>(group.rows);
    rows += static_cast<double>(group.rows);
  }
  return rows > 0 ? sum / rows : NAN;
}

/// The whole interval lies on the bad side of the groups' mean.
bool IsWeak(const ModelFacts& model, double mean, const SliceGroup& group) {
  if (!std::isfinite(group.low) || !std::isfinite(group.high)) return false;
  return model.higher_is_better ? group.high < mean : group.low > mean;
}

}  // namespace

Chart ResidualChart(const std::string& id, const ModelFacts& model) {
  const Histogram& bins = model.residuals;
  if (bins.counts.empty()) return std::nullopt;
  Axis x, y;
  x.low = bins.edges.front();
  x.high = bins.edges.back();
  x.label = "truth minus prediction";
  y.high = 1.08 * static_cast<double>(*std::max_element(bins.counts.begin(), bins.counts.end()));
  y.label = "rows";
  y.text = [](double v) { return Grouped(std::llround(v)); };
  Plot plot({}, x, y);
  const double inset = (bins.edges[1] - bins.edges[0]) * 0.06;
  for (size_t i = 0; i < bins.counts.size(); ++i) {
    plot.Box(bins.edges[i] + inset, 0, bins.edges[i + 1] - inset,
             static_cast<double>(bins.counts[i]), "bar");
  }
  if (x.low < 0 && x.high > 0) plot.Segment(0, 0, 0, y.high, "limit");
  std::string says;
  if (std::isfinite(model.error_median)) {
    says = fmt::format("Half of the predictions are within {} of the truth, nine in ten within {}.",
                       Short(model.error_median), Short(model.error_p90));
  }
  if (bins.below + bins.above > 0) {
    says += fmt::format(" {} farther out than drawn.",
                        Tally(bins.below + bins.above, "prediction") +
                            (bins.below + bins.above == 1 ? " is" : " are"));
  }
  return plot.Figure(id, "Errors: how far off the predictions are", says);
}

Chart FitChart(const std::string& id, const ModelFacts& model) {
  if (model.fit.size() < 2) return std::nullopt;
  std::vector<double> values;
  for (const Bin& bin : model.fit) {
    values.insert(values.end(), {bin.predicted, bin.actual, bin.low, bin.high});
  }
  const auto [low, high] = Hull(values, -INFINITY, INFINITY);
  Axis x, y;
  x.low = y.low = low;
  x.high = y.high = high;
  x.label = "predicted " + model.target;
  y.label = "what came true";
  Plot plot({}, x, y);
  plot.Segment(low, low, high, high, "reference");
  std::vector<CurvePoint> line;
  for (const Bin& bin : model.fit) {
    plot.Segment(bin.predicted, bin.low, bin.predicted, bin.high, "whisker wide");
    line.push_back({bin.predicted, bin.actual});
  }
  plot.Line(line, "curve thin");
  for (const CurvePoint& point : line) plot.Dot(point.x, point.y, 3.5, "mark");
  const Bin& last = model.fit.back();
  const std::string says = fmt::format(
      "Rows in {} groups by prediction: dots are means, bars hold the middle 80 % of what came "
      "true. "
      "Where the model says about {}, the mean was {}.",
      model.fit.size(), Short(last.predicted), Short(last.actual));
  return plot.Figure(id, "Predicted against true", says);
}

Chart InfluenceChart(const std::string& id, const ModelFacts& model) {
  std::vector<InfluenceLine> lines = model.influence;
  if (lines.empty() || !(lines.front().value > 0)) return std::nullopt;
  constexpr size_t kMost = 15;
  const size_t all = lines.size();
  if (lines.size() > kMost) lines.resize(kMost);
  const bool points = model.influence_unit == "probability";
  Axis x;
  x.high = lines.front().high * 1.05;
  x.label = points ? "mean change of the chance, in points" : "mean change of the prediction";
  if (points) x.text = [](double v) { return Short(v * 100); };
  Plot plot(RowsSize(lines.size(), 150, 44), x, RowsAxis(lines.size()));
  for (size_t i = 0; i < lines.size(); ++i) {
    const double y = Middle(i, lines.size());
    plot.Label(0, y, -7, 4, "end", CutText(lines[i].column, 18), "t ink");
    plot.Box(0, y - 0.32, lines[i].value, y + 0.32, "bar");
    plot.Segment(lines[i].low, y, lines[i].high, y, "whisker");
    plot.Label(lines[i].high, y, 6, 4, "start", Short(lines[i].value * (points ? 100 : 1), 2), "t");
  }
  std::vector<std::string> best;
  for (size_t i = 0; i < std::min<size_t>(3, lines.size()); ++i) best.push_back(lines[i].column);
  std::string says = fmt::format(
      "Most goes by {}: mixing up {} among the rows moves the answer by {} on average{}. Columns "
      "that "
      "tell the same share their influence; influence is no cause.",
      Listed(best), best.front(),
      points ? Short(lines[0].value * 100, 2) + " points" : Short(lines[0].value, 3),
      all > lines.size() ? fmt::format(" ({} of {} columns shown)", lines.size(), all) : "");
  return plot.Figure(id, "Columns by influence", says);
}

Chart SliceChart(const std::string& id, const ModelFacts& model, const Slice& slice) {
  const double mean = MeanOfGroups(slice);
  if (!std::isfinite(mean)) return std::nullopt;
  std::vector<double> values;
  for (const SliceGroup& group : slice.groups) {
    values.insert(values.end(), {group.metric, group.low, group.high});
  }
  const auto [low, high] = Hull(values, -INFINITY, CeilingOf(model.metric));
  Axis x;
  x.low = low;
  x.high = high;
  x.label = MetricTitle(model.metric) + ", with 95 % interval";
  x.ticks = RoundTicks(low, high, 4);
  const size_t n = slice.groups.size();
  Plot plot(RowsSize(n, 150, 64), x, RowsAxis(n));
  plot.Segment(mean, 0, mean, static_cast<double>(n), "limit");
  std::vector<std::string> weak;
  const SliceGroup* worst = nullptr;
  for (size_t i = 0; i < n; ++i) {
    const SliceGroup& group = slice.groups[i];
    const double y = Middle(i, n);
    plot.Label(low, y, -7, 4, "end", CutText(group.value, 18), "t ink");
    plot.Label(high, y, 58, 4, "end", Grouped(group.rows), "t");
    if (!std::isfinite(group.metric)) {
      plot.Label(low, y, 4, 4, "start", "all of one kind", "t");
      continue;
    }
    const bool bad = IsWeak(model, mean, group);
    if (bad) weak.push_back(group.value);
    plot.Segment(group.low, y, group.high, y, bad ? "whisker bad" : "whisker");
    plot.Dot(group.metric, y, 4, bad ? "mark bad" : "mark");
    if (worst == nullptr ||
        (model.higher_is_better ? group.metric < worst->metric : group.metric > worst->metric)) {
      worst = &group;
    }
  }
  std::string says = fmt::format("Dashed: mean of the groups ({}). ", Short(mean));
  if (!weak.empty()) {
    says += fmt::format("Weaker: {} (orange).", Listed(weak));
  } else if (worst != nullptr) {
    says += fmt::format("Lowest: {} with {}; no interval lies wholly below the mean.", worst->value,
                        Short(worst->metric));
    if (!model.higher_is_better) {
      says = fmt::format(
          "Dashed: mean of the groups ({}). Highest: {} with {}; no interval lies wholly "
          "above the mean.",
          Short(mean), worst->value, Short(worst->metric));
    }
  }
  return plot.Figure(id, "By " + slice.column, says + " At the right: rows.");
}

std::vector<std::string> WeakGroups(const ModelFacts& model) {
  std::vector<std::string> out;
  for (const Slice& slice : model.slices) {
    const double mean = MeanOfGroups(slice);
    for (const SliceGroup& group : slice.groups) {
      if (IsWeak(model, mean, group)) out.push_back(slice.column + " = " + group.value);
    }
  }
  return out;
}

Chart VersionChart(const std::string& id, const ModelSection& model) {
  std::vector<ModelSection::Past> versions;
  for (const auto& past : model.versions) {
    if (std::isfinite(past.value)) versions.push_back(past);
  }
  if (versions.size() < 2) return std::nullopt;
  constexpr size_t kMost = 20;
  if (versions.size() > kMost) versions.erase(versions.begin(), versions.end() - kMost);
  std::vector<double> values;
  for (const auto& past : versions) values.insert(values.end(), {past.value, past.low, past.high});
  Axis x, y;
  x.low = versions.front().version - 0.6;
  x.high = versions.back().version + 0.6;
  x.label = "version";
  for (const auto& past : versions) x.ticks.push_back(past.version);
  x.text = [](double v) { return std::to_string(std::lround(v)); };
  std::tie(y.low, y.high) = Hull(values, -INFINITY, CeilingOf(model.facts.metric));
  y.label = MetricTitle(model.facts.metric);
  Plot plot({}, x, y);
  std::vector<std::string> refused;
  for (const auto& past : versions) {
    const bool bad = past.status == "refused";
    if (bad) refused.push_back(std::to_string(past.version));
    plot.Segment(past.version, past.low, past.version, past.high, bad ? "whisker bad" : "whisker");
    plot.Dot(past.version, past.value, past.version == model.champion_now ? 5.5 : 4,
             bad ? "mark bad" : "mark");
  }
  std::string says =
      fmt::format("From {} (version {}) to {} (version {}). ", Short(versions.front().value),
                  versions.front().version, Short(versions.back().value), versions.back().version);
  says += refused.empty() ? "None of these was refused." : "Refused: " + Listed(refused, 8) + ".";
  says += " Each version was judged on its own rows, so look at the intervals.";
  return plot.Figure(id, "The versions so far", says);
}

}  // namespace headrace::report
