// Variants and components: where the YAML decides which struct is read.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/suggest.h"
#include "spec/planned.h"
#include "spec/reader.h"

namespace headrace::spec {
namespace {

/// `unique` takes `uniqe`; also for kinds, whose names are what the registry has.
Error UnknownComponent(const std::string& kind, const std::string& name,
                       const std::vector<std::string>& names) {
  if (IsPlanned(kind, name)) {
    return UserError("not_built", fmt::format("{} '{}' is not built yet", kind, name))
        .Subject(name)
        .Hint(fmt::format("this version has {}", fmt::join(names, ", ")));
  }
  Error error = UserError("unknown_type", fmt::format("there is no {} '{}'", kind, name))
                    .Subject(name)
                    .Candidates(Suggest(name, names));
  error.Hint(names.empty() ? fmt::format("this version has no {}", kind)
                           : fmt::format("one of {}", fmt::join(names, ", ")));
  return error;
}

}  // namespace

int Reader::Fit(const TypeOps& ops, const Field& field, const yaml::Node& node) const {
  const bool scalar = node.IsScalar();
  switch (ops.shape) {
    case Shape::kBool:
      return scalar && yaml::AsBool(node) ? 4 : -1;
    case Shape::kInt:
      return scalar && yaml::AsInt(node) ? 4 : -1;
    case Shape::kDouble:
      return scalar && (yaml::AsDouble(node) || (field.percent() && node.text.ends_with('%'))) ? 3
                                                                                               : -1;
    case Shape::kString: {
      const bool option = std::any_of(field.options().begin(), field.options().end(),
                                      [&](const Option& one) { return one.name == node.text; });
      if (!scalar) return -1;
      return option ? 5 : field.options().empty() ? 1 : 0;
    }
    case Shape::kEnum: {
      const Options& options = ops.options();
      const bool option = std::any_of(options.begin(), options.end(),
                                      [&](const Option& one) { return one.name == node.text; });
      return scalar ? (option ? 5 : 0) : -1;
    }
    case Shape::kDuration:
      return scalar && ParseDurationText(node.text).ok() ? 2 : -1;
    case Shape::kAmount:
      return scalar && ParseAmount(node.text).ok() ? 2 : -1;
    case Shape::kValue:
      return 0;
    case Shape::kOptional:
      return Fit(*ops.element, field, node);
    case Shape::kList:
      return node.IsList() ? 3 : scalar && Fit(*ops.element, field, node) > 0 ? 1 : -1;
    case Shape::kMap:
      return node.IsMap() ? 1 : -1;
    case Shape::kComponent:
      if (scalar)
        return context_.lookup != nullptr &&
                       context_.lookup->Find(field.component_kind(), node.text) != nullptr
                   ? 3
                   : 0;
      return node.IsMap() && node.entries.size() == 1 ? 1 : -1;
    case Shape::kStruct: {
      const Spec& spec = ops.spec();
      if (!node.IsMap()) {
        const Field* by_short = ShortField(spec);
        return by_short == nullptr ? -1 : Fit(by_short->ops(), *by_short, node);
      }
      int score = 1;
      for (const yaml::Entry& entry : node.entries) {
        score += spec.Find(entry.key.text) != nullptr ? 2 : 0;
      }
      return score;
    }
    case Shape::kVariant: {
      int best = -1;
      for (const TypeOps* one : ops.alternatives) best = std::max(best, Fit(*one, field, node));
      return best;
    }
  }
  return -1;
}

bool Reader::ReadVariant(const TypeOps& ops, const Field& field, const yaml::Node& node,
                         void* target, const std::string& path) {
  if (!field.tag().empty()) return ReadTagged(ops, field, node, target, path);
  int best = -1;
  size_t chosen = 0;
  for (size_t i = 0; i < ops.alternatives.size(); ++i) {
    const int fit = Fit(*ops.alternatives[i], field, node);
    if (fit > best) {
      best = fit;
      chosen = i;
    }
  }
  if (best < 0) {
    WrongType(ops, field, node, path);
    return false;
  }
  return Read(*ops.alternatives[chosen], field, node, ops.emplace(target, chosen), path);
}

bool Reader::ReadTagged(const TypeOps& ops, const Field& field, const yaml::Node& node,
                        void* target, const std::string& path) {
  Options options;
  for (const TypeOps* one : ops.alternatives) {
    if (one->shape != Shape::kStruct) TableFault(field.name() + ": Tag() needs structs");
    options.push_back({one->spec().name(), one->spec().summary(), 0});
  }
  const yaml::Node* tag = node.IsMap() ? node.Find(field.tag()) : &node;
  if (tag == nullptr || !tag->IsScalar()) {
    std::vector<std::string> names;
    for (const Option& option : options) names.push_back(option.name);
    if (node.IsMap() && tag == nullptr) {
      Add(UserError("missing_field",
                    fmt::format("{} needs the field '{}'", SubjectAt(path), field.tag()))
              .Subject(field.tag())
              .Hint(fmt::format("one of {}", fmt::join(names, ", "))),
          node);
    } else {
      Add(UserError("wrong_type", fmt::format("{} must be one of {}, found {}", SubjectAt(path),
                                              fmt::join(names, ", "), yaml::Describe(*tag))),
          *tag);
    }
    return false;
  }
  for (size_t i = 0; i < options.size(); ++i) {
    if (options[i].name != tag->text) continue;
    const Spec& spec = ops.alternatives[i]->spec();
    void* object = ops.emplace(target, i);
    const size_t before = ErrorCount();
    FillDefaults(spec, object);
    yaml::Node empty = node;
    if (!node.IsMap()) empty.kind = yaml::Kind::kNull;
    ReadFields(node.IsMap() ? node : empty, {{&spec, object}}, {field.tag()}, path);
    return ErrorCount() == before;
  }
  BadOption(field, options, *tag, path);
  return false;
}

bool Reader::ReadComponent(const Field& field, const yaml::Node& node, ComponentRef* target,
                           const std::string& path) {
  const std::string& kind = field.component_kind();
  const bool tagged = field.component_form() == ComponentForm::kTag;
  // The name, and the node that holds the options.
  const yaml::Node* name = &node;
  yaml::Node options = node;
  options.kind = yaml::Kind::kNull;
  options.text.clear();
  if (node.IsMap() && tagged) {
    name = node.Find("type");
    options = node;
    if (name == nullptr) {
      std::vector<std::string> names;
      if (context_.lookup != nullptr) names = context_.lookup->Names(kind);
      Add(UserError("missing_field", fmt::format("{} needs the field 'type'", SubjectAt(path)))
              .Subject("type")
              .Hint(fmt::format("one of {}", fmt::join(names, ", "))),
          node);
      return false;
    }
  } else if (node.IsMap() && !node.entries.empty()) {
    name = &node.entries.front().key;
    options = node.entries.front().value;
    if (node.entries.size() > 1) {
      Add(UserError("wrong_type", fmt::format("{} holds '{}' beside '{}'", SubjectAt(path),
                                              node.entries[1].key.text, name->text))
              .Subject(node.entries[1].key.text)
              .Hint(fmt::format("indent the options of '{}' below it, or start the next {} with "
                                "'- '",
                                name->text, kind)),
          node.entries[1].key);
      return false;
    }
  }
  if (!name->IsScalar()) {
    WrongType(OpsOf<ComponentRef>(), field, *name, path);
    return false;
  }
  const Spec* spec = context_.lookup == nullptr ? nullptr : context_.lookup->Find(kind, name->text);
  if (spec == nullptr || name->text.empty()) {
    std::vector<std::string> names;
    if (context_.lookup != nullptr) names = context_.lookup->Names(kind);
    Add(UnknownComponent(kind, name->text, names), *name);
    return false;
  }
  const size_t before = ErrorCount();
  ParseContext inner = context_;
  inner.subject = fmt::format("{} '{}' of {}", kind, name->text,
                              context_.subject.empty() ? "the file" : context_.subject);
  std::vector<std::string> ignored;
  if (tagged) {
    inner.subject = fmt::format("{} '{}'", kind, path.substr(path.rfind('.') + 1));
    ignored.push_back("type");
  }
  *target = Parse(*spec, options, inner, field.common(), ignored);
  target->place = yaml::PlaceOf(*name);
  target->place.node = context_.node;
  target->places.StartAt(name->mark);
  pending_ = pending_ || !target->expanded;
  return ErrorCount() == before;
}

}  // namespace headrace::spec
