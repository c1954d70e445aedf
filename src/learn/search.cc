#include "learn/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/suggest.h"
#include "base/thread_pool.h"
#include "learn/score_view.h"

namespace headrace::learn {
namespace {

std::unique_ptr<Learner> MakeLearner(const std::string& name) {
  if (name == "lightgbm") return MakeLightGbmLearner();
  if (name == "linear") return MakeLinearLearner();
  if (name == "baseline") return MakeBaselineLearner();
  return nullptr;
}

/// How many configurations of a portfolio are worth their time when no budget is given.
size_t PortfolioSize(const std::string& learner, int64_t rows, int outputs) {
  const int64_t work = rows * outputs;
  if (learner == "linear") return rows <= 200'000 ? 2 : 1;
  if (work <= 20'000) return 6;
  if (work <= 100'000) return 4;
  return work <= 500'000 ? 3 : 2;
}

/// A learner that takes part, with what to try first.
struct Entry {
  Learner* learner;
  Config fixed;
  std::vector<Config> first;
};

void AddCandidate(const Entry& entry, const Config& config, std::map<std::string, int>* numbers,
                  Race* race) {
  const std::string learner(entry.learner->name());
  for (const Candidate& other : race->candidates) {
    if (other.learner == entry.learner && other.config == config) return;
  }
  Candidate candidate;
  candidate.name =
      learner == "baseline" ? learner : fmt::format("{}_{}", learner, ++(*numbers)[learner]);
  candidate.learner = entry.learner;
  candidate.config = config;
  race->candidates.push_back(std::move(candidate));
}

/// First configurations of all learners in turn, so that a small budget sees each learner.
void Interleave(const std::vector<Entry>& entries, size_t most, std::map<std::string, int>* numbers,
                Race* race) {
  for (size_t i = 0;; ++i) {
    bool any = false;
    for (const Entry& entry : entries) {
      if (i >= entry.first.size()) continue;
      any = true;
      if (race->candidates.size() - 1 < most) AddCandidate(entry, entry.first[i], numbers, race);
    }
    if (!any) return;
  }
}

/// Scores no sane model gives: not finite, or far outside of anything seen.
bool Explodes(const Frame& frame, const std::vector<double>& margins) {
  double center = 0, limit = 1e4;
  if (frame.task == model::Task::kRegression) {
    const auto [low, high] = std::minmax_element(frame.target.begin(), frame.target.end());
    center = (*low + *high) / 2;
    limit = 10 * (*high - *low);
  }
  return std::any_of(margins.begin(), margins.end(),
                     [&](double margin) { return !(std::fabs(margin - center) <= limit); });
}

/// Runs the folds of the candidates [begin, end).
Status RunWave(const SearchOptions& options, const OutOfFold& out_of_fold,
               std::vector<Candidate>& candidates, size_t begin, size_t end) {
  const TrainingSet& set = *options.set;
  const auto folds = static_cast<int64_t>(set.folds.size());
  const auto outputs = static_cast<size_t>(set.frame->outputs());
  for (size_t i = begin; i < end; ++i) {
    HR_TRY(candidates[i].learner->PrepareFolds());
    candidates[i].trial = candidates[i].learner->Make(candidates[i].config);
    candidates[i].margins.resize(out_of_fold.rows.size() * outputs);
  }
  const int64_t tasks = static_cast<int64_t>(end - begin) * folds;
  HR_TRY(ParallelFor(set.threads, tasks, set.cancel, [&](int64_t t) {
    return candidates[begin + static_cast<size_t>(t / folds)].trial->FitFold(
        static_cast<size_t>(t % folds));
  }));
  for (size_t i = begin; i < end; ++i) HR_TRY(candidates[i].trial->Choose());
  return ParallelFor(set.threads, tasks, set.cancel, [&](int64_t t) -> Status {
    Candidate& candidate = candidates[begin + static_cast<size_t>(t / folds)];
    const auto fold = static_cast<size_t>(t % folds);
    const auto& valid = set.folds[fold].valid;
    std::vector<double> margins(valid.size() * outputs);
    HR_TRY(candidate.trial->ScoreFold(fold, margins.data()));
    // Folds' rows are disjoint: tasks write to different places.
    auto at = out_of_fold.rows.begin();
    for (size_t i = 0; i < valid.size(); ++i) {
      at = std::lower_bound(at, out_of_fold.rows.end(), valid[i]);
      std::copy_n(margins.begin() + static_cast<std::ptrdiff_t>(i * outputs), outputs,
                  candidate.margins.begin() +
                      (at - out_of_fold.rows.begin()) * static_cast<std::ptrdiff_t>(outputs));
    }
    return Ok();
  });
}

}  // namespace

OutOfFold OutOfFoldRows(const std::vector<evaluate::Fold>& folds) {
  OutOfFold out;
  for (const evaluate::Fold& fold : folds) {
    out.rows.insert(out.rows.end(), fold.valid.begin(), fold.valid.end());
  }
  std::sort(out.rows.begin(), out.rows.end());
  out.rows.erase(std::unique(out.rows.begin(), out.rows.end()), out.rows.end());
  return out;
}

Result<Race> PlanRace(const ModelSpec& spec, model::Task task, int64_t rows, int outputs) {
  Race race;
  std::vector<LearnerSpec> wished = spec.learners;
  if (wished.empty()) wished = {{"lightgbm", "{}"}, {"linear", "{}"}};
  std::map<std::string, int> numbers;
  race.learners.push_back(MakeBaselineLearner());
  AddCandidate({race.learners[0].get(), {}, {}}, {}, &numbers, &race);

  const bool budget = spec.budget.trials || spec.budget.minutes;
  std::vector<Entry> entries;
  for (const LearnerSpec& wish : wished) {
    auto learner = MakeLearner(wish.name);
    if (learner == nullptr) {
      const std::vector<std::string> known = {"lightgbm", "linear", "baseline"};
      return UserError("unknown_learner", fmt::format("there is no learner '{}'", wish.name))
          .Subject(wish.name)
          .Candidates(Suggest(wish.name, known))
          .Hint("the learners are lightgbm, linear and baseline; xgboost is not built yet");
    }
    HR_ASSIGN(Config fixed, ParseOptions(wish.name, learner->parameters(), wish.options));
    if (wish.name == "baseline") continue;  // it always takes part
    Entry entry{learner.get(), fixed, {}};
    if (!fixed.empty()) {
      entry.first.push_back(fixed);
    } else {
      entry.first = learner->Portfolio(task, rows);
      if (!budget) {
        entry.first.resize(std::min(entry.first.size(), PortfolioSize(wish.name, rows, outputs)));
      }
    }
    entries.push_back(std::move(entry));
    race.learners.push_back(std::move(learner));
  }
  const size_t most = spec.budget.trials    ? static_cast<size_t>(*spec.budget.trials)
                      : spec.budget.minutes ? size_t{100'000}
                                            : size_t{1000};
  Interleave(entries, most, &numbers, &race);
  // Draws of the learners in turn; a learner without free parameters gives nothing new.
  const size_t want = budget ? std::min<size_t>(most, 1000) : 0;
  for (int64_t draw = 1; race.candidates.size() - 1 < want && draw <= 2000; ++draw) {
    for (const Entry& entry : entries) {
      if (entry.learner->name() == "linear" && draw > 3) continue;
      if (race.candidates.size() - 1 >= want) break;
      const auto seed = static_cast<uint64_t>(spec.seed) * 31 + 17;
      AddCandidate(entry, DrawConfig(entry.learner->parameters(), entry.fixed, seed, draw),
                   &numbers, &race);
    }
    if (entries.empty()) break;
  }
  race.trials = static_cast<int64_t>(race.candidates.size()) - 1;
  return race;
}

Status RunSearch(const SearchOptions& options, const OutOfFold& out_of_fold, Race* race) {
  const auto total = static_cast<int64_t>(race->candidates.size()) - 1;
  const int64_t start = options.clock != nullptr ? options.clock->MonotonicNanos() : 0;
  // Two trials at a time fill the threads when a trial's folds are fewer than they; with a limit of
  // time one, so that the limit is seen.
  const size_t wave = options.minutes ? 1 : 2;
  size_t done = 0;
  while (done < race->candidates.size()) {
    const size_t end = done == 0 ? 1 : std::min(race->candidates.size(), done + wave);
    HR_TRY(RunWave(options, out_of_fold, race->candidates, done, end));
    for (size_t i = done; i < end; ++i) {
      Candidate& candidate = race->candidates[i];
      if (Explodes(*options.set->frame, candidate.margins)) {
        candidate.note = "removed: its scores explode on rows it has not seen";
        continue;
      }
      HR_ASSIGN(candidate.score, ScoreMargins(*options.set->frame, out_of_fold.rows,
                                              candidate.margins, *options.metric));
      if (options.progress) {
        options.progress(
            static_cast<int64_t>(i), total,
            fmt::format("{}: {} {:.5g}", candidate.name, options.metric->name, candidate.score));
      }
    }
    done = end;
    if (options.minutes && options.clock != nullptr && done > 1 &&
        static_cast<double>(options.clock->MonotonicNanos() - start) >= *options.minutes * 60e9) {
      break;
    }
  }
  race->candidates.resize(done);
  race->trials = static_cast<int64_t>(done) - 1;
  return Ok();
}

}  // namespace headrace::learn
