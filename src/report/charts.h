#pragma once
// The charts of a report. Each is a figure with a title, a drawing and what it says in words; an
// empty Markup when there is nothing to draw (see Markup::empty of the result's figure).
#include <optional>
#include <string>

#include "report/evaluation.h"
#include "report/markup.h"
#include "report/run_report.h"

namespace headrace::report {

using Chart = std::optional<Markup>;  ///< none = no data

Chart RocChart(const std::string& id, const ModelFacts& model);
Chart PrecisionRecallChart(const std::string& id, const ModelFacts& model);
Chart CalibrationChart(const std::string& id, const ModelFacts& model);
Chart ScoreChart(const std::string& id, const ModelFacts& model);
Chart ThresholdChart(const std::string& id, const ModelFacts& model);
Chart ResidualChart(const std::string& id, const ModelFacts& model);
Chart FitChart(const std::string& id, const ModelFacts& model);
Chart InfluenceChart(const std::string& id, const ModelFacts& model);
/// One column's groups: the metric with its interval against the metric of all rows.
Chart SliceChart(const std::string& id, const ModelFacts& model, const Slice& slice);
/// The metric over the versions of a model.
Chart VersionChart(const std::string& id, const ModelSection& model);
/// Checks (rows) over the last runs (columns).
Chart CheckChart(const std::string& id, const std::vector<CheckHistory>& checks);
/// Bars of a table's rows over the last runs, for a table cell.
Chart RowsSpark(const std::string& id, const NodeLine& node);

/// Groups whose interval lies wholly on the bad side of the overall value.
std::vector<std::string> WeakGroups(const ModelFacts& model);

}  // namespace headrace::report
