#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "spec/print.h"
#include "spec/reader.h"
#include "spec/schema_writer.h"

namespace headrace::spec {
namespace {

// A text with ${…} may stand wherever a scalar may.
constexpr const char* kVariable = "\\$\\{";

/// `type` or a text with ${…}; `or_text` is a pattern of other texts that will do.
Json ScalarType(const char* type, const std::string& or_text, const std::string& expected) {
  return {{"type", {type, "string"}},
          {"pattern", (or_text.empty() ? "" : or_text + "|") + kVariable},
          {"patternErrorMessage", "Expected " + expected + "."}};
}

void AddLimits(Json& schema, const Field& field) {
  if (field.low()) schema[field.low_open() ? "exclusiveMinimum" : "minimum"] = *field.low();
  if (field.high()) schema["maximum"] = *field.high();
}

Json Words(const Options& options) {
  Json names = Json::array(), texts = Json::array();
  for (const Option& option : options) {
    names.push_back(option.name);
    texts.push_back(option.summary);
  }
  return {{"enum", names}, {"markdownEnumDescriptions", texts}};
}

Json TextType(const Field& field) {
  if (!field.options().empty()) return Words(field.options());
  Json schema = {{"type", {"string", "number", "boolean"}}};
  if (field.not_empty() || field.is_name()) schema["minLength"] = 1;
  return schema;
}

Json Names(const std::vector<std::string>& names) {
  Json list = Json::array();
  for (const std::string& name : names) list.push_back(name);
  return list;
}

}  // namespace

Json When(const std::string& key, const std::string& word, Json then) {
  Json condition = {{"required", Json::array({key})}};
  condition["properties"][key] = {{"const", word}};
  return {{"if", std::move(condition)}, {"then", std::move(then)}};
}

SchemaWriter::SchemaWriter(const SpecLookup* lookup)
    : lookup_(lookup), defs_(std::make_shared<Json>(Json::object())) {}

Json SchemaWriter::Object(const std::vector<const Spec*>& specs, const std::string& tag) {
  Json schema = {{"type", "object"}};
  Json properties = Json::object(), required = Json::array();
  if (!tag.empty()) {
    properties[tag] = {{"const", specs.front()->name()}};
    required.push_back(tag);
  }
  for (const Spec* spec : specs) {
    for (const Field& field : spec->fields()) {
      if (properties.contains(field.name())) continue;
      properties[field.name()] = Property(*spec, field);
      const bool implied = under_column_ && field.meaning() == Meaning::kColumn;
      if (field.required() && field.when_field().empty() && !implied) {
        required.push_back(field.name());
      }
    }
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  AddGroups(schema, specs);
  schema["additionalProperties"] = false;
  return schema;
}

Json SchemaWriter::NodeObject(const std::string& kind, const std::vector<const Spec*>& specs) {
  Json schema = Object(specs, "");
  if (!kind.empty()) schema["properties"][kind] = Json::object();  // said by the document itself
  return schema;
}

Json SchemaWriter::ObjectOrShort(const std::vector<const Spec*>& specs, bool may_be_empty) {
  Json any = Json::array();
  any.push_back(Object(specs, ""));
  for (const Field& field : specs.front()->fields()) {
    if (field.is_short() || (field.is_short_under_column() && under_column_)) {
      any.push_back(Type(field.ops(), field));
    }
  }
  if (may_be_empty) any.push_back({{"type", "null"}});
  return any.size() == 1 ? any[0] : Json{{"anyOf", any}};
}

void SchemaWriter::AddGroups(Json& schema, const std::vector<const Spec*>& specs) {
  Json all = Json::array();
  for (const Spec* spec : specs) {
    for (const Spec::Group& group : spec->groups()) {
      Json one = Json::array();
      for (const std::string& name : group.fields) {
        one.push_back({{"required", Json::array({name})}});
      }
      switch (group.need) {
        case Spec::Group::Need::kExactlyOne:
          all.push_back({{"oneOf", one}});
          break;
        case Spec::Group::Need::kAtLeastOne:
          all.push_back({{"anyOf", one}});
          break;
        case Spec::Group::Need::kAtMostOne:
          for (size_t i = 0; i < group.fields.size(); ++i) {
            for (size_t k = i + 1; k < group.fields.size(); ++k) {
              const auto both = Json::array({group.fields[i], group.fields[k]});
              all.push_back({{"not", {{"required", both}}}});
            }
          }
      }
    }
  }
  if (!all.empty()) schema["allOf"] = std::move(all);
}

Json SchemaWriter::Property(const Spec& spec, const Field& field) {
  const bool outer = under_column_;
  // `columns: {id: {checks: …}}`: the checks below know their column.
  if (field.ops().shape == Shape::kMap && field.meaning() == Meaning::kColumn) under_column_ = true;
  Json schema = Type(field.ops(), field);
  under_column_ = outer;
  schema["description"] = field.doc();
  if (!field.required() && !field.secret()) {
    const std::shared_ptr<void> object = spec.Make();
    const auto value = Json::parse(ToJson(spec, object.get()), nullptr, false)[field.name()];
    const bool empty = value.is_null() || value == "" || (value.is_structured() && value.empty());
    if (!empty) schema["default"] = value;
  }
  if (field.example()) schema["examples"] = Json::array({JsonOf(*field.example())});
  if (field.secret()) schema["writeOnly"] = true;
  if (!field.deprecated().empty()) {
    schema["deprecated"] = true;
    schema["deprecationMessage"] = field.deprecated();
  }
  if (field.advanced()) schema["x-advanced"] = true;
  if (field.meaning() != Meaning::kText) schema["x-meaning"] = WordOf(field.meaning());
  return schema;
}

Json SchemaWriter::Type(const TypeOps& ops, const Field& field) {
  const std::string expected = ExpectedOf(ops, field);
  switch (ops.shape) {
    case Shape::kBool:
      return ScalarType("boolean", "", expected);
    case Shape::kInt: {
      Json schema = ScalarType("integer", "", expected);
      AddLimits(schema, field);
      return schema;
    }
    case Shape::kDouble: {
      Json schema = ScalarType("number", field.percent() ? "^ *[0-9.]+ *%$" : "", expected);
      AddLimits(schema, field);
      return schema;
    }
    case Shape::kString:
      return TextType(field);
    case Shape::kEnum:
      return Words(ops.options());
    case Shape::kValue:
      return Json::object();
    case Shape::kDuration:
      return {{"type", "string"},
              {"pattern", std::string("[0-9] *[A-Za-z]|") + kVariable},
              {"patternErrorMessage", "Expected " + expected + "."}};
    case Shape::kAmount:
      return ScalarType("number", "^ *[0-9.]+ *%?$", expected);
    case Shape::kOptional:
      return Type(*ops.element, field);
    case Shape::kList:
      return List(ops, field);
    case Shape::kMap: {
      Json schema = {{"type", {"object", "null"}}};
      schema["additionalProperties"] = Type(*ops.element, field);
      if (field.not_empty()) schema["minProperties"] = 1;
      return schema;
    }
    case Shape::kStruct:
      return Struct(ops.spec());
    case Shape::kVariant:
      return Variant(ops, field);
    case Shape::kComponent:
      return Component(field);
  }
  return Json::object();
}

Json SchemaWriter::List(const TypeOps& ops, const Field& field) {
  const Json item = Type(*ops.element, field);
  Json list = {{"type", {"array", "null"}}, {"items", item}};
  if (field.not_empty()) list["minItems"] = 1;
  const Shape shape = ops.element->shape;
  if (shape == Shape::kList || shape == Shape::kMap || shape == Shape::kComponent) return list;
  return {{"anyOf", {list, item}}};  // one item needs no list
}

/// Structs that contain themselves refer to $defs.
Json SchemaWriter::Struct(const Spec& spec) {
  const std::string name = spec.name().empty() ? "struct" : spec.name();
  if (open_.contains(&spec)) {
    recursive_.insert(&spec);
    return {{"$ref", "#/$defs/" + name}};
  }
  open_.insert(&spec);
  Json schema = ObjectOrShort({&spec}, false);
  open_.erase(&spec);
  if (recursive_.contains(&spec)) (*defs_)[name] = schema;
  return schema;
}

Json SchemaWriter::Variant(const TypeOps& ops, const Field& field) {
  Json any = Json::array();
  std::vector<std::string> names;
  for (const TypeOps* one : ops.alternatives) {
    if (field.tag().empty()) {
      any.push_back(Type(*one, field));
    } else {
      names.push_back(one->spec().name());
      any.push_back(Object({&one->spec()}, field.tag()));
    }
  }
  if (!names.empty()) any.push_back({{"enum", Names(names)}});
  return {{"anyOf", any}};
}

Json SchemaWriter::Component(const Field& field) {
  const std::string kind = field.component_kind();
  const std::string key = (under_column_ ? "column_" : "component_") + kind;
  if (!defs_->contains(key)) {
    (*defs_)[key] = Json::object();  // taken: a component may hold its own kind
    (*defs_)[key] = field.component_form() == ComponentForm::kTag ? TaggedComponent(field)
                                                                  : KeyedComponent(field);
  }
  return {{"$ref", "#/$defs/" + key}};
}

/// `not_null`, or `not_null: id`, or `not_null: {columns: id, severity: warn}`.
Json SchemaWriter::KeyedComponent(const Field& field) {
  const std::string& kind = field.component_kind();
  const auto names = lookup_ == nullptr ? std::vector<std::string>() : lookup_->Names(kind);
  Json map = {{"type", "object"}, {"properties", Json::object()}};
  for (const std::string& name : names) {
    std::vector<const Spec*> specs = {lookup_->Find(kind, name)};
    if (field.common() != nullptr) specs.push_back(field.common());
    Json one = ObjectOrShort(specs, true);
    one["description"] = specs.front()->summary();
    map["properties"][name] = std::move(one);
  }
  map["minProperties"] = map["maxProperties"] = 1;
  map["additionalProperties"] = false;
  return {{"anyOf", {map, {{"enum", Names(names)}}}}};
}

/// `{type: postgres, host: …}`, or the type alone.
Json SchemaWriter::TaggedComponent(const Field& field) {
  const std::string& kind = field.component_kind();
  const auto names = lookup_ == nullptr ? std::vector<std::string>() : lookup_->Names(kind);
  Json map = {{"type", "object"}, {"required", {"type"}}};
  Json types = {{"enum", Names(names)}, {"markdownEnumDescriptions", Json::array()}};
  Json cases = Json::array();
  for (const std::string& name : names) {
    std::vector<const Spec*> specs = {lookup_->Find(kind, name)};
    types["markdownEnumDescriptions"].push_back(specs.front()->summary());
    if (field.common() != nullptr) specs.push_back(field.common());
    cases.push_back(When("type", name, Object(specs, "type")));
  }
  map["properties"]["type"] = std::move(types);
  map["allOf"] = std::move(cases);
  return {{"anyOf", {map, {{"enum", Names(names)}}}}};
}

std::string SchemaText(const std::string& title, const std::string& description, const Json& schema,
                       const Json& defs) {
  Json text = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", title},
               {"description", description}};
  text.update(schema);
  if (!defs.empty()) text["$defs"] = defs;
  return text.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string JsonSchema(const Spec& spec, const SpecLookup* lookup, const Spec* common) {
  SchemaWriter writer(lookup);
  std::vector<const Spec*> specs = {&spec};
  if (common != nullptr) specs.push_back(common);
  const Json schema = writer.Object(specs, "");
  return SchemaText(spec.name().empty() ? spec.kind() : spec.name(), spec.summary(), schema,
                    writer.defs());
}

}  // namespace headrace::spec
