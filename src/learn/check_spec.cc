#include <fmt/format.h>

#include "base/suggest.h"
#include "evaluate/gate.h"
#include "evaluate/metrics.h"
#include "learn/judge.h"
#include "learn/search.h"
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

void CheckGatesOf(const ModelSpec& spec, std::vector<Error>* out) {
  auto gates = ParseGates(spec);
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

}  // namespace

std::vector<Error> CheckSpec(const ModelSpec& spec) {
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
  CheckGatesOf(spec, &out);
  const auto task = spec.task == "regression" ? model::Task::kRegression : model::Task::kBinary;
  if (const auto race = PlanRace(spec, task, 1000, 1); !race.ok()) out.push_back(race.error());
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
