#include "learn/train_rows.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace headrace::learn {

model::SeenRows MakeSeenRows(const Frame& frame, std::span<const uint32_t> trained,
                             const HonestScores& out_of_fold, const HonestScores& judged,
                             const std::vector<std::string>& key) {
  const auto outputs = static_cast<size_t>(frame.outputs());
  const auto n = static_cast<size_t>(frame.rows());
  std::vector<double> scores(n * outputs, std::numeric_limits<double>::quiet_NaN());
  for (const HonestScores& part : {out_of_fold, judged}) {
    for (size_t i = 0; i < part.rows.size() && !part.margins.empty(); ++i) {
      std::copy_n(part.margins.begin() + static_cast<std::ptrdiff_t>(i * outputs), outputs,
                  scores.begin() + static_cast<std::ptrdiff_t>(part.rows[i] * outputs));
    }
  }
  std::vector<uint8_t> learned(n, 0);
  for (const uint32_t row : trained) learned[row] = 1;
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return frame.id[a].low < frame.id[b].low; });
  model::SeenRows seen;
  seen.outputs = frame.outputs();
  seen.columns = frame.hashed;
  seen.key = key;
  seen.rows.reserve(n);
  seen.scores.reserve(n * outputs);
  for (const uint32_t row : order) {
    const uint64_t id = frame.id[row].low;
    if (!seen.rows.empty() && seen.rows.back().id == id) {  // the same row again
      seen.rows.back().trained = seen.rows.back().trained || learned[row] != 0;
      continue;
    }
    seen.rows.push_back({id, frame.content[row], learned[row] != 0});
    for (size_t k = 0; k < outputs; ++k) seen.scores.push_back(scores[row * outputs + k]);
  }
  return seen;
}

TestRows MakeTestRows(const Frame& frame, const HonestScores& judged,
                      const std::vector<evaluate::Fold>& folds) {
  TestRows out;
  out.outputs = frame.outputs();
  out.margins.assign(judged.margins.begin(), judged.margins.end());
  std::vector<int32_t> fold_of(static_cast<size_t>(frame.rows()), -1);
  for (size_t f = 0; f < folds.size(); ++f) {
    for (const uint32_t row : folds[f].valid) fold_of[row] = static_cast<int32_t>(f);
  }
  for (const uint32_t row : judged.rows) {
    out.ids.push_back(frame.id[row].low);
    out.input_rows.push_back(frame.input_row.empty() ? row : frame.input_row[row]);
    out.folds.push_back(fold_of[row]);
    out.truth.push_back(frame.task == model::Task::kRegression ? frame.target[row]
                                                               : frame.label[row]);
    out.weights.push_back(frame.weight.empty() ? 1 : frame.weight[row]);
  }
  return out;
}

}  // namespace headrace::learn
