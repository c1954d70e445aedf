#include "data/profile.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace headrace::data {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int DigitOf(char c) {
  size_t at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Twelve digits: threads add doubles in another order each time, and that must not show.
double Rounded(double value) { return std::strtod(fmt::format("{:.12g}", value).c_str(), nullptr); }

bool HasDistinct(TypeClass type_class) {
  return type_class != TypeClass::kList && type_class != TypeClass::kStruct &&
         type_class != TypeClass::kMap && type_class != TypeClass::kOther;
}

Json ColumnToJson(const ColumnProfile& column) {
  Json out = {{"name", column.name}, {"type", column.type}, {"nulls", column.nulls}};
  TypeClass type_class = ClassOf(column.type);
  if (type_class == TypeClass::kFloating) out["nans"] = column.nans;
  if (HasDistinct(type_class)) out["distinct"] = column.distinct.Estimate();
  if (column.min_text) out["min"] = *column.min_text;
  if (column.max_text) out["max"] = *column.max_text;
  if (column.min && std::isfinite(*column.min)) out["min_number"] = *column.min;
  if (column.max && std::isfinite(*column.max)) out["max_number"] = *column.max;
  if (column.finite > 0) {
    out["finite"] = column.finite;
    out["mean"] = Rounded(*column.Mean());
    if (column.finite > 1) out["stddev"] = Rounded(*column.StandardDeviation());
  }
  if (column.min_length >= 0) {
    out["min_length"] = column.min_length;
    out["max_length"] = column.max_length;
  }
  std::string sketch = column.distinct.ToText();
  if (!sketch.empty()) out["sketch"] = std::move(sketch);
  return out;
}

template <class T>
void Read(const Json& json, const char* key, T& to) {
  if (json.contains(key) && json[key].is_number()) to = json[key].get<T>();
}

template <class T>
void Read(const Json& json, const char* key, std::optional<T>& to) {
  if (json.contains(key)) to = json[key].get<T>();
}

ColumnProfile ColumnFromJson(const Json& json) {
  ColumnProfile column;
  column.name = json.at("name").get<std::string>();
  column.type = json.at("type").get<std::string>();
  Read(json, "nulls", column.nulls);
  Read(json, "nans", column.nans);
  Read(json, "min", column.min_text);
  Read(json, "max", column.max_text);
  Read(json, "min_number", column.min);
  Read(json, "max_number", column.max);
  Read(json, "finite", column.finite);
  Read(json, "min_length", column.min_length);
  Read(json, "max_length", column.max_length);
  double mean = 0, deviation = 0;
  Read(json, "mean", mean);
  Read(json, "stddev", deviation);
  auto n = static_cast<double>(column.finite);
  column.sum = mean * n;
  if (column.finite > 1) column.m2 = deviation * deviation * (n - 1);
  if (json.contains("sketch")) {
    auto sketch = DistinctSketch::FromText(json["sketch"].get<std::string>());
    if (sketch) column.distinct = *sketch;
  }
  return column;
}

// Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979.
void MergeMoments(ColumnProfile& into, const ColumnProfile& other) {
  if (other.finite == 0) return;
  if (into.finite == 0) {
    into.finite = other.finite;
    into.sum = other.sum;
    into.m2 = other.m2;
    return;
  }
  auto a = static_cast<double>(into.finite), b = static_cast<double>(other.finite);
  double difference = other.sum / b - into.sum / a;
  into.m2 += other.m2 + difference * difference * a * b / (a + b);
  into.sum += other.sum;
  into.finite += other.finite;
}

bool IsLess(const ColumnProfile& a, const std::optional<double>& x, const std::string& x_text,
            const std::optional<double>& y, const std::string& y_text) {
  if (IsNumber(ClassOf(a.type)) || (x && y)) {
    if (x && y) return *x < *y;
  }
  return x_text < y_text;
}

}  // namespace

void DistinctSketch::Merge(const DistinctSketch& other) {
  for (size_t i = 0; i < registers_.size(); ++i) {
    if (other.registers_[i] > registers_[i]) registers_[i] = other.registers_[i];
  }
}

int64_t DistinctSketch::Estimate() const {
  constexpr double kCount = 1 << kBits;
  double sum = 0;
  int zeros = 0;
  for (uint8_t r : registers_) {
    sum += std::ldexp(1.0, -r);
    zeros += r == 0 ? 1 : 0;
  }
  double estimate = 0.7213 / (1 + 1.079 / kCount) * kCount * kCount / sum;
  if (estimate <= 2.5 * kCount && zeros > 0) estimate = kCount * std::log(kCount / zeros);
  return std::llround(estimate);
}

// "d" + one digit per register, or "s" + three digits (index high, index low, value) per register
// that is set.
std::string DistinctSketch::ToText() const {
  size_t set = 0;
  for (uint8_t r : registers_) set += r != 0 ? 1 : 0;
  if (set == 0) return "";
  bool dense = set * 3 > registers_.size();
  std::string out(1, dense ? 'd' : 's');
  for (size_t i = 0; i < registers_.size(); ++i) {
    if (!dense) {
      if (registers_[i] == 0) continue;
      out += kDigits[i >> 6];
      out += kDigits[i & 63];
    }
    out += kDigits[registers_[i] & 63];
  }
  return out;
}

std::optional<DistinctSketch> DistinctSketch::FromText(const std::string& text) {
  DistinctSketch out;
  if (text.empty()) return out;
  std::string_view body = std::string_view(text).substr(1);
  bool dense = text[0] == 'd';
  if (dense ? body.size() != out.registers_.size() : body.size() % 3 != 0) return std::nullopt;
  for (size_t i = 0; i < body.size(); i += dense ? 1 : 3) {
    int value = DigitOf(body[dense ? i : i + 2]);
    int index = dense ? static_cast<int>(i) : DigitOf(body[i]) * 64 + DigitOf(body[i + 1]);
    if (value < 0 || index < 0 || index >= static_cast<int>(out.registers_.size())) {
      return std::nullopt;
    }
    out.registers_[index] = static_cast<uint8_t>(value);
  }
  return out;
}

std::optional<double> ColumnProfile::Mean() const {
  if (finite == 0) return std::nullopt;
  return sum / static_cast<double>(finite);
}

std::optional<double> ColumnProfile::StandardDeviation() const {
  if (finite < 2) return std::nullopt;
  return std::sqrt(m2 / static_cast<double>(finite - 1));
}

const ColumnProfile* Profile::Find(std::string_view column) const {
  Schema names;
  for (const ColumnProfile& c : columns) names.columns.push_back({c.name, ""});
  int index = names.IndexOf(column);
  return index < 0 ? nullptr : &columns[index];
}

Status Profile::Merge(const Profile& other) {
  bool same = columns.size() == other.columns.size();
  for (size_t i = 0; same && i < columns.size(); ++i) {
    same = columns[i].name == other.columns[i].name && columns[i].type == other.columns[i].type;
  }
  if (!same) {
    Error error = InternalError("profiles of tables with other columns can't be merged");
    error.code = "profile_mismatch";
    return error;
  }
  rows += other.rows;
  removed += other.removed;
  for (size_t i = 0; i < columns.size(); ++i) {
    ColumnProfile& a = columns[i];
    const ColumnProfile& b = other.columns[i];
    a.nulls += b.nulls;
    a.nans += b.nans;
    a.distinct.Merge(b.distinct);
    if (b.min_text && (!a.min_text || IsLess(a, b.min, *b.min_text, a.min, *a.min_text))) {
      a.min = b.min, a.min_text = b.min_text;
    }
    if (b.max_text && (!a.max_text || IsLess(a, a.max, *a.max_text, b.max, *b.max_text))) {
      a.max = b.max, a.max_text = b.max_text;
    }
    MergeMoments(a, b);
    if (b.min_length >= 0 && (a.min_length < 0 || b.min_length < a.min_length)) {
      a.min_length = b.min_length;
    }
    if (b.max_length > a.max_length) a.max_length = b.max_length;
  }
  return Ok();
}

Json ToJson(const Profile& profile) {
  Json columns = Json::array();
  for (const ColumnProfile& column : profile.columns) {
    columns.push_back(ColumnToJson(column));
    Json& written = columns.back();
    if (!written.contains("distinct")) continue;
    // An estimate may be above what there can be.
    const int64_t most = profile.rows + profile.removed - column.nulls;
    if (written["distinct"].get<int64_t>() > most) written["distinct"] = most;
  }
  Json out = {{"rows", profile.rows}, {"columns", std::move(columns)}};
  if (profile.removed > 0) out["removed"] = profile.removed;
  return out;
}

Result<Profile> ProfileFromJson(const Json& json) {
  try {
    Profile profile;
    profile.rows = json.at("rows").get<int64_t>();
    Read(json, "removed", profile.removed);
    for (const Json& column : json.at("columns")) profile.columns.push_back(ColumnFromJson(column));
    return profile;
  } catch (const nlohmann::json::exception& e) {
    Error error = InternalError(fmt::format("a stored profile can't be read: {}", e.what()));
    error.code = "bad_profile";
    return error;
  }
}

}  // namespace headrace::data
