#include "monitor/input_drift.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "evaluate/deterministic_math.h"

namespace headrace::monitor {
namespace {

constexpr size_t kMostLevels = 100;

Error NoProfile(const model::Package& package, const std::string& column) {
  return DataError("no_profile", "version " + std::to_string(package.version) + " of model '" +
                                     package.model + "' keeps no bins of '" + column +
                                     "' to measure drift against")
      .Subject(column)
      .Hint("train it anew: headrace run --full " + package.model);
}

}  // namespace

StabilityIndex PopulationStability(std::span<const int64_t> then, std::span<const int64_t> now) {
  double n = 0, m = 0;
  for (const int64_t count : then) n += static_cast<double>(count);
  for (const int64_t count : now) m += static_cast<double>(count);
  StabilityIndex out;
  if (n == 0 || m == 0) return out;
  double bins = 0;
  for (size_t b = 0; b < then.size(); ++b) {
    if (then[b] == 0 && now[b] == 0) continue;
    bins += 1;
    const double p = std::max(0.5, static_cast<double>(then[b])) / n;
    const double q = std::max(0.5, static_cast<double>(now[b])) / m;
    out.value += (p - q) * evaluate::Log(p / q);
  }
  const double freedom = std::max(0.0, bins - 1), one = 1 / n + 1 / m;
  out.luck = (freedom + 3 * std::sqrt(2 * freedom)) * one;
  return out;
}

Result<InputDrift> InputDrift::Make(const model::Package& package) {
  InputDrift drift(package);
  HR_ASSIGN(Json profile, ParseJson(package.profile, "profile of a model"));
  std::map<std::string, const Json*> columns;
  if (profile.contains("columns") && profile["columns"].is_array()) {
    for (const Json& column : profile["columns"]) {
      if (column.is_object()) columns[column.value("name", "")] = &column;
    }
  }
  const auto& steps = package.encoder.steps();
  for (size_t s = 0; s < steps.size(); ++s) {
    const model::Step& step = steps[s];
    if (step.kind == model::StepKind::kDatePart || step.kind == model::StepKind::kText) continue;
    Bins bins;
    bins.column = package.encoder.signature().inputs[static_cast<size_t>(step.input)].name;
    bins.step = s;
    bins.levels = step.categorical();
    const auto found = columns.find(bins.column);
    if (found == columns.end()) return NoProfile(package, bins.column);
    try {
      const Json& kept = *found->second;
      const int64_t missing = kept.at("missing").get<int64_t>();
      if (bins.levels) {
        const auto& levels = kept.at("levels");
        bins.codes = std::min({kMostLevels, step.levels.size(), levels.size()});
        int64_t others = kept.at("rows").get<int64_t>() - missing;
        for (size_t i = 0; i < bins.codes; ++i) {
          bins.then.push_back(levels[i].at(1).get<int64_t>());
          others -= bins.then.back();
        }
        bins.then.push_back(others);
      } else {
        bins.edges = kept.at("bins").at("edges").get<std::vector<double>>();
        bins.then = kept.at("bins").at("counts").get<std::vector<int64_t>>();
        if (bins.then.size() != bins.edges.size() + 1) return NoProfile(package, bins.column);
      }
      bins.then.push_back(missing);
    } catch (const std::exception&) {
      return NoProfile(package, bins.column);
    }
    bins.now.assign(bins.then.size(), 0);
    drift.bins_.push_back(std::move(bins));
  }
  return drift;
}

std::vector<std::string> InputDrift::Columns() const {
  std::vector<std::string> names;
  for (const auto& input : package_->encoder.signature().inputs) names.push_back(input.name);
  return names;
}

Status InputDrift::Add(const data::Schema& schema, const data::Batch& batch) {
  HR_ASSIGN(const model::RowBlock block, package_->encoder.Encode(schema, batch));
  rows_ += block.rows;
  for (int64_t row = 0; row < block.rows; ++row) {
    const double* values = block.values.data() + row * block.width;
    for (Bins& bins : bins_) {
      const double value = values[bins.step];
      size_t bin = bins.now.size() - 1;
      if (!std::isnan(value)) {
        bin = bins.levels ? std::min(static_cast<size_t>(value), bins.codes)
                          : static_cast<size_t>(
                                std::lower_bound(bins.edges.begin(), bins.edges.end(), value) -
                                bins.edges.begin());
      }
      ++bins.now[bin];
    }
  }
  return Ok();
}

std::vector<ColumnDrift> InputDrift::Judge() const {
  std::vector<ColumnDrift> out;
  for (const Bins& bins : bins_) {
    out.push_back({bins.column, PopulationStability(bins.then, bins.now)});
  }
  std::stable_sort(out.begin(), out.end(), [](const ColumnDrift& a, const ColumnDrift& b) {
    return a.index.value - a.index.luck > b.index.value - b.index.luck;
  });
  return out;
}

}  // namespace headrace::monitor
