// The part of a model: verdict, numbers, gates, charts, groups, candidates, findings.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/headline.h"
#include "report/number_text.h"
#include "report/sections.h"

namespace headrace::report {
namespace {

class Part {
 public:
  explicit Part(const ModelSection& model)
      : model_(model), facts_(model.facts), id_(IdOf("model", model.model)) {}

  Markup Make() {
    section_ = NewSection(id_, "Model " + model_.model, Under());
    Verdict();
    Tiles();
    Gates();
    Quality();
    Influence();
    Groups();
    Candidates();
    Findings();
    Metrics();
    return std::move(section_);
  }

 private:
  std::string Under() const {
    std::string text = model_.description;
    if (!text.empty() && !text.ends_with('.') && !text.ends_with('?')) text += '.';
    text += fmt::format("{}Version {}, {}.", text.empty() ? "" : " ", model_.version,
                        !model_.trained_now                     ? "trained in an earlier run"
                        : model_.status == "refused"            ? "trained in this run and refused"
                        : model_.champion_now == model_.version ? "trained in this run and in use"
                                                                : "trained in this run");
    return text;
  }

  void Say(const std::string& text, const std::string& tone) {
    if (text.empty()) return;
    Markup box("div");
    box.Class("callout" + (tone.empty() ? "" : " is-" + tone)).Add(Markup("p", text));
    section_.Add(std::move(box));
  }

  void Verdict() {
    if (model_.trained_now && model_.status == "refused") {
      std::string why;
      for (const GateLine& gate : facts_.gates) {
        if (gate.verdict != "pass") why += (why.empty() ? "" : "; ") + gate.message;
      }
      Say(fmt::format("Version {} was not promoted: {}.{}", model_.version, why,
                      model_.champion_now > 0
                          ? fmt::format(" Predictions go on with version {}.", model_.champion_now)
                          : " There is no champion, so nothing is predicted."),
          "warn");
    } else if (model_.trained_now) {
      Say(AgainstChampion(model_), "");
    }
    if (const std::string natural = InNaturalNumbers(facts_); !natural.empty()) {
      section_.Add(Markup("p", natural));
    }
  }

  static Markup Tile(const std::string& number, const std::string& under) {
    Markup tile("div");
    tile.Class("tile");
    tile.Add(Markup("span", number).Class("n"));
    tile.Add(Markup("span", under).Class("u"));
    return tile;
  }

  void Tiles() {
    Markup tiles("div");
    tiles.Class("tiles");
    if (const MetricLine* main = facts_.Main()) {
      std::string under = MetricTitle(main->name);
      if (std::isfinite(main->low)) under += fmt::format(", 95 % {}", Range(main->low, main->high));
      tiles.Add(Tile(Short(main->value), under));
      if (std::isfinite(main->baseline)) {
        tiles.Add(Tile(Short(main->baseline), "the same by guessing"));
      }
    }
    tiles.Add(Tile(Grouped(facts_.judged_rows), "rows it was judged on"));
    tiles.Add(Tile(Grouped(facts_.training_rows), "rows it has learned from"));
    if (facts_.trials > 0) tiles.Add(Tile(Grouped(facts_.trials), "configurations tried"));
    section_.Add(std::move(tiles));
    if (!facts_.split.empty()) {
      section_.Add(Markup("p", "How it was judged: " + facts_.split).Class("says"));
    }
    if (facts_.rows_without_target > 0) {
      section_.Add(Markup("p", fmt::format("{} without a value of {} were left out.",
                                           Tally(facts_.rows_without_target, "row"), facts_.target))
                       .Class("says"));
    }
  }

  void Gates() {
    if (facts_.gates.empty()) return;
    section_.Add(Markup("h3", "The gate"));
    Markup table = NewTable({"Rule", "Verdict", "Numbers"});
    Markup body("tbody");
    for (const GateLine& gate : facts_.gates) {
      Markup row("tr");
      Markup rule("td");
      rule.Add(Markup("code", gate.gate));
      if (!gate.slice.empty()) rule.Add(Markup("span", gate.slice).Class("sub"));
      row.Add(std::move(rule));
      const std::string sign = !gate.judged             ? "– "
                               : gate.verdict == "pass" ? "✓ "
                               : gate.verdict == "fail" ? "✕ "
                                                        : "– ";
      row.Add(Markup("td").Add(
          Markup("span", sign + (gate.judged ? gate.verdict : "not judged"))
              .Class("verdict-word " + (gate.judged ? gate.verdict : std::string()))));
      row.Add(Cell(gate.message));
      body.Add(std::move(row));
    }
    section_.Add(table.Add(std::move(body)));
  }

  /// A heading and the charts that there are.
  void Charts(const char* heading, const std::string& under, std::vector<Chart> charts) {
    Markup grid("div");
    grid.Class("charts");
    for (Chart& chart : charts) {
      if (chart) grid.Add(std::move(*chart));
    }
    if (grid.empty()) return;
    section_.Add(Markup("h3", heading));
    if (!under.empty()) section_.Add(Markup("p", under).Class("says"));
    section_.Add(std::move(grid));
  }

  void Quality() {
    Charts("How good it is", "",
           {RocChart(id_ + "-roc", facts_), PrecisionRecallChart(id_ + "-pr", facts_),
            CalibrationChart(id_ + "-calibration", facts_), ScoreChart(id_ + "-scores", facts_),
            ThresholdChart(id_ + "-thresholds", facts_), FitChart(id_ + "-fit", facts_),
            ResidualChart(id_ + "-residuals", facts_), Confusion()});
  }

  Chart Confusion() const {
    if (facts_.confusion.empty()) return std::nullopt;
    Markup figure("figure");
    figure.Add(Markup("figcaption", "Right and wrong"));
    std::vector<std::string> head = {facts_.target};
    for (const std::string& name : facts_.classes) {
      head.push_back("said " + CutText(name, 20) + "#");
    }
    Markup table = NewTable(head);
    table.Class("matrix");
    Markup body("tbody");
    for (size_t a = 0; a < facts_.confusion.size(); ++a) {
      double sum = 0;
      for (const double n : facts_.confusion[a]) sum += n;
      Markup row("tr");
      row.Add(Markup("th", "was " + CutText(facts_.classes[a], 24)).Attr("scope", "row"));
      for (size_t p = 0; p < facts_.confusion[a].size(); ++p) {
        const double n = facts_.confusion[a][p];
        Markup cell("td", Grouped(std::llround(n)));
        cell.Class(a == p ? "n hit" : "n");
        cell.Add(Markup("span", sum > 0 ? Percent(n / sum) : "–").Class("sub"));
        row.Add(std::move(cell));
      }
      body.Add(std::move(row));
    }
    figure.Add(Markup("div").Class("scroll").Add(table.Add(std::move(body))));
    figure.Add(
        Markup("p", facts_.task == "binary"
                        ? fmt::format("Rows by what was true and what the model says of them "
                                      "from a chance of {} on. On the shaded cells it is right.",
                                      Percent(facts_.threshold))
                        : std::string("Rows by what was true and what the model says. On the "
                                      "shaded cells it is right."))
            .Class("says"));
    return figure;
  }

  void Influence() {
    Charts("What it goes by, and how it came here", "",
           {InfluenceChart(id_ + "-influence", facts_), VersionChart(id_ + "-versions", model_)});
  }

  void Groups() {
    std::vector<Chart> charts;
    for (size_t i = 0; i < facts_.slices.size(); ++i) {
      charts.push_back(SliceChart(fmt::format("{}-slice-{}", id_, i), facts_, facts_.slices[i]));
    }
    size_t groups = 0;
    for (const Slice& slice : facts_.slices) groups += slice.groups.size();
    const std::vector<std::string> weak = WeakGroups(facts_);
    Charts("Where it is weak and strong",
           weak.empty()
               ? fmt::format("None of {} groups is weaker than the mean of its column's groups.",
                             groups)
               : fmt::format(
                     "Weaker than the mean of its column's groups, with the whole interval: {}. "
                     "Of {} groups about one in 40 looks so by chance.",
                     Listed(weak, 6), groups),
           std::move(charts));
  }

  void Candidates() {
    if (facts_.leaderboard.empty()) return;
    section_.Add(Markup("h3", "The candidates"));
    section_.Add(Markup("p",
                        "Scored on rows that each had not seen. The model in the package is the "
                        "weighted blend.")
                     .Class("says"));
    Markup table =
        NewTable({"Candidate", MetricTitle(facts_.metric) + "#", "Weight#", "Configuration"});
    Markup body("tbody");
    constexpr size_t kMost = 12;
    for (size_t i = 0; i < facts_.leaderboard.size(); ++i) {
      const LeaderLine& line = facts_.leaderboard[i];
      if (i >= kMost && line.weight == 0) continue;
      Markup row("tr");
      row.Add(Cell(line.name, "name"));
      row.Add(Cell(Short(line.score, 4), "n"));
      row.Add(Cell(line.learner == "ensemble" ? ""
                   : line.weight > 0          ? Percent(line.weight)
                                              : "–",
                   "n"));
      Markup config("td");
      if (!line.config.empty()) config.Add(Markup("span", CutText(line.config, 160)).Class("sub"));
      if (!line.note.empty()) config.Add(Markup("span", line.note).Class("sub warn"));
      row.Add(std::move(config));
      body.Add(std::move(row));
    }
    section_.Add(Markup("div").Class("scroll").Add(table.Add(std::move(body))));
  }

  void Metrics() {
    if (facts_.metrics.size() < 2) return;
    section_.Add(Markup("h3", "All numbers"));
    Markup table = NewTable({"Metric", "Value#", "95 % interval#", "By guessing#"});
    Markup body("tbody");
    for (const MetricLine& line : facts_.metrics) {
      Markup row("tr");
      const std::string title = MetricTitle(line.name);
      row.Add(Cell(title == line.name ? title : title + " (" + line.name + ")"));
      row.Add(Cell(Short(line.value, 4), "n"));
      row.Add(Cell(std::isfinite(line.low) ? Range(line.low, line.high, 4) : "–", "n"));
      row.Add(Cell(Short(line.baseline, 4), "n"));
      body.Add(std::move(row));
    }
    section_.Add(table.Add(std::move(body)));
  }

  void Findings() {
    if (facts_.findings.empty()) return;
    section_.Add(Markup("h3", "Findings"));
    Markup list("ul");
    list.Class("plain");
    for (const FindingLine& finding : facts_.findings) {
      Markup item("li", finding.message);
      if (finding.level == "hint")
        item.Add(Markup("span", "look at this: " + finding.code).Class("sub warn"));
      list.Add(std::move(item));
    }
    section_.Add(std::move(list));
  }

  const ModelSection& model_;
  const ModelFacts& facts_;
  const std::string id_;
  Markup section_{"section"};
};

}  // namespace

Markup ModelPart(const ModelSection& model) { return Part(model).Make(); }

}  // namespace headrace::report
