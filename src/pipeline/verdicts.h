#pragma once
// From the values of a node's check aggregates to verdicts.
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/duck.h"
#include "pipeline/project.h"
#include "pipeline/quarantine.h"
#include "store/records.h"

namespace headrace::pipeline {

/// All aggregate expressions of a node's checks, in order; those that set rows aside have been
/// dealt with before. `relation`: SQL that stands for the rows after FROM.
std::vector<std::string> CheckAggregates(const Node& node, const std::string& relation);

/// The checks can be answered in the pass of whoever writes the rows: none needs other rows, other
/// nodes, or sets rows aside.
bool ChecksAreSimple(const Node& node);

/// What judging needs besides values: samples are read from `relation` on the connection (columns
/// with `pii: true` are left out).
struct JudgeRequest {
  const Node* node = nullptr;
  std::span<const data::Value> values;  ///< as CheckAggregates asked
  CheckFacts facts;
  AsideCounts aside;
  CheckScope* scope = nullptr;
  std::string relation;
};
/// One verdict per check.
std::vector<store::Verdict> JudgeChecks(const JudgeRequest& request);

/// Of a check that asks for the time, on rows that were judged before.
store::Verdict JudgeTimeCheck(const BoundCheck& check, std::span<const data::Value> values,
                              Timestamp now, int64_t rows);

/// The values of aggregates over a relation, in one pass.
Result<std::vector<data::Value>> EvaluateChecks(CheckScope& scope, const std::string& relation,
                                                const std::vector<std::string>& aggregates,
                                                const data::QueryOptions& options);

bool Rejected(const std::vector<store::Verdict>& verdicts);
/// The error of a rejected node: all failed checks with counts and samples.
Error CheckError(const Node& node, const std::vector<store::Verdict>& verdicts);

}  // namespace headrace::pipeline
