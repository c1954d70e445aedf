#include "data/value.h"

#include <fmt/format.h>

#include <cmath>

namespace headrace::data {

bool Value::AsBool() const {
  if (const bool* b = std::get_if<bool>(&value)) return *b;
  if (const int64_t* i = std::get_if<int64_t>(&value)) return *i != 0;
  if (const double* d = std::get_if<double>(&value)) return *d != 0;
  return false;
}

int64_t Value::AsInt64() const {
  if (const bool* b = std::get_if<bool>(&value)) return *b ? 1 : 0;
  if (const int64_t* i = std::get_if<int64_t>(&value)) return *i;
  if (const double* d = std::get_if<double>(&value)) {
    if (std::isnan(*d)) return 0;
    if (*d >= 0x1p63) return INT64_MAX;
    if (*d < -0x1p63) return INT64_MIN;
    return static_cast<int64_t>(*d);
  }
  return 0;
}

double Value::AsDouble() const {
  if (const double* d = std::get_if<double>(&value)) return *d;
  return static_cast<double>(AsInt64());
}

std::string Value::Text(const std::string& null_text) const {
  if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const int64_t* i = std::get_if<int64_t>(&value)) return fmt::format("{}", *i);
  if (const double* d = std::get_if<double>(&value)) return fmt::format("{}", *d);
  if (const std::string* s = std::get_if<std::string>(&value)) return *s;
  return null_text;
}

}  // namespace headrace::data
