#include "learn/honest_rows.h"

#include <algorithm>
#include <cmath>

namespace headrace::learn {
namespace {

/// Position of each of the frame's classes among the version's; empty when they differ.
std::vector<size_t> MatchClasses(const Frame& frame, const model::Package& package) {
  std::vector<size_t> at;
  if (package.task != frame.task || package.classes.size() != frame.classes.size()) return at;
  for (const std::string& name : frame.classes) {
    const auto found = std::find(package.classes.begin(), package.classes.end(), name);
    if (found == package.classes.end()) return {};
    at.push_back(static_cast<size_t>(found - package.classes.begin()));
  }
  return at;
}

}  // namespace

HonestRows HonestRowsOf(const Frame& frame, std::span<const uint32_t> rows,
                        const EarlierVersion& version) {
  HonestRows out;
  const model::Package& package = *version.package;
  if (version.rows == nullptr || version.rows->margins.empty() || version.rows->id.empty()) {
    return out;
  }
  std::vector<size_t> place = MatchClasses(frame, package);
  if (frame.task == model::Task::kRegression && package.task == frame.task) {
    place = {0};
  } else if (place.empty()) {
    return out;
  }
  const bool flipped = frame.task == model::Task::kBinary && place[0] == 1;
  const auto outputs = static_cast<size_t>(frame.outputs());
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t row = rows[i];
    const double* margins = version.rows->margins.data() + row * outputs;
    const int64_t seen = package.seen.Find(version.rows->id[row]);
    if (seen >= 0 && package.seen.rows[static_cast<size_t>(seen)].trained) {
      const auto at = static_cast<size_t>(seen);
      if (package.seen.rows[at].content != version.rows->content[row] ||
          package.seen.outputs != frame.outputs()) {
        continue;
      }
      margins = package.seen.scores.data() + at * outputs;
      if (std::isnan(margins[0])) continue;
    }
    out.positions.push_back(static_cast<uint32_t>(i));
    out.rows.push_back(row);
    for (size_t k = 0; k < outputs; ++k) {
      const double margin = margins[outputs == 1 ? 0 : place[k]];
      out.margins.push_back(flipped ? -margin : margin);
    }
  }
  return out;
}

}  // namespace headrace::learn
