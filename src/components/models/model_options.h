#pragma once
// The fields of a model node as they stand in YAML, and their way to learn::ModelSpec.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "learn/model_spec.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

struct FeatureFields {
  std::vector<std::string> include, exclude;
  std::map<std::string, std::string> types;
  static const spec::Spec& Describe();
};

struct BudgetFields {
  std::optional<int64_t> trials;
  std::optional<double> minutes;
  static const spec::Spec& Describe();
};

struct DriftFields {
  double psi = 0.2;   ///< an input drifts from here on
  double inputs = 0;  ///< share of the inputs that must drift; 0 = one of them
  static const spec::Spec& Describe();
};

struct RetrainFields {
  std::optional<spec::Amount> rows;
  std::optional<spec::Duration> every;
  std::optional<DriftFields> drift;
  static const spec::Spec& Describe();
};

struct ModelOptions {
  std::string from, target;
  spec::Value positive;
  std::vector<std::string> key;
  std::string time, group, weight;
  FeatureFields features;
  std::string metric;
  spec::Value learners;  ///< "auto", or a list of names and of maps with one name
  BudgetFields budget;
  std::vector<std::string> gate;
  std::variant<std::string, RetrainFields> retrain;
  bool refit = true;
  std::optional<double> threshold;
  spec::Value costs;         ///< {false_positive: 1, false_negative: 5} or {actual: {predicted: 1}}
  spec::Value class_weight;  ///< "balanced" or {class: weight}
  std::string test;
  std::string label_after;
  int64_t seed = 0;
};

/// A fault of a field whose value has several shapes.
struct OptionFault {
  std::string field, code, message;
};

/// `task`: classification | regression. `faults` may be null.
learn::ModelSpec ToModelSpec(const std::string& name, const std::string& task,
                             const ModelOptions& options, std::vector<OptionFault>* faults);

}  // namespace headrace::components
