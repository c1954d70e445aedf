#pragma once
// Parameters of a project: $name in SQL, --param name=value.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/result.h"
#include "spec/spec.h"

namespace headrace::config {

enum class ParamType { kBool, kInt, kDouble, kString, kDate, kTimestamp };
const spec::Options& SpecOptions(ParamType*);

/// A typed value. kBool, kInt, kDouble, kString: as `value`. kDate, kTimestamp: `value` is the
/// normal text ("2026-01-31", "2026-01-31T09:30:00Z") and `micros` the time since 1970 in UTC.
struct ParamValue {
  ParamType type = ParamType::kString;
  spec::Value value;
  Timestamp micros = 0;
  friend bool operator==(const ParamValue&, const ParamValue&) = default;
};

/// An entry of `params:` in headrace.yml.
struct Param {
  ParamType type = ParamType::kString;
  spec::Value default_value;  ///< null: must be given
  std::string description;
  static const spec::Spec& Describe();
};

using ParamValues = std::map<std::string, ParamValue>;

/// "true", "12", "2026-01-31" … as that type. Error "bad_param" says what was expected.
Result<ParamValue> ParseParam(ParamType type, std::string_view text);
/// A value from YAML (default, or `params:` of a test).
Result<ParamValue> ToParam(ParamType type, const spec::Value& value);

/// Defaults overridden by `given` ("k=v" texts of --param). Faults: unknown_param (with
/// suggestions), reserved_param (from, to, run_time), missing_param, bad_param.
ParamValues ResolveParams(const std::map<std::string, Param>& params,
                          const std::vector<std::string>& given, Diagnostics& diagnostics);
/// The same with values that are typed by YAML.
ParamValues ResolveParams(const std::map<std::string, Param>& params,
                          const std::map<std::string, spec::Value>& given, const Place& place,
                          Diagnostics& diagnostics);

bool IsReservedParam(std::string_view name);

}  // namespace headrace::config
