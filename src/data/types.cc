#include "data/types.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "data/quote.h"

namespace headrace::data {

bool SameName(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

const Column* Schema::Find(std::string_view name) const {
  int index = IndexOf(name);
  return index < 0 ? nullptr : &columns[index];
}

int Schema::IndexOf(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (SameName(columns[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

std::vector<std::string> Schema::Names() const {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

Json ToJson(const Schema& schema) {
  Json out = Json::array();
  for (const Column& column : schema.columns) {
    Json item = {{"name", column.name}, {"type", column.type}};
    if (!column.nullable) item["nullable"] = false;
    out.push_back(std::move(item));
  }
  return out;
}

Result<Schema> SchemaFromJson(const Json& json) {
  Schema schema;
  auto bad = [] {
    Error error = InternalError("a stored schema is not a list of {\"name\", \"type\"}");
    error.code = "bad_schema";
    return error;
  };
  if (!json.is_array()) return bad();
  for (const Json& item : json) {
    if (!item.is_object() || !item.contains("name") || !item.contains("type")) return bad();
    if (!item["name"].is_string() || !item["type"].is_string()) return bad();
    Column column{item["name"].get<std::string>(), item["type"].get<std::string>()};
    if (item.contains("nullable")) {
      if (!item["nullable"].is_boolean()) return bad();
      column.nullable = item["nullable"].get<bool>();
    }
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

TypeClass ClassOf(std::string_view type) {
  Result<TypeTree> tree = ParseType(type);
  return tree.ok() ? tree->type_class : TypeClass::kOther;
}

std::string_view TypeClassName(TypeClass type_class) {
  switch (type_class) {
    case TypeClass::kBoolean:
      return "boolean";
    case TypeClass::kInteger:
      return "integer";
    case TypeClass::kFloating:
      return "floating";
    case TypeClass::kDecimal:
      return "decimal";
    case TypeClass::kText:
      return "text";
    case TypeClass::kDate:
      return "date";
    case TypeClass::kTime:
      return "time";
    case TypeClass::kTimestamp:
      return "timestamp";
    case TypeClass::kInterval:
      return "interval";
    case TypeClass::kBlob:
      return "blob";
    case TypeClass::kList:
      return "list";
    case TypeClass::kStruct:
      return "struct";
    case TypeClass::kMap:
      return "map";
    case TypeClass::kUuid:
      return "uuid";
    case TypeClass::kOther:
      return "other";
  }
  return "other";
}

bool IsNumber(TypeClass type_class) {
  return type_class == TypeClass::kInteger || type_class == TypeClass::kFloating ||
         type_class == TypeClass::kDecimal;
}

}  // namespace headrace::data
