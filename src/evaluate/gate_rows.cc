#include "evaluate/gate_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/split_parts.h"

namespace headrace::evaluate {
namespace {

template <class T>
std::vector<T> Pick(std::span<const T> values, std::span<const uint32_t> row, size_t width = 1) {
  std::vector<T> picked;
  if (values.empty()) return picked;
  picked.reserve(row.size() * width);
  for (const uint32_t r : row) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(r * width);
    picked.insert(picked.end(), from, from + static_cast<std::ptrdiff_t>(width));
  }
  return picked;
}

}  // namespace

RowSubset::RowSubset(const ScoredRows& all, std::span<const uint32_t> row,
                     std::span<const uint32_t> unit)
    : shape_(all),
      label_(Pick(all.label, row)),
      decision_(Pick(all.decision, row)),
      actual_(Pick(all.actual, row)),
      score_(Pick(all.score, row,
                  all.task == Task::kMulticlass ? static_cast<size_t>(all.classes) : 1)),
      weight_(Pick(all.weight, row)),
      unit_(Pick(unit, row)) {}

ScoredRows RowSubset::View() const {
  ScoredRows view = shape_;
  view.label = label_;
  view.decision = decision_;
  view.actual = actual_;
  view.score = score_;
  view.weight = weight_;
  view.order = {};
  return view;
}

CommonRows TakeCommon(const ScoredRows& candidate, const OtherVersion& other,
                      std::span<const uint32_t> wanted, std::span<const uint32_t> unit) {
  std::vector<uint32_t> ours, theirs;
  for (const uint32_t row : wanted) {
    if (other.row.empty()) {
      theirs.push_back(row);
    } else {
      const auto found = std::lower_bound(other.row.begin(), other.row.end(), row);
      if (found == other.row.end() || *found != row) continue;
      theirs.push_back(static_cast<uint32_t>(found - other.row.begin()));
    }
    ours.push_back(row);
  }
  return {RowSubset(candidate, ours, unit), RowSubset(other.rows, theirs, {})};
}

std::string TooFew(const ScoredRows& rows, size_t fewest_rows, size_t fewest_of_class) {
  if (rows.size() < fewest_rows) {
    return fmt::format("{} rows, at least {} are needed", Thousands(rows.size()), fewest_rows);
  }
  if (rows.task == Task::kRegression) return "";
  std::vector<size_t> counts(static_cast<size_t>(rows.classes));
  for (const int32_t label : rows.label) ++counts[static_cast<size_t>(label)];
  std::sort(counts.begin(), counts.end(), std::greater<>());
  if (counts[1] >= fewest_of_class) return "";
  return fmt::format("{} rows of the rarer class, at least {} are needed", counts[1],
                     fewest_of_class);
}

}  // namespace headrace::evaluate
