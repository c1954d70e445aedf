// JSON Schema (draft 2020-12) from the table of fields. Components become one alternative per name;
// a component that can hold its own kind is written once below $defs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "spec/json_value.h"
#include "spec/print.h"
#include "spec/reader.h"

namespace headrace::spec {
namespace {

using OrderedJson = Json;

class SchemaWriter {
 public:
  explicit SchemaWriter(const SpecLookup* lookup) : lookup_(lookup) {}

  /// `tag`: a key with the constant `spec.name()` that stands beside the fields.
  OrderedJson Object(const std::vector<const Spec*>& specs, const std::string& tag) {
    OrderedJson schema = {{"type", "object"}};
    OrderedJson properties = OrderedJson::object(), required = OrderedJson::array();
    if (!tag.empty()) {
      properties[tag] = {{"const", specs.front()->name()}};
      required.push_back(tag);
    }
    for (const Spec* spec : specs) {
      for (const Field& field : spec->fields()) {
        if (properties.contains(field.name())) continue;
        properties[field.name()] = Property(*spec, field);
        if (field.required() && field.when_field().empty()) required.push_back(field.name());
      }
    }
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    AddGroups(schema, specs);
    schema["additionalProperties"] = false;
    return schema;
  }

  /// The map or its short form.
  OrderedJson ObjectOrShort(const std::vector<const Spec*>& specs, bool may_be_empty) {
    OrderedJson any = OrderedJson::array();
    any.push_back(Object(specs, ""));
    for (const Field& field : specs.front()->fields()) {
      if (field.is_short() || field.is_short_under_column())
        any.push_back(Type(field.ops(), field));
    }
    if (may_be_empty) any.push_back({{"type", "null"}});
    return any.size() == 1 ? any[0] : OrderedJson{{"anyOf", any}};
  }

  OrderedJson defs = OrderedJson::object();

 private:
  void AddGroups(OrderedJson& schema, const std::vector<const Spec*>& specs) {
    OrderedJson all = OrderedJson::array();
    for (const Spec* spec : specs) {
      for (const Spec::Group& group : spec->groups()) {
        OrderedJson one = OrderedJson::array();
        for (const std::string& name : group.fields) {
          one.push_back({{"required", OrderedJson::array({name})}});
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
                all.push_back(
                    {{"not",
                      {{"required", OrderedJson::array({group.fields[i], group.fields[k]})}}}});
              }
            }
        }
      }
    }
    if (!all.empty()) schema["allOf"] = std::move(all);
  }

  OrderedJson Property(const Spec& spec, const Field& field) {
    OrderedJson schema = Type(field.ops(), field);
    schema["description"] = field.doc();
    if (!field.required() && !field.secret()) {
      const std::shared_ptr<void> object = spec.Make();
      const auto value =
          OrderedJson::parse(ToJson(spec, object.get()), nullptr, false)[field.name()];
      if (!value.is_null() && value != "") schema["default"] = value;
    }
    if (field.example()) schema["examples"] = OrderedJson::array({JsonOf(*field.example())});
    if (field.secret()) schema["writeOnly"] = true;
    if (!field.deprecated().empty()) schema["deprecated"] = true;
    if (field.advanced()) schema["x-advanced"] = true;
    if (const std::string format = Format(field); !format.empty()) schema["x-meaning"] = format;
    return schema;
  }

  static std::string Format(const Field& field) {
    switch (field.meaning()) {
      case Meaning::kText:
        return "";
      case Meaning::kPath:
        return "path";
      case Meaning::kColumn:
        return "column";
      case Meaning::kNode:
        return "node";
      case Meaning::kConnection:
        return "connection";
      case Meaning::kSqlExpression:
        return "sql_expression";
      case Meaning::kSqlQuery:
        return "sql_query";
    }
    return "";
  }

  static OrderedJson Words(const Options& options) {
    OrderedJson names = OrderedJson::array();
    for (const Option& option : options) names.push_back(option.name);
    return {{"enum", names}};
  }

  /// A text with ${…} may stand wherever a scalar may.
  static OrderedJson OrVariable(OrderedJson schema) {
    return {{"anyOf", {std::move(schema), {{"type", "string"}, {"pattern", "\\$\\{"}}}}};
  }

  static OrderedJson Number(const char* type, const Field& field) {
    OrderedJson schema = {{"type", type}};
    if (field.low()) schema[field.low_open() ? "exclusiveMinimum" : "minimum"] = *field.low();
    if (field.high()) schema["maximum"] = *field.high();
    return schema;
  }

  OrderedJson Type(const TypeOps& ops, const Field& field) {
    switch (ops.shape) {
      case Shape::kBool:
        return OrVariable({{"type", "boolean"}});
      case Shape::kInt:
        return OrVariable(Number("integer", field));
      case Shape::kDouble: {
        OrderedJson number = Number("number", field);
        if (!field.percent()) return OrVariable(std::move(number));
        return {{"anyOf", {number, {{"type", "string"}, {"pattern", "%$|\\$\\{"}}}}};
      }
      case Shape::kString: {
        if (!field.options().empty()) return Words(field.options());
        OrderedJson schema = {{"type", {"string", "number", "boolean"}}};
        if (field.not_empty()) schema["minLength"] = 1;
        return schema;
      }
      case Shape::kEnum:
        return Words(ops.options());
      case Shape::kValue:
        return OrderedJson::object();
      case Shape::kDuration:
        return {{"type", "string"}};
      case Shape::kAmount:
        return {{"type", {"number", "string"}}};
      case Shape::kOptional:
        return Type(*ops.element, field);
      case Shape::kList:
        return List(ops, field);
      case Shape::kMap: {
        OrderedJson schema = {{"type", {"object", "null"}}};
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
    return OrderedJson::object();
  }

  OrderedJson List(const TypeOps& ops, const Field& field) {
    const OrderedJson item = Type(*ops.element, field);
    OrderedJson list = {{"type", {"array", "null"}}, {"items", item}};
    if (field.not_empty()) list["minItems"] = 1;
    const Shape shape = ops.element->shape;
    if (shape == Shape::kList || shape == Shape::kMap) return list;
    return {{"anyOf", {list, item}}};  // one item needs no list
  }

  /// Structs that contain themselves refer to $defs.
  OrderedJson Struct(const Spec& spec) {
    if (open_.contains(&spec)) {
      const std::string name = spec.name().empty() ? "struct" : spec.name();
      recursive_.insert(&spec);
      return {{"$ref", "#/$defs/" + name}};
    }
    open_.insert(&spec);
    OrderedJson schema = ObjectOrShort({&spec}, false);
    open_.erase(&spec);
    if (recursive_.contains(&spec)) defs[spec.name().empty() ? "struct" : spec.name()] = schema;
    return schema;
  }

  OrderedJson Variant(const TypeOps& ops, const Field& field) {
    OrderedJson any = OrderedJson::array();
    OrderedJson names = OrderedJson::array();
    for (const TypeOps* one : ops.alternatives) {
      if (!field.tag().empty()) {
        names.push_back(one->spec().name());
        any.push_back(Object({&one->spec()}, field.tag()));
      } else {
        any.push_back(Type(*one, field));
      }
    }
    if (!names.empty()) any.push_back({{"enum", names}});
    return {{"anyOf", any}};
  }

  OrderedJson Component(const Field& field) {
    const std::string kind = field.component_kind();
    const std::string key = "component_" + kind;
    if (!defs.contains(key)) {
      defs[key] = OrderedJson::object();  // taken: a component may hold its own kind
      defs[key] = ComponentChoice(field, kind);
    }
    return {{"$ref", "#/$defs/" + key}};
  }

  OrderedJson ComponentChoice(const Field& field, const std::string& kind) {
    OrderedJson any = OrderedJson::array(), names = OrderedJson::array();
    for (const std::string& name :
         lookup_ == nullptr ? std::vector<std::string>() : lookup_->Names(kind)) {
      std::vector<const Spec*> specs = {lookup_->Find(kind, name)};
      if (field.common() != nullptr) specs.push_back(field.common());
      names.push_back(name);
      if (field.component_form() == ComponentForm::kTag) {
        any.push_back(Object(specs, "type"));
      } else {
        OrderedJson one = {{"type", "object"}};
        one["properties"][name] = ObjectOrShort(specs, true);
        one["required"] = OrderedJson::array({name});
        one["additionalProperties"] = false;
        any.push_back(std::move(one));
      }
    }
    any.push_back({{"enum", names}});
    return {{"anyOf", any}};
  }

  const SpecLookup* lookup_;
  std::set<const Spec*> open_, recursive_;
};

}  // namespace

std::string JsonSchema(const Spec& spec, const SpecLookup* lookup, const Spec* common) {
  SchemaWriter writer(lookup);
  std::vector<const Spec*> specs = {&spec};
  if (common != nullptr) specs.push_back(common);
  OrderedJson schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"title", spec.name().empty() ? spec.kind() : spec.name()},
                        {"description", spec.summary()}};
  schema.update(writer.Object(specs, ""));
  if (!writer.defs.empty()) schema["$defs"] = writer.defs;
  return schema.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace headrace::spec
