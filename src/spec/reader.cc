#include "spec/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/suggest.h"
#include "spec/print.h"

namespace headrace::spec {
namespace {

std::string Join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> FieldNames(const std::vector<Part>& parts,
                                    const std::vector<std::string>& ignored) {
  std::vector<std::string> names = ignored;
  for (const Part& part : parts) {
    for (const Field& field : part.spec->fields()) {
      if (field.deprecated().empty() && !Contains(names, field.name())) {
        names.push_back(field.name());
      }
    }
  }
  return names;
}

/// An element that a scalar can stand for, so that `key: id` may mean `key: [id]`.
bool IsSingle(const TypeOps& ops, const yaml::Node& node) {
  if (ops.shape == Shape::kList || ops.shape == Shape::kMap) return false;
  if (node.IsScalar()) return true;
  return node.IsMap() && ops.shape == Shape::kComponent;
}

/// Lists of names, where saying one twice can only be a slip of the pen. Components with fields may
/// stand there twice: only their bare names are looked at.
bool IsListOfNames(const TypeOps& element, const Field& field) {
  return element.shape == Shape::kEnum || element.shape == Shape::kComponent ||
         (element.shape == Shape::kString && field.is_name());
}

size_t SizeOf(const TypeOps& ops, const void* object) {
  size_t size = 0;
  ops.each(object, &size,
           [](void* state, const std::string&, const void*) { ++*static_cast<size_t*>(state); });
  return size;
}

}  // namespace

void FillDefaults(const Spec& spec, void* object) {
  Diagnostics diagnostics;
  ParseContext context{.diagnostics = &diagnostics};
  for (const Field& field : spec.fields()) {
    if (!field.default_value()) continue;
    Reader reader(context, nullptr, nullptr);
    reader.Read(field.ops(), field, ToYaml(*field.default_value()), field.At(object), field.name());
    if (diagnostics.HasErrors()) {
      TableFault(fmt::format("default of '{}' in '{}': {}", field.name(), spec.name(),
                             Render(diagnostics.all().front())));
    }
  }
}

std::string ExpectedOf(const TypeOps& ops, const Field& field) {
  switch (ops.shape) {
    case Shape::kBool:
      return "true or false";
    case Shape::kInt:
      return "a whole number";
    case Shape::kDouble:
      return field.percent() ? "a number or a share such as '10%'" : "a number";
    case Shape::kString:
    case Shape::kEnum:
      return field.meaning() == Meaning::kColumn ? "a column's name" : "text";
    case Shape::kValue:
      return "a value";
    case Shape::kDuration:
      return "a duration such as '2 days'";
    case Shape::kAmount:
      return "a number or a share such as '10%'";
    case Shape::kOptional:
      return ExpectedOf(*ops.element, field);
    case Shape::kList:
      return "a list";
    case Shape::kMap:
    case Shape::kStruct:
      return "a map";
    case Shape::kComponent:
      return fmt::format("the name of a {}", field.component_kind());
    case Shape::kVariant: {
      std::vector<std::string> all;
      for (const TypeOps* one : ops.alternatives) {
        const std::string expected = ExpectedOf(*one, field);
        if (!Contains(all, expected)) all.push_back(expected);
      }
      return fmt::format("{}", fmt::join(all, " or "));
    }
  }
  return "a value";
}

std::string Reader::SubjectAt(const std::string& path) const {
  const std::string subject = context_.subject.empty() ? "the file" : context_.subject;
  return path.empty() ? subject : fmt::format("'{}' of {}", path, subject);
}

void Reader::Add(Error error, const yaml::Node& node) {
  if (error.place.line == 0) error.At(yaml::PlaceOf(node));
  error.place.node = context_.node;
  context_.diagnostics->Add(std::move(error));
}

void Reader::WrongType(const TypeOps& ops, const Field& field, const yaml::Node& node,
                       const std::string& path, std::string hint) {
  if (hint.empty() && field.example()) {
    hint = fmt::format("for example '{}: {}'", field.name(), ToJson(*field.example()));
  }
  std::string found = yaml::Describe(node);
  const bool show = node.IsScalar() && !field.secret() && node.text.size() <= 60;
  if (show) found = fmt::format("{}'{}'", found == "text" ? "the text " : "", node.text);
  Error error = UserError("wrong_type", fmt::format("{} must be {}, found {}", SubjectAt(path),
                                                    ExpectedOf(ops, field), found))
                    .Hint(std::move(hint));
  if (show) error.Subject(node.text);
  Add(std::move(error), node);
}

void Reader::BadOption(const Field& field, const Options& options, const yaml::Node& node,
                       const std::string& path) {
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(option.name);
  const std::string found = field.secret() ? "this" : "'" + node.text + "'";
  Error error = UserError("bad_option", fmt::format("{} can't be {}", SubjectAt(path), found))
                    .Candidates(Suggest(node.text, names))
                    .Hint(fmt::format("one of {}", fmt::join(names, ", ")));
  for (const std::string& name : names) {  // "warning" for "warn"
    if (error.candidates.empty() && name.size() > 2 && node.text.starts_with(name)) {
      error.candidates.push_back(name);
    }
  }
  if (!field.secret()) error.Subject(node.text);
  Add(std::move(error), node);
}

bool Reader::Read(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                  const std::string& path) {
  const bool absent = node.IsNull() && node.text.empty();
  switch (ops.shape) {
    case Shape::kOptional: {
      ops.clear(target);
      if (node.IsNull() && !absent) return true;  // an explicit null
      if (Read(*ops.element, field, node, ops.add(target, {}), path)) return true;
      ops.clear(target);
      return false;
    }
    case Shape::kList:
      return ReadList(ops, field, node, target, path);
    case Shape::kMap:
      return ReadMap(ops, field, node, target, path);
    case Shape::kStruct: {
      const size_t before = ErrorCount();
      FillDefaults(ops.spec(), target);
      ReadObject(node, {{&ops.spec(), target}}, {}, path);
      return ErrorCount() == before;
    }
    case Shape::kVariant:
      return ReadVariant(ops, field, node, target, path);
    case Shape::kComponent:
      return ReadComponent(field, node, static_cast<ComponentRef*>(target), path);
    case Shape::kValue:
      *static_cast<Value*>(target) = ExpandedValue(node, path);
      return true;
    default:
      if (!absent) return ReadScalar(ops, field, node, target, path);
      Add(UserError("missing_value", fmt::format("{} is empty", SubjectAt(path)))
              .Hint("give it a value or remove the line"),
          node);
      return false;
  }
}

bool Reader::ReadList(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                      const std::string& path) {
  ops.clear(target);
  const size_t before = ErrorCount();
  if (node.IsList()) {
    std::set<std::string> seen;
    const bool names = IsListOfNames(*ops.element, field);
    for (size_t i = 0; i < node.items.size(); ++i) {
      const yaml::Node& item = node.items[i];
      const std::string item_path = fmt::format("{}[{}]", path, i);
      if (places_ != nullptr) places_->Add(item_path, item.mark, item.mark);
      Read(*ops.element, field, item, ops.add(target, {}), item_path);
      if (names && item.IsScalar() && !seen.insert(item.text).second) {
        Add(UserError("repeated_name", fmt::format("{} has '{}' twice", SubjectAt(path), item.text))
                .Subject(item.text)
                .Hint("remove one of them"),
            item);
      }
    }
  } else if (IsSingle(*ops.element, node)) {
    Read(*ops.element, field, node, ops.add(target, {}), path + "[0]");
  } else if (!node.IsNull()) {
    WrongType(ops, field, node, path, "start each item with '- '");
    return false;
  }
  if (field.not_empty() && SizeOf(ops, target) == 0) {
    Add(UserError("missing_value", fmt::format("{} is an empty list", SubjectAt(path))), node);
  }
  return ErrorCount() == before;
}

bool Reader::ReadMap(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                     const std::string& path) {
  ops.clear(target);
  if (!node.IsMap() && !node.IsNull()) {
    WrongType(ops, field, node, path, "write 'name: value' lines below it");
    return false;
  }
  const size_t before = ErrorCount();
  for (const yaml::Entry& entry : node.entries) {
    const std::string entry_path = Join(path, entry.key.text);
    if (places_ != nullptr) places_->Add(entry_path, entry.key.mark, entry.value.mark);
    // Checks below `columns:` are about the column that is the key.
    if (field.meaning() == Meaning::kColumn) {
      ParseContext inner = context_;
      inner.implied_column = entry.key.text;
      Reader reader(inner, places_, unexpanded_);
      reader.Read(*ops.element, field, entry.value, ops.add(target, entry.key.text), entry_path);
      pending_ = pending_ || reader.pending_;
    } else {
      Read(*ops.element, field, entry.value, ops.add(target, entry.key.text), entry_path);
    }
  }
  if (field.not_empty() && node.entries.empty()) {
    Add(UserError("missing_value", fmt::format("{} is an empty map", SubjectAt(path))), node);
  }
  return ErrorCount() == before;
}

const Field* Reader::ShortField(const Spec& spec) const {
  const Field* found = nullptr;
  for (const Field& field : spec.fields()) {
    if (field.is_short()) found = &field;
    if (field.is_short_under_column() && !context_.implied_column.empty()) return &field;
  }
  // The column is known already: a short form can't mean it once more.
  const bool known =
      found != nullptr && found->meaning() == Meaning::kColumn && !context_.implied_column.empty();
  return known ? nullptr : found;
}

void Reader::ReadObject(const yaml::Node& node, const std::vector<Part>& parts,
                        const std::vector<std::string>& ignored, const std::string& path) {
  if (node.IsMap() || node.IsNull()) return ReadFields(node, parts, ignored, path);
  const Field* field = ShortField(*parts.front().spec);
  if (field != nullptr) {
    // The same as a map with this one key.
    yaml::Node map;
    map.kind = yaml::Kind::kMap;
    map.mark = node.mark;
    map.source = node.source;
    yaml::Node key = yaml::MakeScalar(field->name(), true);
    key.mark = node.mark;
    key.source = node.source;
    map.entries.push_back({std::move(key), node});
    return ReadFields(map, parts, ignored, path);
  }
  const std::vector<std::string> names = FieldNames(parts, ignored);
  Add(UserError("wrong_type",
                fmt::format("{} must be a map, found {}", SubjectAt(path), yaml::Describe(node)))
          .Hint(names.empty() ? "it has no options"
                              : fmt::format("its fields: {}", fmt::join(names, ", "))),
      node);
}

void Reader::ReadFields(const yaml::Node& node, const std::vector<Part>& parts,
                        const std::vector<std::string>& ignored, const std::string& path) {
  const size_t before = ErrorCount();
  std::vector<Given> given;
  std::vector<std::string> misspelt;  // fields that a misspelt key probably means
  for (const yaml::Entry& entry : node.entries) {
    if (Contains(ignored, entry.key.text)) continue;
    if (ReadEntry(entry, parts, path, given)) continue;
    const std::vector<std::string> names = FieldNames(parts, ignored);
    Error error = UserError("unknown_field",
                            fmt::format("{} has no field '{}'", SubjectAt(path), entry.key.text))
                      .Subject(entry.key.text)
                      .Candidates(Suggest(entry.key.text, names));
    if (entry.key.text == "<<") {
      error.Hint("YAML 1.2 has no merge keys: write the fields out, or `*name` for a whole value");
    } else if (!error.candidates.empty()) {
      misspelt.push_back(error.candidates.front());
    } else {
      error.Hint(names.empty() ? "it has no fields"
                               : fmt::format("its fields: {}", fmt::join(names, ", ")));
    }
    Add(std::move(error), entry.key);
  }
  for (size_t i = 0; i < parts.size(); ++i) FillColumn(parts[i], i, given);
  CheckFields(node, parts, given, misspelt, path, ErrorCount() == before);
}

bool Reader::ReadEntry(const yaml::Entry& entry, const std::vector<Part>& parts,
                       const std::string& path, std::vector<Given>& given) {
  const std::string& name = entry.key.text;
  bool known = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Field* field = parts[i].spec->Find(name);
    if (field == nullptr) continue;
    known = true;
    const std::string field_path = Join(path, field->name());
    for (const Given& other : given) {
      if (other.part != i || other.field != field) continue;
      Add(UserError(
              "duplicate_field",
              fmt::format("'{}' is the old name of '{}', which is given too",
                          field->name() == name ? field->aliases().front() : name, field->name())),
          entry.key);
      return true;
    }
    if (field->name() != name || !field->deprecated().empty()) {
      const std::string hint =
          field->name() != name ? fmt::format("write '{}'", field->name()) : field->deprecated();
      Add(UserError("deprecated", fmt::format("{} is deprecated", SubjectAt(Join(path, name))))
              .Subject(name)
              .Hint(hint)
              .As(Severity::kWarning),
          entry.key);
    }
    given.push_back({i, field});
    if (places_ != nullptr) places_->Add(field_path, entry.key.mark, entry.value.mark);
    if (!Read(field->ops(), *field, entry.value, field->At(parts[i].object), field_path)) break;
  }
  return known;
}

void Reader::FillColumn(const Part& part, size_t index, std::vector<Given>& given) {
  if (context_.implied_column.empty()) return;
  for (const Field& field : part.spec->fields()) {
    if (field.meaning() != Meaning::kColumn || !field.required()) continue;
    const bool present = std::any_of(given.begin(), given.end(), [&](const Given& one) {
      return one.part == index && one.field == &field;
    });
    if (present) return;
    Read(field.ops(), field, yaml::MakeScalar(context_.implied_column, true), field.At(part.object),
         field.name());
    given.push_back({index, &field});
    return;
  }
}

bool Reader::Applies(const Field& field, const Part& part) const {
  if (field.when_field().empty()) return true;
  const Field* other = part.spec->Find(field.when_field());
  if (other == nullptr) TableFault(fmt::format("'{}' has an unknown When()", field.name()));
  return TextOf(*other, part.object) == field.when_value();
}

void Reader::CheckFields(const yaml::Node& node, const std::vector<Part>& parts,
                         const std::vector<Given>& given, const std::vector<std::string>& misspelt,
                         const std::string& path, bool clean) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    for (const Field& field : part.spec->fields()) {
      const bool present = std::any_of(given.begin(), given.end(), [&](const Given& one) {
        return one.part == i && one.field == &field;
      });
      const bool applies = Applies(field, part);
      if (present && !applies && !pending_) {
        Add(UserError("unused_field",
                      fmt::format("'{}' of {} needs '{}: {}'", field.name(), SubjectAt(path),
                                  field.when_field(), field.when_value()))
                .Subject(field.name()),
            node.FindEntry(field.name()) ? node.FindEntry(field.name())->key : node);
      }
      if (present || !field.required() || !applies || Contains(misspelt, field.name())) continue;
      const std::string example = field.example() ? ToJson(*field.example()) : "…";
      Add(UserError("missing_field",
                    fmt::format("{} needs the field '{}'", SubjectAt(path), field.name()))
              .Subject(field.name())
              .Hint(fmt::format("add '{}: {}': {}", field.name(), example, field.doc())),
          node);
      clean = false;
    }
    CheckGroups(node, part, i, given, path);
    if (clean && !pending_) CheckRules(node, part, path);
  }
}

void Reader::CheckGroups(const yaml::Node& node, const Part& part, size_t index,
                         const std::vector<Given>& given, const std::string& path) {
  for (const Spec::Group& group : part.spec->groups()) {
    std::vector<std::string> present;
    for (const Given& one : given) {
      if (one.part == index && Contains(group.fields, one.field->name())) {
        present.push_back(one.field->name());
      }
    }
    const std::string all = fmt::format("'{}'", fmt::join(group.fields, "', '"));
    if (present.empty() && group.need != Spec::Group::Need::kAtMostOne) {
      const bool exactly = group.need == Spec::Group::Need::kExactlyOne;
      Add(UserError("missing_field", fmt::format("{} needs {}one of {}", SubjectAt(path),
                                                 exactly ? "" : "at least ", all)),
          node);
    }
    if (present.size() > 1 && group.need != Spec::Group::Need::kAtLeastOne) {
      const yaml::Entry* second = node.FindEntry(present[1]);
      Add(UserError("conflicting_fields", fmt::format("'{}' and '{}' of {} exclude each other",
                                                      present[0], present[1], SubjectAt(path)))
              .Hint(fmt::format("keep one of {}", all)),
          second == nullptr ? node : second->key);
    }
  }
}

void Reader::CheckRules(const yaml::Node& node, const Part& part, const std::string& path) {
  for (const auto& rule : part.spec->rules()) {
    const std::optional<Fault> fault = rule(part.object);
    if (!fault) continue;
    const yaml::Node* at = node.Find(fault->field);
    Add(UserError("bad_value", fmt::format("{}: {}", SubjectAt(path), fault->message))
            .Subject(fault->field)
            .Hint(fault->hint),
        at == nullptr ? node : *at);
  }
}

}  // namespace headrace::spec
