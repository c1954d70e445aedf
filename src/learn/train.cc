// A training, stage by stage: read and encode the rows, split them, race candidates on the folds,
// blend the best, judge the blend on rows it has not seen, and train what was chosen on all rows.
#include "learn/train.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/number_text.h"
#include "base/thread_pool.h"
#include "evaluate/bootstrap.h"
#include "evaluate/metrics.h"
#include "evaluate/split.h"
#include "learn/decision.h"
#include "learn/ensemble.h"
#include "learn/evaluation_summary.h"
#include "learn/findings.h"
#include "learn/frame.h"
#include "learn/judge.h"
#include "learn/learner.h"
#include "learn/score_view.h"
#include "learn/search.h"
#include "learn/split_wish.h"
#include "learn/train_report.h"
#include "learn/train_rows.h"
#include "model/member_runtime.h"
#include "model/scorer.h"

namespace headrace::learn {
namespace {

/// Below this many rows members are trained side by side on one thread each: LightGBM's own threads
/// cost more than they give. Results are equal either way.
constexpr size_t kRowsForThreads = 50'000;

class Training {
 public:
  explicit Training(TrainRequest& request) : request_(request), spec_(request.spec) {
    request_.threads = std::max(1, request_.threads);
  }

  Result<TrainOutcome> Run() {
    HR_TRY(Check());
    HR_TRY(Read());
    HR_TRY(Plan());
    HR_TRY(Split());
    HR_TRY(Search());
    HR_TRY(Blend());
    HR_TRY(FitCandidate());
    HR_TRY(JudgeCandidate());
    HR_TRY(Refit());
    HR_TRY(Finish());
    return std::move(out_);
  }

 private:
  Status Check() {
    std::vector<Error> faults = CheckSpec(spec_);
    if (!faults.empty()) return std::move(faults.front());
    if (request_.rows == nullptr) return InternalError("Train: no rows given");
    if (spec_.budget.minutes && request_.clock == nullptr) {
      return InternalError("Train: a budget in minutes needs a clock");
    }
    HR_ASSIGN(gates_, ParseGates(spec_));
    return Ok();
  }

  Status Read() {
    Report("read", 0, 1, "");
    FrameOptions options;
    options.spec = &spec_;
    options.with_order = request_.with_order;
    options.slices = SliceColumns(gates_);
    options.threads = request_.threads;
    options.budget = request_.budget;
    options.cancel = request_.cancel;
    for (const model::Package* earlier : {request_.champion, request_.best}) {
      std::shared_ptr<const model::Scorer> scorer;
      const bool again = earlier == request_.champion && !options.scorers.empty();
      if (earlier != nullptr && !again) {
        model::Package copy = *earlier;
        copy.seen = {};
        HR_ASSIGN(scorer, model::Scorer::Make(std::move(copy)));
      }
      options.scorers.push_back(std::move(scorer));
      options.seen.push_back(earlier == nullptr || again ? nullptr : &earlier->seen);
    }
    if (request_.champion != nullptr && request_.champion->task == model::Task::kBinary) {
      options.known_positive = request_.champion->classes[1];
    }
    HR_ASSIGN(frame_, ReadFrame(*request_.rows, options));
    request_.rows.reset();  // the reader's memory isn't needed any more
    malloc_trim(0);         // the learner's would stand on top of it
    out_.rows = frame_.input_rows;
    out_.rows_without_target = frame_.rows_without_target;
    out_.findings = std::move(frame_.findings);
    const std::string name = spec_.metric.empty()
                                 ? std::string(evaluate::DefaultMetric(EvaluateTask(frame_.task)))
                                 : spec_.metric;
    HR_ASSIGN(metric_, evaluate::FindMetric(name, EvaluateTask(frame_.task)));
    HR_ASSIGN(frame_.costs, CostsOf(spec_.costs, frame_.classes, spec_.name));
    HR_ASSIGN(frame_.fit_weight, LearningWeights(spec_.class_weight, frame_, spec_.name));
    threshold_ = spec_.threshold.value_or(ThresholdByTheory(frame_.costs));
    frame_.threshold = threshold_;
    return Ok();
  }

  Status Plan() {
    HR_ASSIGN(race_, PlanRace(spec_, frame_.task, frame_.rows(), frame_.outputs()));
    if (race_.candidates.size() == 1 && !spec_.learners.empty()) {
      out_.findings.push_back({"only_baseline", "", "no learner but the baseline takes part"});
    }
    for (const auto& learner : race_.learners) {
      if (frame_.rows() <= learner->most_rows()) continue;
      out_.findings.push_back(
          Note("sampled_rows", std::string(learner->name()),
               fmt::format("{} learns from an even sample of {} of the {} rows", learner->name(),
                           learner->most_rows(), frame_.rows())));
    }
    set_.frame = &frame_;
    set_.seed = static_cast<uint64_t>(spec_.seed);
    set_.threads = request_.threads;
    set_.runtime = request_.runtime;
    set_.cancel = request_.cancel;
    for (const auto& learner : race_.learners) {
      HR_TRY(learner->Prepare(set_, FixedOf(learner->name())));
    }
    return Ok();
  }

  Config FixedOf(std::string_view learner) const {
    for (const Candidate& candidate : race_.candidates) {
      if (candidate.learner->name() == learner) return candidate.config;
    }
    return {};
  }

  Status Split() {
    evaluate::SplitInput input;
    input.row = frame_.id;
    input.group = frame_.group;
    input.time = frame_.time;
    input.label = frame_.label;
    input.classes = static_cast<int>(frame_.classes.size());
    input.class_names = frame_.classes;
    input.target = frame_.target;
    // One configuration that leaves nothing to choose: with a test set no fold is needed.
    bool single = race_.candidates.size() == 2;
    if (single) {
      auto trial = race_.candidates[1].learner->Make(race_.candidates[1].config);
      // Reweighted classes need a calibration, and that needs scores out of fold.
      single = !trial->needs_folds() && frame_.fit_weight.empty();
    }
    HR_ASSIGN(evaluate::SplitOptions options, SplitOptionsOf(spec_, single));
    HR_ASSIGN(plan_, evaluate::PlanSplit(input, options));
    if (single && plan_.kind == evaluate::SplitKind::kCrossValidation && plan_.folds.size() == 2) {
      options.folds = 5;
      HR_ASSIGN(plan_, evaluate::PlanSplit(input, options));
      single = false;
    }
    folds_needed_ = !single || plan_.test.empty();
    if (folds_needed_) {
      set_.folds = std::move(plan_.folds);
    }
    plan_.folds = {};
    out_of_fold_ = OutOfFoldRows(set_.folds);
    for (std::string& note : plan_.notes) out_.findings.push_back(Note("split", "", note));
    HR_ASSIGN(auto faults,
              FindFaults({&frame_, &spec_, &plan_, set_.folds, request_.cancel}, &powers_));
    for (Finding& fault : faults) out_.findings.push_back(std::move(fault));
    return Ok();
  }

  Status Search() {
    if (!folds_needed_) {
      for (Candidate& candidate : race_.candidates) {
        candidate.trial = candidate.learner->Make(candidate.config);
        candidate.score = std::numeric_limits<double>::quiet_NaN();
      }
      out_.trials = 1;
      return Ok();
    }
    SearchOptions options;
    options.set = &set_;
    options.metric = metric_;
    options.clock = request_.clock;
    options.minutes = spec_.budget.trials ? std::nullopt : spec_.budget.minutes;
    options.progress = [&](int64_t done, int64_t total, const std::string& note) {
      Report("search", done, total, note);
    };
    HR_TRY(RunSearch(options, out_of_fold_, &race_));
    out_.trials = race_.trials;
    for (const Candidate& candidate : race_.candidates) {
      if (candidate.note.empty()) continue;
      out_.findings.push_back({"member_removed", candidate.name,
                               fmt::format("{} was {}", candidate.name, candidate.note)});
    }
    return Ok();
  }

  Status Blend() {
    calibration_ = NoCalibration(frame_.outputs());
    if (!folds_needed_) {
      ensemble_.parts = {{race_.candidates.size() - 1, 1.0}};
      ensemble_.score = std::numeric_limits<double>::quiet_NaN();
      return Ok();
    }
    HR_ASSIGN(ensemble_, SelectEnsemble(frame_, out_of_fold_, race_.candidates, *metric_,
                                        request_.threads, request_.cancel));
    HR_ASSIGN(calibration_, FitCalibration(frame_, out_of_fold_, ensemble_.margins));
    HR_TRY(MeasureOptimism());
    Calibrate(calibration_, &ensemble_.margins);
    if (frame_.task == model::Task::kBinary && !frame_.costs.empty()) {
      Finding chosen;
      threshold_ = ChooseThreshold(frame_, out_of_fold_.rows, ensemble_.margins, &chosen);
      out_.findings.push_back(std::move(chosen));
    }
    return Ok();
  }

  /// With a test set nothing was chosen by the judged rows. Without one the best of several
  /// candidates looks better than it is: the bootstrap says by how much.
  Status MeasureOptimism() {
    if (!plan_.test.empty()) return Ok();
    std::vector<size_t> best;
    for (size_t i = 1; i < race_.candidates.size(); ++i) {
      if (race_.candidates[i].note.empty()) best.push_back(i);
    }
    if (best.size() < 2) return Ok();
    std::stable_sort(best.begin(), best.end(), [&](size_t a, size_t b) {
      return metric_->Better(race_.candidates[a].score, race_.candidates[b].score);
    });
    best.resize(std::min<size_t>(best.size(), 8));
    std::vector<ScoreView> views;
    std::vector<evaluate::ScoredRows> rows;
    for (const size_t i : best) {
      views.emplace_back(frame_, out_of_fold_.rows, race_.candidates[i].margins);
    }
    for (const ScoreView& view : views) rows.push_back(view.View());
    evaluate::BootstrapOptions options;
    options.seed = set_.seed;
    options.threads = request_.threads;
    options.cancel = &request_.cancel;
    const auto work =
        static_cast<int64_t>(out_of_fold_.rows.size() * views.size()) * frame_.outputs();
    options.rounds =
        static_cast<int>(std::clamp<int64_t>(10'000'000 / std::max<int64_t>(work, 1), 20, 200));
    const std::vector<uint32_t> unit = UnitsOf(out_of_fold_.rows);
    options.unit = unit;
    HR_ASSIGN(const auto corrected, evaluate::CorrectForSelection(*metric_, rows, options));
    if (!corrected.naive.defined() || !corrected.corrected.defined()) return Ok();
    const double gain = corrected.naive.value - corrected.corrected.value;
    optimism_ = std::max(0.0, metric_->higher_is_better ? gain : -gain);
    return Ok();
  }

  std::vector<uint32_t> UnitsOf(const std::vector<uint32_t>& rows) const {
    std::vector<uint32_t> out;
    out.reserve(rows.size());
    for (const uint32_t row : rows) out.push_back(plan_.unit[row]);
    return out;
  }

  /// Texts of the blend's members, trained on these rows.
  Result<std::vector<model::Member>> FitMembers(std::span<const uint32_t> rows,
                                                const std::string& stage) {
    const size_t count = ensemble_.parts.size();
    std::vector<model::Member> members(count);
    for (size_t i = 0; i < count; ++i) {
      const Candidate& candidate = race_.candidates[ensemble_.parts[i].candidate];
      members[i].name = candidate.name;
      members[i].kind = candidate.learner->name();
      members[i].weight = ensemble_.parts[i].weight;
    }
    Report(stage, 0, static_cast<int64_t>(count), "");
    const bool side_by_side = rows.size() < kRowsForThreads;
    const auto fit = [&](int64_t i) -> Status {
      const auto at = static_cast<size_t>(i);
      HR_ASSIGN(members[at].text, race_.candidates[ensemble_.parts[at].candidate].trial->FitRows(
                                      rows, side_by_side ? 1 : request_.threads));
      return Ok();
    };
    HR_TRY(ParallelFor(side_by_side ? request_.threads : 1, static_cast<int64_t>(count),
                       request_.cancel, fit));
    return members;
  }

  /// What is judged: on a test set the blend trained on the other rows, else its out-of-fold
  /// scores.
  Status FitCandidate() {
    const auto outputs = static_cast<size_t>(frame_.outputs());
    if (plan_.test.empty()) {
      judged_ = out_of_fold_.rows;
      margins_ = ensemble_.margins;
      baseline_ = race_.candidates[0].margins;
      return Ok();
    }
    judged_ = plan_.test;
    HR_ASSIGN(members_, FitMembers(plan_.train, "evaluate"));
    HR_ASSIGN(margins_, ScoreRows(members_, judged_));
    Calibrate(calibration_, &margins_);
    baseline_.resize(judged_.size() * outputs);
    HR_ASSIGN(const std::string text, race_.candidates[0].trial->FitRows(plan_.train, 1));
    return ScoreMember(frame_, "baseline", text, judged_, baseline_.data());
  }

  /// Uncalibrated margins of rows; tasks of 20,000 rows on all threads.
  Result<std::vector<double>> ScoreRows(const std::vector<model::Member>& members,
                                        const std::vector<uint32_t>& rows) {
    constexpr size_t kTask = 20'000;
    const auto outputs = static_cast<size_t>(frame_.outputs());
    std::vector<double> sum(rows.size() * outputs, 0.0);
    const auto tasks = static_cast<int64_t>((rows.size() + kTask - 1) / kTask);
    HR_TRY(ParallelFor(request_.threads, tasks, request_.cancel, [&](int64_t t) -> Status {
      const size_t first = static_cast<size_t>(t) * kTask;
      const auto part = std::span(rows).subspan(first, std::min(kTask, rows.size() - first));
      std::vector<double> margins(part.size() * outputs);
      for (const model::Member& member : members) {
        HR_TRY(ScoreMember(frame_, member.kind, member.text, part, margins.data()));
        for (size_t i = 0; i < margins.size(); ++i) {
          sum[first * outputs + i] += member.weight * margins[i];
        }
      }
      return Ok();
    }));
    return sum;
  }

  Status JudgeCandidate() {
    JudgeInput input;
    input.frame = &frame_;
    input.metric = metric_;
    input.rows = judged_;
    input.margins = margins_;
    input.baseline = baseline_;
    input.unit = plan_.unit;
    input.threshold = threshold_;
    if (!plan_.test.empty()) input.group_seen = plan_.test_group_seen;
    input.seed = set_.seed;
    input.threads = request_.threads;
    input.cancel = request_.cancel;
    input.gates = &gates_;
    input.optimism = optimism_;
    if (request_.champion != nullptr) input.champion = {request_.champion, &frame_.earlier[0]};
    if (request_.best != nullptr) {
      const bool same = request_.best == request_.champion;
      input.best = {request_.best, &frame_.earlier[same ? 0 : 1]};
    }
    HR_ASSIGN(Judgement judgement, Judge(input));
    out_.package.metrics = std::move(judgement.metrics);
    out_.baseline = std::move(judgement.baseline);
    out_.champion = std::move(judgement.champion);
    out_.gate = std::move(judgement.gate);
    out_.confusion = std::move(judgement.confusion);
    out_.seen_groups = std::move(judgement.seen_groups);
    out_.new_groups = std::move(judgement.new_groups);
    for (Finding& finding : judgement.findings) out_.findings.push_back(std::move(finding));
    if (auto finding = FindTooGood(out_.package.metrics, powers_, out_.findings)) {
      out_.findings.push_back(std::move(*finding));
    }
    return Ok();
  }

  /// A passed candidate learns from all rows; a refused one is kept as it was judged if it can be.
  Status Refit() {
    const bool all = plan_.test.empty() || (spec_.refit && !out_.refused());
    if (!all) {
      trained_ = plan_.train;
      return Ok();
    }
    trained_.resize(static_cast<size_t>(frame_.rows()));
    std::iota(trained_.begin(), trained_.end(), 0u);
    HR_ASSIGN(members_, FitMembers(trained_, "refit"));
    return Ok();
  }

  Status Finish() {
    model::Package& package = out_.package;
    package.model = spec_.name;
    package.task = frame_.task;
    package.target = spec_.target;
    package.target_type = frame_.target_type;
    package.classes = frame_.classes;
    package.encoder = frame_.encoder;
    package.members = std::move(members_);
    package.calibration = calibration_;
    package.threshold = threshold_;
    package.costs = frame_.costs;
    package.metric = metric_->name;
    package.split = plan_.description;
    if (optimism_ > 0) {
      package.split += fmt::format(" {} is corrected by {} for the choice among {} trials.",
                                   metric_->name, Compact(optimism_, 2), out_.trials);
    }
    package.profile = frame_.profile;
    package.training_rows = static_cast<int64_t>(trained_.size());
    package.seed = spec_.seed;
    HR_ASSIGN(package.evaluation,
              EvaluationSummary({&frame_, metric_, judged_, margins_, plan_.unit, &package,
                                 request_.threads, request_.cancel}));
    out_.leaderboard = MakeLeaderboard(race_, ensemble_, *metric_);
    const HonestScores judged{judged_, margins_};
    package.seen =
        MakeSeenRows(frame_, trained_, {out_of_fold_.rows, ensemble_.margins}, judged, spec_.key);
    out_.test_rows = MakeTestRows(frame_, judged,
                                  plan_.test.empty() ? set_.folds : std::vector<evaluate::Fold>());
    ReportInput report;
    report.outcome = &out_;
    report.plan = &plan_;
    report.metric = metric_;
    report.judged_rows = judged_.size();
    report.optimism = optimism_;
    if (request_.champion != nullptr) report.judged_by_versions = request_.champion->version + 1;
    out_.summary = SummaryText(report);
    package.report = ReportText(report);
    // A package that can't be scored must not leave this function.
    HR_TRY(model::BuildMembers(package));
    return Ok();
  }

  void Report(const std::string& stage, int64_t done, int64_t total, const std::string& note) {
    if (request_.progress) request_.progress({stage, done, total, note});
  }

  TrainRequest& request_;
  const ModelSpec& spec_;
  std::vector<sql::Gate> gates_;
  Frame frame_;
  const evaluate::Metric* metric_ = nullptr;
  Race race_;
  TrainingSet set_;
  evaluate::SplitPlan plan_;
  bool folds_needed_ = true;
  OutOfFold out_of_fold_;
  Ensemble ensemble_;
  model::Calibration calibration_;
  double optimism_ = 0;
  double threshold_ = 0.5;
  std::vector<ColumnPower> powers_;
  std::vector<model::Member> members_;
  std::vector<uint32_t> judged_, trained_;
  std::vector<double> margins_, baseline_;  // of the judged rows
  TrainOutcome out_;
};

}  // namespace

Result<TrainOutcome> Train(TrainRequest request) { return Training(request).Run(); }

}  // namespace headrace::learn
