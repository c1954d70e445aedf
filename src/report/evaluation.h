#pragma once
// What a model package says about how good it is, read for charts. Everything may be missing: a
// package of an older version has less.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headrace::report {

struct CurvePoint {
  double x = 0, y = 0;
};

/// Rows that got nearly the same answer: what was said and what came true, with bounds.
struct Bin {
  double predicted = 0, actual = 0, low = 0, high = 0;
  int64_t rows = 0;
};

struct Histogram {
  std::vector<double> edges;
  std::vector<int64_t> counts, others;  ///< others: of the second class
  int64_t below = 0, above = 0;
};

struct ThresholdLine {
  double threshold = 0, flagged = 0, precision = 0, recall = 0;  ///< NaN = undefined
};

struct InfluenceLine {
  std::string column;
  double value = 0, low = 0, high = 0;
};

struct SliceGroup {
  std::string value;
  int64_t rows = 0;
  double metric = 0, low = 0, high = 0, actual = 0, predicted = 0;  ///< NaN = undefined
};
struct Slice {
  std::string column;
  std::vector<SliceGroup> groups;
};

struct MetricLine {
  std::string name;
  double value = 0, low = 0, high = 0, baseline = 0;  ///< NaN = unknown
};

struct GateLine {
  std::string gate, slice, verdict, message;  ///< verdict: pass | fail | undecided
  bool judged = true;
};

struct LeaderLine {
  std::string name, learner, config, note;
  double score = 0, weight = 0;
};

struct FindingLine {
  std::string code, level, subject, message;
};

struct ModelFacts {
  std::string task;  ///< binary | multiclass | regression
  std::string target, positive, metric, split, verdict;
  std::vector<std::string> classes;  ///< of the confusion matrix
  bool higher_is_better = true;
  int64_t training_rows = 0, judged_rows = 0, rows_without_target = 0, trials = 0;
  double threshold = 0.5, base_rate = 0;
  std::vector<MetricLine> metrics;  ///< the one that chose the model first
  std::vector<GateLine> gates;
  std::vector<LeaderLine> leaderboard;
  std::vector<FindingLine> findings;
  /// Version minus champion before it, on the same rows.
  struct Difference {
    double value = 0, low = 0, high = 0;
    int64_t rows = 0;
  };
  std::optional<Difference> difference;

  std::vector<CurvePoint> roc, pr;
  std::vector<Bin> calibration, fit;
  Histogram scores, residuals;
  std::vector<ThresholdLine> thresholds;
  std::vector<std::vector<double>> confusion;
  double error_mean = 0, error_median = 0, error_p90 = 0;  ///< NaN = unknown
  std::string influence_unit;                              ///< probability | target
  int64_t influence_rows = 0;
  std::vector<InfluenceLine> influence;
  std::vector<Slice> slices;

  const MetricLine* Main() const { return metrics.empty() ? nullptr : &metrics.front(); }
  const MetricLine* Find(const std::string& name) const;
};

/// From the texts of model.json and evaluation.json ("" = none). Never fails: what can't be read is
/// left out.
ModelFacts ReadModelFacts(const std::string& model_json, const std::string& evaluation_json);

}  // namespace headrace::report
