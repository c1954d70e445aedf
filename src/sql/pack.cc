// ParsedSelect and Description as JSON, for caches: a warm `lint` opens no DuckDB.
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "sql/describe.h"
#include "sql/select.h"

namespace headrace::sql {
namespace {

Json PackSpan(Span span) { return Json::array({span.offset, span.length}); }
Span UnpackSpan(const Json& json) { return {json.at(0), json.at(1)}; }

Json PackError(const Error& error) {
  const Place& place = error.place;
  return {{"code", error.code},
          {"message", error.message},
          {"blame", static_cast<int>(error.blame)},
          {"severity", static_cast<int>(error.severity)},
          {"place", Json::array({place.file, place.line, place.column, place.length,
                                 place.source_line, place.node})},
          {"subject", error.subject},
          {"candidates", error.candidates},
          {"hint", error.hint}};
}

Error UnpackError(const Json& json) {
  Error error(static_cast<Blame>(json.at("blame").get<int>()), json.at("code"), json.at("message"));
  error.severity = static_cast<Severity>(json.at("severity").get<int>());
  const Json& place = json.at("place");
  error.place.file = place.at(0);
  error.place.line = place.at(1);
  error.place.column = place.at(2);
  error.place.length = place.at(3);
  error.place.source_line = place.at(4);
  error.place.node = place.at(5);
  error.subject = json.at("subject");
  error.candidates = json.at("candidates").get<std::vector<std::string>>();
  error.hint = json.at("hint");
  return error;
}

template <class T, class Pack>
Json PackAll(const std::vector<T>& all, Pack pack) {
  Json list = Json::array();
  for (const T& one : all) list.push_back(pack(one));
  return list;
}

template <class T, class Unpack>
std::vector<T> UnpackAll(const Json& list, Unpack unpack) {
  std::vector<T> all;
  for (const Json& one : list) all.push_back(unpack(one));
  return all;
}

Json PackSum(const DoubleSum& sum) {
  return Json::array({sum.function, sum.columns, sum.makes_double, PackSpan(sum.span)});
}

Json PackAsJson(const ParsedSelect& select) {
  return {{"version", kSelectVersion},
          {"tables", PackAll(select.tables,
                             [](const NameUse& use) {
                               return Json::array({use.name, use.written, PackSpan(use.span)});
                             })},
          {"inputs", select.inputs},
          {"parameters", PackAll(select.parameters,
                                 [](const ParameterUse& use) {
                                   return Json::array({use.name, PackSpan(use.span)});
                                 })},
          {"parameter_names", select.parameter_names},
          {"functions", PackAll(select.functions,
                                [](const FunctionUse& use) {
                                  return Json::array({use.name, PackSpan(use.span)});
                                })},
          {"uses_volatile", select.uses_volatile},
          {"canonical", Json::array({select.canonical.low, select.canonical.high})},
          {"faults", PackAll(select.faults, PackError)},
          {"hints", PackAll(select.hints, PackError)},
          {"sums", PackAll(select.sums, PackSum)}};
}

ParsedSelect UnpackJson(const Json& json) {
  ParsedSelect select;
  select.tables = UnpackAll<NameUse>(json.at("tables"), [](const Json& use) {
    return NameUse{use.at(0), use.at(1), UnpackSpan(use.at(2))};
  });
  select.inputs = json.at("inputs").get<std::vector<std::string>>();
  select.parameters = UnpackAll<ParameterUse>(json.at("parameters"), [](const Json& use) {
    return ParameterUse{use.at(0), UnpackSpan(use.at(1))};
  });
  select.parameter_names = json.at("parameter_names").get<std::vector<std::string>>();
  select.functions = UnpackAll<FunctionUse>(json.at("functions"), [](const Json& use) {
    return FunctionUse{use.at(0), UnpackSpan(use.at(1))};
  });
  select.uses_volatile = json.at("uses_volatile");
  select.canonical = {json.at("canonical").at(0), json.at("canonical").at(1)};
  select.faults = UnpackAll<Error>(json.at("faults"), UnpackError);
  select.hints = UnpackAll<Error>(json.at("hints"), UnpackError);
  select.sums = UnpackAll<DoubleSum>(json.at("sums"), [](const Json& sum) {
    return DoubleSum{sum.at(0), sum.at(1).get<std::vector<std::string>>(), sum.at(2),
                     UnpackSpan(sum.at(3))};
  });
  return select;
}

}  // namespace

std::string PackSelect(const ParsedSelect& select) {
  return PackAsJson(select).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ParsedSelect> UnpackSelect(std::string_view packed) {
  const Json json = Json::parse(packed, nullptr, false);
  try {  // a cache may hold anything; nlohmann's accessors throw
    if (json.is_object() && json.at("version") == kSelectVersion) return UnpackJson(json);
  } catch (const Json::exception&) {
  }
  return SystemError("bad_cache", "a cached parse can't be read");
}

std::string PackDescription(const Description& description) {
  const Json json{{"version", kSelectVersion},
                  {"schema", data::ToJson(description.schema)},
                  {"hints", PackAll(description.hints, PackError)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Description> UnpackDescription(std::string_view packed) {
  const Json json = Json::parse(packed, nullptr, false);
  try {
    if (json.is_object() && json.at("version") == kSelectVersion) {
      HR_ASSIGN(data::Schema schema, data::SchemaFromJson(json.at("schema")));
      return Description{std::move(schema), UnpackAll<Error>(json.at("hints"), UnpackError)};
    }
  } catch (const Json::exception&) {
  }
  return SystemError("bad_cache", "a cached schema can't be read");
}

}  // namespace headrace::sql
