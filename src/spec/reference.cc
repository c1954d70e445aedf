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
    case Shape::kList: {
      const std::string item = TypeText(*ops.element, field);
      return item + (item == "any" ? " value, several" : " or a list of them");
    }
    case Shape::kMap:
      return "map: name → " + TypeText(*ops.element, field);
    case Shape::kComponent:
      return fmt::format("[{0}]({0}.md)", field.component_kind());
    case Shape::kStruct:
      return "map, below";
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
      return field.options().empty() ? std::string(WordOf(field.meaning())) : "word";
    case Shape::kEnum:
      return "word";
    case Shape::kBool:
      return "true, false";
    case Shape::kInt:
      return "whole number";
    case Shape::kDouble:
      return field.percent() ? "number, share" : "number";
    case Shape::kDuration:
      return "duration";
    case Shape::kAmount:
      return "number, share";
    case Shape::kValue:
      return "any";
  }
  return "any";
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

/// A '|' would end the cell, and `<` start a tag.
std::string Cell(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c == '|') out += '\\';
    if (c == '<' && !code) {
      out += "&lt;";
    } else {
      out += c == '\n' ? ' ' : c;
    }
  }
  return out;
}

bool IsPlain(std::string_view text) {
  return !text.empty() && text.find_first_of(":#{}[]&*!|>'\"%@`,?\\\n") == std::string_view::npos &&
         text.front() != ' ' && text.back() != ' ' && text.front() != '-';
}

/// As a person would write it in a file.
std::string Inline(const Value& value) {
  const auto all = [](const auto& items, const auto& text) {
    std::vector<std::string> out;
    for (const auto& item : items) out.push_back(text(item));
    return fmt::format("{}", fmt::join(out, ", "));
  };
  switch (value.kind()) {
    case Value::Kind::kString: {
      // What the core schema reads as something else needs its quotes.
      const bool typed =
          yaml::TypeOf(yaml::MakeScalar(value.String(), false)) != yaml::ScalarType::kString;
      return IsPlain(value.String()) && !typed ? value.String() : ToJson(value);
    }
    case Value::Kind::kList:
      return "[" + all(value.Items(), [](const Value& item) { return Inline(item); }) + "]";
    case Value::Kind::kMap:
      return "{" +
             all(value.Entries(),
                 [](const auto& entry) { return entry.first + ": " + Inline(entry.second); }) +
             "}";
    default:
      return ToJson(value);
  }
}

std::string DefaultText(const Spec& spec, const Field& field) {
  if (field.required()) return "**required**";
  if (field.secret()) return "";
  const std::string text = TextOf(field, spec.Make().get());
  if (text.empty() || text == "null" || text == "[]" || text == "\"\"") return "";
  if (text.starts_with('{')) return "";  // a map's defaults stand at its own fields
  const bool whole =
      text.size() > 2 && text.ends_with(".0") && yaml::AsDouble(yaml::MakeScalar(text, false));
  return "`" + (whole ? text.substr(0, text.size() - 2) : text) + "`";
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
  if (field.example()) add(fmt::format("Example: `{}`.", Inline(*field.example())));
  if (field.tuning()) {
    add(fmt::format("Tuned from {} to {}{}.", field.tuning()->low, field.tuning()->high,
                    field.tuning()->scale == Scale::kLog ? " (log scale)" : ""));
  }
  if (!field.since().empty()) add(fmt::format("Since {}.", field.since()));
  if (!field.deprecated().empty()) add(fmt::format("Deprecated: {}.", field.deprecated()));
  return text;
}

/// What a change of the field makes run again.
std::string_view RerunText(Affects affects) {
  switch (affects) {
    case Affects::kData:
      return "node";
    case Affects::kChecks:
      return "checks";
    case Affects::kPolicy:
    case Affects::kNothing:
      return "–";
  }
  return "";
}

class Page {
 public:
  Page(int level, const ReferenceStyle& style) : level_(level), style_(style) {}

  void Fields(const Spec& spec, const std::string& prefix, Affects outer) {
    if (spec.fields().empty()) {
      if (spec.details().empty()) text += "It has no fields.\n";  // else the details name them
      return;
    }
    const bool reruns = style_.reruns;
    text += reruns ? "| field | type | default | reruns | meaning |\n|---|---|---|---|---|\n"
                   : "| field | type | default | meaning |\n|---|---|---|---|\n";
    for (const bool advanced : {false, true}) {
      for (const Field& field : spec.fields()) {
        if (field.advanced() == advanced) Row(spec, field, prefix, outer);
      }
    }
    Notes(spec, prefix);
    for (const Field& field : spec.fields()) {
      Nested(Inner(field.ops()), field, prefix, field.affects().value_or(outer));
    }
  }

  std::string text;

 private:
  void Row(const Spec& spec, const Field& field, const std::string& prefix, Affects outer) {
    text += fmt::format("| `{}{}` | {} | {} | ", prefix, field.name(),
                        Cell(TypeText(field.ops(), field)), Cell(DefaultText(spec, field)));
    if (style_.reruns) {
      const bool identity_only = spec.kind() == "connection" && !field.identity();
      text += fmt::format("{} | ", identity_only ? RerunText(Affects::kNothing)
                                                 : RerunText(field.affects().value_or(outer)));
    }
    text += Cell(Remarks(field)) + " |\n";
  }

  void Notes(const Spec& spec, const std::string& prefix) {
    for (const Spec::Group& group : spec.groups()) {
      const char* need = group.need == Spec::Group::Need::kExactlyOne   ? "Exactly one"
                         : group.need == Spec::Group::Need::kAtLeastOne ? "At least one"
                                                                        : "At most one";
      text += fmt::format("\n{} of `{}` must be given.\n", need, fmt::join(group.fields, "`, `"));
      if (group.need == Spec::Group::Need::kAtMostOne) {
        text.replace(text.rfind("must"), 4, "may");
      }
    }
    for (const Field& field : spec.fields()) {
      if (field.is_short()) {
        text += fmt::format("\nShort form: a value in place of the map is `{}{}`.\n", prefix,
                            field.name());
      }
    }
    for (const Field& field : spec.fields()) {
      const TypeOps& inner = Inner(field.ops());
      if (!field.options().empty()) OptionLines(field.options(), prefix + field.name());
      if (inner.shape == Shape::kEnum) OptionLines(inner.options(), prefix + field.name());
    }
  }

  void OptionLines(const Options& options, const std::string& name) {
    text += fmt::format("\n`{}` is one of\n\n", name);
    for (const Option& option : options) {
      text += fmt::format("- `{}`{}{}\n", option.name, option.summary.empty() ? "" : ": ",
                          option.summary);
    }
  }

  void Nested(const TypeOps& ops, const Field& field, const std::string& prefix, Affects outer) {
    const std::string path = prefix + field.name();
    if (ops.shape == Shape::kStruct && !ops.spec().fields().empty()) {
      if (std::count(path.begin(), path.end(), '.') > 4) return;  // a struct that holds itself
      text += fmt::format("\n{} {}\n\n{}\n\n", std::string(static_cast<size_t>(level_ + 1), '#'),
                          path, ops.spec().summary().empty() ? field.doc() : ops.spec().summary());
      const bool repeats = ops.element != nullptr;
      Fields(ops.spec(), path + (repeats ? "[]." : "."), outer);
    }
    for (const TypeOps* one : ops.alternatives) Nested(Inner(*one), field, prefix, outer);
  }

  const int level_;
  const ReferenceStyle& style_;
};

}  // namespace

std::string ReferenceMarkdown(const Spec& spec, const ReferenceStyle& style) {
  Page page(style.level, style);
  std::string title = style.title;
  if (title.empty()) {
    title = spec.kind() + (spec.kind().empty() || spec.name().empty() ? "" : ": ") + spec.name();
  }
  page.text = fmt::format("{} {}\n\n{}\n\n", std::string(static_cast<size_t>(style.level), '#'),
                          title, spec.summary());
  for (const std::string& example : spec.examples()) {
    page.text += fmt::format("```yaml\n{}{}```\n\n", example, example.ends_with('\n') ? "" : "\n");
  }
  if (!spec.details().empty()) page.text += spec.details() + "\n\n";
  page.Fields(spec, "", style.affects);
  return page.text;
}

}  // namespace headrace::spec
