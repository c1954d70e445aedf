#include "cli/run_summary.h"

#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

pipeline::NodeResult Node(const std::string& name, const std::string& kind,
                          const std::string& action, int64_t rows) {
  pipeline::NodeResult node;
  node.node = name;
  node.kind = kind;
  node.action = action;
  node.rows = rows;
  node.seconds = 0.5;
  node.reason = "never built";
  return node;
}

pipeline::RunReport Report(std::vector<pipeline::NodeResult> nodes) {
  pipeline::RunReport report;
  report.run = "20260131-093000-3f9a2c7d";
  report.seconds = 2;
  report.nodes = std::move(nodes);
  return report;
}

TEST(RunSummaryTest, NothingToDo) {
  EXPECT_EQ(SummaryOf(Report({Node("a", "sql", "reuse", 3), Node("b", "sql", "reuse", 3)}), {}),
            "nothing to do: 2 nodes are up to date (2.0 s)\n");
}

TEST(RunSummaryTest, AModelAgainstItsBaseline) {
  auto model = Node("churn", "model", "build", 7043);
  model.details = R"({"model": {"node": "churn", "version": 1, "status": "champion",
      "metric": "roc_auc", "split": "20 % test rows",
      "metrics": {"log_loss": {"value": 0.41, "low": 0.4, "high": 0.42, "rows": 1400},
                  "roc_auc": {"value": 0.8471, "low": 0.83, "high": 0.86, "rows": 1400}},
      "baseline": {"roc_auc": {"value": 0.5, "low": 0.5, "high": 0.5, "rows": 1400}},
      "gates": [{"gate": "roc_auc >= 0.80", "slice": "", "verdict": "pass",
                 "message": "0.8471 is at least 0.8"}]}})";
  const std::string text = SummaryOf(Report({model, Node("scores", "predict", "build", 7043)}), {});
  EXPECT_EQ(text,
            "\n"
            "NODE    ACTION   ROWS  TIME     REASON\n"
            "churn   build   7,043  500 ms   never built\n"
            "scores  build   7,043  500 ms   never built\n"
            "\n"
            "model churn, version 1: champion\n"
            "  METRIC     VALUE  95 % FROM    TO  BASELINE\n"
            "  roc_auc   0.8471       0.83  0.86       0.5\n"
            "  log_loss    0.41        0.4  0.42         -\n"
            "  judged on: 20 % test rows\n"
            "  gate roc_auc >= 0.80: 0.8471 is at least 0.8\n"
            "\n"
            "run 20260131-093000-3f9a2c7d done in 2.0 s: 2 built\n"
            "what next:\n"
            "  headrace model show churn\n"
            "  headrace query \"FROM scores LIMIT 5\"\n");
}

TEST(RunSummaryTest, FailuresAreShownAndNamed) {
  auto failed = Node("a", "sql", "fail", -1);
  failed.error = DataError("check_failed", "a check failed").Node("a");
  auto skipped = Node("b", "sql", "skip", -1);
  skipped.reason = "'a' failed";
  auto report = Report({failed, skipped});
  report.status = store::RunStatus::kFailed;
  EXPECT_EQ(SummaryOf(report, {}),
            "\n"
            "NODE  ACTION  ROWS  TIME     REASON\n"
            "a     fail    -     500 ms   never built\n"
            "b     skip    -     500 ms   'a' failed\n"
            "\n"
            "error[check_failed]: a check failed\n"
            "  node: a\n"
            "\n"
            "run 20260131-093000-3f9a2c7d failed in 2.0 s: 1 skipped, 1 failed\n"
            "what next:\n"
            "  headrace show a\n"
            "  headrace run\n");
}

TEST(RunSummaryTest, WhatWasStoppedDidNotFail) {
  auto stopped = Node("a", "sql", "fail", -1);
  stopped.error = UserError("cancelled", "cancelled").Node("a");
  auto report = Report({stopped});
  report.status = store::RunStatus::kInterrupted;
  EXPECT_EQ(SummaryOf(report, {}),
            "\n"
            "NODE  ACTION  ROWS  TIME     REASON\n"
            "a     stop    -     500 ms   never built\n"
            "\n"
            "run 20260131-093000-3f9a2c7d interrupted in 2.0 s: 1 stopped\n"
            "what next:\n"
            "  headrace run\n");
}

TEST(RunSummaryTest, ManyNodesShowWhatDidSomething) {
  std::vector<pipeline::NodeResult> nodes;
  for (int i = 0; i < 50; ++i) nodes.push_back(Node("n" + std::to_string(i), "sql", "reuse", 1));
  nodes[7].action = "build";
  const std::string text = SummaryOf(Report(nodes), {});
  EXPECT_NE(text.find("n7 "), std::string::npos);
  EXPECT_EQ(text.find("n8 "), std::string::npos);
  EXPECT_NE(text.find("and 49 nodes that are up to date"), std::string::npos);
}

TEST(RunSummaryTest, OddDetailsAreNoCrash) {
  auto node = Node("m", "model", "build", 1);
  for (const char* details :
       {"", "[]", "{\"model\": 3}", "{\"model\": {\"metrics\": [1], \"gates\": 7}}",
        "{\"model\": {\"metrics\": {\"a\": null}, \"baseline\": 1, \"gates\": [1]}}"}) {
    node.details = details;
    EXPECT_FALSE(SummaryOf(Report({node}), {}).empty());
  }
}

}  // namespace
}  // namespace headrace::cli
