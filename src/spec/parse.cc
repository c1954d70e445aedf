#include "spec/parse.h"

#include <fmt/format.h>

#include <charconv>

#include "spec/reader.h"

namespace headrace::spec {
namespace {

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto [end, error] = std::from_chars(&text[i + 1], &text[i + 1] + 2, code, 16);
      if (error == std::errc() && end == &text[i + 1] + 2) {
        out += static_cast<char>(code);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

/// scheme://user:PASSWORD@host; empty when there is none.
std::string_view PasswordOf(std::string_view uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) return {};
  uri.remove_prefix(scheme + 3);
  uri = uri.substr(0, uri.find_first_of("/?#"));
  const size_t at = uri.rfind('@');
  const size_t colon = uri.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) return {};
  return uri.substr(colon + 1, at - colon - 1);
}

}  // namespace

void RegisterSecret(Redactor& redactor, std::string_view value) {
  redactor.AddSecret(value);
  const std::string_view password = PasswordOf(value);
  if (password.empty()) return;
  redactor.AddSecret(password);
  redactor.AddSecret(PercentDecoded(password));
}

bool NeedsExpansion(std::string_view text) { return text.find("${") != std::string_view::npos; }

bool HoldsVariable(const yaml::Node& node) {
  if (node.IsScalar()) return NeedsExpansion(node.text);
  for (const yaml::Node& item : node.items) {
    if (HoldsVariable(item)) return true;
  }
  for (const yaml::Entry& entry : node.entries) {
    if (HoldsVariable(entry.value)) return true;
  }
  return false;
}

void FieldPlaces::Start(const yaml::Node& node) {
  source_ = node.source;
  whole_ = node.mark;
}

void FieldPlaces::Add(std::string path, const yaml::Mark& key, const yaml::Mark& value) {
  marks_[std::move(path)] = {key, value};
}

Place FieldPlaces::Of(std::string_view path) const {
  const auto found = marks_.find(path);
  return yaml::PlaceOf(source_.get(), found == marks_.end() ? whole_ : found->second.value);
}

Place FieldPlaces::Key(std::string_view path) const {
  const auto found = marks_.find(path);
  return yaml::PlaceOf(source_.get(), found == marks_.end() ? whole_ : found->second.key);
}

void ComponentRef::RequireType(const Spec* spec, const std::type_info& type) {
  if (spec != nullptr && spec->type() == type) return;
  TableFault(fmt::format("the options of '{}' are read as another struct",
                         spec == nullptr ? "nothing" : spec->name()));
}

FieldPlaces ParseInto(const yaml::Node& node, const std::vector<Part>& parts,
                      const std::vector<std::string>& ignored, const ParseContext& context,
                      std::map<std::string, std::string, std::less<>>* unexpanded) {
  FieldPlaces places;
  places.Start(node);
  Reader reader(context, &places, unexpanded);
  reader.ReadObject(node, parts, ignored, "");
  return places;
}

ComponentRef Parse(const Spec& spec, const yaml::Node& node, const ParseContext& context,
                   const Spec* common, const std::vector<std::string>& ignored) {
  ComponentRef ref;
  ref.type = spec.name();
  ref.spec = &spec;
  ref.options = spec.Make();
  std::vector<Part> parts = {{&spec, ref.options.get()}};
  if (common != nullptr) {
    ref.common_spec = common;
    ref.common = common->Make();
    parts.push_back({common, ref.common.get()});
  }
  ref.place = yaml::PlaceOf(node);
  ref.place.node = context.node;
  ref.places.Start(node);
  ref.origin = std::make_shared<const ComponentRef::Origin>(
      ComponentRef::Origin{node, ignored, context.subject, context.node, context.implied_column});
  Reader reader(context, &ref.places, &ref.unexpanded);
  reader.ReadObject(node, parts, ignored, "");
  ref.expanded = !reader.pending();
  return ref;
}

ComponentRef Expand(const ComponentRef& ref, const ParseContext& context) {
  if (ref.expanded || ref.spec == nullptr || ref.origin == nullptr) return ref;
  ParseContext inner = context;
  inner.subject = ref.origin->subject;
  inner.node = ref.origin->node;
  inner.implied_column = ref.origin->implied_column;
  ComponentRef result =
      Parse(*ref.spec, ref.origin->yaml, inner, ref.common_spec, ref.origin->ignored);
  result.place = ref.place;
  return result;
}

namespace {

/// Walks an object and collects its texts.
class TextCollector {
 public:
  explicit TextCollector(std::vector<TextUse>& out) : out_(out) {}

  void Object(const Spec& spec, const void* object, const std::string& path) {
    for (const Field& field : spec.fields()) {
      Member(field.ops(), field, field.At(object),
             path.empty() ? field.name() : path + "." + field.name());
    }
  }

  void Component(const ComponentRef& ref, const std::string& path) {
    if (ref.spec != nullptr) Object(*ref.spec, ref.options.get(), path);
    if (ref.common_spec != nullptr) Object(*ref.common_spec, ref.common.get(), path);
  }

 private:
  void Member(const TypeOps& ops, const Field& field, const void* object, const std::string& path) {
    switch (ops.shape) {
      case Shape::kString:
        out_.push_back({path, &field, static_cast<const std::string*>(object)});
        break;
      case Shape::kStruct:
        Object(ops.spec(), object, path);
        break;
      case Shape::kComponent:
        Component(*static_cast<const ComponentRef*>(object), path);
        break;
      case Shape::kVariant:
        Member(*ops.alternatives[ops.index(object)], field, ops.held(object), path);
        break;
      case Shape::kOptional:
      case Shape::kList:
      case Shape::kMap:
        Elements(ops, field, object, path);
        break;
      default:
        break;
    }
  }

  void Elements(const TypeOps& ops, const Field& field, const void* object,
                const std::string& path) {
    struct State {
      TextCollector* self;
      const TypeOps* ops;
      const Field* field;
      const std::string* path;
      size_t index = 0;
    } state{this, &ops, &field, &path};
    ops.each(object, &state, [](void* raw, const std::string& key, const void* item) {
      State& s = *static_cast<State*>(raw);
      std::string item_path = *s.path;
      if (s.ops->shape == Shape::kList) item_path += fmt::format("[{}]", s.index++);
      if (s.ops->shape == Shape::kMap) item_path += "." + key;
      s.self->Member(*s.ops->element, *s.field, item, item_path);
    });
  }

  std::vector<TextUse>& out_;
};

}  // namespace

std::vector<TextUse> TextsOf(const ComponentRef& ref) {
  std::vector<TextUse> out;
  TextCollector(out).Component(ref, "");
  return out;
}

}  // namespace headrace::spec
