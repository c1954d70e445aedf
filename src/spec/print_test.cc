#include "spec/print.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "spec/example_specs.h"

namespace headrace::spec {
namespace {

using namespace example;  // NOLINT: the specs under test

ComponentRef ParseAs(const Spec& spec, std::string_view text) {
  Diagnostics diagnostics;
  const auto yaml = yaml::Parse(text, "t.yml", diagnostics);
  const ComponentRef ref =
      Parse(spec, *yaml, {.diagnostics = &diagnostics, .lookup = &Table(), .subject = "it"});
  EXPECT_FALSE(diagnostics.HasErrors()) << Rendered(diagnostics);
  return ref;
}

std::string Canonical(std::string_view text, Affects affects = Affects::kData) {
  return CanonicalJson(ParseAs(Big::Describe(), text), affects);
}

TEST(SpecPrint, CanonicalLeavesDefaultsOutAndSortsKeys) {
  EXPECT_EQ(Canonical("target: t\n"), R"({"target":"t"})");
  EXPECT_EQ(Canonical("count: 3\ntarget: t\nrate: 0.25\nlearners: auto\nengine: duckdb\n"),
            R"({"target":"t"})");
  EXPECT_EQ(Canonical("target: t\nlearners: [linear: {l2: 2}]\ncount: 4\n"),
            R"({"count":4,"learners":[{"linear":{"l2":2.0}}],"target":"t"})");
  EXPECT_EQ(Canonical("target: t\nengine: {type: spark, url: u}\n"),
            R"({"engine":{"type":"spark","url":"u"},"target":"t"})");
}

TEST(SpecPrint, CanonicalKnowsWhatAFieldAffects) {
  const std::string text = "target: t\nowner: me\nevery: 2 days\npassword: hunter22\n";
  EXPECT_EQ(Canonical(text), R"({"password":"***","target":"t"})");
  EXPECT_EQ(Canonical(text, Affects::kPolicy), R"({"every":{"micros":172800000000,"months":0}})");
  EXPECT_EQ(Canonical(text, Affects::kNothing), R"({"owner":"me"})");
  EXPECT_EQ(Canonical(text, Affects::kChecks), "{}");
  EXPECT_EQ(Canonical("target: t\nevery: 2 day\n", Affects::kPolicy),
            Canonical("target: t\nevery: 48 hours\n", Affects::kPolicy));
}

TEST(SpecPrint, IdentityHasNoSecrets) {
  const ComponentRef ref = ParseAs(Postgres::Describe(), "host: h\npassword: ${X}\n");
  EXPECT_EQ(IdentityJson(ref), R"({"host":"h","port":5432,"type":"postgres"})");
}

TEST(SpecPrint, JsonShowsAllButSecrets) {
  const ComponentRef ref = ParseAs(Postgres::Describe(), "host: h\npassword: hunter22\n");
  EXPECT_EQ(ToJson(ref), R"({"type":"postgres","uri":"","host":"h","port":5432,"password":"***"})");
}

TEST(SpecPrint, RoundTrip) {
  const std::string text =
      "target: t\non: false\ncount: 5\nlarge: -1\nrate: 0.5\nshare: 0.125\nmode: append\n"
      "metric: rmse\nkey: [a]\nheaders: {b: c}\npaging: {next: n, size: 7}\nbudget: {trials: 4}\n"
      "engine: {type: spark, url: u}\nfallback: [1, {a: null}]\nvalues: ['1', 2, .inf]\n"
      "every: 2 days\nrows: 12.5%\nquery: SELECT 1\nlearners: [lightgbm: {leaves: 7}]\n"
      "connections: {c: {type: postgres, port: 1}}\n";
  const ComponentRef first = ParseAs(Big::Describe(), text);
  // JSON is YAML: what was printed parses to the same object.
  auto json = nlohmann::ordered_json::parse(ToJson(first));
  json.erase("type");
  json.erase("table");  // excludes query, even when empty
  const ComponentRef second = ParseAs(Big::Describe(), json.dump());
  EXPECT_EQ(ToJson(first), ToJson(second));
  EXPECT_EQ(CanonicalJson(first, Affects::kData), CanonicalJson(second, Affects::kData));
  EXPECT_EQ(second.As<Big>().rows, (Amount{0.125, true}));
}

TEST(SpecPrint, ReferencePage) {
  EXPECT_EQ(ReferenceMarkdown(Between::Describe(), {.affects = Affects::kChecks}),
            "# check: between\n\nIn a range.\n\n"
            "| field | type | default | reruns | meaning |\n|---|---|---|---|---|\n"
            "| `column` | column | **required** | checks | Column. |\n"
            "| `min` | number |  | checks | Smallest. |\n"
            "| `max` | number |  | checks | Largest. |\n\n"
            "At least one of `min`, `max` must be given.\n");
  EXPECT_EQ(ReferenceMarkdown(CheckFields::Describe(),
                              {.level = 2, .title = "Every check", .reruns = false}),
            "## Every check\n\nFields of every check.\n\n"
            "| field | type | default | meaning |\n|---|---|---|---|\n"
            "| `name` | text |  | Name in place of the id node.check(columns). Example: "
            "`ids_are_known`. |\n"
            "| `severity` | word | `error` | What a bad row does. |\n"
            "| `allow` | number, share | `0` | Share of rows that may break the rule. From 0 to 1. "
            "`10%` means 0.1. Example: `\"1%\"`. |\n"
            "| `description` | text |  | Why the rule holds. |\n\n"
            "`severity` is one of\n\n"
            "- `error`: A bad row stops the node: its new snapshot is rejected.\n"
            "- `warn`: A bad row is reported.\n"
            "- `quarantine`: Bad rows are set aside in NODE__quarantine.\n");
  const std::string page = ReferenceMarkdown(Big::Describe());
  EXPECT_NE(page.find("## paging\n"), std::string::npos);
  EXPECT_NE(page.find("| `every` | duration |  | – | How often. |"), std::string::npos) << page;
}

TEST(SpecPrint, JsonSchemaCoversAllTypes) {
  const auto schema = nlohmann::json::parse(JsonSchema(Big::Describe(), &Table()));
  EXPECT_EQ(schema["required"], nlohmann::json::array({"target"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& properties = schema["properties"];
  for (const Field& field : Big::Describe().fields()) {
    ASSERT_TRUE(properties.contains(field.name())) << field.name();
    EXPECT_EQ(properties[field.name()]["description"], field.doc());
  }
  EXPECT_EQ(properties["count"]["maximum"], 10);
  EXPECT_EQ(properties["count"]["type"], nlohmann::json::array({"integer", "string"}));
  EXPECT_EQ(properties["count"]["default"], 3);
  EXPECT_EQ(properties["mode"]["enum"], nlohmann::json::array({"replace", "append"}));
  EXPECT_EQ(properties["password"]["writeOnly"], true);
  EXPECT_TRUE(schema["$defs"].contains("component_learner"));
  EXPECT_EQ(properties["engine"]["anyOf"][1]["properties"]["type"]["const"], "spark");
}

TEST(SpecPrint, NodeSchemaChoosesByTheKindKey) {
  const auto schema = nlohmann::json::parse(NodeJsonSchema(Table()));
  EXPECT_EQ(schema["properties"]["source"]["enum"], nlohmann::json::array({"csv"}));
  EXPECT_EQ(schema["properties"]["predict"]["type"], "string");
  const auto& csv = schema["$defs"]["source_csv"];
  EXPECT_EQ(csv["required"], nlohmann::json::array({"path"}));
  EXPECT_TRUE(csv["properties"].contains("source"));
  EXPECT_TRUE(csv["properties"].contains("on_failure"));
  // Below `columns:` a check knows its column.
  const auto& defs = schema["$defs"];
  const auto of = [&](const char* def, const char* check) {
    return defs[def]["anyOf"][0]["properties"][check]["anyOf"];
  };
  EXPECT_TRUE(of("component_check", "between")[0].contains("required"));
  EXPECT_FALSE(of("column_check", "between")[0].contains("required"));
  EXPECT_EQ(of("column_check", "accepted").size(), of("component_check", "accepted").size() + 1);
}

}  // namespace
}  // namespace headrace::spec
