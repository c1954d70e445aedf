#pragma once
// Whether a candidate may become champion. A gate is a comparison such as
// `roc_auc >= champion.roc_auc - 0.005`, parsed by sql/gate.h; design §3 "Models: gates".
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/bootstrap.h"
#include "evaluate/metrics.h"
#include "sql/gate.h"

namespace headrace::evaluate {

/// A column to slice by, aligned with the candidate's rows.
struct SliceColumn {
  std::string name;
  std::vector<std::string> values;  ///< shown in lines
  std::span<const int32_t> code;    ///< index into values; −1 = missing (shown as NULL)
};

/// Another version's scores of the candidate's rows.
struct OtherVersion {
  ScoredRows rows;
  /// Which of the candidate's rows these are, ascending; empty = all, in order. Rows the version
  /// was trained on enter by its stored out-of-fold scores or not at all.
  std::span<const uint32_t> row;
  int64_t version = 0;
};

/// A view; everything it points to must outlive the call.
struct GateInput {
  ScoredRows candidate;  ///< on the judging rows: test set or out-of-fold
  /// Values that replace the point estimates of `candidate` in lines without champion or slice
  /// (out-of-fold scores corrected for the choice among candidates).
  std::vector<NamedValue> corrected;
  std::optional<OtherVersion> champion;
  std::optional<OtherVersion> best_promoted;  ///< best version ever promoted, if not the champion
  std::vector<SliceColumn> slices;
  BootstrapOptions bootstrap;                                  ///< unit: per row of `candidate`
  size_t fewest_rows = 200, fewest_of_class = 30;              ///< else undecided
  size_t slice_fewest_rows = 100, slice_fewest_of_class = 20;  ///< else the slice is not judged
};

enum class Verdict { kPass, kFail, kUndecided };
const char* VerdictName(Verdict verdict);  ///< "pass", "fail", "undecided"

/// One gate judged on all rows, or on one slice.
struct GateLine {
  std::string gate;   ///< as written
  std::string slice;  ///< "region = north", or ""
  Verdict verdict = Verdict::kPass;
  bool judged =
      true;  ///< false: no champion yet, or a slice with too few rows; the message says so
  double value = 0, low = 0, high = 0;       ///< of the left side, 95 % bounds; NaN when unknown
  std::optional<double> limit;               ///< value of the right side
  std::optional<PairedEstimate> difference;  ///< candidate − champion, for relative gates
  size_t rows = 0;
  /// "roc_auc 0.8412 >= 0.8 pass (95 % 0.829 to 0.853, 6,512 rows)".
  std::string message;
};

struct GateResult {
  Verdict verdict = Verdict::kPass;  ///< fail if a line fails, else undecided if one is, else pass
  std::vector<GateLine> lines;
  std::string reason;  ///< one sentence when not passed; empty when passed
};

/// Metrics exist and fit the task, for all gates at once (user errors with places). Doesn't need
/// rows: for lint.
std::vector<Error> CheckGates(std::span<const sql::Gate> gates, Task task);

/// Judges. No gates: pass. Deterministic for equal input and seed. Errors: as CheckGates, a slice
/// column that is not given ("unknown_column"), rows that fail CheckRows, "cancelled".
Result<GateResult> EvaluateGates(std::span<const sql::Gate> gates, const GateInput& input);

/// The tolerance t of `m >= champion.m - t` (higher is better) or `m <= champion.m + t`; none when
/// the gate has another form.
std::optional<double> ToleranceOf(const sql::Gate& gate);

}  // namespace headrace::evaluate
