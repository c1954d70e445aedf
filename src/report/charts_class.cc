// Charts of models that tell classes apart.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/number_text.h"
#include "report/plot.h"

namespace headrace::report {
namespace {

const std::vector<double> kQuarters = {0, 0.25, 0.5, 0.75, 1};

Axis ShareAxis(std::string label) {
  Axis axis;
  axis.label = std::move(label);
  axis.ticks = kQuarters;
  axis.text = [](double v) { return Percent(v); };
  return axis;
}

std::string Positive(const ModelFacts& model) {
  return model.positive.empty() ? "positive" : "“" + CutText(model.positive, 24) + "”";
}

}  // namespace

Chart RocChart(const std::string& id, const ModelFacts& model) {
  if (model.roc.size() < 2) return std::nullopt;
  Plot plot({}, ShareAxis("share of the others flagged by mistake"),
            ShareAxis("share of " + Positive(model) + " found"));
  plot.Segment(0, 0, 1, 1, "reference");
  plot.Label(0.62, 0.62, 4, 14, "start", "guessing");
  plot.Line(model.roc, "curve");
  double found = 0;
  for (const CurvePoint& point : model.roc) {
    if (point.x <= 0.1) found = std::max(found, point.y);
  }
  plot.Dot(0.1, found, 4, "mark");
  plot.Label(0.1, found, 8, 14, "start", Percent(found) + " at 10 %", "t strong");
  std::string says = fmt::format(
      "With one in ten of the others flagged by mistake it finds {} of the rows that are {}.",
      Percent(found), Positive(model));
  if (const MetricLine* auc = model.Find("roc_auc")) {
    says += fmt::format(
        " The area under the curve is {}: shown one of each, it ranks the right one "
        "higher {} times in 100; guessing would 50 times.",
        Short(auc->value), std::lround(auc->value * 100));
  }
  return plot.Figure(id, "ROC: what is found against what is flagged by mistake", says);
}

Chart PrecisionRecallChart(const std::string& id, const ModelFacts& model) {
  if (model.pr.size() < 2) return std::nullopt;
  Plot plot({}, ShareAxis("share of " + Positive(model) + " found (recall)"),
            ShareAxis("share of the flagged that are right (precision)"));
  if (std::isfinite(model.base_rate)) {
    plot.Segment(0, model.base_rate, 1, model.base_rate, "reference");
    plot.Label(0, model.base_rate, 4, 14, "start", "flagging everybody");
  }
  plot.Line(model.pr, "curve");
  double precision = 0;
  for (const CurvePoint& point : model.pr) {
    if (point.x >= 0.5) precision = std::max(precision, point.y);
  }
  plot.Dot(0.5, precision, 4, "mark");
  plot.Label(0.5, precision, 8, -6, "start", Percent(precision) + " at half", "t strong");
  const std::string says = fmt::format(
      "Flagging until half of {} is found, {} of the flagged are right; flagging every row would "
      "be "
      "right {} of the time.",
      Positive(model), Percent(precision), Percent(model.base_rate));
  return plot.Figure(id, "Precision and recall", says);
}

Chart CalibrationChart(const std::string& id, const ModelFacts& model) {
  if (model.calibration.size() < 2) return std::nullopt;
  const bool binary = model.task == "binary";
  Plot plot({}, ShareAxis(binary ? "chance the model gave" : "how sure the model was"),
            ShareAxis("how often it came true"));
  plot.Segment(0, 0, 1, 1, "reference");
  plot.Label(0.72, 0.72, 6, 14, "start", "exactly right");
  std::vector<CurvePoint> line;
  double gap = 0, rows = 0;
  size_t off = 0;
  for (const Bin& bin : model.calibration) {
    line.push_back({bin.predicted, bin.actual});
    plot.Segment(bin.predicted, bin.low, bin.predicted, bin.high, "whisker");
    gap += std::fabs(bin.predicted - bin.actual) * static_cast<double>(bin.rows);
    rows += static_cast<double>(bin.rows);
    off += bin.predicted < bin.low || bin.predicted > bin.high ? 1 : 0;
  }
  plot.Line(line, "curve thin");
  for (const CurvePoint& point : line) plot.Dot(point.x, point.y, 3.5, "mark");
  const std::string says = fmt::format(
      "In groups of about {} rows the chance given and what came true differ by {} on average; {} "
      "of "
      "{} groups lie outside their 95 % interval (bars).",
      Grouped(model.calibration.front().rows), Percent(rows > 0 ? gap / rows : 0, 1), off,
      model.calibration.size());
  return plot.Figure(id, "Calibration: is a chance of 30 % really 30 %?", says);
}

Chart ScoreChart(const std::string& id, const ModelFacts& model) {
  const Histogram& scores = model.scores;
  if (scores.counts.empty() || scores.others.empty()) return std::nullopt;
  int64_t all = 0, all_others = 0, low = 0, low_others = 0;
  for (size_t i = 0; i < scores.counts.size(); ++i) {
    all += scores.counts[i];
    all_others += scores.others[i];
    const bool below = scores.edges[i + 1] <= 0.2 + 1e-9;
    low += below ? scores.counts[i] : 0;
    low_others += below ? scores.others[i] : 0;
  }
  if (all == 0 || all_others == 0) return std::nullopt;
  const auto share = [](int64_t n, int64_t of) {
    return static_cast<double>(n) / static_cast<double>(of);
  };
  Axis y;
  for (size_t i = 0; i < scores.counts.size(); ++i) {
    y.low = std::min(y.low, -share(scores.counts[i], all));
    y.high = i == 0 ? share(scores.others[i], all_others)
                    : std::max(y.high, share(scores.others[i], all_others));
  }
  y.low *= 1.12;
  y.high *= 1.25;
  y.label = "share of each group";
  y.ticks = RoundTicks(y.low, y.high, 5);
  y.text = [](double v) { return Percent(std::fabs(v)); };
  Plot plot({}, ShareAxis("chance of " + Positive(model) + " the model gave"), y);
  const double inset = (scores.edges[1] - scores.edges[0]) * 0.06;
  for (size_t i = 0; i < scores.counts.size(); ++i) {
    const double left = scores.edges[i] + inset, end = scores.edges[i + 1] - inset;
    plot.Box(left, 0, end, share(scores.others[i], all_others), "bar");
    plot.Box(left, 0, end, -share(scores.counts[i], all), "bar other");
  }
  plot.Segment(0, 0, 1, 0, "axis");
  plot.Segment(model.threshold, y.low, model.threshold, y.high, "limit");
  plot.Label(1, y.high, -2, 12, "end", "were " + Positive(model), "t strong");
  plot.Label(1, y.low, -2, -8, "end", "were not", "t strong");
  const std::string says = fmt::format(
      "Upwards the {} rows that were {}, downwards the {} others. {} of the others got a chance "
      "below "
      "20 %, and {} of {}. From the dashed line on a row is flagged.",
      Grouped(all_others), Positive(model), Grouped(all), Percent(share(low, all)),
      Percent(share(low_others, all_others)), Positive(model));
  return plot.Figure(id, "What the model said of each group", says);
}

Chart ThresholdChart(const std::string& id, const ModelFacts& model) {
  if (model.thresholds.size() < 3) return std::nullopt;
  Plot plot({}, ShareAxis("flag from this chance on"), ShareAxis("share"));
  std::vector<CurvePoint> precision, recall, flagged;
  const ThresholdLine* now = nullptr;
  for (const ThresholdLine& line : model.thresholds) {
    if (std::isfinite(line.precision)) precision.push_back({line.threshold, line.precision});
    if (std::isfinite(line.recall)) recall.push_back({line.threshold, line.recall});
    flagged.push_back({line.threshold, line.flagged});
    if (now == nullptr ||
        std::fabs(line.threshold - model.threshold) < std::fabs(now->threshold - model.threshold)) {
      now = &line;
    }
  }
  plot.Segment(model.threshold, 0, model.threshold, 1, "limit");
  plot.Line(flagged, "curve third");
  plot.Line(recall, "curve second");
  plot.Line(precision, "curve");
  const auto name = [&](const std::vector<CurvePoint>& curve, size_t at, double dy,
                        const char* text) {
    if (curve.size() > at) plot.Label(curve[at].x, curve[at].y, 4, dy, "start", text, "t strong");
  };
  name(precision, 14, 18, "precision");
  name(recall, 3, -8, "found");
  name(flagged, 10, -8, "flagged");
  const std::string says = fmt::format(
      "From a chance of {} on, {} of all rows are flagged; {} of the flagged are right and {} of "
      "{} "
      "are found. A lower line finds more and is wrong more often.",
      Percent(now->threshold), Percent(now->flagged), Percent(now->precision), Percent(now->recall),
      Positive(model));
  return plot.Figure(id, "Where to draw the line", says);
}

}  // namespace headrace::report
