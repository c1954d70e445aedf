#include "model/linear_scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace headrace::model {
namespace {

constexpr int kFormat = 1;

Error Damaged(const std::string& what) {
  return DataError("damaged_model", "linear model: " + what)
      .Hint("restore the package from where it was made, or train the model again");
}

bool Finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

Status CheckNumber(const LinearModel::Number& number, int outputs, int features) {
  const auto width = static_cast<size_t>(outputs);
  if (number.step < 0 || number.step >= features) return Damaged("a feature that is not there");
  if (number.x.empty() || number.y.size() != number.x.size() * width ||
      number.missing.size() != width || !Finite(number.x) || !Finite(number.y) ||
      !Finite(number.missing)) {
    return Damaged(fmt::format("feature {}: knots of wrong number or not finite", number.step));
  }
  for (size_t i = 1; i < number.x.size(); ++i) {
    if (!(number.x[i] > number.x[i - 1])) {
      return Damaged(fmt::format("feature {}: knots do not increase", number.step));
    }
  }
  return Ok();
}

Status CheckCategory(const LinearModel::Category& category, int outputs, int features) {
  const auto width = static_cast<size_t>(outputs);
  if (category.step < 0 || category.step >= features) return Damaged("a feature that is not there");
  if (category.y.size() % width != 0 || category.unseen.size() != width ||
      category.missing.size() != width || !Finite(category.y) || !Finite(category.unseen) ||
      !Finite(category.missing)) {
    return Damaged(fmt::format("feature {}: a table of wrong size or not finite", category.step));
  }
  return Ok();
}

Status Read(const Json& json, const char* key, std::vector<double>* out) {
  if (!json.is_object() || !json.contains(key) || !json[key].is_array()) {
    return Damaged(fmt::format("'{}' is no list", key));
  }
  for (const Json& value : json[key]) {
    if (!value.is_number()) return Damaged(fmt::format("'{}' has an entry that is no number", key));
    out->push_back(value.get<double>());
  }
  return Ok();
}

Result<int> ReadInt(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key) || !json[key].is_number_integer()) {
    return Damaged(fmt::format("'{}' is no whole number", key));
  }
  const auto value = json[key].get<int64_t>();
  if (value < 0 || value > 1'000'000) return Damaged(fmt::format("'{}' is out of range", key));
  return static_cast<int>(value);
}

/// The part of a polyline's segment a number lies on: y = y[at] + (y[at + 1] - y[at]) * share.
struct Segment {
  size_t at;
  double share;
};

Segment Find(const std::vector<double>& x, double value) {
  if (value <= x.front()) return {0, 0};
  if (value >= x.back()) return {x.size() - 1, 0};
  const size_t at =
      static_cast<size_t>(std::upper_bound(x.begin(), x.end(), value) - x.begin()) - 1;
  return {at, (value - x[at]) / (x[at + 1] - x[at])};
}

}  // namespace

std::string LinearText(const LinearModel& model) {
  Json numbers = Json::array(), categories = Json::array();
  for (const auto& n : model.numbers) {
    numbers.push_back({{"step", n.step}, {"x", n.x}, {"y", n.y}, {"missing", n.missing}});
  }
  for (const auto& c : model.categories) {
    categories.push_back(
        {{"step", c.step}, {"y", c.y}, {"unseen", c.unseen}, {"missing", c.missing}});
  }
  const Json json = {{"format", kFormat},
                     {"outputs", model.outputs},
                     {"intercept", model.intercept},
                     {"numbers", std::move(numbers)},
                     {"categories", std::move(categories)}};
  return json.dump() + "\n";
}

Result<LinearScorer> LinearScorer::Make(LinearModel model, int features) {
  if (model.outputs < 1 || model.outputs > 10'000 ||
      model.intercept.size() != static_cast<size_t>(model.outputs) || !Finite(model.intercept)) {
    return Damaged("intercepts of wrong number or not finite");
  }
  for (const auto& number : model.numbers) HR_TRY(CheckNumber(number, model.outputs, features));
  for (const auto& category : model.categories) {
    HR_TRY(CheckCategory(category, model.outputs, features));
  }
  LinearScorer out;
  out.model_ = std::move(model);
  return out;
}

Result<LinearScorer> LinearScorer::Parse(std::string_view text, int features) {
  HR_ASSIGN(const Json json, ParseJson(text, "linear model"));
  HR_ASSIGN(const int format, ReadInt(json, "format"));
  if (format != kFormat)
    return UserError("newer_format", "linear model: written by a newer Headrace");
  LinearModel model;
  HR_ASSIGN(model.outputs, ReadInt(json, "outputs"));
  HR_TRY(Read(json, "intercept", &model.intercept));
  for (const char* key : {"numbers", "categories"}) {
    if (!json.contains(key) || !json[key].is_array()) {
      return Damaged(fmt::format("'{}' is no list", key));
    }
  }
  for (const Json& entry : json["numbers"]) {
    LinearModel::Number number;
    HR_ASSIGN(number.step, ReadInt(entry, "step"));
    HR_TRY(Read(entry, "x", &number.x));
    HR_TRY(Read(entry, "y", &number.y));
    HR_TRY(Read(entry, "missing", &number.missing));
    model.numbers.push_back(std::move(number));
  }
  for (const Json& entry : json["categories"]) {
    LinearModel::Category category;
    HR_ASSIGN(category.step, ReadInt(entry, "step"));
    HR_TRY(Read(entry, "y", &category.y));
    HR_TRY(Read(entry, "unseen", &category.unseen));
    HR_TRY(Read(entry, "missing", &category.missing));
    model.categories.push_back(std::move(category));
  }
  return Make(std::move(model), features);
}

void LinearScorer::Margins(const double* rows, int64_t count, int64_t stride,
                           double* margins) const {
  const auto outputs = static_cast<size_t>(model_.outputs);
  for (int64_t r = 0; r < count; ++r) {
    const double* row = rows + r * stride;
    double* to = margins + r * model_.outputs;
    std::copy(model_.intercept.begin(), model_.intercept.end(), to);
    for (const auto& number : model_.numbers) {
      const double value = row[number.step];
      if (value != value) {
        for (size_t k = 0; k < outputs; ++k) to[k] += number.missing[k];
        continue;
      }
      const Segment segment = Find(number.x, value);
      const double* y = number.y.data() + segment.at * outputs;
      for (size_t k = 0; k < outputs; ++k) {
        to[k] += segment.share == 0 ? y[k] : y[k] + (y[k + outputs] - y[k]) * segment.share;
      }
    }
    for (const auto& category : model_.categories) {
      const double code = row[category.step];
      const double* y = category.unseen.data();
      if (code != code) {
        y = category.missing.data();
      } else if (code >= 0 && code < static_cast<double>(category.y.size() / outputs)) {
        y = category.y.data() + static_cast<size_t>(code) * outputs;
      }
      for (size_t k = 0; k < outputs; ++k) to[k] += y[k];
    }
  }
}

}  // namespace headrace::model
