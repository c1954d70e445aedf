// Scalars: the one place where YAML's text becomes a number, a word of an option, a duration.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "spec/reader.h"

namespace headrace::spec {
namespace {

bool IsText(Shape shape) { return shape == Shape::kString; }

const Option* FindOption(const Options& options, std::string_view name) {
  for (const Option& option : options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

}  // namespace

std::optional<yaml::Node> Reader::Expanded(const yaml::Node& node, const std::string& path) {
  if (!node.IsScalar() || !NeedsExpansion(node.text)) return node;
  if (unexpanded_ != nullptr) (*unexpanded_)[path] = node.text;
  if (context_.expander == nullptr) {
    pending_ = true;
    return std::nullopt;
  }
  Result<std::string> text = context_.expander->Expand(node.text);
  if (!text.ok()) {
    Add(std::move(text).error(), node);
    return std::nullopt;
  }
  yaml::Node copy = node;
  copy.text = *std::move(text);
  return copy;
}

Value Reader::ExpandedValue(const yaml::Node& node, const std::string& path) {
  if (node.IsList()) {
    Value::List items;
    for (size_t i = 0; i < node.items.size(); ++i) {
      items.push_back(ExpandedValue(node.items[i], fmt::format("{}[{}]", path, i)));
    }
    return items;
  }
  if (node.IsMap()) {
    Value::Map entries;
    for (const yaml::Entry& entry : node.entries) {
      entries.emplace_back(entry.key.text, ExpandedValue(entry.value, path + "." + entry.key.text));
    }
    return entries;
  }
  if (!node.IsScalar() || !NeedsExpansion(node.text)) return ValueOf(node);
  const auto expanded = Expanded(node, path);
  return expanded ? expanded->text : node.text;  // always text: it can't become something else
}

bool Reader::ReadScalar(const TypeOps& ops, const Field& field, const yaml::Node& node,
                        void* target, const std::string& path) {
  if (!node.IsScalar()) {
    const bool null = node.IsNull();
    WrongType(ops, field, node, path, null ? "give it a value or remove the line" : "");
    return false;
  }
  const size_t before = ErrorCount();
  std::optional<yaml::Node> scalar = Expanded(node, path);
  if (!scalar) {
    if (ErrorCount() != before) return false;
    // Waiting: a text keeps its ${…}, anything else its default.
    if (IsText(ops.shape)) *static_cast<std::string*>(target) = node.text;
    return true;
  }
  const bool replaced = scalar->text != node.text || NeedsExpansion(node.text);
  if (replaced && !IsText(ops.shape)) scalar->quoted = false;  // port: "${PORT}" is a number
  switch (ops.shape) {
    case Shape::kBool:
      if (const auto value = yaml::AsBool(*scalar)) {
        *static_cast<bool*>(target) = *value;
        return true;
      }
      WrongType(ops, field, replaced ? node : *scalar, path,
                scalar->quoted ? "remove the quotes" : "write true or false");
      return false;
    case Shape::kInt:
      return ReadInt(ops, field, *scalar, target, path);
    case Shape::kDouble:
      return ReadNumber(field, *scalar, static_cast<double*>(target), path);
    case Shape::kEnum:
      return ReadEnum(ops, *scalar, field, target, path);
    case Shape::kDuration:
    case Shape::kAmount:
      return ReadSpan(ops, field, *scalar, target, path);
    default:
      return ReadText(field, *scalar, static_cast<std::string*>(target), path, !replaced);
  }
}

bool Reader::ReadText(const Field& field, const yaml::Node& node, std::string* target,
                      const std::string& path, bool literal) {
  *target = node.text;
  if ((field.not_empty() || field.is_name()) && node.text.empty()) {
    Add(UserError("missing_value", fmt::format("{} is empty", SubjectAt(path)))
            .Hint("give it a value or remove the line"),
        node);
    return false;
  }
  if (!field.options().empty() && FindOption(field.options(), node.text) == nullptr) {
    BadOption(field, field.options(), node, path);
    return false;
  }
  if (literal && field.secret() && !node.text.empty() && node.mark.line > 0) {
    LiteralSecret(node, path);
  }
  return true;
}

void Reader::LiteralSecret(const yaml::Node& node, const std::string& path) {
  if (context_.redactor != nullptr) RegisterSecret(*context_.redactor, node.text);
  // An address without a user needs no hiding.
  const bool address = node.text.find("://") != std::string::npos;
  if (address && node.text.find('@') == std::string::npos) return;
  Error warning =
      UserError("literal_secret", fmt::format("{} stands in the file itself", SubjectAt(path)))
          .At(yaml::PlaceOf(node))
          .Hint("write ${NAME} and set NAME in the environment or in .env")
          .As(Severity::kWarning);
  warning.place.source_line.clear();  // it would show the secret
  Add(std::move(warning), node);
}

bool Reader::InRange(const Field& field, double number, const yaml::Node& node,
                     const std::string& path) {
  const bool low =
      field.low() && (field.low_open() ? number <= *field.low() : number < *field.low());
  const bool high = field.high() && number > *field.high();
  if (!low && !high && !(std::isnan(number) && (field.low() || field.high()))) return true;
  std::string expected;
  if (field.low() && field.high() && !field.low_open()) {
    expected = fmt::format("between {} and {}", *field.low(), *field.high());
  } else if (field.low() && field.high()) {
    expected = fmt::format("above {} and at most {}", *field.low(), *field.high());
  } else if (field.low()) {
    expected = fmt::format("{} {}", field.low_open() ? "above" : "at least", *field.low());
  } else {
    expected = fmt::format("at most {}", *field.high());
  }
  Add(UserError("out_of_range",
                fmt::format("{} must be {}, found {}", SubjectAt(path), expected, node.text))
          .Subject(node.text),
      node);
  return false;
}

bool Reader::ReadInt(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                     const std::string& path) {
  const std::optional<int64_t> value = yaml::AsInt(node);
  if (!value) {
    const bool quoted = node.quoted && yaml::AsInt(yaml::MakeScalar(node.text, false));
    WrongType(ops, field, node, path, quoted ? "remove the quotes" : "");
    return false;
  }
  const bool fits = ops.bits == 64 || (*value >= std::numeric_limits<int32_t>::min() &&
                                       *value <= std::numeric_limits<int32_t>::max());
  if (!fits) {
    Add(UserError("out_of_range", fmt::format("{} is too large: {}", SubjectAt(path), node.text))
            .Subject(node.text),
        node);
    return false;
  }
  if (!InRange(field, static_cast<double>(*value), node, path)) return false;
  ops.set_int(target, *value);
  return true;
}

bool Reader::ReadNumber(const Field& field, const yaml::Node& node, double* target,
                        const std::string& path) {
  std::optional<double> value = yaml::AsDouble(node);
  if (!value && field.percent() && node.text.ends_with('%')) {
    if (const auto amount = ParseAmount(node.text); amount.ok()) value = amount->value;
  }
  if (!value) {
    const bool quoted = node.quoted && yaml::AsDouble(yaml::MakeScalar(node.text, false));
    WrongType(OpsOf<double>(), field, node, path, quoted ? "remove the quotes" : "");
    return false;
  }
  if (!InRange(field, *value, node, path)) return false;
  *target = *value;
  return true;
}

bool Reader::ReadEnum(const TypeOps& ops, const yaml::Node& node, const Field& field, void* target,
                      const std::string& path) {
  const Option* option = FindOption(ops.options(), node.text);
  if (option == nullptr) {
    BadOption(field, ops.options(), node, path);
    return false;
  }
  ops.set_int(target, option->value);
  return true;
}

bool Reader::ReadSpan(const TypeOps& ops, const Field& field, const yaml::Node& node, void* target,
                      const std::string& path) {
  if (ops.shape == Shape::kDuration) {
    Result<Duration> duration = ParseDurationText(node.text);
    if (duration.ok()) {
      *static_cast<Duration*>(target) = *std::move(duration);
      return true;
    }
  } else {
    const Result<Amount> amount = ParseAmount(node.text);
    if (amount.ok() && !InRange(field, amount->value, node, path)) return false;
    if (amount.ok()) {
      *static_cast<Amount*>(target) = *amount;
      return true;
    }
  }
  WrongType(ops, field, node, path);
  return false;
}

}  // namespace headrace::spec
