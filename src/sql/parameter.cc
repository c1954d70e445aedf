#include "sql/parameter.h"

#include <fmt/format.h>

namespace headrace::sql {
namespace {

std::string TypeName(config::ParamType type) {
  switch (type) {
    case config::ParamType::kBool:
      return "BOOLEAN";
    case config::ParamType::kInt:
      return "BIGINT";
    case config::ParamType::kDouble:
      return "DOUBLE";
    case config::ParamType::kString:
      return "VARCHAR";
    case config::ParamType::kDate:
      return "DATE";
    case config::ParamType::kTimestamp:
      return "TIMESTAMP";
  }
  return "VARCHAR";
}

std::optional<std::string> Text(const spec::Value& value) {
  switch (value.kind()) {
    case spec::Value::Kind::kBool:
      return value.Bool() ? "true" : "false";
    case spec::Value::Kind::kInt:
      return std::to_string(value.Int());
    case spec::Value::Kind::kDouble:
      return fmt::format("{}", value.Number());
    case spec::Value::Kind::kString:
      return value.String();
    default:
      return std::nullopt;
  }
}

}  // namespace

const data::Parameters& ReservedParameters() {
  static const data::Parameters parameters{
      {"from", "TIMESTAMP", {}}, {"to", "TIMESTAMP", {}}, {"run_time", "TIMESTAMP", {}}};
  return parameters;
}

data::Parameters ToParameters(const config::ParamValues& values) {
  data::Parameters parameters;
  for (const auto& [name, value] : values) {
    parameters.push_back({name, TypeName(value.type), Text(value.value)});
  }
  return parameters;
}

}  // namespace headrace::sql
