#include "spec/node_spec.h"

#include <gtest/gtest.h>

#include "spec/example_specs.h"

namespace headrace::spec {
namespace {

using namespace example;  // NOLINT: the specs under test

std::optional<NodeSpec> Read(std::string_view text, Diagnostics& diagnostics) {
  const auto yaml = yaml::Parse(text, "pipeline/n.yml", diagnostics);
  if (!yaml) return std::nullopt;
  return ParseNode(*yaml, "n", {.diagnostics = &diagnostics, .lookup = &Table()});
}

NodeSpec Good(std::string_view text) {
  Diagnostics diagnostics;
  auto node = Read(text, diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  return node ? *std::move(node) : NodeSpec{};
}

std::string Bad(std::string_view text) {
  Diagnostics diagnostics;
  Read(text, diagnostics);
  EXPECT_TRUE(diagnostics.HasErrors());
  return Rendered(diagnostics);
}

TEST(NodeSpec, SourceWithChecks) {
  const NodeSpec node = Good(R"(
path: data/*.csv
source: csv
key: customer_id
description: Customers.
tags: [crm]
retries: 2
timeout: 10 minutes
checks:
  - not_null: [a, b]
  - between: {column: minutes, min: 0, max: 1440, severity: quarantine, allow: 1%}
  - not_null: id
columns:
  customer_id: {description: CRM id, checks: [not_null, accepted: [1, 2]]}
  plan: VARCHAR
)");
  EXPECT_EQ(node.kind, "source");
  EXPECT_EQ(node.type, "csv");
  EXPECT_EQ(node.options.As<Csv>().path, "data/*.csv");
  EXPECT_EQ(node.common.description, "Customers.");
  EXPECT_EQ(node.common.retries, 2);
  EXPECT_EQ(node.common.timeout->micros, 600'000'000);
  ASSERT_EQ(node.common.checks.size(), 3u);
  EXPECT_EQ(node.common.checks[0].As<NotNull>().column, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(node.common.checks[1].As<Between>().max, 1440);
  EXPECT_EQ(node.common.checks[1].CommonAs<CheckFields>().severity, CheckSeverity::kQuarantine);
  EXPECT_EQ(node.common.checks[1].CommonAs<CheckFields>().allow, 0.01);
  EXPECT_EQ(node.common.checks[1].places.Of("column").line, 11);
  const ColumnFields& column = node.common.columns.at("customer_id");
  ASSERT_EQ(column.checks.size(), 2u);
  EXPECT_EQ(column.checks[0].As<NotNull>().column, (std::vector<std::string>{"customer_id"}));
  EXPECT_EQ(column.checks[1].As<Accepted>().column, "customer_id");
  EXPECT_EQ(column.checks[1].As<Accepted>().values.size(), 2u);
  EXPECT_EQ(node.common.columns.at("plan").type, "VARCHAR");
  EXPECT_EQ(node.PlaceOf("source").line, 3);
  EXPECT_EQ(node.PlaceOf("checks[1]").line, 11);
}

TEST(NodeSpec, PredictTakesASubject) {
  const NodeSpec node = Good("predict: churn@challenger\nfrom: today\nreasons: 3\n");
  EXPECT_EQ(node.kind, "predict");
  EXPECT_EQ(node.type, "");
  EXPECT_EQ(node.subject, "churn@challenger");
  EXPECT_EQ(node.options.As<Predict>().from, "today");
}

TEST(NodeSpec, PropertiesOfSql) {
  const NodeSpec node = Good("description: x\nmaterialize: view\nvolatile: true\n");
  EXPECT_EQ(node.kind, "sql");
  EXPECT_EQ(node.options.spec, nullptr);
  EXPECT_EQ(node.common.materialize, Materialize::kView);
  EXPECT_TRUE(node.common.rerun_always);
  EXPECT_EQ(Good("").kind, "sql");
}

TEST(NodeSpec, FoldersGiveDefaults) {
  NodeSpec node = Good("source: csv\npath: a\ntags: [own]\n");
  FolderFields near, far;
  near.owner = "near";
  far.owner = "far";
  far.tags = std::vector<std::string>{"far"};
  far.deterministic = true;
  ApplyDefaults(near, node.common);
  ApplyDefaults(far, node.common);
  EXPECT_EQ(node.common.owner, "near");
  EXPECT_EQ(node.common.tags, (std::vector<std::string>{"own"}));
  EXPECT_EQ(node.common.deterministic, true);
}

TEST(NodeSpec, CanonicalSeparatesWhatChangesMean) {
  const std::string base = "source: csv\npath: a\n";
  const auto data = [](std::string_view text) { return CanonicalJson(Good(text), Affects::kData); };
  const auto checks = [](std::string_view text) {
    return CanonicalJson(Good(text), Affects::kChecks);
  };
  EXPECT_EQ(data(base), R"({"kind":"source","path":"a","type":"csv"})");
  EXPECT_EQ(checks(base), "{}");
  // Words, checks and policy change nothing of the data.
  for (const char* more :
       {"description: x\n", "owner: me\n", "tags: [a]\n", "retries: 3\n", "materialize: table\n",
        "checks: [not_null: id]\n", "columns: {id: {description: x, checks: [not_null]}}\n",
        "key: []\n", "deterministic: false\n", "schedule: '@daily'\n", "on_failure: stop\n"}) {
    EXPECT_EQ(data(base + more), data(base)) << more;
  }
  for (const char* more : {"key: id\n", "columns: {id: BIGINT}\n", "materialize: view\n"}) {
    EXPECT_NE(data(base + more), data(base)) << more;
  }
  const std::string one = checks(base + "checks: [not_null: id]\n");
  EXPECT_EQ(one, R"({"checks":[{"not_null":{"column":["id"]}}]})");
  EXPECT_EQ(checks(base + "checks: [not_null: {column: id, description: why}]\n"), one);
  EXPECT_NE(checks(base + "checks: [not_null: {column: id, severity: warn}]\n"), one);
  EXPECT_EQ(checks(base + "columns: {id: {description: x, checks: [not_null]}}\n"),
            R"({"columns":{"id":{"checks":[{"not_null":{"column":["id"]}}]}}})");
}

TEST(NodeSpec, Faults) {
  EXPECT_EQ(Bad("source: csv\npath: a\nmodel: big\n"),
            "pipeline/n.yml:3:8: error[bad_node]: a node has one kind, this file has source and "
            "model\n  3 | model: big\n    |        ^^^ keep one of them; one file is one node\n"
            "  node: n");
  EXPECT_EQ(Bad("soruce: csv\npath: a\n"),
            "pipeline/n.yml:1:1: error[unknown_kind]: 'soruce' is no kind of node\n"
            "  1 | soruce: csv\n    | ^^^^^^ did you mean 'source'?\n"
            "  hint: one of source, sql, clean, enrich, model, predict, sink, action, monitor\n"
            "  node: n");
  EXPECT_EQ(Bad("source: cvs\npath: a\n"),
            "pipeline/n.yml:1:9: error[unknown_type]: there is no source 'cvs'\n"
            "  1 | source: cvs\n    |         ^^^ did you mean 'csv'?\n  hint: one of csv\n"
            "  node: n");
  EXPECT_EQ(Bad("clean: x\n"),
            "pipeline/n.yml:1:8: error[not_built]: this version has no 'clean' nodes\n"
            "  1 | clean: x\n    |        ^\n  node: n");
  EXPECT_EQ(Bad("- a\n"),
            "pipeline/n.yml:1:3: error[bad_node]: a node is a map, this file holds a list\n"
            "  1 | - a\n    |   ^ write 'source: csv' or another kind, then 'field: value' lines\n"
            "  node: n");
  EXPECT_EQ(Bad("source: [csv]\n"),
            "pipeline/n.yml:1:9: error[wrong_type]: 'source' must name a type, found a list\n"
            "  1 | source: [csv]\n    |         ^^^^^ one of csv\n  node: n");
  EXPECT_EQ(Bad("source: csv\npath: a\nchecks:\n  - betwen: {column: a, min: 1}\n"),
            "pipeline/n.yml:4:5: error[unknown_type]: there is no check 'betwen'\n"
            "  4 |   - betwen: {column: a, min: 1}\n    |     ^^^^^^ did you mean 'between'?\n"
            "  hint: one of accepted, between, not_null\n  node: n");
  EXPECT_EQ(Bad("source: csv\npath: a\nchecks: [between: {column: a, severity: warning}]\n"),
            "pipeline/n.yml:3:41: error[bad_option]: 'severity' of check 'between' of source 'n' "
            "can't be 'warning'\n"
            "  3 | checks: [between: {column: a, severity: warning}]\n"
            "    |                                         ^^^^^^^ did you mean 'warn'?\n"
            "  hint: one of error, warn, quarantine\n  node: n\n"
            "pipeline/n.yml:3:19: error[missing_field]: check 'between' of source 'n' needs at "
            "least one of 'min', 'max'\n"
            "  3 | checks: [between: {column: a, severity: warning}]\n"
            "    |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  node: n");
}

TEST(NodeSpec, VariablesExpandLater) {
  struct Fixed : Expander {
    Result<std::string> Expand(std::string_view) const override { return std::string("data/x"); }
  } expander;
  NodeSpec node = Good("source: csv\npath: ${DIR}\n");
  node.common.owner = "folder";
  EXPECT_FALSE(node.options.expanded);
  Diagnostics diagnostics;
  const NodeSpec final =
      ExpandNode(node, {.diagnostics = &diagnostics, .lookup = &Table(), .expander = &expander});
  EXPECT_EQ(final.options.As<Csv>().path, "data/x");
  EXPECT_EQ(final.common.owner, "folder");
  EXPECT_EQ(CanonicalJson(final, Affects::kData), CanonicalJson(node, Affects::kData));
}

}  // namespace
}  // namespace headrace::spec
