#include "spec/value.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "spec/json_value.h"

namespace headrace::spec {
namespace {

constexpr std::string_view kDurationHint = "write a number and a unit: '2 days', '1 month'";

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

/// Months per unit, 0 for units of fixed length.
int MonthsOf(std::string_view unit) {
  if (unit == "month" || unit == "months") return 1;
  return unit == "year" || unit == "years" ? 12 : 0;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Error BadDuration(std::string_view text) {
  return UserError("bad_duration", fmt::format("'{}' is no duration", text))
      .Subject(std::string(text))
      .Hint(std::string(kDurationHint));
}

}  // namespace

double Value::Number() const {
  return kind() == Kind::kInt ? static_cast<double>(Int()) : std::get<double>(data_);
}

Value ValueOf(const yaml::Node& node) {
  switch (node.kind) {
    case yaml::Kind::kNull:
      return {};
    case yaml::Kind::kList: {
      Value::List items;
      for (const yaml::Node& item : node.items) items.push_back(ValueOf(item));
      return items;
    }
    case yaml::Kind::kMap: {
      Value::Map entries;
      for (const yaml::Entry& entry : node.entries) {
        entries.emplace_back(entry.key.text, ValueOf(entry.value));
      }
      return entries;
    }
    case yaml::Kind::kScalar:
      break;
  }
  switch (yaml::TypeOf(node)) {
    case yaml::ScalarType::kBool:
      return *yaml::AsBool(node);
    case yaml::ScalarType::kInt:
      return *yaml::AsInt(node);
    case yaml::ScalarType::kFloat:
      if (const auto number = yaml::AsDouble(node)) return *number;
      return node.text;  // a number no double holds stays as it was written
    default:
      return node.text;
  }
}

Json JsonOf(double number) {
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  return number;
}

Json JsonOf(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return nullptr;
    case Value::Kind::kBool:
      return value.Bool();
    case Value::Kind::kInt:
      return value.Int();
    case Value::Kind::kDouble:
      return JsonOf(value.Number());
    case Value::Kind::kString:
      return value.String();
    case Value::Kind::kList: {
      auto list = Json::array();
      for (const Value& item : value.Items()) list.push_back(JsonOf(item));
      return list;
    }
    case Value::Kind::kMap: {
      auto map = Json::object();
      for (const auto& [key, item] : value.Entries()) map[key] = JsonOf(item);
      return map;
    }
  }
  return nullptr;
}

std::string ToJson(const Value& value) {
  return JsonOf(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

yaml::Node ToYaml(const Value& value) {
  yaml::Node node;
  switch (value.kind()) {
    case Value::Kind::kNull:
      node.text = "null";
      return node;
    case Value::Kind::kString:
      return yaml::MakeScalar(value.String(), true);
    case Value::Kind::kList:
      node.kind = yaml::Kind::kList;
      for (const Value& item : value.Items()) node.items.push_back(ToYaml(item));
      return node;
    case Value::Kind::kMap:
      node.kind = yaml::Kind::kMap;
      for (const auto& [key, item] : value.Entries()) {
        node.entries.push_back({yaml::MakeScalar(key, true), ToYaml(item)});
      }
      return node;
    case Value::Kind::kDouble:
      if (!std::isfinite(value.Number())) {
        return yaml::MakeScalar(JsonOf(value.Number()).get<std::string>(), false);
      }
      [[fallthrough]];
    default:
      return yaml::MakeScalar(ToJson(value), false);
  }
}

Result<Duration> ParseDurationText(std::string_view text) {
  Duration duration{std::string(Trimmed(text)), 0, 0};
  // Months and years are taken out here, pair by pair; the rest goes to ParseDuration.
  std::string rest;
  std::string_view left = duration.text;
  while (!left.empty()) {
    const size_t number_end = left.find_first_not_of("0123456789.");
    if (number_end == 0 || number_end == std::string_view::npos) return BadDuration(text);
    const std::string_view number = left.substr(0, number_end);
    left = Trimmed(left.substr(number_end));
    size_t unit_end = 0;
    while (unit_end < left.size() && left[unit_end] != ' ' && !IsDigit(left[unit_end])) ++unit_end;
    const std::string_view unit = left.substr(0, unit_end);
    left = Trimmed(left.substr(unit_end));
    const int months = MonthsOf(unit);
    if (months == 0) {
      rest += fmt::format("{}{} {}", rest.empty() ? "" : " ", number, unit);
      continue;
    }
    int count = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc() || end != number.data() + number.size() || count > 12'000) {
      return BadDuration(text);
    }
    duration.months += count * months;
  }
  if (duration.text.empty()) return BadDuration(text);
  if (!rest.empty()) {
    const Result<int64_t> micros = ParseDuration(rest);
    if (!micros.ok()) return BadDuration(text).Cause(micros.error());
    duration.micros = *micros;
  }
  return duration;
}

Result<Amount> ParseAmount(std::string_view text) {
  const std::string_view trimmed = Trimmed(text);
  const bool relative = trimmed.ends_with('%');
  const std::string_view digits =
      Trimmed(relative ? trimmed.substr(0, trimmed.size() - 1) : trimmed);
  const auto number = yaml::AsDouble(yaml::MakeScalar(std::string(digits), false));
  if (!number || !std::isfinite(*number)) {
    return UserError("bad_amount", fmt::format("'{}' is no amount", text))
        .Subject(std::string(text))
        .Hint("write a number, or a share such as '10%'");
  }
  return Amount{relative ? *number / 100 : *number, relative};
}

}  // namespace headrace::spec
