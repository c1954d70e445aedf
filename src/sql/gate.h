#pragma once
// Gate expressions such as `roc_auc >= champion.roc_auc - 0.005`, parsed by DuckDB.
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/select.h"

namespace headrace::sql {

/// A number that a model version has: `roc_auc`, `champion.rmse`, `roc_auc[region]`,
/// `rmse.high`, `champion.roc_auc[region].low`.
struct GateMetric {
  enum class Subject { kCandidate, kChampion };
  enum class Value { kPoint, kLow, kHigh };  ///< the estimate, or a 95 % bound
  Subject subject = Subject::kCandidate;
  std::string metric;  ///< lower case
  std::string slice;   ///< column whose every value is judged; empty: all rows
  Value value = Value::kPoint;
};

/// A tree of numbers, metrics and + - * /.
struct GateTerm {
  enum class Kind { kNumber, kMetric, kAdd, kSubtract, kMultiply, kDivide, kNegate };
  Kind kind = Kind::kNumber;
  double number = 0;
  GateMetric metric;
  std::vector<GateTerm> terms;  ///< operands: two, one for kNegate
  Place place;
};

enum class GateCompare { kLess, kLessEqual, kGreater, kGreaterEqual };

/// `left compare right`. Left is one metric of the candidate.
struct Gate {
  std::string text;
  GateMetric left;
  Place left_place;
  GateCompare compare = GateCompare::kGreaterEqual;
  GateTerm right;
  std::string slice;      ///< the one slice column of all its metrics; empty: none
  bool relative = false;  ///< names the champion: passes while there is none
};

/// Errors "bad_gate", "unknown_metric" (with candidates), syntax errors; all with places.
/// `metrics`: the known names; empty: any is fine.
Result<Gate> ParseGate(SqlParser& parser, const SqlText& text,
                       const std::vector<std::string>& metrics = {});

/// Value of a term; `value_of` gives a metric's value (for the slice at hand) or an error. Division
/// by zero gives an error.
Result<double> EvaluateTerm(const GateTerm& term,
                            const std::function<Result<double>(const GateMetric&)>& value_of);
bool Holds(GateCompare compare, double left, double right);
const char* CompareText(GateCompare compare);  ///< ">="

}  // namespace headrace::sql
