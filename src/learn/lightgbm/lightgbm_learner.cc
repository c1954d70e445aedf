// Gradient boosted trees by LightGBM.
//
// Rounds: every fold trains until its own loss has not improved for a while and keeps its curve;
// the rounds of the configuration are those at which the mean of the curves is lowest, one number
// for all folds. Validation margins are then taken at that number with our own runtime, the one
// that will score later. Bins are made once, from all rows; a fold is a subset of them, shared by
// all trials.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include "evaluate/random.h"
#include "learn/learner.h"
#include "learn/lightgbm/lightgbm_dataset.h"
#include "model/forest.h"
#include "model/package_json.h"

namespace headrace::learn {
namespace {

// name, low, high, whole, doc, search range, log scale. `rounds` 0 = by early stopping.
constexpr std::array kParameters = {
    Parameter{"learning_rate", 1e-4, 1, false, "Step of one tree.", 0.015, 0.15, true},
    Parameter{"num_leaves", 2, 131072, true, "Leaves of a tree.", 4, 128, true},
    Parameter{"min_data_in_leaf", 0, 1e9, true, "Fewest rows of a leaf.", 2, 64, true},
    Parameter{"feature_fraction", 0.01, 1, false, "Share of features a tree sees.", 0.4, 1},
    Parameter{"bagging_fraction", 0.01, 1, false, "Share of rows a tree sees.", 0.7, 1},
    Parameter{"bagging_freq", 0, 1000, true, "Rows are drawn anew every so many trees."},
    Parameter{"lambda_l1", 0, 1e6, false, "L1 penalty of leaves.", 1e-3, 1, true},
    Parameter{"lambda_l2", 0, 1e6, false, "L2 penalty of leaves.", 1e-3, 10, true},
    Parameter{"extra_trees", 0, 1, true, "One random threshold per feature.", 0, 1},
    Parameter{"max_depth", -1, 1000, true, "Deepest tree; -1 = no limit."},
    Parameter{"max_bin", 2, 65535, true, "Bins of a feature."},
    Parameter{"min_sum_hessian_in_leaf", 0, 1e6, false, "Least sum of hessians of a leaf."},
    Parameter{"min_gain_to_split", 0, 1e6, false, "Least gain of a split."},
    Parameter{"cat_smooth", 0, 1e6, false, "Smoothing of rare categories.", 1, 100, true},
    Parameter{"cat_l2", 0, 1e6, false, "L2 penalty in categorical splits."},
    Parameter{"max_cat_to_onehot", 1, 1e6, true, "Categories split one against the rest."},
    Parameter{"min_data_per_group", 1, 1e9, true, "Fewest rows of a categorical group."},
    Parameter{"path_smooth", 0, 1e6, false, "Smoothing of leaves towards their parents."},
    Parameter{"rounds", 0, 1e6, true, "Number of trees (of each class); 0 = found by folds."},
};

double Get(const Config& config, const std::string& name, double fallback) {
  const auto at = config.find(name);
  return at == config.end() ? fallback : at->second;
}

int MaxRounds(double learning_rate) {
  return static_cast<int>(std::clamp(60 / learning_rate, 100.0, 3000.0));
}
int Patience(double learning_rate) {
  return static_cast<int>(std::clamp(3 / learning_rate, 20.0, 150.0));
}

/// State shared by the trials of one training.
struct Shared {
  const TrainingSet* set = nullptr;
  std::shared_ptr<const LightGbmApi> api;
  std::string dataset_parameters;
  std::shared_ptr<LightGbmDataset> all;
  std::vector<std::shared_ptr<LightGbmDataset>> train, valid;  // by fold

  std::string Objective() const {
    switch (set->frame->task) {
      case model::Task::kBinary:
        return "objective=binary metric=binary_logloss";
      case model::Task::kMulticlass:
        return fmt::format("objective=multiclass metric=multi_logloss num_class={}",
                           set->frame->classes.size());
      case model::Task::kRegression:
        return "objective=regression metric=l2";
    }
    return "";
  }
};

/// Owns a booster handle.
class Booster {
 public:
  static Result<std::unique_ptr<Booster>> Make(const LightGbmApi& api, const void* dataset,
                                               const std::string& parameters) {
    api.Silence();
    void* handle = nullptr;
    if (api.BoosterCreate(dataset, parameters.c_str(), &handle) != 0) {
      return api.Failure("start training");
    }
    return std::unique_ptr<Booster>(new Booster(api, handle));
  }
  ~Booster() { api_.BoosterFree(handle_); }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;

  Status AddValid(const void* dataset) {
    if (api_.BoosterAddValidData(handle_, dataset) != 0) return api_.Failure("validate");
    int count = 0;
    if (api_.BoosterGetEvalCounts(handle_, &count) != 0 || count != 1) {
      return api_.Failure("validate");
    }
    return Ok();
  }
  /// True when no tree could be added.
  Result<bool> Update() {
    int finished = 0;
    if (api_.BoosterUpdateOneIter(handle_, &finished) != 0) return api_.Failure("train a tree");
    return finished != 0;
  }
  Result<double> Loss() {
    int count = 0;
    double value = 0;
    if (api_.BoosterGetEval(handle_, 1, &count, &value) != 0 || count != 1) {
      return api_.Failure("measure the loss");
    }
    return value;
  }
  Result<std::string> Text() {
    int64_t size = 0;
    if (api_.BoosterSaveModelToString(handle_, 0, -1, 0, 0, &size, nullptr) != 0) {
      return api_.Failure("write the model");
    }
    std::string text(static_cast<size_t>(size), '\0');
    if (api_.BoosterSaveModelToString(handle_, 0, -1, 0, size, &size, text.data()) != 0) {
      return api_.Failure("write the model");
    }
    while (!text.empty() && text.back() == '\0') text.pop_back();
    return model::WithoutParameters(text);
  }

 private:
  Booster(const LightGbmApi& api, void* handle) : api_(api), handle_(handle) {}
  const LightGbmApi& api_;
  void* handle_;
};

class LightGbmTrial : public Trial {
 public:
  LightGbmTrial(const Shared& shared, Config config)
      : shared_(shared), config_(std::move(config)), folds_(shared.set->folds.size()) {}

  bool needs_folds() const override { return Get(config_, "rounds", 0) == 0; }

  Status FitFold(size_t fold) override {
    const double rate = Get(config_, "learning_rate", 0.1);
    const int fixed = static_cast<int>(Get(config_, "rounds", 0));
    const int most = fixed > 0 ? fixed : MaxRounds(rate), patience = Patience(rate);
    HR_ASSIGN(const auto booster,
              Booster::Make(*shared_.api, shared_.train[fold]->handle(), Parameters(1)));
    if (fixed == 0) HR_TRY(booster->AddValid(shared_.valid[fold]->handle()));
    FoldFit& fit = folds_[fold];
    double best = 0;
    int best_round = 0;
    for (int round = 1; round <= most; ++round) {
      HR_TRY(shared_.set->cancel.Check());
      HR_ASSIGN(const bool finished, booster->Update());
      if (finished) break;
      if (fixed > 0) continue;
      HR_ASSIGN(const double loss, booster->Loss());
      fit.curve.push_back(loss);
      if (round == 1 || loss < best) {
        best = loss;
        best_round = round;
      } else if (round - best_round >= patience) {
        break;
      }
    }
    HR_ASSIGN(fit.text, booster->Text());
    return Ok();
  }

  Status Choose() override {
    if (!needs_folds()) {
      chosen_rounds_ = static_cast<int>(Get(config_, "rounds", 0));
      return Ok();
    }
    size_t longest = 0;
    for (const FoldFit& fit : folds_) longest = std::max(longest, fit.curve.size());
    // A fold that stopped had stopped improving: beyond its end it counts with its last loss.
    double best = 0;
    chosen_rounds_ = 1;
    for (size_t round = 0; round < longest; ++round) {
      double sum = 0;
      for (const FoldFit& fit : folds_) {
        if (!fit.curve.empty()) sum += fit.curve[std::min(round, fit.curve.size() - 1)];
      }
      if (round == 0 || sum < best) {
        best = sum;
        chosen_rounds_ = static_cast<int>(round) + 1;
      }
    }
    return Ok();
  }

  Status ScoreFold(size_t fold, double* margins) override {
    const Frame& frame = *shared_.set->frame;
    FoldFit& fit = folds_[fold];
    const std::string text = FirstRounds(fit.text);
    HR_TRY(ScoreMember(frame, "lightgbm", text, shared_.set->folds[fold].valid, margins));
    fit = {};
    return Ok();
  }

  Config chosen() const override {
    Config out = config_;
    out["rounds"] = chosen_rounds_;
    return out;
  }

  Result<std::string> FitRows(std::span<const uint32_t> rows, int threads) override {
    if (chosen_rounds_ == 0) chosen_rounds_ = static_cast<int>(Get(config_, "rounds", 0));
    std::shared_ptr<LightGbmDataset> data = shared_.all;
    if (static_cast<int64_t>(rows.size()) != shared_.set->frame->rows()) {
      HR_ASSIGN(data, shared_.all->Subset(rows, shared_.dataset_parameters));
    }
    HR_ASSIGN(const auto booster, Booster::Make(*shared_.api, data->handle(), Parameters(threads)));
    for (int round = 0; round < chosen_rounds_; ++round) {
      HR_TRY(shared_.set->cancel.Check());
      HR_ASSIGN(const bool finished, booster->Update());
      if (finished) break;
    }
    return booster->Text();
  }

 private:
  struct FoldFit {
    std::vector<double> curve;
    std::string text;
  };

  std::string Parameters(int threads) const {
    const uint64_t seed = evaluate::Mix64(shared_.set->seed + 1) % 1'000'000'007;
    // Column-wise: a histogram is summed by one thread. Row-wise sums are split into as many blocks
    // as there are threads, so that models of 50,000 rows differed in the last digits with 1 and 2.
    std::string out = fmt::format(
        "{} {} verbosity=-1 deterministic=true force_col_wise=true num_threads={} seed={}",
        shared_.Objective(), shared_.dataset_parameters, threads, seed);
    for (const auto& [name, value] : config_) {
      if (name == "rounds" || name == "max_bin") continue;
      if (name == "extra_trees") {
        out += value != 0 ? " extra_trees=true" : "";
      } else {
        out += fmt::format(" {}={}", name, value);
      }
    }
    if (Get(config_, "bagging_fraction", 1) < 1 && Get(config_, "bagging_freq", 0) == 0) {
      out += " bagging_freq=1";
    }
    return out;
  }

  /// The text cut after the chosen rounds: the blocks behind are dropped.
  std::string FirstRounds(const std::string& text) const {
    const auto trees =
        static_cast<size_t>(chosen_rounds_) * static_cast<size_t>(shared_.set->frame->outputs());
    const size_t begin = text.find(fmt::format("\nTree={}\n", trees));
    if (begin == std::string::npos) return text;
    const size_t end = text.find("\nend of trees");
    return end == std::string::npos ? text : text.substr(0, begin + 1) + text.substr(end + 1);
  }

  const Shared& shared_;
  Config config_;
  std::vector<FoldFit> folds_;
  int chosen_rounds_ = 0;
};

class LightGbmLearner : public Learner {
 public:
  std::string_view name() const override { return "lightgbm"; }
  std::span<const Parameter> parameters() const override { return kParameters; }

  std::vector<Config> Portfolio(model::Task task, int64_t rows) const override {
    const double large = rows > 20'000 || task != model::Task::kBinary ? 63 : 31;
    return {
        {{"learning_rate", 0.05}, {"num_leaves", 31}, {"feature_fraction", 0.8}},
        {{"learning_rate", 0.05},
         {"num_leaves", 6},
         {"feature_fraction", 0.5},
         {"min_data_in_leaf", 20},
         {"lambda_l2", 5},
         {"cat_smooth", 20}},
        {{"learning_rate", 0.05},
         {"num_leaves", 16},
         {"feature_fraction", 0.5},
         {"min_data_in_leaf", 30},
         {"extra_trees", 1},
         {"lambda_l2", 1}},
        {{"learning_rate", 0.05},
         {"num_leaves", large},
         {"feature_fraction", 0.7},
         {"bagging_fraction", 0.8},
         {"bagging_freq", 1},
         {"min_data_in_leaf", 5},
         {"lambda_l2", 2}},
        {{"learning_rate", 0.1}, {"num_leaves", 31}},
        {{"learning_rate", 0.04},
         {"num_leaves", 3},
         {"feature_fraction", 0.6},
         {"bagging_fraction", 0.8},
         {"bagging_freq", 1}},
    };
  }

  Status Prepare(const TrainingSet& set, const Config& fixed) override {
    HR_ASSIGN(shared_.api, LoadLightGbm(set.runtime));
    shared_.set = &set;
    std::string categories;
    const auto& steps = set.frame->encoder.steps();
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].categorical())
        categories += fmt::format("{}{}", categories.empty() ? "" : ",", i);
    }
    shared_.dataset_parameters = fmt::format(
        "feature_pre_filter=false max_bin={} data_random_seed=1", Get(fixed, "max_bin", 255));
    if (!categories.empty()) shared_.dataset_parameters += " categorical_feature=" + categories;
    const std::string parameters =
        fmt::format("{} verbosity=-1 num_threads={}", shared_.dataset_parameters, set.threads);
    HR_ASSIGN(shared_.all, LightGbmDataset::Make(shared_.api, *set.frame, parameters));
    return Ok();
  }

  Status PrepareFolds() override {
    if (!shared_.train.empty()) return Ok();
    const std::string parameters = shared_.dataset_parameters + " verbosity=-1 num_threads=1";
    for (const evaluate::Fold& fold : shared_.set->folds) {
      HR_ASSIGN(auto train, shared_.all->Subset(fold.train, parameters));
      HR_ASSIGN(auto valid, shared_.all->Subset(fold.valid, parameters));
      shared_.train.push_back(std::move(train));
      shared_.valid.push_back(std::move(valid));
    }
    return Ok();
  }

  std::unique_ptr<Trial> Make(const Config& config) override {
    return std::make_unique<LightGbmTrial>(shared_, config);
  }

 private:
  Shared shared_;
};

}  // namespace

std::unique_ptr<Learner> MakeLightGbmLearner() { return std::make_unique<LightGbmLearner>(); }

}  // namespace headrace::learn
