// Logistic and ridge regression as additive models.
//
// A number becomes a polyline: itself, plus max(0, x - knot) for some quantiles of the training
// rows
// (`knots`), clipped to the training range; its missing values become the mean and a column of
// their own. A category becomes one column per level, with one for missing. The penalty is found by
// the folds: each fits the whole path once, and the strength with the lowest mean loss is taken. At
// most kMostRows rows are read: coefficients of some hundred columns don't move beyond that.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/deterministic_math.h"
#include "learn/learner.h"
#include "learn/linear/linear_fit.h"
#include "model/column_values.h"
#include "model/linear_scorer.h"

namespace headrace::learn {
namespace {

constexpr size_t kMostRows = 100'000;
/// Up to here the Hessian is factorised. Beyond it bends of many numbers, which nearly follow from
/// each other, take conjugate gradients hundreds of passes: a search then bends less.
constexpr int64_t kMostBent = 500;
constexpr std::array kPath = {1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01};

constexpr std::array kParameters = {
    Parameter{"l2", 0, 1e9, false, "Strength of the penalty; not given = found by folds."},
    Parameter{"knots", 0, 50, true, "Bends of a number's curve.", 0, 12},
};

/// How the columns of a design came about, to turn coefficients into a LinearModel.
struct NumberPlan {
  int step = 0;
  double low = 0, high = 0, fill = 0;  ///< clip range, value for missing
  std::vector<double> knots;
  bool missing = false;  ///< has a column for missing values
};
struct CategoryPlan {
  int step = 0;
  int32_t codes = 0;  ///< levels, then rare, then missing
};

struct Design {
  std::vector<std::vector<double>> columns;
  std::vector<std::vector<int32_t>> levels;
  std::vector<NumberPlan> numbers;
  std::vector<CategoryPlan> categories;
  DesignMatrix matrix;
  std::vector<int32_t> label;
  std::vector<double> target, weight;
};

NumberPlan PlanNumber(const NumberColumn& column, int step, int knots,
                      std::span<const uint32_t> rows) {
  NumberPlan plan;
  plan.step = step;
  std::vector<double> sorted;
  sorted.reserve(rows.size());
  for (const uint32_t row : rows) {
    const double value = column[row];
    if (value != value) {
      plan.missing = true;
    } else {
      sorted.push_back(value);
    }
  }
  if (sorted.empty()) return plan;
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double q) {
    return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
  };
  // The training range; values far outside of the bulk would only stretch it.
  const double reach = 10 * (quantile(0.99) - quantile(0.01));
  plan.low = sorted.front();
  plan.high = sorted.back();
  if (reach > 0) {
    plan.low = std::max(plan.low, quantile(0.01) - reach);
    plan.high = std::min(plan.high, quantile(0.99) + reach);
  }
  evaluate::CompensatedSum sum;
  for (const double value : sorted) sum.Add(std::clamp(value, plan.low, plan.high));
  plan.fill = sum.Value() / static_cast<double>(sorted.size());
  for (int k = 1; k <= knots; ++k) {
    const double at = quantile(static_cast<double>(k) / (knots + 1));
    if (at > (plan.knots.empty() ? plan.low : plan.knots.back()) && at < plan.high) {
      plan.knots.push_back(at);
    }
  }
  return plan;
}

void AddNumber(const NumberColumn& column, NumberPlan plan, std::span<const uint32_t> rows,
               Design* design) {
  const size_t n = rows.size();
  std::vector<double> values(n);
  for (size_t i = 0; i < n; ++i) {
    const double value = column[rows[i]];
    values[i] = value != value ? plan.fill : std::clamp(value, plan.low, plan.high);
  }
  for (const double knot : plan.knots) {
    std::vector<double> bend(n);
    for (size_t i = 0; i < n; ++i) bend[i] = std::max(0.0, values[i] - knot);
    design->columns.push_back(std::move(bend));
  }
  design->columns.push_back(std::move(values));
  if (plan.missing) {
    std::vector<double> missing(n);
    for (size_t i = 0; i < n; ++i) {
      const double value = column[rows[i]];
      missing[i] = value != value ? 1 : 0;
    }
    design->columns.push_back(std::move(missing));
  }
  design->numbers.push_back(std::move(plan));
}

Design MakeDesign(const Frame& frame, int knots, std::span<const uint32_t> rows) {
  Design design;
  const auto& steps = frame.encoder.steps();
  for (size_t s = 0; s < steps.size(); ++s) {
    const NumberColumn& column = frame.features[s];
    if (!steps[s].categorical()) {
      AddNumber(column, PlanNumber(column, static_cast<int>(s), knots, rows), rows, &design);
      continue;
    }
    const auto levels = static_cast<int32_t>(steps[s].levels.size());
    std::vector<int32_t> codes(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const double value = column[rows[i]];
      codes[i] = value != value ? levels + 1 : static_cast<int32_t>(value);
    }
    design.levels.push_back(std::move(codes));
    design.categories.push_back({static_cast<int>(s), levels + 2});
  }
  for (const auto& column : design.columns) design.matrix.numeric.emplace_back(column);
  for (size_t c = 0; c < design.levels.size(); ++c) {
    design.matrix.categories.push_back({design.levels[c], design.categories[c].codes});
  }
  design.matrix.rows = rows.size();
  for (const uint32_t row : rows) {
    if (frame.task == model::Task::kRegression) {
      design.target.push_back(frame.target[row]);
    } else {
      design.label.push_back(frame.label[row]);
    }
    if (!frame.FitWeight().empty()) design.weight.push_back(frame.FitWeight()[row]);
  }
  return design;
}

model::LinearModel ToModel(const Design& design, const LinearCoefficients& fit) {
  model::LinearModel out;
  const auto outputs = static_cast<size_t>(fit.outputs);
  out.outputs = fit.outputs;
  out.intercept = fit.intercept;
  size_t at = 0;
  const auto coefficient = [&](size_t k, size_t j) { return fit.coefficient[k * fit.width + j]; };
  for (const NumberPlan& plan : design.numbers) {
    const size_t first = at, value = first + plan.knots.size();
    at = value + 1 + (plan.missing ? 1 : 0);
    model::LinearModel::Number number;
    number.step = plan.step;
    const auto height = [&](size_t k, double x) {
      double y = coefficient(k, value) * x;
      for (size_t b = 0; b < plan.knots.size(); ++b) {
        y += coefficient(k, first + b) * std::max(0.0, x - plan.knots[b]);
      }
      return y;
    };
    number.x.push_back(plan.low);
    number.x.insert(number.x.end(), plan.knots.begin(), plan.knots.end());
    if (plan.high > number.x.back()) number.x.push_back(plan.high);
    for (const double x : number.x) {
      for (size_t k = 0; k < outputs; ++k) number.y.push_back(height(k, x));
    }
    for (size_t k = 0; k < outputs; ++k) {
      number.missing.push_back(height(k, plan.fill) +
                               (plan.missing ? coefficient(k, value + 1) : 0));
    }
    out.numbers.push_back(std::move(number));
  }
  for (const CategoryPlan& plan : design.categories) {
    model::LinearModel::Category category;
    category.step = plan.step;
    for (int32_t code = 0; code < plan.codes; ++code) {
      auto& to = code < plan.codes - 2    ? category.y
                 : code == plan.codes - 2 ? category.unseen
                                          : category.missing;
      for (size_t k = 0; k < outputs; ++k) {
        to.push_back(coefficient(k, at + static_cast<size_t>(code)));
      }
    }
    at += static_cast<size_t>(plan.codes);
    out.categories.push_back(std::move(category));
  }
  return out;
}

/// Evenly spread rows, at most kMostRows.
std::vector<uint32_t> SomeRows(std::span<const uint32_t> rows) {
  if (rows.size() <= kMostRows) return {rows.begin(), rows.end()};
  std::vector<uint32_t> out(kMostRows);
  for (size_t i = 0; i < kMostRows; ++i) out[i] = rows[i * rows.size() / kMostRows];
  return out;
}

class LinearTrial : public Trial {
 public:
  LinearTrial(const TrainingSet& set, Config config)
      : set_(set), config_(std::move(config)), folds_(set.folds.size()) {
    if (config_.contains("l2")) {
      path_.assign(1, config_["l2"]);
    } else {
      path_.assign(kPath.begin(), kPath.end());
    }
  }

  bool needs_folds() const override { return path_.size() > 1; }

  Status FitFold(size_t fold) override {
    const Frame& frame = *set_.frame;
    const std::vector<uint32_t> rows = SomeRows(set_.folds[fold].train);
    const Design design = MakeDesign(frame, Knots(), rows);
    HR_ASSIGN(const auto fits, Fit(design, path_));
    const auto& valid = set_.folds[fold].valid;
    for (const LinearCoefficients& fit : fits) {
      std::string text = model::LinearText(ToModel(design, fit));
      std::vector<double> margins(valid.size() * static_cast<size_t>(frame.outputs()));
      HR_TRY(ScoreMember(frame, "linear", text, valid, margins.data()));
      folds_[fold].losses.push_back(MeanLoss(frame, valid, margins.data()));
      folds_[fold].texts.push_back(std::move(text));
    }
    return Ok();
  }

  Status Choose() override {
    double best = 0;
    for (size_t i = 0; i < path_.size(); ++i) {
      double sum = 0;
      for (const FoldFit& fit : folds_) sum += fit.losses.empty() ? 0 : fit.losses[i];
      if (i == 0 || sum < best) {
        best = sum;
        chosen_ = i;
      }
    }
    return Ok();
  }

  Status ScoreFold(size_t fold, double* margins) override {
    HR_TRY(ScoreMember(*set_.frame, "linear", folds_[fold].texts[chosen_], set_.folds[fold].valid,
                       margins));
    folds_[fold] = {};
    return Ok();
  }

  Config chosen() const override {
    Config out = config_;
    out["l2"] = path_[chosen_];
    out["knots"] = Knots();
    return out;
  }

  Result<std::string> FitRows(std::span<const uint32_t> rows, int) override {
    const Design design = MakeDesign(*set_.frame, Knots(), SomeRows(rows));
    HR_ASSIGN(const auto fits, Fit(design, std::span(path_).subspan(chosen_, 1)));
    return model::LinearText(ToModel(design, fits[0]));
  }

 private:
  struct FoldFit {
    std::vector<double> losses;      // by strength
    std::vector<std::string> texts;  // by strength
  };

  int Knots() const {
    const auto at = config_.find("knots");
    return at == config_.end() ? 0 : static_cast<int>(at->second);
  }

  Result<std::vector<LinearCoefficients>> Fit(const Design& design,
                                              std::span<const double> path) const {
    LinearOptions options;
    options.cancel = &set_.cancel;
    options.tolerance = 1e-7;
    if (set_.frame->task == model::Task::kRegression) {
      return RidgePath(design.matrix, design.target, design.weight, options, path);
    }
    return LogisticPath(design.matrix, design.label, static_cast<int>(set_.frame->classes.size()),
                        design.weight, options, path);
  }

  const TrainingSet& set_;
  Config config_;
  std::vector<double> path_;
  std::vector<FoldFit> folds_;
  size_t chosen_ = 0;
};

class LinearLearner : public Learner {
 public:
  std::string_view name() const override { return "linear"; }
  std::span<const Parameter> parameters() const override { return kParameters; }
  int64_t most_rows() const override { return static_cast<int64_t>(kMostRows); }
  std::vector<Config> Portfolio(model::Task task, int64_t) const override {
    if (task == model::Task::kMulticlass) return {Config{}};
    return {Config{}, Config{{"knots", 6}}};
  }
  Status Prepare(const TrainingSet& set, const Config& fixed) override {
    set_ = &set;
    knots_fixed_ = fixed.contains("knots");
    return Ok();
  }
  Status PrepareFolds() override { return Ok(); }
  std::unique_ptr<Trial> Make(const Config& config) override {
    Config affordable = config;
    if (const auto at = affordable.find("knots"); at != affordable.end() && !knots_fixed_) {
      at->second = std::min(at->second, static_cast<double>(MostKnots()));
    }
    return std::make_unique<LinearTrial>(*set_, std::move(affordable));
  }

 private:
  /// Bends of a number with which all columns stay within kMostBent; a number may need one more
  /// for missing values.
  int64_t MostKnots() const {
    int64_t numbers = 0, levels = 0;
    for (const model::Step& step : set_->frame->encoder.steps()) {
      if (step.categorical()) {
        levels += static_cast<int64_t>(step.levels.size()) + 2;
      } else {
        ++numbers;
      }
    }
    return numbers == 0 ? 0 : std::max<int64_t>(0, (kMostBent - levels) / numbers - 2);
  }

  const TrainingSet* set_ = nullptr;
  bool knots_fixed_ = false;  // by the project, not by the search
};

}  // namespace

std::unique_ptr<Learner> MakeLinearLearner() { return std::make_unique<LinearLearner>(); }

}  // namespace headrace::learn
