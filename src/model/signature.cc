#include "model/signature.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/suggest.h"

namespace headrace::model {
namespace {

constexpr std::array<const char*, 7> kNames = {"number",    "boolean", "text",       "date",
                                               "timestamp", "time",    "unsupported"};

}  // namespace

const char* Name(InputClass c) { return kNames[static_cast<size_t>(c)]; }

InputClass InputClassOf(std::string_view type) {
  switch (data::ClassOf(type)) {
    case data::TypeClass::kInteger:
    case data::TypeClass::kFloating:
    case data::TypeClass::kDecimal:
      return InputClass::kNumber;
    case data::TypeClass::kBoolean:
      return InputClass::kBoolean;
    case data::TypeClass::kText:
      return InputClass::kText;
    case data::TypeClass::kDate:
      return InputClass::kDate;
    case data::TypeClass::kTimestamp:
      return InputClass::kTimestamp;
    case data::TypeClass::kTime:
      return InputClass::kTime;
    default:
      return InputClass::kUnsupported;
  }
}

Result<std::vector<int>> Signature::Bind(const data::Schema& schema) const {
  std::vector<int> columns(inputs.size(), -1);
  std::vector<std::string> missing, wrong, near;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const InputColumn& input = inputs[i];
    columns[i] = schema.IndexOf(input.name);
    if (columns[i] < 0) {
      missing.push_back("'" + input.name + "'");
      for (std::string& name : Suggest(input.name, schema.Names(), 1)) near.push_back(name);
      continue;
    }
    const std::string& type = schema.columns[static_cast<size_t>(columns[i])].type;
    if (InputClassOf(type) != input.input_class) {
      wrong.push_back(fmt::format("'{}' is {} ({}), was {} ({})", input.name, type,
                                  Name(InputClassOf(type)), input.type, Name(input.input_class)));
    }
  }
  if (!missing.empty()) {
    return UserError("missing_columns",
                     fmt::format("the rows lack {} of {} columns that the model was trained on: {}",
                                 missing.size(), inputs.size(), fmt::join(missing, ", ")))
        .Subject(missing.front())
        .Candidates(std::move(near))
        .Hint("give the model the columns under the names they had in training");
  }
  if (!wrong.empty()) {
    return UserError("wrong_type",
                     fmt::format("{} column{} changed type since training: {}", wrong.size(),
                                 wrong.size() == 1 ? "" : "s", fmt::join(wrong, "; ")))
        .Hint("cast the column to its type in training, or train the model again");
  }
  return columns;
}

Json Signature::ToJson() const {
  Json out = Json::array();
  for (const InputColumn& input : inputs) {
    out.push_back({{"name", input.name}, {"type", input.type}, {"class", Name(input.input_class)}});
  }
  return out;
}

Result<Signature> Signature::FromJson(const Json& json) {
  if (!json.is_array()) return DataError("damaged_model", "model.json: inputs is no list");
  Signature out;
  for (const Json& entry : json) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string() ||
        !entry.contains("type") || !entry["type"].is_string() || !entry.contains("class") ||
        !entry["class"].is_string()) {
      return DataError("damaged_model", "model.json: an input lacks its name, type or class");
    }
    InputColumn input{entry["name"].get<std::string>(), entry["type"].get<std::string>(),
                      InputClass::kUnsupported};
    const auto name = entry["class"].get<std::string>();
    for (size_t i = 0; i < kNames.size(); ++i) {
      if (name == kNames[i]) input.input_class = static_cast<InputClass>(i);
    }
    if (input.input_class == InputClass::kUnsupported) {
      return DataError("damaged_model", fmt::format("model.json: input '{}' has class '{}'",
                                                    input.name, name.substr(0, 40)));
    }
    out.inputs.push_back(std::move(input));
  }
  return out;
}

}  // namespace headrace::model
