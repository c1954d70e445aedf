#pragma once
// The options of a `model:` node as plain structs. The spec table that fills them from YAML stands
// in components/models; nothing here reads YAML.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace headrace::learn {

/// `features: {include: […], exclude: […], types: {zip: category}}`.
struct FeatureSpec {
  std::vector<std::string> include;  ///< empty = every column but target, key, time, group, weight
  std::vector<std::string> exclude;
  std::map<std::string, std::string> types;  ///< column → number | category | boolean | date
};

/// One entry of `learners:`.
struct LearnerSpec {
  std::string name;            ///< lightgbm | linear | baseline
  std::string options = "{}";  ///< JSON object; fixed values of that learner's parameters
};

/// `budget: {trials: 40}` (work units, deterministic) or `{minutes: 5}`. Both empty: a small
/// default.
struct BudgetSpec {
  std::optional<int64_t> trials;
  std::optional<double> minutes;
};

/// `retrain: {rows: 10%, every: 7 days}`. Read by the pipeline, not by Train. Never set = every
/// change of the input.
struct RetrainSpec {
  std::string rows;   ///< "10%" or "1000"
  std::string every;  ///< a duration
  std::string drift;
  bool never = false;
};

/// `costs: {false_positive: 1, false_negative: 5}`, or by actual and predicted class (pairs not
/// listed cost 1).
struct CostSpec {
  std::optional<double> false_positive, false_negative;  ///< both or none
  std::map<std::string, std::map<std::string, double>> matrix;
  bool given() const { return false_positive.has_value() || !matrix.empty(); }
};

/// `class_weight: balanced` or `{yes: 5}`.
struct ClassWeightSpec {
  bool balanced = false;
  std::map<std::string, double> weights;
  bool given() const { return balanced || !weights.empty(); }
};

struct ModelSpec {
  std::string name;  ///< the node's name, for messages, the package and the model card
  std::string task;  ///< classification | regression
  std::string from;
  std::string target;
  std::optional<std::string> positive;  ///< text of the positive class (binary only)
  std::vector<std::string> key;
  std::string time;    ///< "" = none
  std::string group;   ///< "" = none
  std::string weight;  ///< "" = none
  FeatureSpec features;
  std::string metric;                 ///< "" = roc_auc | log_loss | rmse by task
  std::vector<LearnerSpec> learners;  ///< empty = auto
  BudgetSpec budget;
  std::vector<std::string> gates;  ///< "roc_auc >= 0.80", "roc_auc >= champion.roc_auc - 0.005", …
  std::vector<Place> gate_places;  ///< where each gate stands, for errors; may be empty
  RetrainSpec retrain;
  bool refit = true;                ///< after the gate, train the frozen recipe on all rows
  std::optional<double> threshold;  ///< of the probability of the positive class; else 0.5
  CostSpec costs;
  ClassWeightSpec class_weight;
  /// "" = by the design's rule; "20%" a test set of that share, "30 days" of that length (needs
  /// time), "holdout" a test set however few rows, "cross" cross-validation.
  std::string test;
  std::string label_after;  ///< "" or a duration: gap between training and test (needs time)
  int64_t seed = 0;
};

}  // namespace headrace::learn
