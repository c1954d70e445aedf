#include "learn/compare_versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "evaluate/bootstrap.h"
#include "learn/decision.h"
#include "learn/frame.h"
#include "learn/headline.h"
#include "learn/honest_rows.h"
#include "learn/score_view.h"

namespace headrace::learn {
namespace {

/// The margins of some of the rows an earlier version has honest scores for.
std::vector<double> Pick(const HonestRows& honest, std::span<const uint32_t> rows, size_t outputs) {
  std::vector<double> out;
  size_t at = 0;
  for (const uint32_t row : rows) {
    while (honest.rows[at] != row) ++at;
    const auto from = honest.margins.begin() + static_cast<std::ptrdiff_t>(at * outputs);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(outputs));
  }
  return out;
}

/// Groups are drawn as a whole.
std::vector<uint32_t> UnitsOf(const Frame& frame, std::span<const uint32_t> rows) {
  std::vector<uint32_t> out;
  if (frame.group.empty()) return out;
  std::map<Hash128, uint32_t> number;
  for (const uint32_t row : rows) {
    out.push_back(
        number.emplace(frame.group[row], static_cast<uint32_t>(number.size())).first->second);
  }
  return out;
}

}  // namespace

Result<VersionComparison> CompareVersions(data::BatchReader& rows, const ModelSpec& spec,
                                          const model::Package& a, const model::Package& b,
                                          int threads, const CancelToken& cancel) {
  FrameOptions options;
  options.spec = &spec;
  options.threads = threads;
  options.cancel = cancel;
  if (b.task == model::Task::kBinary) options.known_positive = b.classes[1];
  for (const model::Package* package : {&a, &b}) {
    model::Package copy = *package;
    copy.seen = {};
    HR_ASSIGN(auto scorer, model::Scorer::Make(std::move(copy)));
    options.scorers.push_back(std::move(scorer));
    options.seen.push_back(&package->seen);
  }
  HR_ASSIGN(Frame frame, ReadFrame(rows, options));
  HR_ASSIGN(frame.costs, CostsOf(spec.costs, frame.classes, spec.name));
  std::vector<uint32_t> all(static_cast<size_t>(frame.rows())), common;
  std::iota(all.begin(), all.end(), 0u);
  const HonestRows of_a = HonestRowsOf(frame, all, {&a, &frame.earlier[0]});
  const HonestRows of_b = HonestRowsOf(frame, all, {&b, &frame.earlier[1]});
  std::set_intersection(of_a.rows.begin(), of_a.rows.end(), of_b.rows.begin(), of_b.rows.end(),
                        std::back_inserter(common));
  if (common.empty()) {
    return DataError("not_comparable",
                     fmt::format("versions {} and {} of model '{}' have no row in common that both "
                                 "can be judged on (of {} rows with a target)",
                                 a.version, b.version, spec.name, frame.rows()))
        .Hint("they differ in task, classes or columns, or their rows have changed since");
  }
  const auto outputs = static_cast<size_t>(frame.outputs());
  const std::vector<double> margins_a = Pick(of_a, common, outputs);
  const std::vector<double> margins_b = Pick(of_b, common, outputs);
  const ScoreView view_a(frame, common, margins_a, a.threshold);
  const ScoreView view_b(frame, common, margins_b, b.threshold);
  const std::vector<uint32_t> units = UnitsOf(frame, common);
  evaluate::BootstrapOptions bootstrap;
  bootstrap.seed = static_cast<uint64_t>(spec.seed);
  bootstrap.threads = threads;
  bootstrap.unit = units;
  bootstrap.cancel = &cancel;
  bootstrap.rounds = static_cast<int>(
      std::clamp<int64_t>(8'000'000 / static_cast<int64_t>(common.size()), 50, 400));

  VersionComparison out;
  out.rows = static_cast<int64_t>(common.size());
  out.rows_labelled = frame.rows();
  out.metric = b.metric;
  std::vector<std::string> names = {b.metric};
  for (const char* name : HeadlineMetrics(EvaluateTask(frame.task))) {
    if (name != b.metric) names.emplace_back(name);
  }
  for (const std::string& name : names) {
    HR_ASSIGN(const evaluate::Metric* metric, evaluate::FindMetric(name, EvaluateTask(frame.task)));
    HR_ASSIGN(const auto estimate,
              evaluate::EstimateDifference(*metric, view_b.View(), view_a.View(), bootstrap));
    if (!estimate.difference.defined()) continue;
    out.metrics.push_back({name, metric->higher_is_better, metric->compute(view_a.View()).value,
                           metric->compute(view_b.View()).value, estimate.difference.value,
                           estimate.interval.low, estimate.interval.high});
  }
  out.verdict = "no clear difference";
  if (!out.metrics.empty() && out.metrics[0].name == out.metric) {
    const ComparedMetric& main = out.metrics[0];
    if (main.low > 0) out.verdict = main.higher_is_better ? "better" : "worse";
    if (main.high < 0) out.verdict = main.higher_is_better ? "worse" : "better";
  }
  return out;
}

}  // namespace headrace::learn
