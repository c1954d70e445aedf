// Objects → JSON. One walk with a few switches serves fingerprints, identities and people.
#include "spec/print.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "spec/json_value.h"
#include "spec/reader.h"

namespace headrace::spec {
namespace {

using OrderedJson = Json;
constexpr const char* kMasked = "***";

struct Style {
  std::optional<Affects> only;  ///< canonical: only such fields, and none equal to its default
  bool identity = false;        ///< only fields marked Identity()
  const std::map<std::string, std::string, std::less<>>* unexpanded = nullptr;
};

std::string Dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

class Printer {
 public:
  explicit Printer(const Style& style) : style_(style) {}

  OrderedJson Object(const Spec& spec, const void* object, const std::string& path,
                     Affects inherited) const {
    OrderedJson json = OrderedJson::object();
    AddFields(json, spec, object, path, inherited);
    return json;
  }

  OrderedJson Component(const ComponentRef& ref, Affects inherited) const {
    OrderedJson json = OrderedJson::object();
    if (ref.spec == nullptr) return json;
    Style own = style_;
    own.unexpanded = &ref.unexpanded;
    const Printer printer(own);
    printer.AddFields(json, *ref.spec, ref.options.get(), "", inherited);
    if (ref.common_spec != nullptr) {
      printer.AddFields(json, *ref.common_spec, ref.common.get(), "", inherited);
    }
    return json;
  }

  OrderedJson Member(const TypeOps& ops, const Field& field, const void* p, const std::string& path,
                     Affects affects) const {
    switch (ops.shape) {
      case Shape::kBool:
        return *static_cast<const bool*>(p);
      case Shape::kInt:
        return ops.get_int(p);
      case Shape::kDouble:
        return JsonOf(*static_cast<const double*>(p));
      case Shape::kString:
        return Text(field, *static_cast<const std::string*>(p), path);
      case Shape::kEnum:
        return EnumName(ops, p);
      case Shape::kValue:
        return ValueJson(field, *static_cast<const Value*>(p), path);
      case Shape::kDuration:
        return DurationJson(*static_cast<const Duration*>(p));
      case Shape::kAmount:
        return AmountJson(*static_cast<const Amount*>(p));
      case Shape::kStruct:
        return Object(ops.spec(), p, path, affects);
      case Shape::kVariant:
        return Variant(ops, field, p, path, affects);
      case Shape::kComponent: {
        const auto& ref = *static_cast<const ComponentRef*>(p);
        OrderedJson json = OrderedJson::object();
        if (field.component_form() == ComponentForm::kTag) {
          json["type"] = ref.type;
          json.update(Component(ref, affects));
        } else {
          json[ref.type] = Component(ref, affects);
        }
        return json;
      }
      default:
        return Elements(ops, field, p, path, affects);
    }
  }

 private:
  bool Wanted(const Field& field, Affects affects) const {
    if (style_.identity) return field.identity() && !field.secret();
    return !style_.only || affects == *style_.only || HoldsOthers(field.ops());
  }

  /// A struct may hold fields that affect something else than it does itself.
  static bool HoldsOthers(const TypeOps& ops) {
    switch (ops.shape) {
      case Shape::kStruct:
      case Shape::kVariant:
      case Shape::kComponent:
        return true;
      case Shape::kOptional:
      case Shape::kList:
      case Shape::kMap:
        return HoldsOthers(*ops.element);
      default:
        return false;
    }
  }

  void AddFields(OrderedJson& json, const Spec& spec, const void* object, const std::string& path,
                 Affects inherited) const {
    std::shared_ptr<void> defaults;
    if (style_.only) defaults = spec.Make();
    for (const Field& field : spec.fields()) {
      const Affects affects = field.affects().value_or(inherited);
      if (!Wanted(field, affects)) continue;
      const std::string field_path = path.empty() ? field.name() : path + "." + field.name();
      OrderedJson value = Member(field.ops(), field, field.At(object), field_path, affects);
      if (defaults != nullptr) {
        const void* standard = field.At(static_cast<const void*>(defaults.get()));
        // A path that can't be in `unexpanded`: a default never is.
        if (value == Member(field.ops(), field, standard, "\n", affects)) continue;
        // What is here only for the sake of fields below, and has none of them, is nothing.
        if (affects != *style_.only && IsHollow(value)) continue;
      }
      json[field.name()] = std::move(value);
    }
  }

  /// Nothing but empty lists and maps (names of components and keys of maps don't count).
  static bool IsHollow(const OrderedJson& json) {
    if (!json.is_structured()) return json.is_null();
    for (const OrderedJson& item : json) {
      if (!IsHollow(item)) return false;
    }
    return true;
  }

  OrderedJson Text(const Field& field, const std::string& text, const std::string& path) const {
    const bool expand = style_.identity;
    if (!expand && style_.unexpanded != nullptr) {
      const auto found = style_.unexpanded->find(path);
      if (found != style_.unexpanded->end()) return found->second;
    }
    return field.secret() && !text.empty() ? kMasked : text;
  }

  OrderedJson ValueJson(const Field& field, const Value& value, const std::string& path) const {
    if (value.kind() == Value::Kind::kString) return Text(field, value.String(), path);
    if (value.kind() == Value::Kind::kList) {
      OrderedJson list = OrderedJson::array();
      for (const Value& item : value.Items()) {
        list.push_back(ValueJson(field, item, fmt::format("{}[{}]", path, list.size())));
      }
      return list;
    }
    if (value.kind() == Value::Kind::kMap) {
      OrderedJson map = OrderedJson::object();
      for (const auto& [key, item] : value.Entries()) {
        map[key] = ValueJson(field, item, path + "." + key);
      }
      return map;
    }
    return JsonOf(value);
  }

  static OrderedJson EnumName(const TypeOps& ops, const void* p) {
    for (const Option& option : ops.options()) {
      if (option.value == ops.get_int(p)) return option.name;
    }
    return ops.get_int(p);
  }

  OrderedJson DurationJson(const Duration& duration) const {
    if (!style_.only) return duration.text;
    OrderedJson json = OrderedJson::object();  // "1 month" and "1 months" are the same
    json["micros"] = duration.micros;
    json["months"] = duration.months;
    return json;
  }

  OrderedJson AmountJson(const Amount& amount) const {
    if (!amount.relative) return JsonOf(amount.value);
    return fmt::format("{:.15g}%", amount.value * 100);
  }

  OrderedJson Variant(const TypeOps& ops, const Field& field, const void* p,
                      const std::string& path, Affects affects) const {
    const TypeOps& held = *ops.alternatives[ops.index(p)];
    OrderedJson json = Member(held, field, ops.held(p), path, affects);
    if (!field.tag().empty()) {
      OrderedJson tagged = OrderedJson::object();
      tagged[field.tag()] = held.spec().name();
      tagged.update(json);
      return tagged;
    }
    return json;
  }

  OrderedJson Elements(const TypeOps& ops, const Field& field, const void* p,
                       const std::string& path, Affects affects) const {
    struct State {
      const Printer* self;
      const TypeOps* ops;
      const Field* field;
      const std::string* path;
      Affects affects;
      OrderedJson json;
    } state{this, &ops, &field, &path, affects, nullptr};
    if (ops.shape == Shape::kList) state.json = OrderedJson::array();
    if (ops.shape == Shape::kMap) state.json = OrderedJson::object();
    ops.each(p, &state, [](void* raw, const std::string& key, const void* item) {
      State& s = *static_cast<State*>(raw);
      std::string path = *s.path;
      if (s.ops->shape == Shape::kList) path += fmt::format("[{}]", s.json.size());
      if (s.ops->shape == Shape::kMap) path += "." + key;
      OrderedJson value = s.self->Member(*s.ops->element, *s.field, item, path, s.affects);
      if (s.ops->shape == Shape::kList) {
        s.json.push_back(std::move(value));
      } else if (s.ops->shape == Shape::kMap) {
        // An entry that says nothing of what is asked for (a column with just a description).
        const auto& only = s.self->style_.only;
        if (only && s.affects != *only && IsHollow(value)) return;
        s.json[key] = std::move(value);
      } else {
        s.json = std::move(value);
      }
    });
    return state.json;
  }

  const Style& style_;
};

/// Keys sorted on every level.
std::string Sorted(const OrderedJson& json) {
  return nlohmann::json(json).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string CanonicalJson(const ComponentRef& ref, Affects affects) {
  const Style style{.only = affects};
  return Sorted(Printer(style).Component(ref, Affects::kData));
}

std::string CanonicalJson(const Spec& spec, const void* object, Affects affects) {
  const Style style{.only = affects};
  return Sorted(Printer(style).Object(spec, object, "", Affects::kData));
}

std::string IdentityJson(const ComponentRef& ref) {
  const Style style{.only = std::nullopt, .identity = true};
  OrderedJson json = Printer(style).Component(ref, Affects::kData);
  json["type"] = ref.type;
  return Sorted(json);
}

std::string ToJson(const ComponentRef& ref) {
  const Style style;
  OrderedJson json = OrderedJson::object();
  json["type"] = ref.type;
  json.update(Printer(style).Component(ref, Affects::kData));
  return Dump(json);
}

std::string ToJson(const Spec& spec, const void* object) {
  const Style style;
  return Dump(Printer(style).Object(spec, object, "", Affects::kData));
}

std::string TextOf(const Field& field, const void* object) {
  const Style style;
  const OrderedJson json =
      Printer(style).Member(field.ops(), field, field.At(object), "", Affects::kData);
  return json.is_string() ? json.get<std::string>() : Dump(json);
}

}  // namespace headrace::spec
