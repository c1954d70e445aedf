#include "engine/manual_models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <vector>

#include "evaluate/gate.h"
#include "evaluate/metrics.h"
#include "learn/learner.h"

namespace headrace::engine {
namespace {

using evaluate::Metric;
using evaluate::Task;

std::string TasksOf(const Metric& metric) {
  std::vector<std::string_view> tasks;
  if (metric.binary) tasks.push_back("two classes");
  if (metric.multiclass) tasks.push_back("several classes");
  if (metric.regression) tasks.push_back("regression");
  return fmt::format("{}", fmt::join(tasks, ", "));
}

std::string RangeOf(const Metric& metric) {
  const auto bound = [](double value, const char* none) {
    return std::isfinite(value) ? fmt::format("{:g}", value) : std::string(none);
  };
  return bound(metric.least, "−∞") + " to " + bound(metric.most, "∞");
}

/// A limit of the table; the ends of the scale are no limit.
std::string LimitsOf(const learn::Parameter& parameter) {
  std::string text = parameter.whole ? "whole number, " : "number, ";
  return text + fmt::format("{:g} to {:g}", parameter.low, parameter.high);
}

/// A bar would end the cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string LearnerSection(const learn::Learner& learner, const std::string& says) {
  std::string text = fmt::format("## {}\n\n{}\n\n", learner.name(), says);
  if (learner.parameters().empty()) return text;
  text += "| option | value | searched | meaning |\n|---|---|---|---|\n";
  for (const learn::Parameter& parameter : learner.parameters()) {
    const bool searched = parameter.search_low != parameter.search_high;
    text += fmt::format(
        "| `{}` | {} | {} | {} |\n", parameter.name, LimitsOf(parameter),
        searched ? fmt::format("{:g} to {:g}", parameter.search_low, parameter.search_high) : "no",
        parameter.doc);
  }
  return text + "\n";
}

}  // namespace

std::string MetricsPage() {
  std::string text = fmt::format(
      "# Metrics\n\nThe names are scikit-learn's. They stand in `metric:` (which chooses among the "
      "candidates; {}, {} or {} when not given) and in the lines of [`gate:`](gates.md). All are "
      "measured on rows that the model had not seen, with 95 % bounds from a bootstrap.\n\n"
      "**decision**: depends on the threshold (or the class of highest probability), not on the "
      "probability alone.\n\n| metric | also | for | better | from, to | meaning |\n"
      "|---|---|---|---|---|---|\n",
      evaluate::DefaultMetric(Task::kBinary), evaluate::DefaultMetric(Task::kMulticlass),
      evaluate::DefaultMetric(Task::kRegression));
  for (const Metric& metric : evaluate::AllMetrics()) {
    text +=
        fmt::format("| `{}` | {} | {} | {} | {} | {}{} |\n", metric.name, metric.aliases,
                    TasksOf(metric), metric.higher_is_better ? "higher" : "lower", RangeOf(metric),
                    Cell(metric.doc), metric.uses_decision ? " **decision**" : "");
  }
  return text;
}

std::string GatesPage() {
  const evaluate::GateInput input;
  return fmt::format(
      "# Gates\n\nEach line of a model's `gate:` is a comparison. A version becomes champion only "
      "when all lines pass; else it is kept as `refused` and scores nothing.\n\n"
      "```yaml\n"
      "model: classification\nfrom: features\ntarget: churned\ngate:\n"
      "  - roc_auc >= 0.80                        # a number\n"
      "  - roc_auc >= champion.roc_auc - 0.005    # the champion, scored now on the same rows\n"
      "  - roc_auc.low >= 0.75                    # the lower 95 % bound; .high is the upper one\n"
      "  - recall[region] >= 0.6                  # every value of the column region\n"
      "  - log_loss <= champion.log_loss * 1.02   # + - * / and brackets\n"
      "```\n\n"
      "On the left stands one [metric](metrics.md) of the new version, on the right a number or a "
      "sum of numbers, metrics of the new version and metrics of the `champion`. `<`, `<=`, `>`, "
      "`>=` compare. The baseline is no part of a gate: write the number.\n\n"
      "## How a line is judged\n\n"
      "- On rows that the version had not learned from: its test rows, or out-of-fold scores. A "
      "point estimate among many candidates flatters the best one; it is corrected before it is "
      "compared with a number.\n"
      "- Against the champion: on the rows that both have honest scores for. While there is no "
      "champion, such a line passes.\n"
      "- Against the champion with a tolerance (`champion.roc_auc - 0.005`): the version may also "
      "not be worse than the best version ever promoted by more than twice the tolerance, so that "
      "many small steps down don't add up.\n"
      "- Fewer than {} rows, or fewer than {} of a class: the line is **undecided**, and the "
      "version is refused, whatever the limit. `headrace model promote` makes it champion by "
      "hand.\n"
      "- With a slice (`recall[region]`) each value is judged for itself. Many slices are looked "
      "at, so a slice fails only when even its better bound (at a level corrected by Holm's "
      "method) "
      "misses the limit. A slice of fewer than {} rows, or {} of a class, is not judged and does "
      "not fail.\n",
      input.fewest_rows, input.fewest_of_class, input.slice_fewest_rows,
      input.slice_fewest_of_class);
}

std::string LearnersPage() {
  std::string text =
      "# Learners\n\n`learners: auto` (the default) tries all of them. A list names those to try, "
      "each with options or without; what an option leaves open is searched within the range of "
      "the table.\n\n"
      "```yaml\nmodel: classification\nfrom: features\ntarget: churned\nlearners:\n  - linear\n  - "
      "lightgbm: {num_leaves: 31, learning_rate: 0.1}\n"
      "budget: {trials: 20}\n```\n\n"
      "The baseline (the share of classes, or the mean) is always tried beside them, and the best "
      "configurations are joined to an ensemble when that scores better.\n\n";
  text += LearnerSection(*learn::MakeLightGbmLearner(),
                         "Gradient-boosted trees (LightGBM). Categories and missing values are "
                         "taken as they are.");
  text += LearnerSection(*learn::MakeLinearLearner(),
                         "Logistic regression for classes, ridge regression for numbers, with "
                         "curves for numbers.");
  text += LearnerSection(*learn::MakeBaselineLearner(),
                         "What no model at all would say. Named alone it makes a version to "
                         "compare others with.");
  text.pop_back();
  return text;
}

}  // namespace headrace::engine
