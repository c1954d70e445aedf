// What may stand in a file of tests/, for the parser and for editors.
#include <nlohmann/json.hpp>

#include "pipeline/user_test.h"
#include "spec/schema_writer.h"

namespace headrace::pipeline {

const std::vector<std::pair<std::string, std::string>>& UserTestFields() {
  static const std::vector<std::pair<std::string, std::string>> fields = {
      {"test", "The SQL node that is tested."},
      {"description", "What the test shows."},
      {"params", "Values of the project's parameters, and of run_time, for this test."},
      {"given",
       "Rows of the nodes it reads, by name. A node that isn't named is empty; a column that isn't "
       "named is NULL."},
      {"expect",
       "The rows that must come out, in any order. Columns that aren't named are not compared."}};
  return fields;
}

std::string UserTestJsonSchema() {
  const Json rows = {{"$ref", "#/$defs/rows"}};
  const Json maybe_map = {"object", "null"};
  Json types = {{"test", {{"type", "string"}, {"minLength", 1}}},
                {"description", {{"type", {"string", "number", "boolean"}}}},
                {"params",
                 {{"type", maybe_map},
                  {"additionalProperties", {{"type", {"string", "number", "boolean", "null"}}}}}},
                {"given", {{"type", maybe_map}, {"additionalProperties", rows}}},
                {"expect", rows}};
  Json properties = Json::object();
  for (const auto& [name, meaning] : UserTestFields()) {
    properties[name] = types.at(name);
    properties[name]["description"] = meaning;
  }
  const Json row = {{"type", "object"}};
  Json csv = {{"type", "object"}, {"required", Json::array({"csv"})}};
  csv["properties"]["csv"] = {{"type", "string"},
                              {"description", "A CSV file with the rows, beneath tests/."},
                              {"examples", Json::array({"fixtures/usage.csv"})}};
  csv["additionalProperties"] = false;
  const Json list = {{"type", {"array", "null"}}, {"items", row}};
  Json defs;
  defs["rows"] = {{"anyOf", {list, csv}},
                  {"examples", Json::array({Json::array({{{"id", 1}}}), {{"csv", "rows.csv"}}})}};
  Json schema = {{"type", "object"},
                 {"properties", std::move(properties)},
                 {"required", {"test", "expect"}},
                 {"additionalProperties", false}};
  return spec::SchemaText("headrace test",
                          "A unit test of a Headrace project: rows given, rows expected.", schema,
                          defs);
}

}  // namespace headrace::pipeline
