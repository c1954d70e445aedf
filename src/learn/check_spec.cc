#include <fmt/format.h>

#include "base/suggest.h"
#include "evaluate/gate.h"
#include "evaluate/metrics.h"
#include "learn/judge.h"
#include "learn/search.h"
#include "learn/split_wish.h"
#include "learn/train.h"

namespace headrace::learn {
namespace {

/// Binary or multiclass is known only with the rows: a metric of either will do.
std::vector<evaluate::Task> PossibleTasks(const std::string& task) {
  if (task == "regression") return {evaluate::Task::kRegression};
  return {evaluate::Task::kBinary, evaluate::Task::kMulticlass};
}

void CheckMetric(const ModelSpec& spec, std::vector<Error>* out) {
  if (spec.metric.empty()) return;
  Error fault;
  for (const evaluate::Task task : PossibleTasks(spec.task)) {
    auto metric = evaluate::FindMetric(spec.metric, task);
    if (metric.ok()) return;
    if (fault.code.empty()) fault = std::move(metric).error();
  }
  out->push_back(std::move(fault));
}

void CheckGatesOf(const ModelSpec& spec, sql::SqlParser* parser, std::vector<Error>* out) {
  auto gates = ParseGates(spec, parser);
  if (!gates.ok()) {
    out->push_back(std::move(gates).error());
    return;
  }
  std::vector<Error> fewest;
  bool first = true;
  for (const evaluate::Task task : PossibleTasks(spec.task)) {
    std::vector<Error> faults = evaluate::CheckGates(*gates, task);
    if (first || faults.size() < fewest.size()) fewest = std::move(faults);
    first = false;
  }
  for (Error& fault : fewest) out->push_back(std::move(fault));
}

/// Each by itself, so that all faults are named.
void CheckLearners(const ModelSpec& spec, model::Task task, std::vector<Error>* out) {
  for (const LearnerSpec& learner : spec.learners) {
    ModelSpec one;
    one.learners = {learner};
    if (const auto race = PlanRace(one, task, 1000, 1); !race.ok()) out->push_back(race.error());
  }
}

/// `cost` needs costs; costs are numbers of 0 or more.
void CheckCosts(const ModelSpec& spec, std::vector<Error>* out) {
  const auto add = [&](std::string code, std::string message, std::string hint) {
    out->push_back(
        UserError(std::move(code), std::move(message)).Node(spec.name).Hint(std::move(hint)));
  };
  bool bad = false, any = false;
  const auto check = [&](double cost) {
    bad = bad || !(cost >= 0 && cost <= 1e12);
    any = any || cost > 0;
  };
  if (spec.costs.false_positive) check(*spec.costs.false_positive);
  if (spec.costs.false_negative) check(*spec.costs.false_negative);
  for (const auto& [actual, row] : spec.costs.matrix) {
    for (const auto& [predicted, cost] : row) check(cost);
  }
  if (spec.costs.given() && (bad || !any)) {
    add("bad_costs",
        fmt::format("model '{}': a cost is negative or too large, or all are 0", spec.name),
        "costs are numbers of 0 or more, at least one above 0");
  }
  for (const auto& [name, weight] : spec.class_weight.weights) {
    if (weight > 0 && weight <= 1e9) continue;
    add("bad_class_weight",
        fmt::format("model '{}': class_weight of '{}' is {}", spec.name, name, weight),
        "a weight is a number above 0");
  }
  if (spec.metric == "cost" && !spec.costs.given()) {
    add("needs_costs", fmt::format("model '{}': the metric 'cost' needs `costs:`", spec.name),
        "write costs: {false_positive: 1, false_negative: 5}");
  }
  if (spec.costs.given() && spec.threshold) {
    add("bad_costs", fmt::format("model '{}' has both `threshold:` and `costs:`", spec.name),
        "keep one: `costs:` finds the threshold");
  }
}

}  // namespace

std::vector<Error> CheckSpec(const ModelSpec& spec, sql::SqlParser* parser) {
  std::vector<Error> out;
  const auto add = [&](std::string code, std::string message, std::string hint) {
    out.push_back(
        UserError(std::move(code), std::move(message)).Node(spec.name).Hint(std::move(hint)));
  };
  if (spec.task != "classification" && spec.task != "regression") {
    const std::vector<std::string> known = {"classification", "regression"};
    const bool later = spec.task == "forecast" || spec.task == "anomaly" ||
                       spec.task == "clustering" || spec.task == "external";
    out.push_back(
        UserError("unknown_task", fmt::format("model '{}': the task '{}' {}", spec.name, spec.task,
                                              later ? "is not built yet" : "is unknown"))
            .Node(spec.name)
            .Subject(spec.task)
            .Candidates(Suggest(spec.task, known))
            .Hint("the tasks are classification and regression"));
    return out;
  }
  if (spec.target.empty()) {
    add("missing_target", fmt::format("model '{}' names no target", spec.name),
        "write `target: <column>`");
  }
  CheckMetric(spec, &out);
  CheckGatesOf(spec, parser, &out);
  const auto task = spec.task == "regression" ? model::Task::kRegression : model::Task::kBinary;
  CheckLearners(spec, task, &out);
  CheckCosts(spec, &out);
  if (auto split = SplitOptionsOf(spec, true); !split.ok()) {
    out.push_back(std::move(split).error().Node(spec.name));
  }
  if (spec.budget.trials && *spec.budget.trials < 1) {
    add("out_of_range",
        fmt::format("model '{}': budget of {} trials", spec.name, *spec.budget.trials),
        "give 1 trial or more");
  }
  if (spec.budget.minutes && !(*spec.budget.minutes > 0)) {
    add("out_of_range",
        fmt::format("model '{}': budget of {} minutes", spec.name, *spec.budget.minutes),
        "give more than 0 minutes");
  }
  if (spec.threshold && !(*spec.threshold > 0 && *spec.threshold < 1)) {
    add("out_of_range", fmt::format("model '{}': threshold {}", spec.name, *spec.threshold),
        "the threshold is a probability between 0 and 1");
  }
  if (spec.task == "regression" && (spec.positive || spec.threshold)) {
    add("not_for_regression",
        fmt::format("model '{}' is a regression; positive and threshold belong to classification",
                    spec.name),
        "remove them");
  }
  return out;
}

}  // namespace headrace::learn
