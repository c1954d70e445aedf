// Reference pages (Markdown) from the table of fields.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "spec/print.h"
#include "spec/reader.h"

namespace headrace::spec {
namespace {

const TypeOps& Inner(const TypeOps& ops) {
  const TypeOps* inner = &ops;
  while (inner->element != nullptr) inner = inner->element;
  return *inner;
}

std::string TypeText(const TypeOps& ops, const Field& field) {
  switch (ops.shape) {
    case Shape::kOptional:
      return TypeText(*ops.element, field);
    case Shape::kList:
      return "list of: " + TypeText(*ops.element, field);
    case Shape::kMap:
      return "map of: " + TypeText(*ops.element, field);
    case Shape::kComponent:
      return field.component_kind();
    case Shape::kStruct:
      return "map";
    case Shape::kVariant: {
      std::vector<std::string> all;
      for (const TypeOps* one : ops.alternatives) {
        std::string text = TypeText(*one, field);
        if (one->shape == Shape::kStruct && !one->spec().name().empty()) {
          text = "`" + one->spec().name() + "`";
        }
        all.push_back(std::move(text));
      }
      return fmt::format("{}", fmt::join(all, " or "));
    }
    case Shape::kString:
      switch (field.meaning()) {
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
        default:
          return "text";
      }
    case Shape::kEnum:
      return "text";
    case Shape::kDuration:
      return "duration";
    case Shape::kAmount:
      return "number or share";
    default:
      return ExpectedOf(ops, field);
  }
}

std::string Limits(const Field& field) {
  if (field.low() && field.high()) {
    return fmt::format("{} {} to {}.", field.low_open() ? "Above" : "From", *field.low(),
                       *field.high());
  }
  if (field.low())
    return fmt::format("{} {}.", field.low_open() ? "Above" : "At least", *field.low());
  return field.high() ? fmt::format("At most {}.", *field.high()) : "";
}

/// A '|' would end the cell.
std::string Cell(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string DefaultText(const Spec& spec, const Field& field) {
  if (field.required()) return "required";
  const std::string text = TextOf(field, spec.Make().get());
  return text.empty() || text == "null" || text == "[]" || text == "{}" ? "" : "`" + text + "`";
}

std::string Remarks(const Field& field) {
  std::string text = field.doc();
  const auto add = [&](const std::string& more) {
    if (!more.empty()) text += " " + more;
  };
  add(Limits(field));
  if (field.secret()) add("Secret: write `${NAME}`.");
  if (field.percent()) add("`10%` means 0.1.");
  if (!field.when_field().empty()) {
    add(fmt::format("Only with `{}: {}`.", field.when_field(), field.when_value()));
  }
  if (field.example()) add(fmt::format("Example: `{}`.", ToJson(*field.example())));
  if (field.tuning()) {
    add(fmt::format("Tuned from {} to {}{}.", field.tuning()->low, field.tuning()->high,
                    field.tuning()->scale == Scale::kLog ? " (log scale)" : ""));
  }
  if (!field.since().empty()) add(fmt::format("Since {}.", field.since()));
  if (!field.deprecated().empty()) add(fmt::format("Deprecated: {}.", field.deprecated()));
  return text;
}

std::string OptionLines(const Options& options, const std::string& name) {
  std::string out = fmt::format("\n`{}` is one of\n\n", name);
  for (const Option& option : options) {
    out += fmt::format("- `{}`{}{}\n", option.name, option.summary.empty() ? "" : ": ",
                       option.summary);
  }
  return out;
}

class Page {
 public:
  void Fields(const Spec& spec, const std::string& prefix) {
    if (spec.fields().empty()) return;
    text += "| field | type | default | meaning |\n|---|---|---|---|\n";
    for (const bool advanced : {false, true}) {
      for (const Field& field : spec.fields()) {
        if (field.advanced() != advanced) continue;
        text += fmt::format("| `{}{}` | {} | {} | {} |\n", prefix, field.name(),
                            Cell(TypeText(field.ops(), field)), Cell(DefaultText(spec, field)),
                            Cell(Remarks(field)));
      }
    }
    for (const Spec::Group& group : spec.groups()) {
      const char* need = group.need == Spec::Group::Need::kExactlyOne   ? "Exactly one"
                         : group.need == Spec::Group::Need::kAtLeastOne ? "At least one"
                                                                        : "At most one";
      text += fmt::format("\n{} of `{}`.\n", need, fmt::join(group.fields, "`, `"));
    }
    for (const Field& field : spec.fields()) {
      if (field.is_short()) {
        text += fmt::format("\nA value in place of the map is `{}{}`.\n", prefix, field.name());
      }
    }
    for (const Field& field : spec.fields()) {
      const TypeOps& inner = Inner(field.ops());
      if (!field.options().empty()) text += OptionLines(field.options(), prefix + field.name());
      if (inner.shape == Shape::kEnum) text += OptionLines(inner.options(), prefix + field.name());
    }
    for (const Field& field : spec.fields()) Nested(Inner(field.ops()), field, prefix);
  }

  std::string text;

 private:
  void Nested(const TypeOps& ops, const Field& field, const std::string& prefix) {
    const std::string path = prefix + field.name();
    if (ops.shape == Shape::kStruct) {
      if (std::count(path.begin(), path.end(), '.') > 4) return;  // a struct that holds itself
      text += fmt::format("\n### `{}`: {}\n\n", path,
                          ops.spec().summary().empty() ? field.doc() : ops.spec().summary());
      Fields(ops.spec(), path + ".");
    }
    for (const TypeOps* one : ops.alternatives) Nested(*one, field, prefix);
  }
};

}  // namespace

std::string ReferenceMarkdown(const Spec& spec, const Spec* common) {
  Page page;
  page.text = fmt::format("# {}{}{}\n\n{}\n\n", spec.kind(),
                          spec.kind().empty() || spec.name().empty() ? "" : ": ", spec.name(),
                          spec.summary());
  if (!spec.details().empty()) page.text += spec.details() + "\n\n";
  page.Fields(spec, "");
  for (const std::string& example : spec.examples()) {
    page.text += fmt::format("\n```yaml\n{}{}```\n", example, example.ends_with('\n') ? "" : "\n");
  }
  if (common != nullptr) {
    page.text += fmt::format("\n## {}\n\n", common->summary());
    page.Fields(*common, "");
  }
  return page.text;
}

}  // namespace headrace::spec
