#include "report/page.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/headline.h"
#include "report/number_text.h"
#include "report/plot.h"

namespace headrace::report {
namespace {

constexpr const char* kHostile = "<script>alert(1)</script>\" onload=\"x";

NodeLine NodeOf(const std::string& name, NodeState state) {
  NodeLine node;
  node.name = name;
  node.kind = "sql";
  node.state = state;
  node.rows = node.rows_before = 10;
  return node;
}

RunReport Plain() {
  RunReport report;
  report.project = "p";
  report.target = "dev";
  report.run = "20260101-000000-aaaa";
  report.status = "done";
  report.previous_run = "20251231-000000-aaaa";
  report.nodes = {NodeOf("a", NodeState::kBuilt), NodeOf("b", NodeState::kReused)};
  report.nodes[1].inputs = {"a"};
  return report;
}

ModelSection Model() {
  ModelSection model;
  model.model = "churn";
  model.trained_now = true;
  model.version = model.champion_now = 3;
  model.champion_before = 2;
  model.status = "champion";
  model.facts.task = "binary";
  model.facts.target = "churned";
  model.facts.positive = "yes";
  model.facts.metric = "roc_auc";
  model.facts.metrics = {{"roc_auc", 0.84, 0.82, 0.86, 0.5}};
  model.facts.classes = {"no", "yes"};
  model.facts.confusion = {{80, 10}, {4, 6}};
  model.facts.roc = {{0, 0}, {0.1, 0.6}, {1, 1}};
  return model;
}

TEST(Page, HostileTextsStayTexts) {
  RunReport report = Plain();
  report.project = report.command = report.params = report.engine = kHostile;
  for (NodeLine& node : report.nodes) {
    node.description = node.owner = node.reason = node.error = node.hint = node.type = kHostile;
    node.columns_added = {kHostile};
    node.new_rows = true;
    node.rows_history = {1, 2, 3};
    node.checks = {{kHostile, kHostile, "fail", kHostile, 1, 2}};
  }
  report.check_history = {{"a", kHostile, {{"r", 0, "warn", 1, 2}}}};
  report.notes = {{kHostile, "hint", kHostile, kHostile, kHostile}};
  ModelSection model = Model();
  model.description = model.facts.split = model.facts.positive = model.facts.target = kHostile;
  model.facts.classes = {kHostile, kHostile};
  model.facts.influence = {{kHostile, 1, 1, 1}};
  model.facts.slices = {{kHostile, {{kHostile, 30, 0.5, 0.4, 0.6, 0, 0}}}};
  model.facts.leaderboard = {{kHostile, kHostile, kHostile, kHostile, 1, 1}};
  model.facts.gates = {{kHostile, kHostile, "fail", kHostile, true}};
  model.facts.findings = {{kHostile, "hint", kHostile, kHostile}};
  report.models = {model};
  const std::string page = RenderPage(report, nullptr);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("\" onload"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
}

TEST(Page, SameDataSameBytes) {
  EXPECT_EQ(RenderPage(Plain(), nullptr), RenderPage(Plain(), nullptr));
}

TEST(Page, NothingAtAllIsAPageToo) {
  EXPECT_NE(RenderPage(RunReport{}, nullptr).find("</html>"), std::string::npos);
}

TEST(Headline, SaysWhetherTheModelIsBetter) {
  RunReport report = Plain();
  ModelSection model = Model();
  model.facts.difference = ModelFacts::Difference{0.01, 0.004, 0.016, 500};
  report.models = {model};
  EXPECT_EQ(MakeHeadline(report).title, "A better churn model is in use.");
  EXPECT_EQ(MakeHeadline(report).answers[1].answer, "Yes");
  report.models[0].facts.difference = ModelFacts::Difference{0.01, -0.004, 0.026, 500};
  EXPECT_EQ(MakeHeadline(report).answers[1].answer, "About the same");
  report.models[0].facts.difference = ModelFacts::Difference{-0.01, -0.02, -0.001, 500};
  EXPECT_EQ(MakeHeadline(report).answers[1].answer, "A little worse, within what the gate allows");
  report.models[0].status = "refused";
  report.models[0].champion_now = 2;
  EXPECT_EQ(MakeHeadline(report).title, "The new churn model was refused; version 2 stays in use.");
}

TEST(Headline, LowerIsBetterForErrors) {
  RunReport report = Plain();
  ModelSection model = Model();
  model.facts.higher_is_better = false;
  model.facts.difference = ModelFacts::Difference{-2, -3, -1, 500};
  report.models = {model};
  EXPECT_EQ(MakeHeadline(report).answers[1].answer, "Yes");
}

TEST(Headline, FailuresComeFirst) {
  RunReport report = Plain();
  report.models = {Model()};
  report.nodes[0].state = NodeState::kFailed;
  report.nodes[0].error = "it is broken";
  report.nodes[1].state = NodeState::kSkipped;
  const Headline headline = MakeHeadline(report);
  EXPECT_EQ(headline.title, "a failed, so one more node was not brought up to date.");
  EXPECT_EQ(headline.answers.back().answer, "Yes");
  EXPECT_EQ(headline.answers.back().points.front(), "Mend a: it is broken.");
}

TEST(Headline, NaturalNumbers) {
  EXPECT_EQ(InNaturalNumbers(Model().facts),
            "Of 100 rows that it flags as churned = yes, 38 really are (picked blindly, 10 would "
            "be); it finds 60 of every 100 there are.");
}

TEST(Charts, EveryDrawingIsDescribed) {
  std::string out;
  RocChart("x", Model().facts)->Write(&out);
  EXPECT_NE(out.find("aria-labelledby=\"x-t x-d\""), std::string::npos);
  EXPECT_NE(out.find("<title id=\"x-t\">ROC"), std::string::npos);
  EXPECT_NE(out.find("<desc id=\"x-d\">With one in ten of the others flagged by mistake it finds"),
            std::string::npos);
  EXPECT_NE(out.find("<polyline class=\"curve\" points=\"50,248 87.4,117.2 424,30\">"),
            std::string::npos)
      << out;
}

TEST(Charts, WithoutDataThereIsNone) {
  const ModelFacts none;
  EXPECT_FALSE(RocChart("x", none) || PrecisionRecallChart("x", none) ||
               CalibrationChart("x", none) || ScoreChart("x", none) || ThresholdChart("x", none) ||
               ResidualChart("x", none) || FitChart("x", none) || InfluenceChart("x", none) ||
               CheckChart("x", {}) || RowsSpark("x", NodeLine{}));
}

TEST(Charts, AGroupIsWeakWhenItsWholeIntervalIs) {
  ModelFacts facts = Model().facts;
  facts.slices = {
      {"region", {{"north", 100, 0.9, 0.88, 0.92, 0, 0}, {"south", 100, 0.7, 0.6, 0.78, 0, 0}}}};
  EXPECT_EQ(WeakGroups(facts), std::vector<std::string>{"region = south"});
  facts.higher_is_better = false;
  EXPECT_EQ(WeakGroups(facts), std::vector<std::string>{"region = north"});
}

TEST(Evaluation, DamagedTextsGiveNothing) {
  for (const char* text : {"", "[]", "{\"roc\": 7, \"slices\": [1, {\"groups\": 3}]}", "{"}) {
    EXPECT_TRUE(ReadModelFacts(text, text).roc.empty()) << text;
  }
}

TEST(Numbers, AsPeopleReadThem) {
  EXPECT_EQ(Grouped(-1234567), "-1,234,567");
  EXPECT_EQ(Short(0.84937), "0.849");
  EXPECT_EQ(Short(-0.0), "0");
  EXPECT_EQ(Short(123456.7), "123,457");
  EXPECT_EQ(Short(962.4, 2), "962");
  EXPECT_EQ(Short(-8384, 2), "−8,384");
  EXPECT_EQ(Short(1.2e-7), "1.2e-07");
  EXPECT_EQ(Short(std::nan("")), "–");
  EXPECT_EQ(Signed(-0.0012), "−0.0012");
  EXPECT_EQ(Percent(0.2668), "27\u00a0%");
  EXPECT_EQ(CutText("größer", 4), "grö…");
  EXPECT_EQ(Listed({"a", "b", "c"}, 2), "a, b and 1 more");
  EXPECT_EQ(Listed({"a", "b"}), "a and b");
}

TEST(Plots, TicksAreRound) {
  EXPECT_EQ(RoundTicks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(RoundTicks(3, 3, 5), std::vector<double>{3});
  EXPECT_LE(RoundTicks(0, 1e300, 5).size(), 50u);
}

}  // namespace
}  // namespace headrace::report
