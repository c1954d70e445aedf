// Types and parameter values for DuckDB, made from text.
#include <fmt/format.h>

#include <charconv>

#include "base/clock.h"
#include "data/duck_internal.h"

namespace headrace::data::internal {
namespace {

struct TypeId {
  std::string_view name;
  duckdb_type id;
};
constexpr TypeId kIds[] = {
    {"BOOLEAN", DUCKDB_TYPE_BOOLEAN},
    {"TINYINT", DUCKDB_TYPE_TINYINT},
    {"SMALLINT", DUCKDB_TYPE_SMALLINT},
    {"INTEGER", DUCKDB_TYPE_INTEGER},
    {"BIGINT", DUCKDB_TYPE_BIGINT},
    {"UTINYINT", DUCKDB_TYPE_UTINYINT},
    {"USMALLINT", DUCKDB_TYPE_USMALLINT},
    {"UINTEGER", DUCKDB_TYPE_UINTEGER},
    {"UBIGINT", DUCKDB_TYPE_UBIGINT},
    {"HUGEINT", DUCKDB_TYPE_HUGEINT},
    {"FLOAT", DUCKDB_TYPE_FLOAT},
    {"DOUBLE", DUCKDB_TYPE_DOUBLE},
    {"VARCHAR", DUCKDB_TYPE_VARCHAR},
    {"JSON", DUCKDB_TYPE_VARCHAR},
    {"UUID", DUCKDB_TYPE_UUID},
    {"BLOB", DUCKDB_TYPE_BLOB},
    {"DATE", DUCKDB_TYPE_DATE},
    {"TIME", DUCKDB_TYPE_TIME},
    {"INTERVAL", DUCKDB_TYPE_INTERVAL},
    {"TIMESTAMP", DUCKDB_TYPE_TIMESTAMP},
    {"TIMESTAMP_NS", DUCKDB_TYPE_TIMESTAMP_NS},
    {"TIMESTAMP WITH TIME ZONE", DUCKDB_TYPE_TIMESTAMP_TZ},
};

duckdb_logical_type MakeStruct(const TypeTree& tree) {
  std::vector<duckdb_logical_type> types;
  std::vector<const char*> names;
  for (size_t i = 0; i < tree.children.size(); ++i) {
    duckdb_logical_type child = MakeLogicalType(tree.children[i]);
    if (child == nullptr) break;
    types.push_back(child);
    names.push_back(tree.fields[i].c_str());
  }
  duckdb_logical_type out = nullptr;
  if (types.size() == tree.children.size()) {
    out = duckdb_create_struct_type(types.data(), names.data(), types.size());
  }
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  return out;
}

template <class T>
bool ReadNumber(const std::string& text, T& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

duckdb_value MakeDecimal(const TypeTree& type, const std::string& text) {
  __int128 value = 0;
  size_t at = 0;
  bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) ++at;
  int digits = 0, places = -1;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && places < 0) {
      places = 0;
      continue;
    }
    if (text[at] < '0' || text[at] > '9') return nullptr;
    if (places >= type.scale || ++digits > 38) return nullptr;
    value = value * 10 + (text[at] - '0');
    if (places >= 0) ++places;
  }
  if (digits == 0) return nullptr;
  int have = std::max(places, 0);
  int whole = digits - have;
  if (whole > type.precision - type.scale && whole > 1) return nullptr;
  for (; have < type.scale; ++have) value *= 10;
  if (negative) value = -value;
  duckdb_decimal decimal;
  decimal.width = static_cast<uint8_t>(type.precision);
  decimal.scale = static_cast<uint8_t>(type.scale);
  decimal.value = {static_cast<uint64_t>(value), static_cast<int64_t>(value >> 64)};
  return duckdb_create_decimal(decimal);
}

template <class T, class Make>
duckdb_value MakeInteger(const std::string& text, Make make) {
  T value{};
  return ReadNumber(text, value) ? make(value) : nullptr;
}

duckdb_value MakeTime(const TypeTree& type, const std::string& text) {
  Result<Timestamp> parsed = ParseTimestamp(text);
  if (!parsed.ok()) return nullptr;
  if (type.name == "TIMESTAMP") return duckdb_create_timestamp({*parsed});
  if (type.name == "TIMESTAMP WITH TIME ZONE") return duckdb_create_timestamp_tz({*parsed});
  constexpr int64_t kDay = 86'400'000'000;
  if (*parsed % kDay != 0) return nullptr;
  return duckdb_create_date({static_cast<int32_t>(*parsed / kDay)});
}

}  // namespace

duckdb_logical_type MakeLogicalType(const TypeTree& tree) {
  if (tree.name == "DECIMAL") {
    return duckdb_create_decimal_type(static_cast<uint8_t>(tree.precision),
                                      static_cast<uint8_t>(tree.scale));
  }
  if (tree.name == "STRUCT") return MakeStruct(tree);
  if (tree.name == "LIST" || tree.name == "MAP") {
    std::vector<duckdb_logical_type> children;
    for (const TypeTree& child : tree.children) {
      duckdb_logical_type type = MakeLogicalType(child);
      if (type != nullptr) children.push_back(type);
    }
    duckdb_logical_type out = nullptr;
    if (children.size() == tree.children.size()) {
      out = tree.name == "LIST" ? duckdb_create_list_type(children[0])
                                : duckdb_create_map_type(children[0], children[1]);
    }
    for (duckdb_logical_type& child : children) duckdb_destroy_logical_type(&child);
    return out;
  }
  for (const TypeId& known : kIds) {
    if (tree.name == known.name) return duckdb_create_logical_type(known.id);
  }
  return nullptr;
}

duckdb_value MakeValue(const TypeTree& type, const std::string& text) {
  const std::string& name = type.name;
  if (name == "VARCHAR") return duckdb_create_varchar_length(text.data(), text.size());
  if (name == "BOOLEAN") {
    if (text == "true" || text == "false") return duckdb_create_bool(text == "true");
    return nullptr;
  }
  if (name == "TINYINT") return MakeInteger<int8_t>(text, duckdb_create_int8);
  if (name == "SMALLINT") return MakeInteger<int16_t>(text, duckdb_create_int16);
  if (name == "INTEGER") return MakeInteger<int32_t>(text, duckdb_create_int32);
  if (name == "BIGINT") return MakeInteger<int64_t>(text, duckdb_create_int64);
  if (name == "UTINYINT") return MakeInteger<uint8_t>(text, duckdb_create_uint8);
  if (name == "USMALLINT") return MakeInteger<uint16_t>(text, duckdb_create_uint16);
  if (name == "UINTEGER") return MakeInteger<uint32_t>(text, duckdb_create_uint32);
  if (name == "UBIGINT") return MakeInteger<uint64_t>(text, duckdb_create_uint64);
  if (name == "FLOAT") return MakeInteger<float>(text, duckdb_create_float);
  if (name == "DOUBLE") return MakeInteger<double>(text, duckdb_create_double);
  if (name == "DECIMAL") return MakeDecimal(type, text);
  if (name == "DATE" || name == "TIMESTAMP" || name == "TIMESTAMP WITH TIME ZONE") {
    return MakeTime(type, text);
  }
  return nullptr;
}

}  // namespace headrace::data::internal
