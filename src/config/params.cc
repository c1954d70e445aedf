#include "config/params.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"

namespace headrace::config {
namespace {

struct TypeWords {
  const char *expected, *example;
};

TypeWords WordsOf(ParamType type) {
  switch (type) {
    case ParamType::kBool:
      return {"true or false", "true"};
    case ParamType::kInt:
      return {"a whole number", "12"};
    case ParamType::kDouble:
      return {"a number", "0.5"};
    case ParamType::kString:
      return {"text", "abc"};
    case ParamType::kDate:
      return {"a date", "2026-01-31"};
    case ParamType::kTimestamp:
      return {"a time", "2026-01-31T09:30:00Z"};
  }
  return {"", ""};
}

Error BadParam(ParamType type, std::string_view found) {
  const TypeWords words = WordsOf(type);
  return UserError("bad_param", fmt::format("expected {}, found '{}'", words.expected, found))
      .Subject(std::string(found))
      .Hint(fmt::format("for example {}", words.example));
}

constexpr int64_t kDay = 86'400'000'000;

Result<ParamValue> ParseTime(ParamType type, std::string_view text) {
  const Result<Timestamp> time = ParseTimestamp(text);
  if (!time.ok()) return BadParam(type, text).Cause(time.error());
  ParamValue value{type, {}, *time};
  const std::string full = FormatTimestamp(*time);
  if (type == ParamType::kDate) {
    if (*time % kDay != 0 || text.size() > 10) return BadParam(type, text);
    value.value = full.substr(0, full.find('T'));
  } else {
    value.value = full;
  }
  return value;
}

/// Takes values over the defaults; what is left without a value is a fault.
class Resolver {
 public:
  Resolver(const std::map<std::string, Param>& params, Diagnostics& diagnostics)
      : params_(params), diagnostics_(diagnostics) {}

  /// nullptr (and a fault) when there is no such parameter.
  const Param* Find(const std::string& name, const Place& place) {
    const auto found = params_.find(name);
    if (found != params_.end()) return &found->second;
    if (IsReservedParam(name)) {
      diagnostics_.Add(UserError("reserved_param",
                                 fmt::format("'{}' is set by Headrace, not as a parameter", name))
                           .At(place)
                           .Subject(name)
                           .Hint(name == "run_time" ? "it is the time at which the run began"
                                                    : "use the flags --from and --to of 'run'"));
      return nullptr;
    }
    std::vector<std::string> names;
    for (const auto& [known, param] : params_) names.push_back(known);
    Error error = UserError("unknown_param", fmt::format("there is no parameter '{}'", name))
                      .At(place)
                      .Subject(name)
                      .Candidates(Suggest(name, names));
    error.Hint(names.empty() ? "headrace.yml declares none below params:"
                             : fmt::format("one of {}", fmt::join(names, ", ")));
    diagnostics_.Add(std::move(error));
    return nullptr;
  }

  void Set(const std::string& name, Result<ParamValue> value, const Place& place) {
    if (!value.ok()) {
      Error error = std::move(value).error();
      error.message = fmt::format("parameter '{}': {}", name, error.message);
      diagnostics_.Add(std::move(error.At(place)));
      failed_.push_back(name);
    } else if (!values_.emplace(name, *std::move(value)).second) {
      diagnostics_.Add(
          UserError("duplicate_param", fmt::format("parameter '{}' is given twice", name))
              .At(place)
              .Subject(name));
    }
  }

  ParamValues Finish() {
    for (const auto& [name, param] : params_) {
      if (values_.contains(name)) continue;
      if (std::find(failed_.begin(), failed_.end(), name) != failed_.end()) continue;
      if (!param.default_value.IsNull()) {
        Result<ParamValue> value = ToParam(param.type, param.default_value);
        if (value.ok()) values_.emplace(name, *std::move(value));
        continue;  // a bad default is reported where it stands
      }
      diagnostics_.Add(
          UserError("missing_param",
                    fmt::format("parameter '{}' has no value and no default", name))
              .Subject(name)
              .Hint(fmt::format("give it one: --param {}={}", name, WordsOf(param.type).example)));
    }
    return std::move(values_);
  }

 private:
  const std::map<std::string, Param>& params_;
  Diagnostics& diagnostics_;
  ParamValues values_;
  std::vector<std::string> failed_;
};

}  // namespace

const spec::Options& SpecOptions(ParamType*) {
  static const spec::Options options = {
      {"bool", "true or false", static_cast<int64_t>(ParamType::kBool)},
      {"int", "A whole number of 64 bits.", static_cast<int64_t>(ParamType::kInt)},
      {"double", "A number.", static_cast<int64_t>(ParamType::kDouble)},
      {"string", "Text.", static_cast<int64_t>(ParamType::kString)},
      {"date", "A day: 2026-01-31.", static_cast<int64_t>(ParamType::kDate)},
      {"timestamp", "A time: 2026-01-31T09:30:00Z; UTC unless it says so.",
       static_cast<int64_t>(ParamType::kTimestamp)}};
  return options;
}

const spec::Spec& Param::Describe() {
  using spec::Field;
  static const spec::Spec spec =
      spec::Spec{"",
                 "parameter",
                 "A parameter: $name in SQL.",
                 {Field("type", &Param::type, "Its type."),
                  Field("default", &Param::default_value, "Value unless --param gives one.")
                      .Optional()
                      .Example("2026-01-01"),
                  Field("description", &Param::description, "What it is for.")
                      .Optional()
                      .Affects(spec::Affects::kNothing)}}
          .Rule<Param>([](const Param& param) -> std::optional<spec::Fault> {
            if (param.default_value.IsNull()) return std::nullopt;
            const Result<ParamValue> value = ToParam(param.type, param.default_value);
            if (value.ok()) return std::nullopt;
            return spec::Fault{"default", value.error().message, value.error().hint};
          });
  return spec;
}

bool IsReservedParam(std::string_view name) {
  return name == "from" || name == "to" || name == "run_time";
}

Result<ParamValue> ParseParam(ParamType type, std::string_view text) {
  const yaml::Node scalar = yaml::MakeScalar(std::string(text), false);
  switch (type) {
    case ParamType::kBool:
      if (const auto value = yaml::AsBool(scalar)) return ParamValue{type, *value, 0};
      return BadParam(type, text);
    case ParamType::kInt:
      if (const auto value = yaml::AsInt(scalar)) return ParamValue{type, *value, 0};
      return BadParam(type, text);
    case ParamType::kDouble:
      if (const auto value = yaml::AsDouble(scalar)) return ParamValue{type, *value, 0};
      return BadParam(type, text);
    case ParamType::kString:
      return ParamValue{type, text, 0};
    case ParamType::kDate:
    case ParamType::kTimestamp:
      return ParseTime(type, text);
  }
  return BadParam(type, text);
}

Result<ParamValue> ToParam(ParamType type, const spec::Value& value) {
  using Kind = spec::Value::Kind;
  switch (type) {
    case ParamType::kBool:
      if (value.kind() == Kind::kBool) return ParamValue{type, value, 0};
      break;
    case ParamType::kInt:
      if (value.kind() == Kind::kInt) return ParamValue{type, value, 0};
      break;
    case ParamType::kDouble:
      if (value.IsNumber()) return ParamValue{type, value.Number(), 0};
      break;
    case ParamType::kString:
      if (value.kind() == Kind::kString) return ParamValue{type, value, 0};
      if (value.kind() != Kind::kList && value.kind() != Kind::kMap && !value.IsNull()) {
        return BadParam(type, ToJson(value)).Hint("put it in quotes");
      }
      break;
    case ParamType::kDate:
    case ParamType::kTimestamp:
      if (value.kind() == Kind::kString) return ParseTime(type, value.String());
      break;
  }
  return BadParam(type, value.kind() == Kind::kString ? value.String() : ToJson(value));
}

ParamValues ResolveParams(const std::map<std::string, Param>& params,
                          const std::vector<std::string>& given, Diagnostics& diagnostics) {
  Resolver resolver(params, diagnostics);
  for (const std::string& text : given) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      diagnostics.Add(UserError("bad_param", fmt::format("--param {} has no name=value", text))
                          .Subject(text)
                          .Hint("write --param name=value"));
      continue;
    }
    const std::string name = text.substr(0, equals);
    if (const Param* param = resolver.Find(name, {})) {
      resolver.Set(name, ParseParam(param->type, text.substr(equals + 1)), {});
    }
  }
  return resolver.Finish();
}

ParamValues ResolveParams(const std::map<std::string, Param>& params,
                          const std::map<std::string, spec::Value>& given, const Place& place,
                          Diagnostics& diagnostics) {
  Resolver resolver(params, diagnostics);
  for (const auto& [name, value] : given) {
    if (const Param* param = resolver.Find(name, place)) {
      resolver.Set(name, ToParam(param->type, value), place);
    }
  }
  return resolver.Finish();
}

}  // namespace headrace::config
