#include "model/model_card.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace headrace::model {
namespace {

std::string Digits(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : std::string("-");
}

/// Text that may stand in a cell of a Markdown table.
std::string Cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

const char* MlflowType(const InputColumn& input) {
  switch (input.input_class) {
    case InputClass::kBoolean:
      return "boolean";
    case InputClass::kText:
      return "string";
    case InputClass::kDate:
    case InputClass::kTimestamp:
      return "datetime";
    default:
      return "double";
  }
}

}  // namespace

std::string ModelCard(const Package& package) {
  std::string out = fmt::format("# {}\n\n", package.model);
  out += fmt::format("Predicts `{}` ({}).", package.target, Name(package.task));
  if (package.task == Task::kBinary) {
    out += fmt::format(" `probability` is that of `{}`; `prediction` is `{}` from {:g} on.",
                       package.classes[1], package.classes[1], package.threshold);
  }
  if (package.task == Task::kBinary && !package.costs.empty()) {
    out += fmt::format(" A false `{}` costs {:g}, a missed one {:g}.", package.classes[1],
                       package.costs[1], package.costs[2]);
  } else if (!package.costs.empty()) {
    out += " `prediction` is the class of least expected cost.";
  }
  out += fmt::format("\n\nTrained on {} rows.", package.training_rows);
  if (!package.split.empty()) out += " " + package.split;
  out += "\n\n## Metrics\n\n| metric | value | 95 % from | to | rows |\n|---|---|---|---|---|\n";
  for (const auto& [name, m] : package.metrics) {
    out += fmt::format("| {} | {} | {} | {} | {} |\n", name, Digits(m.value), Digits(m.low),
                       Digits(m.high), m.rows);
  }
  out += "\n## Members\n\n| member | kind | weight |\n|---|---|---|\n";
  for (const Member& member : package.members) {
    out += fmt::format("| {} | {} | {} |\n", member.name, member.kind, Digits(member.weight));
  }
  out += "\n## Inputs\n\n| column | type | read as |\n|---|---|---|\n";
  const auto& inputs = package.encoder.signature().inputs;
  for (const InputColumn& input : inputs) {
    out += fmt::format("| {} | {} | {} |\n", Cell(input.name), Cell(input.type),
                       Name(input.input_class));
  }
  if (!package.encoder.left_out().empty()) {
    out += "\n## Left out\n\n| column | reason |\n|---|---|\n";
    for (const LeftOut& column : package.encoder.left_out()) {
      out += fmt::format("| {} | {} |\n", Cell(column.column), Cell(column.reason));
    }
  }
  return out;
}

std::string MlflowFile(const Package& package) {
  Json inputs = Json::array();
  for (const InputColumn& input : package.encoder.signature().inputs) {
    inputs.push_back({{"type", MlflowType(input)}, {"name", input.name}, {"required", false}});
  }
  // A JSON text in single quotes is a YAML scalar once its own single quotes are doubled.
  std::string signature;
  for (const char c : inputs.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace)) {
    if (c == '\'') signature += '\'';
    signature += c;
  }
  std::string out = "flavors:\n";
  out += fmt::format("  headrace:\n    format: {}\n    model: {}\n    version: {}\n",
                     Package::kFormat, package.model, package.version);
  out += "  python_function:\n    loader_module: headrace.mlflow\n    data: .\n";
  out += fmt::format("model_uuid: {}\n", ContentHash(package).Hex());
  out += fmt::format("signature:\n  inputs: '{}'\n", signature);
  return out;
}

}  // namespace headrace::model
