#pragma once
// Whether a candidate may become champion. A gate is a list of comparisons such as
// `roc_auc >= champion.roc_auc - 0.005`; design §3 "Models: gates".
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "evaluate/bootstrap.h"
#include "evaluate/metrics.h"

namespace headrace::evaluate {

/// One node of a gate expression; a tree by value.
struct GateTerm {
  enum class Kind { kNumber, kMetric, kAdd, kSubtract, kMultiply, kDivide };
  enum class Bound { kPoint, kLow, kHigh };
  Kind kind = Kind::kNumber;
  double number = 0;      ///< kNumber
  std::string metric;     ///< kMetric: name as written
  bool champion = false;  ///< kMetric: the champion's value
  Bound bound = Bound::kPoint;
  std::string slice;               ///< kMetric: column of `roc_auc[region]`; empty = all rows
  std::vector<GateTerm> operands;  ///< two for arithmetic
};

enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

struct GateLine {
  std::string text;  ///< as written, e.g. "roc_auc >= 0.80"
  GateTerm left, right;
  Comparison comparison = Comparison::kGreaterOrEqual;
  Place place;  ///< of the line in the project file
};

/// Reads one line of a gate; the grammar is DuckDB's, read by sql/expression. Errors (user) carry
/// `place`: syntax, "unknown_metric" with suggestions, comparisons without a metric.
Result<GateLine> ParseGateLine(const std::string& text, Task task, const Place& place = {});
/// Names of the columns that slices need, sorted, each once.
std::vector<std::string> SliceColumns(std::span<const GateLine> gate);
/// True when any line reads the champion.
bool NeedsChampion(std::span<const GateLine> gate);

/// A column to slice by, aligned with the candidate's rows.
struct SliceColumn {
  std::string name;
  std::vector<std::string> values;  ///< shown in lines
  std::span<const int32_t> code;    ///< index into values; −1 = missing (shown as NULL)
};

/// Another version's scores. `row` says which of the candidate's rows it has scores for (ascending;
/// empty = all, in order): rows it was trained on enter by out-of-fold scores or not at all.
struct OtherVersion {
  ScoredRows rows;
  std::span<const uint32_t> row;
  int version = 0;
};

struct GateInput {
  ScoredRows candidate;  ///< on the judging rows: test set or out-of-fold
  /// Values that replace the point estimates of `candidate` in lines without champion or slice
  /// (out-of-fold scores corrected for the choice among candidates).
  std::vector<NamedValue> corrected;
  std::optional<OtherVersion> champion;
  std::optional<OtherVersion> best_promoted;  ///< best version ever promoted, if not the champion
  std::vector<SliceColumn> slices;
  BootstrapOptions bootstrap;  ///< unit: per row of `candidate`
  size_t fewest_rows = 200, fewest_of_class = 30;
};

enum class Verdict { kPass, kFail, kUndecided };
const char* VerdictName(Verdict verdict);  ///< "pass", "fail", "undecided"

struct GateLineResult {
  std::string text;  ///< as written
  Verdict verdict = Verdict::kPass;
  double left = 0, right = 0;  ///< NaN when not evaluated
  std::optional<PairedEstimate> difference;  ///< lines of the form m ≥ champion.m ± tolerance
  /// One or more sentences: "roc_auc 0.8412 >= 0.80 pass", "… no champion yet pass", reasons.
  std::string explanation;
};

struct GateResult {
  Verdict verdict = Verdict::kPass;  ///< fail if a line fails, else undecided if one is, else pass
  std::vector<GateLineResult> lines;
  std::string reason;  ///< one sentence when not passed; empty when passed
};

/// Judges. An empty gate passes. Deterministic for equal input and seed. Errors: metrics that don't
/// fit the task, slice columns that are not given, rows that fail CheckRows, "cancelled".
Result<GateResult> EvaluateGate(std::span<const GateLine> gate, const GateInput& input);

}  // namespace headrace::evaluate
