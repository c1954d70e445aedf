// Influence: the values of one raw column are shuffled between some rows and the rows are scored
// again; the mean change of the answer (probability, or the predicted value) says how much the
// model goes by that column. It needs no truth, so it may be asked of the final model on any rows.
// Columns that tell the same share their influence.
//
// Slices: the metric in groups of rows (levels of a category, true and false, quarters of a
// number). Groups too small to show are folded into one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/thread_pool.h"
#include "evaluate/bootstrap.h"
#include "evaluate/deterministic_math.h"
#include "evaluate/random.h"
#include "learn/evaluation_summary.h"
#include "learn/score_view.h"
#include "model/member_runtime.h"

namespace headrace::learn {
namespace {

constexpr size_t kMostScored = 20'000;  // rows, over all columns
constexpr size_t kMostColumns = 200;
constexpr size_t kShownColumns = 30;
constexpr size_t kSlicedColumns = 8;
constexpr size_t kMostLevels = 12;
constexpr int64_t kBootstrapWork = 4'000'000;  // rows × rounds of one column

/// The model's answer: probabilities, or the predicted value.
class Answers {
 public:
  static Result<Answers> Make(const EvaluationInput& input) {
    Answers out(input);
    HR_ASSIGN(out.members_, model::BuildMembers(*input.package));
    return out;
  }

  std::vector<double> Of(const std::vector<double>& block, size_t rows) const {
    const auto outputs = static_cast<size_t>(frame_->outputs());
    const int64_t width = frame_->width();
    std::vector<double> sum(rows * outputs, 0.0), one(rows * outputs);
    for (const auto& member : members_) {
      member.Margins(block.data(), static_cast<int64_t>(rows), width, one.data());
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += member.weight() * one[i];
    }
    const model::Calibration& calibration = package_->calibration;
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] = calibration.scale * sum[i];
      if (!calibration.offsets.empty()) sum[i] += calibration.offsets[i % outputs];
    }
    if (frame_->task == model::Task::kBinary) evaluate::SigmoidEach(sum, sum);
    if (frame_->task == model::Task::kMulticlass) {
      for (size_t r = 0; r < rows; ++r) {
        const std::span<double> row(sum.data() + r * outputs, outputs);
        evaluate::Softmax(row, row);
      }
    }
    return sum;
  }

 private:
  explicit Answers(const EvaluationInput& input) : frame_(input.frame), package_(input.package) {}
  const Frame* frame_;
  const model::Package* package_;
  std::vector<model::MemberRuntime> members_;
};

/// Steps of the encoder by the raw column they come from, in the order of the signature.
std::vector<std::pair<std::string, std::vector<size_t>>> StepsByColumn(const Frame& frame) {
  const auto& inputs = frame.encoder.signature().inputs;
  std::vector<std::pair<std::string, std::vector<size_t>>> out(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) out[i].first = inputs[i].name;
  const auto& steps = frame.encoder.steps();
  for (size_t s = 0; s < steps.size(); ++s) {
    out[static_cast<size_t>(steps[s].input)].second.push_back(s);
  }
  std::erase_if(out, [](const auto& column) { return column.second.empty(); });
  return out;
}

/// Mean change of an answer (several classes: half the sum over them) and its standard error.
std::pair<double, double> MeanChange(const std::vector<double>& before,
                                     const std::vector<double>& after, size_t rows) {
  const size_t outputs = before.size() / rows;
  double sum = 0, squares = 0;
  for (size_t r = 0; r < rows; ++r) {
    double change = 0;
    for (size_t k = 0; k < outputs; ++k) {
      change += std::fabs(after[r * outputs + k] - before[r * outputs + k]);
    }
    if (outputs > 1) change /= 2;
    sum += change;
    squares += change * change;
  }
  const auto n = static_cast<double>(rows);
  const double mean = sum / n;
  return {mean, std::sqrt(std::max(0.0, squares / n - mean * mean) / n)};
}

/// Groups of rows by one column; code −1 = in none.
struct Grouping {
  std::string column;
  std::vector<std::string> names;
  std::vector<int32_t> code;  // by judged row
};

Grouping ByLevels(const std::string& column, const std::vector<std::string>& levels,
                  const std::vector<double>& codes) {
  Grouping out;
  out.column = column;
  out.names = levels;
  out.names.push_back("other values");
  out.names.push_back("(missing)");
  for (const double code : codes) {
    const auto last = static_cast<double>(levels.size());
    out.code.push_back(std::isnan(code) ? static_cast<int32_t>(levels.size()) + 1
                                        : static_cast<int32_t>(std::clamp(code, 0.0, last)));
  }
  return out;
}

/// Quarters of the values; bounds rounded to three digits, so that they are no row's value.
Grouping ByQuarters(const std::string& column, const std::vector<double>& values) {
  std::vector<double> sorted;
  for (const double v : values) {
    if (!std::isnan(v)) sorted.push_back(v);
  }
  const double least = sorted.empty() ? 0 : *std::min_element(sorted.begin(), sorted.end());
  std::vector<double> cuts;
  auto above = sorted.begin();  // what lies before it is smaller
  for (int q = 1; q < 4 && !sorted.empty(); ++q) {
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size()) * q / 4;
    std::nth_element(above, at, sorted.end());
    above = at;
    const double rounded = std::strtod(fmt::format("{:.3g}", *at).c_str(), nullptr);
    if (rounded > least && (cuts.empty() || rounded > cuts.back())) {
      cuts.push_back(rounded);
    }
  }
  Grouping out;
  out.column = column;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    out.names.push_back(i == 0 && cuts.empty() ? "any value"
                        : i == 0               ? fmt::format("below {:g}", cuts[0])
                        : i == cuts.size()     ? fmt::format("{:g} and more", cuts.back())
                                               : fmt::format("{:g} to {:g}", cuts[i - 1], cuts[i]));
  }
  out.names.push_back("(missing)");
  for (const double v : values) {
    const auto above = std::upper_bound(cuts.begin(), cuts.end(), v) - cuts.begin();
    out.code.push_back(
        static_cast<int32_t>(std::isnan(v) ? static_cast<std::ptrdiff_t>(cuts.size()) + 1 : above));
  }
  return out;
}

/// Groups of fewer than kFewestInGroup rows become one, which is left out when it is small too.
void FoldSmall(Grouping* groups) {
  std::vector<int64_t> count(groups->names.size(), 0);
  for (const int32_t code : groups->code) {
    if (code >= 0) ++count[static_cast<size_t>(code)];
  }
  std::vector<int32_t> place(count.size(), -1);
  std::vector<std::string> names;
  int64_t rest = 0;
  int parts = 0;
  for (size_t i = 0; i < count.size(); ++i) {
    if (count[i] >= kFewestInGroup) {
      place[i] = static_cast<int32_t>(names.size());
      names.push_back(groups->names[i]);
    } else if (count[i] > 0) {
      rest += count[i];
      ++parts;
    }
  }
  const bool show = rest >= kFewestInGroup;
  if (show) names.push_back(fmt::format("{} small groups together", parts));
  for (int32_t& code : groups->code) {
    if (code < 0) continue;
    const int32_t to = place[static_cast<size_t>(code)];
    code = to >= 0 ? to : show ? static_cast<int32_t>(names.size()) - 1 : -1;
  }
  groups->names = std::move(names);
}

std::vector<Grouping> MakeGroups(const EvaluationInput& input, const Json& influence) {
  const Frame& frame = *input.frame;
  std::vector<Grouping> out;
  std::set<std::string> done;
  for (const SliceCodes& slice : frame.slices) {  // those of gates come first
    if (slice.values.size() > kMostLevels || !done.insert(slice.name).second) continue;
    std::vector<double> codes;
    for (const uint32_t row : input.rows) {
      codes.push_back(slice.codes[row] < 0 ? std::nan("") : slice.codes[row]);
    }
    out.push_back(ByLevels(slice.name, slice.values, codes));
  }
  const auto columns = StepsByColumn(frame);
  for (const Json& entry : influence["columns"]) {
    if (out.size() >= kSlicedColumns) break;
    const std::string name = entry["column"].get<std::string>();
    const auto column = std::find_if(columns.begin(), columns.end(),
                                     [&](const auto& c) { return c.first == name; });
    if (column == columns.end() || column->second.size() != 1 || done.contains(name)) continue;
    const size_t s = column->second.front();
    const model::Step& step = frame.encoder.steps()[s];
    if (step.categorical() && step.levels.size() > kMostLevels) continue;
    std::vector<double> values;
    for (const uint32_t row : input.rows) values.push_back(frame.features[s][row]);
    const auto& raw = frame.encoder.signature().inputs[static_cast<size_t>(step.input)];
    if (step.categorical()) {
      out.push_back(ByLevels(name, step.levels, values));
    } else if (raw.input_class == model::InputClass::kBoolean) {
      out.push_back(ByLevels(name, {"false", "true"}, values));
    } else if (step.kind == model::StepKind::kNumber) {
      out.push_back(ByQuarters(name, values));
    }
  }
  for (Grouping& groups : out) FoldSmall(&groups);
  std::erase_if(out, [](const Grouping& groups) { return groups.names.size() < 2; });
  return out;
}

Result<Json> JudgeGroup(const EvaluationInput& input, const Grouping& groups, size_t group) {
  const auto outputs = static_cast<size_t>(input.frame->outputs());
  std::vector<uint32_t> rows, unit;
  std::vector<double> margins;
  for (size_t i = 0; i < input.rows.size(); ++i) {
    if (groups.code[i] != static_cast<int32_t>(group)) continue;
    rows.push_back(input.rows[i]);
    unit.push_back(input.unit[input.rows[i]]);
    for (size_t k = 0; k < outputs; ++k) margins.push_back(input.margins[i * outputs + k]);
  }
  const ScoreView view(*input.frame, rows, margins, input.package->threshold);
  evaluate::BootstrapOptions options;
  options.seed = static_cast<uint64_t>(input.package->seed);
  options.unit = unit;
  options.threads = 1;  // groups are judged side by side
  options.cancel = &input.cancel;
  options.rounds = static_cast<int>(std::clamp<int64_t>(
      kBootstrapWork / static_cast<int64_t>(std::max<size_t>(input.rows.size(), 1)), 50, 200));
  HR_ASSIGN(const auto estimate, evaluate::EstimateMetric(*input.metric, view.View(), options));
  const evaluate::ScoredRows scored = view.View();
  Json out = {{"value", groups.names[group]}, {"rows", rows.size()}};
  const bool defined = estimate.value.defined();
  out["metric"] = defined ? ShortNumber(estimate.value.value) : Json(nullptr);
  out["low"] = defined ? ShortNumber(estimate.interval.low) : Json(nullptr);
  out["high"] = defined ? ShortNumber(estimate.interval.high) : Json(nullptr);
  if (!defined) out["undefined"] = estimate.value.undefined;
  const auto n = static_cast<double>(rows.size());
  if (input.frame->task == model::Task::kBinary) {
    const auto positives = std::count(scored.label.begin(), scored.label.end(), 1);
    out["actual"] = ShortNumber(static_cast<double>(positives) / n);
    out["predicted"] = ShortNumber(evaluate::Sum(scored.score) / n);
  } else if (input.frame->task == model::Task::kRegression) {
    out["actual"] = ShortNumber(evaluate::Sum(scored.actual) / n);
    out["predicted"] = ShortNumber(evaluate::Sum(scored.score) / n);
  }
  return out;
}

}  // namespace

Result<Json> Influence(const EvaluationInput& input) {
  const Frame& frame = *input.frame;
  auto columns = StepsByColumn(frame);
  Json out = {{"unit", frame.task == model::Task::kRegression ? "target" : "probability"},
              {"columns", Json::array()}};
  if (columns.size() > kMostColumns) columns.resize(kMostColumns);
  if (columns.empty()) return out;
  const size_t n =
      std::min(input.rows.size(), std::clamp<size_t>(kMostScored / columns.size(), 100, 1000));
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < n; ++i) rows.push_back(input.rows[i * input.rows.size() / n]);
  const auto width = static_cast<size_t>(frame.width());
  std::vector<double> block(n * width);
  frame.Gather(rows.data(), static_cast<int64_t>(n), block.data());
  HR_ASSIGN(const Answers answers, Answers::Make(input));
  const std::vector<double> before = answers.Of(block, n);
  std::vector<std::pair<double, double>> change(columns.size());
  HR_TRY(ParallelFor(input.threads, static_cast<int64_t>(columns.size()), input.cancel,
                     [&](int64_t c) -> Status {
                       const auto at = static_cast<size_t>(c);
                       std::vector<uint32_t> order(n);
                       std::iota(order.begin(), order.end(), 0u);
                       evaluate::Random random(static_cast<uint64_t>(input.package->seed),
                                               static_cast<uint64_t>(c));
                       random.Shuffle(std::span<uint32_t>(order));
                       std::vector<double> shuffled = block;
                       for (const size_t s : columns[at].second) {
                         for (size_t r = 0; r < n; ++r) {
                           shuffled[r * width + s] = block[order[r] * width + s];
                         }
                       }
                       change[at] = MeanChange(before, answers.Of(shuffled, n), n);
                       return Ok();
                     }));
  std::vector<size_t> best(columns.size());
  std::iota(best.begin(), best.end(), size_t{0});
  std::stable_sort(best.begin(), best.end(),
                   [&](size_t a, size_t b) { return change[a].first > change[b].first; });
  out["rows"] = n;
  out["of"] = columns.size();
  if (best.size() > kShownColumns) best.resize(kShownColumns);
  for (const size_t c : best) {
    const auto [mean, error] = change[c];
    out["columns"].push_back({{"column", columns[c].first},
                              {"value", ShortNumber(mean)},
                              {"low", ShortNumber(std::max(0.0, mean - 1.96 * error))},
                              {"high", ShortNumber(mean + 1.96 * error)}});
  }
  return out;
}

Result<Json> Slices(const EvaluationInput& input, const Json& influence) {
  const std::vector<Grouping> groupings = MakeGroups(input, influence);
  std::vector<std::pair<size_t, size_t>> tasks;  // grouping, its group
  for (size_t i = 0; i < groupings.size(); ++i) {
    for (size_t g = 0; g < groupings[i].names.size(); ++g) tasks.emplace_back(i, g);
  }
  std::vector<Json> judged(tasks.size());
  HR_TRY(ParallelFor(
      input.threads, static_cast<int64_t>(tasks.size()), input.cancel, [&](int64_t t) -> Status {
        const auto at = static_cast<size_t>(t);
        HR_ASSIGN(judged[at], JudgeGroup(input, groupings[tasks[at].first], tasks[at].second));
        return Ok();
      }));
  Json out = Json::array();
  for (const Grouping& groups : groupings) {
    out.push_back({{"column", groups.column}, {"groups", Json::array()}});
  }
  for (size_t t = 0; t < tasks.size(); ++t) {
    out[tasks[t].first]["groups"].push_back(std::move(judged[t]));
  }
  return out;
}

}  // namespace headrace::learn
