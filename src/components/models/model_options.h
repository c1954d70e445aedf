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

struct RetrainFields {
  std::optional<spec::Amount> rows;
  std::optional<spec::Duration> every;
  std::string drift;
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
  std::string test;
  std::string label_after;
  int64_t seed = 0;
};

/// `task`: classification | regression. Faults of `learners` go to `faults` as messages.
learn::ModelSpec ToModelSpec(const std::string& name, const std::string& task,
                             const ModelOptions& options, std::vector<std::string>* faults);

}  // namespace headrace::components
