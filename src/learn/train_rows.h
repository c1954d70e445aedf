#pragma once
// The rows of a training as they are remembered: which were learned from, what was said of them.
#include <span>

#include "evaluate/split.h"
#include "learn/frame.h"
#include "learn/train.h"

namespace headrace::learn {

/// Rows of the frame with scores made without having seen them (rows × outputs, in their order).
struct HonestScores {
  std::span<const uint32_t> rows;
  std::span<const double> margins;
};

/// For Package::seen: `trained` rows, and the scores of both lists (the later one wins). `key` as
/// in the spec.
model::SeenRows MakeSeenRows(const Frame& frame, std::span<const uint32_t> trained,
                             const HonestScores& out_of_fold, const HonestScores& judged,
                             const std::vector<std::string>& key);

/// `folds` empty: the judged rows are a test set.
TestRows MakeTestRows(const Frame& frame, const HonestScores& judged,
                      const std::vector<evaluate::Fold>& folds);

}  // namespace headrace::learn
