#pragma once
// From the values of a node's check aggregates to verdicts.
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/duck.h"
#include "pipeline/project.h"
#include "store/records.h"

namespace headrace::pipeline {

/// All aggregate expressions of a node's checks, in order.
std::vector<std::string> CheckAggregates(const Node& node);

/// One verdict per check. `values` as CheckAggregates asked. `relation`: SQL that stands for the
/// rows after FROM, on `connection`; a few wrong rows are read from it as samples (columns with
/// `pii: true` are left out).
std::vector<store::Verdict> JudgeChecks(const Node& node, std::span<const data::Value> values,
                                        int64_t rows, data::DuckConnection& connection,
                                        const std::string& relation);

bool Rejected(const std::vector<store::Verdict>& verdicts);
/// The error of a rejected node: all failed checks with counts and samples.
Error CheckError(const Node& node, const std::vector<store::Verdict>& verdicts);

}  // namespace headrace::pipeline
