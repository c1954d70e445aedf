// JSON Schema of a node's file: one definition for each kind and type, chosen by the kind key.
#include <nlohmann/json.hpp>

#include "spec/node_spec.h"
#include "spec/print.h"
#include "spec/schema_writer.h"

namespace headrace::spec {
namespace {

/// Without a kind key the file holds the properties of the .sql file beside it.
Json Otherwise(const Json& kinds, Json then) {
  Json any = Json::array();
  for (const auto& [kind, schema] : kinds.items()) {
    any.push_back({{"required", Json::array({kind})}});
  }
  return {{"if", {{"not", {{"anyOf", std::move(any)}}}}}, {"then", std::move(then)}};
}

}  // namespace

std::string NodeJsonSchema(const SpecLookup& lookup) {
  SchemaWriter writer(&lookup);
  Json kinds = Json::object(), cases = Json::array();
  const auto define = [&](const std::string& name, const std::string& kind, const Spec* spec) {
    std::vector<const Spec*> specs;
    if (spec != nullptr) specs.push_back(spec);
    specs.push_back(&CommonFields::Describe());
    Json object = writer.NodeObject(kind, specs);
    writer.defs()[name] = std::move(object);
    return Json{{"$ref", "#/$defs/" + name}};
  };
  for (const std::string& kind : NodeKinds()) {
    if (kind == "sql") continue;
    if (const Spec* subject = lookup.Find(kind, "")) {
      kinds[kind] = {{"type", "string"}, {"description", subject->summary()}};
      Json condition = {{"required", Json::array({kind})}};
      cases.push_back({{"if", std::move(condition)}, {"then", define(kind, kind, subject)}});
      continue;
    }
    const std::vector<std::string> names = lookup.Names(kind);
    if (names.empty()) continue;
    Json words = Json::array(), summaries = Json::array();
    for (const std::string& name : names) {
      const Spec* spec = lookup.Find(kind, name);
      words.push_back(name);
      summaries.push_back(spec->summary());
      cases.push_back(When(kind, name, define(kind + "_" + name, kind, spec)));
    }
    kinds[kind] = {{"enum", words}, {"markdownEnumDescriptions", summaries}};
  }
  cases.push_back(Otherwise(kinds, define("sql", "", lookup.Find("sql", ""))));
  Json schema = {{"type", "object"}, {"properties", std::move(kinds)}};
  schema["allOf"] = std::move(cases);
  return SchemaText("headrace node",
                    "A node of a Headrace project, or the properties of the .sql file beside it.",
                    schema, writer.defs());
}

}  // namespace headrace::spec
