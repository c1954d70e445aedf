// A leak is a column that knows the target: a copy of it, a code written after the event, a date
// that is filled in only when the event came.
//
// Power of a column alone, 0 to 1: its values are put into bins (levels; at most 64 quantiles of a
// number; missing is a bin of its own), the mean target of each bin is learned on one half of the
// rows and judged on the other, and the reverse. The halves follow the row's group or key, so rows
// that belong together can't vouch for each other.
//   two classes  2 AUC − 1
//   classes      accuracy beyond that of the largest class
//   numbers      R² of the target's ranks (a heavy tail can't hide a copy), or the square of the
//   rank
//                correlation when that is more
// A column is suspect when it is nearly perfect, or nearly so while no other column is any good.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "learn/findings.h"
#include "learn/number_ranks.h"

namespace headrace::learn {
namespace {

constexpr int64_t kSample = 20'000;
constexpr size_t kBins = 64;
constexpr int64_t kFewest = 40;
constexpr double kNearlyPerfect = 0.98;
constexpr double kTooGood = 0.9995;
constexpr double kOutstanding = 0.96, kNoGood = 0.5;
// Presence: this share of the rows with (or without) a value is of one class, and this many of
// another class were to be expected.
constexpr double kPure = 0.995;
constexpr double kExpectedOthers = 12;

struct Sample {
  std::vector<uint32_t> rows;
  std::vector<uint8_t> half;
  std::vector<int32_t> label;
  std::vector<double> rank;    ///< of a numeric target
  std::vector<int64_t> count;  ///< rows by class
};

Sample Draw(const Frame& frame) {
  Sample sample;
  sample.rows = SomeRows(frame.rows(), kSample);
  const std::vector<Hash128>& unit = frame.group.empty() ? frame.id : frame.group;
  std::vector<double> target;
  sample.count.resize(frame.classes.size());
  for (const uint32_t row : sample.rows) {
    sample.half.push_back(static_cast<uint8_t>(unit[row].high & 1));
    if (frame.task == model::Task::kRegression) {
      target.push_back(frame.target[row]);
    } else {
      sample.label.push_back(frame.label[row]);
      ++sample.count[static_cast<size_t>(frame.label[row])];
    }
  }
  sample.rank = MeanRanks(target);
  return sample;
}

struct Bins {
  std::vector<uint32_t> of;  ///< by sample row
  size_t count = 0;
};

Bins BinsOf(const Frame& frame, size_t feature, const Sample& sample) {
  const NumberColumn& column = frame.features[feature];
  Bins bins;
  std::vector<double> values;
  for (const uint32_t row : sample.rows) {
    if (!std::isnan(column[row])) values.push_back(column[row]);
  }
  std::sort(values.begin(), values.end());
  std::vector<double> cuts = values;
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  if (cuts.size() > kBins && !frame.encoder.steps()[feature].categorical()) {
    cuts.clear();
    for (size_t b = 1; b < kBins; ++b) cuts.push_back(values[values.size() * b / kBins]);
    cuts.push_back(values.back());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  }
  for (const uint32_t row : sample.rows) {
    const double value = column[row];
    const auto at =
        std::isnan(value) ? cuts.end() : std::lower_bound(cuts.begin(), cuts.end(), value);
    bins.of.push_back(static_cast<uint32_t>(at - cuts.begin()));
  }
  bins.count = cuts.size() + 1;
  return bins;
}

/// AUC of one half scored by the other half's bin means; NaN without both classes.
double HalfAuc(const Bins& bins, const Sample& sample, uint8_t judged) {
  struct Bin {
    double learned = 0, learned_positive = 0, positive = 0, negative = 0;
    double score = 0;
  };
  std::vector<Bin> bin(bins.count);
  double rows = 0, positives = 0;
  for (size_t i = 0; i < bins.of.size(); ++i) {
    Bin& b = bin[bins.of[i]];
    const double y = sample.label[i];
    if (sample.half[i] == judged) {
      (y > 0 ? b.positive : b.negative) += 1;
    } else {
      b.learned += 1;
      b.learned_positive += y;
      rows += 1;
      positives += y;
    }
  }
  const double prior = rows > 0 ? positives / rows : 0.5;
  for (Bin& b : bin) b.score = (b.learned_positive + prior) / (b.learned + 1);
  std::sort(bin.begin(), bin.end(), [](const Bin& a, const Bin& b) { return a.score < b.score; });
  double below = 0, all_negative = 0, all_positive = 0, wins = 0;
  for (size_t first = 0; first < bin.size();) {
    double p = 0, n = 0;
    size_t end = first;
    for (; end < bin.size() && bin[end].score == bin[first].score; ++end) {
      p += bin[end].positive;
      n += bin[end].negative;
    }
    wins += p * (below + 0.5 * n);
    below += n;
    all_positive += p;
    all_negative += n;
    first = end;
  }
  return wins / (all_positive * all_negative);
}

/// Accuracy of one half beyond its largest class.
double HalfAccuracy(const Bins& bins, const Sample& sample, uint8_t judged) {
  const size_t classes = sample.count.size();
  std::vector<int32_t> learned(bins.count * classes, 0);
  std::vector<double> own(classes, 0);
  for (size_t i = 0; i < bins.of.size(); ++i) {
    const auto label = static_cast<size_t>(sample.label[i]);
    if (sample.half[i] != judged) ++learned[bins.of[i] * classes + label];
  }
  double right = 0, rows = 0;
  for (size_t i = 0; i < bins.of.size(); ++i) {
    if (sample.half[i] != judged) continue;
    const auto from = learned.begin() + static_cast<std::ptrdiff_t>(bins.of[i] * classes);
    const auto end = from + static_cast<std::ptrdiff_t>(classes);
    const auto label = static_cast<size_t>(sample.label[i]);
    right += std::max_element(from, end) - from == sample.label[i] ? 1 : 0;
    own[label] += 1;
    rows += 1;
  }
  const double base = *std::max_element(own.begin(), own.end()) / rows;
  return base < 1 ? (right / rows - base) / (1 - base) : std::nan("");
}

/// R² of the target's ranks.
double HalfR2(const Bins& bins, const Sample& sample, uint8_t judged) {
  std::vector<double> sum(bins.count, 0), count(bins.count, 0);
  double total = 0, rows = 0;
  for (size_t i = 0; i < bins.of.size(); ++i) {
    if (sample.half[i] == judged) continue;
    sum[bins.of[i]] += sample.rank[i];
    count[bins.of[i]] += 1;
    total += sample.rank[i];
    rows += 1;
  }
  const double mean = rows > 0 ? total / rows : 0.5;
  double error = 0, spread = 0;
  for (size_t i = 0; i < bins.of.size(); ++i) {
    if (sample.half[i] != judged) continue;
    const size_t b = bins.of[i];
    const double guess = count[b] > 0 ? sum[b] / count[b] : mean;
    error += (sample.rank[i] - guess) * (sample.rank[i] - guess);
    spread += (sample.rank[i] - mean) * (sample.rank[i] - mean);
  }
  return spread > 0 ? 1 - error / spread : std::nan("");
}

/// Square of the rank correlation; 0 when a value is missing (the bins see those).
double RankPower(const Frame& frame, size_t feature, const Sample& sample) {
  if (frame.encoder.steps()[feature].categorical()) return 0;
  std::vector<double> values;
  for (const uint32_t row : sample.rows) {
    values.push_back(frame.features[feature][row]);
    if (std::isnan(values.back())) return 0;
  }
  const double correlation = RankCorrelation(values, sample.rank);
  return correlation * correlation;
}

double PowerOf(const Frame& frame, size_t feature, const Sample& sample) {
  const Bins bins = BinsOf(frame, feature, sample);
  double power[2];
  const double rank =
      frame.task == model::Task::kRegression ? RankPower(frame, feature, sample) : 0;
  for (const uint8_t judged : {0, 1}) {
    power[judged] = frame.task == model::Task::kBinary       ? 2 * HalfAuc(bins, sample, judged) - 1
                    : frame.task == model::Task::kMulticlass ? HalfAccuracy(bins, sample, judged)
                                                             : HalfR2(bins, sample, judged);
  }
  if (frame.task == model::Task::kRegression) return std::max(rank, std::min(power[0], power[1]));
  return std::min(power[0], power[1]);  // NaN compares false: a half without classes says nothing
}

Finding Suspect(const FindingInput& input, const std::string& column, double power,
                const std::pair<double, std::string>& second, size_t rows) {
  const bool binary = input.frame->task == model::Task::kBinary;
  const auto shown = [&](double p) { return binary ? 0.5 + 0.5 * p : p; };
  const char* measure = binary                                          ? "roc_auc"
                        : input.frame->task == model::Task::kMulticlass ? "accuracy_gain"
                                                                        : "rank_r2";
  Json evidence = {{"kind", "alone"}, {measure, shown(power)}, {"rows", rows}};
  std::string other;
  if (!second.second.empty()) {
    evidence["next_column"] = second.second;
    evidence["next_value"] = shown(second.first);
    other =
        fmt::format("; the next best, '{}', reaches {:.3f}", second.second, shown(second.first));
  }
  return Hint(
      "leak_suspect", column,
      fmt::format("'{}' alone predicts '{}' almost perfectly ({} {:.4f} on {} rows{}): if it "
                  "is known only after the event, leave it out (features: exclude)",
                  column, input.spec->target, measure, shown(power), rows, other),
      DumpJson(evidence), "target");
}

/// Whether a column has a value says which class it is.
std::optional<Finding> PresenceTells(const FindingInput& input, size_t feature,
                                     const Sample& sample) {
  const Frame& frame = *input.frame;
  if (frame.task == model::Task::kRegression) return std::nullopt;
  const NumberColumn& column = frame.features[feature];
  std::vector<int64_t> count[2];
  int64_t rows[2] = {0, 0};
  for (auto& side : count) side.resize(frame.classes.size());
  for (size_t i = 0; i < sample.rows.size(); ++i) {
    const int side = std::isnan(column[sample.rows[i]]) ? 0 : 1;
    ++count[side][static_cast<size_t>(sample.label[i])];
    ++rows[side];
  }
  for (const int side : {1, 0}) {
    if (rows[side] == 0 || rows[1 - side] == 0) continue;
    const auto at = static_cast<size_t>(std::max_element(count[side].begin(), count[side].end()) -
                                        count[side].begin());
    const double pure = static_cast<double>(count[side][at]) / static_cast<double>(rows[side]);
    const double base =
        static_cast<double>(sample.count[at]) / static_cast<double>(sample.rows.size());
    if (pure < kPure || (1 - base) * static_cast<double>(rows[side]) < kExpectedOthers) continue;
    const std::string& name = ColumnOf(frame, feature);
    return Hint(
        "leak_suspect", name,
        fmt::format("where '{}' {} a value, '{}' is '{}' in {} of {} rows ({:.1f} % of all rows "
                    "are): it seems to be filled in after the event; leave it out (features: "
                    "exclude)",
                    name, side == 1 ? "has" : "lacks", input.spec->target, frame.classes[at],
                    count[side][at], rows[side], 100 * base),
        DumpJson({{"kind", side == 1 ? "present" : "missing"},
                  {"class", frame.classes[at]},
                  {"rows", rows[side]},
                  {"of_class", count[side][at]},
                  {"share_of_all", base}}),
        "target");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> FindTooGood(const std::map<std::string, model::MetricValue>& metrics,
                                   std::span<const ColumnPower> powers,
                                   std::span<const Finding> found) {
  for (const Finding& finding : found) {
    if (finding.code == "leak_suspect") return std::nullopt;
  }
  for (const char* name : {"roc_auc", "r2"}) {
    const auto metric = metrics.find(name);
    if (metric == metrics.end() || !(metric->second.value >= kTooGood)) continue;
    std::string strongest;
    Json columns = Json::object();
    for (const ColumnPower& one : powers.first(std::min<size_t>(powers.size(), 3))) {
      strongest +=
          fmt::format("{}'{}' {:.2f}", strongest.empty() ? "" : ", ", one.column, one.power);
      columns[one.column] = one.power;
    }
    return Hint("leak_suspect", "",
                fmt::format("the model is as good as perfect ({} {:.6f} on {} rows): columns that "
                            "together know the target? The strongest alone, 0 to 1: {}",
                            name, metric->second.value, metric->second.rows, strongest),
                DumpJson({{"kind", "together"},
                          {name, metric->second.value},
                          {"rows", metric->second.rows},
                          {"strongest", std::move(columns)}}),
                "target");
  }
  return std::nullopt;
}

Result<std::vector<Finding>> FindLeaks(const FindingInput& input,
                                       std::vector<ColumnPower>* powers) {
  const Frame& frame = *input.frame;
  std::vector<Finding> out;
  if (frame.rows() < kFewest) return out;
  const Sample sample = Draw(frame);
  std::map<int, std::pair<double, size_t>> best;  // by raw column: power and step
  for (size_t s = 0; s < frame.features.size(); ++s) {
    HR_TRY(input.cancel.Check());
    const double power = PowerOf(frame, s, sample);
    auto [at, added] = best.emplace(frame.encoder.steps()[s].input, std::pair(-1.0, s));
    if (power > at->second.first) at->second = {power, s};
  }
  for (const auto& [column, own] : best) {
    powers->push_back({ColumnOf(frame, own.second), std::max(own.first, 0.0)});
  }
  std::stable_sort(powers->begin(), powers->end(),
                   [](const ColumnPower& a, const ColumnPower& b) { return a.power > b.power; });
  for (const auto& [column, own] : best) {
    std::pair<double, std::string> second{0, ""};
    for (const auto& [other, theirs] : best) {
      if (other != column && (second.second.empty() || theirs.first > second.first)) {
        second = {std::max(theirs.first, 0.0), ColumnOf(frame, theirs.second)};
      }
    }
    const auto [power, step] = own;
    const bool outstanding =
        power >= kOutstanding && !second.second.empty() && second.first <= kNoGood;
    if (power >= kNearlyPerfect || outstanding) {
      out.push_back(Suspect(input, ColumnOf(frame, step), power, second, sample.rows.size()));
    } else if (auto finding = PresenceTells(input, step, sample)) {
      out.push_back(std::move(*finding));
    }
  }
  return out;
}

}  // namespace headrace::learn
