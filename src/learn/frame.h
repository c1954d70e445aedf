#pragma once
// The training rows in memory, encoded once: columns of numbers, the target, and what splits need.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/cancel.h"
#include "base/hash.h"
#include "base/result.h"
#include "data/arrow_abi.h"
#include "learn/model_spec.h"
#include "learn/number_column.h"
#include "learn/train.h"
#include "model/package.h"
#include "model/scorer.h"

namespace headrace::learn {

/// A column by whose values gates are judged in slices.
struct SliceCodes {
  std::string name;
  std::vector<std::string> values;
  std::vector<int32_t> codes;  ///< −1 = NULL
};

/// What an earlier version says of the rows. Its own names for them are over the columns that it
/// knew: a column added since must not make known rows look new.
struct EarlierRows {
  std::vector<double> margins;  ///< calibrated, rows × outputs; empty: it can't score these rows
  std::vector<uint64_t> id, content;  ///< as in its SeenRows; empty: columns of it are missing
};

/// Rows with a target only, in the order that FrameOptions says. Immutable once read.
struct Frame {
  model::Task task = model::Task::kBinary;
  model::Encoder encoder;
  std::vector<NumberColumn> features;  ///< one per step of the encoder

  std::string target_type;
  std::vector<std::string> classes;  ///< binary: negative, positive
  std::vector<int32_t> label;        ///< classification
  std::vector<double> target;        ///< regression
  std::vector<double> weight;        ///< empty: 1 each
  std::vector<double> fit_weight;    ///< for learning, with `class_weight:`; empty: as weight
  std::vector<double> costs;         ///< classes × classes, with `costs:`; empty: none
  double threshold = 0.5;            ///< for metrics of candidates
  std::vector<int64_t> time;         ///< microseconds; empty: none
  std::vector<Hash128> group;        ///< empty: none
  std::vector<Hash128> id;           ///< of the key, or of the features when there is no key
  std::vector<uint64_t> content;     ///< of features and target
  std::vector<uint32_t> input_row;   ///< empty: none was left out
  std::vector<SliceCodes> slices;

  // What only the findings look at.
  NumberColumn key_number;  ///< with a time: the key, if it is one number; else empty
  std::vector<std::vector<uint64_t>> key_parts;  ///< without time and group: of a composite key
  std::vector<std::pair<std::string, NumberColumn>> serials;  ///< columns left out as row numbers

  std::vector<EarlierRows> earlier;  ///< in the order of FrameOptions
  std::vector<std::string> hashed;   ///< columns of `content` but the target, in their order

  int64_t input_rows = 0;
  int64_t rows_without_target = 0;
  std::string profile;  ///< JSON for the package
  std::vector<Finding> findings;
  std::vector<std::shared_ptr<Budget::Memory>> memory;  ///< held while the rows are

  int64_t rows() const { return static_cast<int64_t>(id.size()); }
  int64_t width() const { return static_cast<int64_t>(features.size()); }
  int outputs() const {
    return task == model::Task::kMulticlass ? static_cast<int>(classes.size()) : 1;
  }
  const std::vector<double>& FitWeight() const { return fit_weight.empty() ? weight : fit_weight; }
  /// Writes features of `count` rows (numbers `rows[i]`) row by row.
  void Gather(const uint32_t* rows, int64_t count, double* out) const;
};

struct FrameOptions {
  const ModelSpec* spec = nullptr;
  /// The last column of the rows is a row order, by which they are sorted; else they stay in
  /// theirs.
  bool with_order = false;
  std::vector<std::string> slices;  ///< columns named in gates
  /// Positive class of an earlier version; used when the spec names none.
  std::string known_positive;
  /// Earlier versions that score the rows while these are read; null entries are skipped.
  std::vector<std::shared_ptr<const model::Scorer>> scorers;
  /// What these were trained on (rows aren't read); beside `scorers`.
  std::vector<const model::SeenRows*> seen;
  int threads = 1;           ///< for them
  Budget* budget = nullptr;  ///< may be null
  CancelToken cancel;
};

/// Reads all rows once. Errors: unknown columns (with candidates), target of a wrong type, constant
/// target, too many classes, infinite targets, no features left, bad weights, memory.
Result<Frame> ReadFrame(data::BatchReader& rows, const FrameOptions& options);

}  // namespace headrace::learn
