#include "spec/spec.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "spec/reader.h"

namespace headrace::spec {

void TableFault(std::string_view what) {
  fmt::print(stderr, "headrace: a table of fields is wrong: {}\n", what);
  std::abort();
}

std::string_view WordOf(Meaning meaning) {
  switch (meaning) {
    case Meaning::kText:
      return "text";
    case Meaning::kPath:
      return "path";
    case Meaning::kColumn:
      return "column";
    case Meaning::kNode:
      return "node";
    case Meaning::kConnection:
      return "connection";
    case Meaning::kSqlExpression:
      return "SQL expression";
    case Meaning::kSqlQuery:
      return "SQL query";
  }
  return "text";
}

Field& Field::Required() {
  required_ = required_given_ = true;
  return *this;
}
Field& Field::Optional() {
  required_ = false;
  return *this;
}
Field& Field::Default() { return Optional(); }
Field& Field::Default(Value value) {
  default_ = std::move(value);
  return Optional();
}
Field& Field::Range(double low, double high) { return Min(low).Max(high); }
Field& Field::Min(double low) {
  low_ = low;
  low_open_ = false;
  return *this;
}
Field& Field::Max(double high) {
  high_ = high;
  return *this;
}
Field& Field::Above(double low) {
  low_ = low;
  low_open_ = true;
  return *this;
}
Field& Field::OneOf(Options options) {
  options_ = std::move(options);
  return *this;
}
Field& Field::NotEmpty() {
  not_empty_ = true;
  return *this;
}
Field& Field::Secret() {
  secret_ = true;
  return *this;
}
Field& Field::Example(Value value) {
  example_ = std::move(value);
  return *this;
}
Field& Field::Advanced() {
  advanced_ = true;
  return *this;
}
Field& Field::Tunable(double low, double high, Scale scale) {
  tuning_ = Tuning{low, high, scale};
  return *this;
}
Field& Field::Affects(spec::Affects affects) {
  affects_ = affects;
  return *this;
}
Field& Field::Identity() {
  identity_ = true;
  return *this;
}
Field& Field::Short() {
  short_ = true;
  return *this;
}

Field& Field::ShortUnderColumn() {
  short_under_column_ = true;
  return *this;
}
Field& Field::Path() {
  meaning_ = Meaning::kPath;
  return *this;
}
Field& Field::Column() {
  meaning_ = Meaning::kColumn;
  return *this;
}
Field& Field::Node() {
  meaning_ = Meaning::kNode;
  return *this;
}
Field& Field::Connection() {
  meaning_ = Meaning::kConnection;
  return *this;
}
Field& Field::SqlExpression() {
  meaning_ = Meaning::kSqlExpression;
  return *this;
}
Field& Field::SqlQuery() {
  meaning_ = Meaning::kSqlQuery;
  return *this;
}
Field& Field::Percent() {
  percent_ = true;
  return *this;
}
Field& Field::Components(std::string_view kind, ComponentForm form, const Spec& (*common)()) {
  component_kind_ = kind;
  component_form_ = form;
  common_ = common;
  return *this;
}
Field& Field::Tag(std::string_view tag) {
  tag_ = tag;
  return *this;
}
Field& Field::Alias(std::string_view old_name) {
  aliases_.emplace_back(old_name);
  return *this;
}
Field& Field::Deprecated(std::string_view instead) {
  deprecated_ = instead;
  return *this;
}
Field& Field::Since(std::string_view version) {
  since_ = version;
  return *this;
}
Field& Field::When(std::string_view field, std::string_view value) {
  when_field_ = field;
  when_value_ = value;
  return *this;
}

Spec::Spec(std::string_view kind, std::string_view name, std::string_view summary,
           std::vector<Field> fields)
    : kind_(kind), name_(name), summary_(summary), fields_(std::move(fields)) {
  for (Field& field : fields_) {
    // A std::optional member says by itself that the field may be missing.
    if (field.ops().shape == Shape::kOptional && !field.required_given()) field.Optional();
    if (type_ == nullptr) type_ = &field.owner();
    if (*type_ != field.owner()) {
      TableFault(fmt::format("'{}' has fields of several structs; use Spec::For<T>", name_));
    }
  }
  if (!fields_.empty()) {
    make_ = [field = fields_.front()] { return field.MakeOwner(); };
  }
}

Spec& Spec::ExactlyOne(std::vector<std::string> fields) {
  groups_.push_back({Group::Need::kExactlyOne, std::move(fields)});
  return *this;
}
Spec& Spec::AtMostOne(std::vector<std::string> fields) {
  groups_.push_back({Group::Need::kAtMostOne, std::move(fields)});
  return *this;
}
Spec& Spec::AtLeastOne(std::vector<std::string> fields) {
  groups_.push_back({Group::Need::kAtLeastOne, std::move(fields)});
  return *this;
}
Spec& Spec::Details(std::string_view markdown) {
  details_ = markdown;
  return *this;
}
Spec& Spec::Example(std::string_view yaml) {
  examples_.emplace_back(yaml);
  return *this;
}

const Field* Spec::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name() == name) return &field;
  }
  for (const Field& field : fields_) {
    for (const std::string& alias : field.aliases()) {
      if (alias == name) return &field;
    }
  }
  return nullptr;
}

std::shared_ptr<void> Spec::Make() const {
  if (!make_) TableFault(fmt::format("'{}' has no fields; use Spec::For<T>", name_));
  std::shared_ptr<void> object = make_();
  FillDefaults(*this, object.get());
  return object;
}

bool SpecTable::Add(const Spec& spec) {
  return specs_[spec.kind()].emplace(spec.name(), &spec).second;
}

const Spec* SpecTable::Find(std::string_view kind, std::string_view name) const {
  const auto of_kind = specs_.find(kind);
  if (of_kind == specs_.end()) return nullptr;
  const auto found = of_kind->second.find(name);
  return found == of_kind->second.end() ? nullptr : found->second;
}

std::vector<std::string> SpecTable::Names(std::string_view kind) const {
  std::vector<std::string> names;
  const auto of_kind = specs_.find(kind);
  if (of_kind == specs_.end()) return names;
  for (const auto& [name, spec] : of_kind->second) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

std::vector<std::string> SpecTable::Kinds() const {
  std::vector<std::string> kinds;
  for (const auto& [kind, specs] : specs_) kinds.push_back(kind);
  return kinds;
}

}  // namespace headrace::spec
