#pragma once
// What a training tells: the leaderboard, one sentence, and the report kept in the package.
#include <string>
#include <vector>

#include "evaluate/split.h"
#include "learn/ensemble.h"
#include "learn/search.h"
#include "learn/train.h"

namespace headrace::learn {

/// Best first; candidates that were removed last.
std::vector<LeaderboardRow> MakeLeaderboard(const Race& race, const Ensemble& ensemble,
                                            const evaluate::Metric& metric);

struct ReportInput {
  const TrainOutcome* outcome = nullptr;  ///< all but summary and package.report
  const evaluate::SplitPlan* plan = nullptr;
  const evaluate::Metric* metric = nullptr;
  size_t judged_rows = 0;
  double optimism = 0;
  int64_t judged_by_versions = 1;
};
/// "roc_auc 0.847 [0.836, 0.858] on 600 test rows, baseline 0.5, champion 0.84".
std::string SummaryText(const ReportInput& input);
/// JSON object for Package::report; `outcome->summary` is set.
std::string ReportText(const ReportInput& input);

/// {"code", "level", "subject", "field", "message", "evidence"} of every finding: a JSON list.
std::string FindingsJson(const std::vector<Finding>& findings);
/// {"gate", "slice", "verdict", "judged", "value", "low", "high", "limit", "rows", "message"} of
/// every line: a JSON list.
std::string GatesJson(const evaluate::GateResult& gate);

}  // namespace headrace::learn
