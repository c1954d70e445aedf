#include "spec/parse.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "spec/example_specs.h"
#include "spec/print.h"

namespace headrace::spec {
namespace {

using namespace example;  // NOLINT: the specs under test

struct Fakes : Expander {
  std::map<std::string, std::string> values;
  Result<std::string> Expand(std::string_view text) const override {
    std::string out(text);
    for (const auto& [name, value] : values) {
      const std::string pattern = "${" + name + "}";
      for (size_t at; (at = out.find(pattern)) != std::string::npos;) {
        out.replace(at, pattern.size(), value);
      }
    }
    if (NeedsExpansion(out)) return UserError("unset_variable", "a variable is not set");
    return out;
  }
};

ComponentRef ParseBig(std::string_view text, Diagnostics& diagnostics,
                      const Expander* expander = nullptr) {
  const auto yaml = yaml::Parse(text, "t.yml", diagnostics);
  const ParseContext context{.diagnostics = &diagnostics,
                             .lookup = &Table(),
                             .expander = expander,
                             .subject = "model 'm'",
                             .node = "m"};
  return yaml ? Parse(Big::Describe(), *yaml, context) : ComponentRef{};
}

Big Good(std::string_view text) {
  Diagnostics diagnostics;
  const ComponentRef ref = ParseBig(text, diagnostics);
  EXPECT_FALSE(diagnostics.HasErrors()) << Rendered(diagnostics);
  return ref.As<Big>();
}

std::string Bad(std::string_view text) {
  Diagnostics diagnostics;
  ParseBig(text, diagnostics);
  EXPECT_TRUE(diagnostics.HasErrors()) << text;
  diagnostics.Sort();
  std::string out;
  for (Error error : diagnostics.all()) {
    EXPECT_EQ(error.place.node, "m");
    error.place.node.clear();  // shortens what is compared
    out += (out.empty() ? "" : "\n") + Render(error);
  }
  return out;
}

TEST(SpecParse, FillsEveryKindOfField) {
  const Big big = Good(R"(
target: churned
on: false
count: 5
large: 9000000000
rate: 1e-2
share: 10%
mode: append
metric: rmse
key: [a, b]
headers: {X-Key: "1", Accept: json}
paging: {next: links.next, size: 5}
budget: {minutes: 5}
engine: {type: spark, url: "sc://h"}
learners: [lightgbm, linear: {l2: 0.5}]
fallback: {a: [1, x, null]}
values: [1, 1.5, "1", true]
every: 1 month
rows: 10%
password: ${P}
table: t
connections:
  crm: {type: postgres, host: h}
who: me
)");
  EXPECT_EQ(big.target, "churned");
  EXPECT_FALSE(big.on);
  EXPECT_EQ(big.count, 5);
  EXPECT_EQ(big.large, 9000000000);
  EXPECT_EQ(big.rate, 0.01);
  EXPECT_EQ(big.share, 0.1);
  EXPECT_EQ(big.mode, Mode::kAppend);
  EXPECT_EQ(big.key, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(big.headers.at("X-Key"), "1");
  EXPECT_EQ(big.paging->size, 5);
  EXPECT_EQ(std::get<Minutes>(big.budget).minutes, 5);
  EXPECT_EQ(std::get<Spark>(big.engine).url, "sc://h");
  const auto& learners = std::get<std::vector<ComponentRef>>(big.learners);
  ASSERT_EQ(learners.size(), 2u);
  EXPECT_EQ(learners[0].As<Lightgbm>().leaves, 31);
  EXPECT_EQ(learners[1].As<Linear>().l2, 0.5);
  EXPECT_EQ(learners[1].place.column, 22);
  EXPECT_EQ(ToJson(big.fallback), R"({"a":[1,"x",null]})");
  EXPECT_EQ(ToJson(Value(big.values)), R"([1,1.5,"1",true])");
  EXPECT_EQ(big.every.months, 1);
  EXPECT_TRUE(big.rows.relative);
  EXPECT_EQ(big.password, "${P}");
  EXPECT_EQ(big.connections.at("crm").As<Postgres>().host, "h");
  EXPECT_EQ(big.owner, "me");
}

TEST(SpecParse, DefaultsAndShortForms) {
  const Big big = Good("target: t\nkey: id\npaging: next.link\nengine: duckdb\nlearners: linear\n");
  EXPECT_EQ(big.rate, 0.25);
  EXPECT_EQ(big.key, (std::vector<std::string>{"id"}));
  EXPECT_EQ(big.paging->next, "next.link");
  EXPECT_EQ(big.paging->size, 100);
  EXPECT_EQ(std::get<std::vector<ComponentRef>>(big.learners)[0].type, "linear");
  EXPECT_EQ(std::get<std::string>(Good("target: t\nlearners: auto\n").learners), "auto");
  EXPECT_TRUE(Good("target: t\nkey:\n").key.empty());
  EXPECT_FALSE(Good("target: t\nshare: null\n").share);
  EXPECT_EQ(Good("target: 12\n").target, "12");
}

TEST(SpecParse, RemembersPlaces) {
  Diagnostics diagnostics;
  const ComponentRef ref = ParseBig("target: t\npaging:\n  next: n\nkey: [a, b]\n", diagnostics);
  EXPECT_EQ(ref.places.Of("paging.next").line, 3);
  EXPECT_EQ(ref.places.Of("paging.next").column, 9);
  EXPECT_EQ(ref.places.Key("paging.next").column, 3);
  EXPECT_EQ(ref.places.Of("key[1]").column, 10);
  EXPECT_TRUE(ref.places.Has("target"));
  EXPECT_FALSE(ref.places.Has("count"));
  EXPECT_EQ(ref.places.Of("count").line, 1);
  std::map<std::string, std::string> columns;
  for (const TextUse& use : TextsOf(ref)) {
    if (use.field->meaning() == Meaning::kColumn) columns[use.path] = *use.text;
  }
  EXPECT_EQ(columns, (std::map<std::string, std::string>{
                         {"target", "t"}, {"key[0]", "a"}, {"key[1]", "b"}}));
}

TEST(SpecParse, FaultsOfOneFileAreAllFound) {
  EXPECT_EQ(Bad("trget: churned\ncount: 11\nmode: apend\nlarge: x\n"),
            "t.yml:1:1: error[unknown_field]: model 'm' has no field 'trget'\n"
            "  1 | trget: churned\n    | ^^^^^ did you mean 'target'?\n"
            "t.yml:2:8: error[out_of_range]: 'count' of model 'm' must be between 1 and 10, "
            "found 11\n  2 | count: 11\n    |        ^^\n"
            "t.yml:3:7: error[bad_option]: 'mode' of model 'm' can't be 'apend'\n"
            "  3 | mode: apend\n    |       ^^^^^ did you mean 'append'?\n"
            "  hint: one of replace, append\n"
            "t.yml:4:8: error[wrong_type]: 'large' of model 'm' must be a whole number, found the "
            "text 'x'\n  4 | large: x\n    |        ^");
}

struct Case {
  const char *text, *expected;
};

TEST(SpecParse, FaultTexts) {
  const Case cases[] = {
      {"target: t\non: yes\n",
       "t.yml:2:5: error[wrong_type]: 'on' of model 'm' must be true or false, found the text "
       "'yes'\n  2 | on: yes\n    |     ^^^ write true or false"},
      {"target: t\ncount: \"5\"\n",
       "t.yml:2:8: error[wrong_type]: 'count' of model 'm' must be a whole number, found the text "
       "'5'\n  2 | count: \"5\"\n    |        ^^^ remove the quotes"},
      {"target: [a]\n",
       "t.yml:1:9: error[wrong_type]: 'target' of model 'm' must be a column's name, found a list\n"
       "  1 | target: [a]\n    |         ^^^ for example 'target: \"churned\"'"},
      {"target:\n",
       "t.yml:1:1: error[missing_value]: 'target' of model 'm' is empty\n"
       "  1 | target:\n    | ^^^^^^ give it a value or remove the line"},
      {"target: t\npaging: {nxt: a}\n",
       "t.yml:2:10: error[unknown_field]: 'paging' of model 'm' has no field 'nxt'\n"
       "  2 | paging: {nxt: a}\n    |          ^^^ did you mean 'next'?"},
      {"target: t\ntable: a\nquery: b\n",
       "t.yml:3:1: error[conflicting_fields]: 'table' and 'query' of model 'm' exclude each other\n"
       "  3 | query: b\n    | ^^^^^ keep one of 'table', 'query'"},
      {"target: t\ncount: 7\n",
       "t.yml:2:8: error[bad_value]: model 'm': 7 is not liked\n"
       "  2 | count: 7\n    |        ^ take 8"},
      {"target: t\nlearners: [lightgmb]\n",
       "t.yml:2:12: error[unknown_type]: there is no learner 'lightgmb'\n"
       "  2 | learners: [lightgmb]\n    |            ^^^^^^^^ did you mean 'lightgbm'?\n"
       "  hint: one of lightgbm, linear"},
      {"target: t\nlearners:\n  - linear: {l1: 3}\n",
       "t.yml:3:14: error[unknown_field]: learner 'linear' of model 'm' has no field 'l1'\n"
       "  3 |   - linear: {l1: 3}\n    |              ^^ did you mean 'l2'?"},
      {"target: t\nlearners:\n  - linear:\n    l2: 3\n",
       "t.yml:4:5: error[wrong_type]: 'learners[0]' of model 'm' holds 'l2' beside 'linear'\n"
       "  4 |     l2: 3\n    |     ^^ indent the options of 'linear' below it, or start the next "
       "learner with '- '"},
      {"target: t\nengine: {url: x}\n",
       "t.yml:2:9: error[missing_field]: 'engine' of model 'm' needs the field 'type'\n"
       "  2 | engine: {url: x}\n    |         ^^^^^^^^ one of duckdb, spark"},
      {"target: t\nengine: flink\n",
       "t.yml:2:9: error[bad_option]: 'engine' of model 'm' can't be 'flink'\n"
       "  2 | engine: flink\n    |         ^^^^^ one of duckdb, spark"},
      {"target: t\nengine: spark\n",
       "t.yml:2:9: error[missing_field]: 'engine' of model 'm' needs the field 'url'\n"
       "  2 | engine: spark\n    |         ^^^^^ add 'url: …': Where it listens."},
      {"target: t\nconnections: {crm: {host: x}}\n",
       "t.yml:2:20: error[missing_field]: 'connections.crm' of model 'm' needs the field 'type'\n"
       "  2 | connections: {crm: {host: x}}\n    |                    ^^^^^^^^^ one of postgres"},
      {"target: t\nevery: monthly\n",
       "t.yml:2:8: error[wrong_type]: 'every' of model 'm' must be a duration such as '2 days', "
       "found the text 'monthly'\n  2 | every: monthly\n    |        ^^^^^^^"},
      {"target: t\nheaders: [a]\n",
       "t.yml:2:10: error[wrong_type]: 'headers' of model 'm' must be a map, found a list\n"
       "  2 | headers: [a]\n    |          ^^^ write 'name: value' lines below it"},
      {"target: t\nowner: a\nwho: b\n",
       "t.yml:3:1: error[duplicate_field]: 'who' is the old name of 'owner', which is given too\n"
       "  3 | who: b\n    | ^^^"},
      {"target: t\npaging: {size: 5}\n",
       "t.yml:2:9: error[missing_field]: 'paging' of model 'm' needs the field 'next'\n"
       "  2 | paging: {size: 5}\n    |         ^^^^^^^^^ add 'next: …': Path of the next link."},
      {"target: t\nbudget: {minutes: 0}\n",
       "t.yml:2:19: error[out_of_range]: 'budget.minutes' of model 'm' must be above 0, found 0\n"
       "  2 | budget: {minutes: 0}\n    |                   ^"},
      {"target: t\nbudget: [1]\n",
       "t.yml:2:9: error[wrong_type]: 'budget' of model 'm' must be a map, found a list\n"
       "  2 | budget: [1]\n    |         ^^^"},
      {"[1, 2]\n",
       "t.yml:1:1: error[wrong_type]: model 'm' must be a map, found a list\n"
       "  1 | [1, 2]\n    | ^^^^^^ its fields: target, on, count, large, rate, share, mode, "
       "metric, "
       "key, headers, paging, budget, engine, learners, fallback, values, every, rows, password, "
       "table, query, connections, owner"},
  };
  for (const Case& one : cases) EXPECT_EQ(Bad(one.text), one.expected) << one.text;
}

TEST(SpecParse, SecretsAreNotShown) {
  Diagnostics diagnostics;
  ParseBig("target: t\npassword: hunter22\n", diagnostics);
  EXPECT_EQ(Rendered(diagnostics).find("hunter22"), std::string::npos);
  EXPECT_NE(Rendered(diagnostics).find("literal_secret"), std::string::npos);
  EXPECT_EQ(Bad("target: t\npassword: [hunter22]\n").find("text 'hunter22"), std::string::npos);
}

TEST(SpecParse, LiteralSecretsAreMaskedFromThenOn) {
  const auto yaml =
      yaml::Parse("uri: 'postgres://me:p%40ssw0rd@h/db'\npassword: hunter22\n", "t.yml");
  Diagnostics diagnostics;
  Redactor redactor;
  Parse(Postgres::Describe(), *yaml, {.diagnostics = &diagnostics, .redactor = &redactor});
  EXPECT_EQ(redactor.Redact("hunter22, p@ssw0rd, p%40ssw0rd, h"), "***, ***, ***, h");
  EXPECT_EQ(diagnostics.all().size(), 2u);
}

TEST(SpecParse, VariablesWaitForExpand) {
  Diagnostics diagnostics;
  const std::string text =
      "target: '${T}'\ncount: '${N}'\nmode: ${M}\nvalues: ['${T}']\nconnections:\n"
      "  crm: {type: postgres, uri: '${U}', port: '${P}'}\n";
  const ComponentRef ref = ParseBig(text, diagnostics);
  EXPECT_EQ(Rendered(diagnostics), "");
  EXPECT_FALSE(ref.expanded);
  EXPECT_EQ(ref.As<Big>().target, "${T}");
  EXPECT_EQ(ref.As<Big>().count, 3);

  Fakes fakes;
  fakes.values = {
      {"T", "{a: [1]}"}, {"N", "5"}, {"M", "append"}, {"U", "postgres://u:pw@h/d"}, {"P", "6000"}};
  ParseContext context{.diagnostics = &diagnostics, .lookup = &Table(), .expander = &fakes};
  const ComponentRef final = Expand(ref, context);
  EXPECT_EQ(Rendered(diagnostics), "");
  EXPECT_TRUE(final.expanded);
  EXPECT_EQ(final.As<Big>().target, "{a: [1]}");  // text stays text
  EXPECT_EQ(final.As<Big>().count, 5);
  EXPECT_EQ(final.As<Big>().mode, Mode::kAppend);
  EXPECT_EQ(final.As<Big>().values[0].String(), "{a: [1]}");
  const ComponentRef& crm = final.As<Big>().connections.at("crm");
  EXPECT_EQ(crm.As<Postgres>().port, 6000);
  EXPECT_EQ(crm.As<Postgres>().uri, "postgres://u:pw@h/d");
  // Fingerprints show what was written, never what it became.
  EXPECT_EQ(CanonicalJson(final, Affects::kData).find("pw@h"), std::string::npos);
  EXPECT_NE(CanonicalJson(final, Affects::kData).find("${U}"), std::string::npos);
  EXPECT_EQ(ToJson(final).find("pw@h"), std::string::npos);

  fakes.values = {{"T", "t"}, {"N", "50"}, {"M", "append"}, {"U", "u"}};
  Expand(ref, context);
  diagnostics.Sort();
  EXPECT_EQ(diagnostics.ErrorCount(), 2u);
  EXPECT_EQ(diagnostics.all()[0].code, "out_of_range");
  EXPECT_EQ(diagnostics.all()[1].code, "unset_variable");
  EXPECT_EQ(diagnostics.all()[1].place.line, 6);
}

/// Random trees made of known and unknown keys: no crash, and a complete object whatever comes.
TEST(SpecParse, NoYamlCrashesIt) {
  std::mt19937 random(11);
  const std::vector<std::string> words = {
      "target",  "on",       "5",    "x",    "linear", "lightgbm", "type", "spark", "10%",  "${X}",
      "1 month", "postgres", "true", "null", "''",     "trials",   "next", "-1",    ".nan", "~"};
  const auto word = [&] { return words[random() % words.size()]; };
  const auto field = [&] {
    const auto& fields = Big::Describe().fields();
    return random() % 8 == 0 ? word() : fields[random() % fields.size()].name();
  };
  const std::function<std::string(int)> value = [&](int depth) -> std::string {
    switch (depth > 3 ? 0 : random() % 4) {
      case 1:
        return "[" + value(depth + 1) + ", " + value(depth + 1) + "]";
      case 2:
        return "{" + word() + ": " + value(depth + 1) + "}";
      default:
        return word();
    }
  };
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t i = 0, n = random() % 6; i < n; ++i) text += field() + ": " + value(0) + "\n";
    Diagnostics diagnostics;
    const ComponentRef ref = ParseBig(text, diagnostics);
    if (ref.spec == nullptr) continue;  // not even YAML (a key twice)
    EXPECT_FALSE(ToJson(ref).empty());
    EXPECT_FALSE(CanonicalJson(ref, Affects::kData).empty());
    Fakes fakes;
    fakes.values = {{"X", "12"}};
    Expand(ref, {.diagnostics = &diagnostics, .lookup = &Table(), .expander = &fakes});
  }
}

}  // namespace
}  // namespace headrace::spec
