#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "yaml/node.h"

namespace headrace::spec {

/// A value of any YAML type: what `accepted: {values: […]}`, a parameter's default or the rows of a
/// test may hold. Unquoted scalars are typed by the core schema; dates stay text.
class Value {
 public:
  enum class Kind { kNull, kBool, kInt, kDouble, kString, kList, kMap };
  using List = std::vector<Value>;
  using Map = std::vector<std::pair<std::string, Value>>;  // in the order of the file

  Value() = default;
  Value(bool v) : data_(v) {}                           // NOLINT: implicit
  Value(int v) : data_(static_cast<int64_t>(v)) {}      // NOLINT: implicit
  Value(int64_t v) : data_(v) {}                        // NOLINT: implicit
  Value(double v) : data_(v) {}                         // NOLINT: implicit
  Value(const char* v) : data_(std::string(v)) {}       // NOLINT: implicit
  Value(std::string_view v) : data_(std::string(v)) {}  // NOLINT: implicit
  Value(std::string v) : data_(std::move(v)) {}         // NOLINT: implicit
  Value(List v) : data_(std::move(v)) {}                // NOLINT: implicit
  Value(Map v) : data_(std::move(v)) {}                 // NOLINT: implicit

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool IsNull() const { return kind() == Kind::kNull; }
  bool IsNumber() const { return kind() == Kind::kInt || kind() == Kind::kDouble; }
  /// Each needs the value to be of that kind (Number: kInt or kDouble).
  bool Bool() const { return std::get<bool>(data_); }
  int64_t Int() const { return std::get<int64_t>(data_); }
  double Number() const;
  const std::string& String() const { return std::get<std::string>(data_); }
  const List& Items() const { return std::get<List>(data_); }
  const Map& Entries() const { return std::get<Map>(data_); }
  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Map> data_;
};

Value ValueOf(const yaml::Node& node);
/// One line of JSON; inf and nan become the strings ".inf", "-.inf", ".nan".
std::string ToJson(const Value& value);
/// A tree without places, for defaults that go through the parser.
yaml::Node ToYaml(const Value& value);

/// "2 days", "15 minutes", "1 month", "1 year 6 months". Months have no fixed length, so they are
/// kept apart.
struct Duration {
  std::string text;  ///< as written; empty = not given
  int months = 0;
  int64_t micros = 0;
  friend bool operator==(const Duration& a, const Duration& b) {
    return a.months == b.months && a.micros == b.micros;
  }
};
Result<Duration> ParseDurationText(std::string_view text);

/// "10%" or "500": a share or a count.
struct Amount {
  double value = 0;       ///< 0.10 for "10%", 500 for "500"
  bool relative = false;  ///< written with %
  friend bool operator==(const Amount&, const Amount&) = default;
};
Result<Amount> ParseAmount(std::string_view text);

}  // namespace headrace::spec
