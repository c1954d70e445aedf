#pragma once
// What an earlier version says of rows without having learned from them.
#include <span>
#include <vector>

#include "learn/frame.h"
#include "model/package.h"

namespace headrace::learn {

/// An earlier version and what it says of the frame's rows.
struct EarlierVersion {
  const model::Package* package = nullptr;
  const EarlierRows* rows = nullptr;  ///< what it says of all rows of the frame
};

/// Rows for which an earlier version has an honest score: rows it did not train on, as it scores
/// them now; rows it trained on by its stored out-of-fold score, if they are unchanged.
struct HonestRows {
  std::vector<uint32_t> positions;  ///< among the rows asked for, ascending
  std::vector<uint32_t> rows;       ///< of the frame
  std::vector<double> margins;      ///< in the frame's order of classes
};

/// None when the version has another task or other classes, or can't read the rows.
HonestRows HonestRowsOf(const Frame& frame, std::span<const uint32_t> rows,
                        const EarlierVersion& version);

}  // namespace headrace::learn
