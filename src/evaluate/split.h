#pragma once
// Which rows train, which validate, which judge. Design §3 "Models: rows and splits".
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace headrace::evaluate {

/// One entry per labelled row, in the order training reads them. A view.
struct SplitInput {
  /// Hash of the key columns, or of the row's inputs when the model has no key: equal hashes stay
  /// on one side.
  std::span<const Hash128> row;
  /// Hash of the group columns; empty = no groups. Equal groups stay on one side (without time).
  std::span<const Hash128> group;
  /// Microseconds since 1970 UTC; empty = no time.
  std::span<const int64_t> time;
  /// Class of each row (classification) …
  std::span<const int32_t> label;
  int classes = 0;
  std::vector<std::string> class_names;  ///< for messages; may be empty
  /// … or the numeric target (regression).
  std::span<const double> target;

  size_t size() const { return row.size(); }
};

/// kAuto follows the design's rule; the others are the user's wish (`test: holdout`, `test:
/// cross`).
enum class SplitChoice { kAuto, kHoldout, kCross };

struct SplitOptions {
  SplitChoice choice = SplitChoice::kAuto;
  uint64_t seed = 0;
  int folds = 5;  ///< wished; fewer when the rarest class or the groups are fewer
  double test_share = 0.2;
  std::optional<int64_t> test_duration;  ///< microseconds: test = the latest such span (needs time)
  int64_t label_after = 0;           ///< microseconds after its time that a row's target is known
  size_t rows_for_test_set = 20000;  ///< fewer labelled rows: cross-validation only
  size_t rarest_class_for_test_set = 1000;
  size_t fewest_rows = 20;  ///< fewer: error
};

enum class SplitKind {
  kHoldout,          ///< a test set by hash, folds over the rest
  kCrossValidation,  ///< no test set: out-of-fold scores of all rows
  kTime,             ///< the latest rows are the test set, expanding blocks before it
};
const char* SplitKindName(SplitKind kind);  ///< "holdout", "cross_validation", "time"

/// Row numbers, ascending.
struct Fold {
  std::vector<uint32_t> train, valid;
};

struct SplitPlan {
  SplitKind kind = SplitKind::kCrossValidation;
  std::vector<uint32_t> test;   ///< empty with kCrossValidation
  std::vector<uint32_t> train;  ///< rows a candidate may learn from (before the gap)
  /// Validation folds within `train`. kHoldout and kCrossValidation: every train row is valid once.
  /// kTime: expanding; the first block is never valid.
  std::vector<Fold> folds;
  std::vector<uint32_t> gap;  ///< left out because their target was not known yet (label_after)
  /// time + group: for each row of `test`, whether its group occurs in `train`. Else empty.
  std::vector<uint8_t> test_group_seen;
  std::optional<int64_t> test_from;  ///< kTime: time of the first test row, microseconds UTC
  /// Resampling unit of each row for bootstraps: its group, its time block, its duplicate set; an
  /// index below `units`. Rows of the same unit are drawn together.
  std::vector<uint32_t> unit;
  uint32_t units = 0;
  uint64_t salt = 0;  ///< how many fold layouts were passed over because a fold lacked a class
  /// Sentences for people: "20 % test set: 6,512 of 32,561 rows, by hash of the key …".
  std::string description;
  /// What a reader should know: "class 'rare' has only 3 rows" …
  std::vector<std::string> notes;
};

/// Chooses and lays out the split. Deterministic in input order, seed and hashes; a row's side of
/// the test set depends on seed and its hash alone. Memory: about 20 bytes × rows × folds.
/// Errors (data): "too_few_rows", "one_class", "rare_class" (one row of a class of two),
/// "constant_target", "bad_target", "one_time", "test_empty", "train_empty", "one_group";
/// "bad_split" (user) for options that can't be.
Result<SplitPlan> PlanSplit(const SplitInput& input, const SplitOptions& options);

/// Where a hash falls in [0, 1): `test` side when below the test share. The same for batch, `show`
/// and later versions.
double SplitPosition(uint64_t seed, const Hash128& hash);

}  // namespace headrace::evaluate
