#include "learn/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "learn/headline.h"
#include "learn/score_view.h"
#include "sql/gate.h"

namespace headrace::learn {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// With more rows bounds are narrow, and only those that decide are worth their time.
constexpr size_t kMostRowsForAllBounds = 200'000;

void CollectMetrics(const sql::GateTerm& term, std::set<std::string>* out) {
  if (term.kind == sql::GateTerm::Kind::kMetric) out->insert(term.metric.metric);
  for (const sql::GateTerm& inner : term.terms) CollectMetrics(inner, out);
}

using MetricMap = std::map<std::string, model::MetricValue>;

Result<MetricMap> Measure(const evaluate::ScoredRows& rows) {
  HR_ASSIGN(const auto values, evaluate::EvaluateAll(rows));
  MetricMap out;
  for (const auto& named : values) {
    if (!named.value.defined()) continue;
    out[named.name] = {named.value.value, kNan, kNan, static_cast<int64_t>(rows.size())};
  }
  return out;
}

class Judging {
 public:
  explicit Judging(const JudgeInput& input)
      : input_(input),
        frame_(*input.frame),
        candidate_(frame_, input.rows, input.margins, input.threshold) {
    for (const uint32_t row : input.rows) unit_.push_back(input.unit[row]);
    bootstrap_.seed = input.seed;
    bootstrap_.threads = input.threads;
    bootstrap_.cancel = &input.cancel;
    bootstrap_.unit = unit_;
    // More rows make the bounds narrow; fewer rounds then serve as well.
    const auto rows = static_cast<int64_t>(std::max<size_t>(input.rows.size(), 1));
    bootstrap_.rounds = static_cast<int>(std::clamp<int64_t>(8'000'000 / rows, 50, 400));
  }

  Result<Judgement> Run() {
    HR_ASSIGN(out_.metrics, Measure(candidate_.View()));
    HR_TRY(AddBounds());
    if (frame_.task != model::Task::kRegression) out_.confusion = Confusion(candidate_.View());
    HR_TRY(MeasureGroups());
    const ScoreView baseline(frame_, input_.rows, input_.baseline, input_.threshold);
    HR_ASSIGN(out_.baseline, Measure(baseline.View()));
    HR_TRY(RunGates());
    return std::move(out_);
  }

 private:
  Status AddBounds() {
    std::set<std::string> names = {std::string(input_.metric->name)};
    if (input_.rows.size() <= kMostRowsForAllBounds) {
      for (const char* name : HeadlineMetrics(EvaluateTask(frame_.task))) names.insert(name);
    }
    for (const sql::Gate& gate : *input_.gates) {
      CollectMetrics(gate.right, &names);
      names.insert(gate.left.metric);
    }
    for (const std::string& name : names) {
      HR_ASSIGN(const evaluate::Metric* metric,
                evaluate::FindMetric(name, EvaluateTask(frame_.task)));
      const auto at = out_.metrics.find(std::string(metric->name));
      if (at == out_.metrics.end()) continue;
      HR_ASSIGN(const evaluate::Estimate estimate,
                evaluate::EstimateMetric(*metric, candidate_.View(), bootstrap_));
      const double shift = metric == input_.metric
                               ? (metric->higher_is_better ? -input_.optimism : input_.optimism)
                               : 0;
      at->second.value += shift;
      at->second.low = estimate.interval.low + shift;
      at->second.high = estimate.interval.high + shift;
    }
    return Ok();
  }

  /// time + group: rows of groups that were learned from, and of new ones, apart.
  Status MeasureGroups() {
    if (input_.group_seen.empty()) return Ok();
    for (const bool seen : {true, false}) {
      std::vector<uint32_t> rows;
      std::vector<double> margins;
      const auto outputs = static_cast<size_t>(frame_.outputs());
      for (size_t i = 0; i < input_.rows.size(); ++i) {
        if ((input_.group_seen[i] != 0) != seen) continue;
        rows.push_back(input_.rows[i]);
        for (size_t k = 0; k < outputs; ++k) margins.push_back(input_.margins[i * outputs + k]);
      }
      if (rows.empty()) continue;
      const ScoreView view(frame_, rows, margins, input_.threshold);
      HR_ASSIGN((seen ? out_.seen_groups : out_.new_groups), Measure(view.View()));
    }
    return Ok();
  }

  evaluate::OtherVersion Other(const EarlierVersion& version, const HonestRows& compared,
                               const ScoreView& view) const {
    evaluate::OtherVersion other;
    other.rows = view.View();
    other.row = compared.positions;
    other.version = version.package->version;
    return other;
  }

  Status RunGates() {
    evaluate::GateInput gates;
    gates.candidate = candidate_.View();
    gates.bootstrap = bootstrap_;
    const auto metric = out_.metrics.find(std::string(input_.metric->name));
    if (input_.optimism > 0 && metric != out_.metrics.end()) {
      gates.corrected.push_back({metric->first, evaluate::Defined(metric->second.value)});
    }
    std::vector<std::vector<int32_t>> codes;
    codes.reserve(frame_.slices.size());
    for (const SliceCodes& slice : frame_.slices) {
      codes.emplace_back();
      for (const uint32_t row : input_.rows) codes.back().push_back(slice.codes[row]);
      gates.slices.push_back({slice.name, slice.values, codes.back()});
    }
    HonestRows champion, best;
    std::optional<ScoreView> champion_view, best_view;
    if (input_.champion.package != nullptr) {
      champion = HonestRowsOf(frame_, input_.rows, input_.champion);
      champion_view.emplace(frame_, champion.rows, champion.margins,
                            input_.champion.package->threshold);
      NoteCompared(champion);
      if (!champion.rows.empty()) {
        // Beside the candidate's numbers only what was measured on the same rows may stand.
        if (champion.rows.size() == input_.rows.size()) {
          HR_ASSIGN(out_.champion, Measure(champion_view->View()));
        }
        gates.champion = Other(input_.champion, champion, *champion_view);
      } else {
        return NothingToCompare(gates);
      }
    }
    if (input_.best.package != nullptr) {
      best = HonestRowsOf(frame_, input_.rows, input_.best);
      if (!best.rows.empty()) {
        best_view.emplace(frame_, best.rows, best.margins, input_.best.package->threshold);
        gates.best_promoted = Other(input_.best, best, *best_view);
      }
    }
    HR_ASSIGN(out_.gate, evaluate::EvaluateGates(*input_.gates, gates));
    return Ok();
  }

  /// A champion that can't be compared at all: gates that name it are undecided, the others judged.
  Status NothingToCompare(const evaluate::GateInput& gates) {
    std::vector<sql::Gate> absolute;
    for (const sql::Gate& gate : *input_.gates) {
      if (!gate.relative) absolute.push_back(gate);
    }
    HR_ASSIGN(out_.gate, evaluate::EvaluateGates(absolute, gates));
    for (const sql::Gate& gate : *input_.gates) {
      if (!gate.relative) continue;
      evaluate::GateLine line;
      line.gate = gate.text;
      line.verdict = evaluate::Verdict::kUndecided;
      line.value = line.low = line.high = kNan;
      line.message =
          fmt::format("{} undecided: version {} can't be scored on any of the {} judged rows",
                      gate.text, input_.champion.package->version, input_.rows.size());
      if (out_.gate.verdict == evaluate::Verdict::kPass) {
        out_.gate.verdict = evaluate::Verdict::kUndecided;
        out_.gate.reason = line.message;
      }
      out_.gate.lines.push_back(std::move(line));
    }
    return Ok();
  }

  void NoteCompared(const HonestRows& champion) {
    if (champion.rows.size() == input_.rows.size()) return;
    out_.findings.push_back(
        {"champion_rows", "",
         fmt::format(
             "the champion (version {}) is compared on {} of {} rows: it has learned from the "
             "others, or can't read them",
             input_.champion.package->version, champion.rows.size(), input_.rows.size())});
  }

  const JudgeInput& input_;
  const Frame& frame_;
  ScoreView candidate_;
  std::vector<uint32_t> unit_;
  evaluate::BootstrapOptions bootstrap_;
  Judgement out_;
};

}  // namespace

Result<std::vector<sql::Gate>> ParseGates(const ModelSpec& spec, sql::SqlParser* parser) {
  std::vector<sql::Gate> out;
  if (spec.gates.empty()) return out;
  std::unique_ptr<sql::SqlParser> own;
  if (parser == nullptr) {
    HR_ASSIGN(own, sql::SqlParser::Open());
    parser = own.get();
  }
  for (size_t i = 0; i < spec.gates.size(); ++i) {
    sql::SqlText text;
    text.text = spec.gates[i];
    text.node = spec.name;
    if (i < spec.gate_places.size()) {
      text.origin = spec.gate_places[i];
      text.file = text.origin.file;
    }
    HR_ASSIGN(sql::Gate gate, sql::ParseGate(*parser, text));
    out.push_back(std::move(gate));
  }
  return out;
}

std::vector<std::string> SliceColumns(const std::vector<sql::Gate>& gates) {
  std::vector<std::string> out;
  for (const sql::Gate& gate : gates) {
    if (!gate.slice.empty() && std::find(out.begin(), out.end(), gate.slice) == out.end()) {
      out.push_back(gate.slice);
    }
  }
  return out;
}

Result<Judgement> Judge(const JudgeInput& input) { return Judging(input).Run(); }

}  // namespace headrace::learn
