// The baseline: what can be said without looking at any feature. The mean of the target, or the log
// odds of its classes. Every model is held against it.
#include <fmt/format.h>

#include <cmath>

#include "evaluate/deterministic_math.h"
#include "learn/learner.h"
#include "model/linear_scorer.h"

namespace headrace::learn {
namespace {

model::LinearModel Fit(const Frame& frame, std::span<const uint32_t> rows) {
  const auto outputs = static_cast<size_t>(frame.outputs());
  model::LinearModel out;
  out.outputs = frame.outputs();
  out.intercept.assign(outputs, 0);
  const auto weight = [&](uint32_t row) { return frame.weight.empty() ? 1.0 : frame.weight[row]; };
  if (frame.task == model::Task::kRegression) {
    evaluate::CompensatedSum sum, total;
    for (const uint32_t row : rows) {
      sum.Add(weight(row) * frame.target[row]);
      total.Add(weight(row));
    }
    out.intercept[0] = total.Value() > 0 ? sum.Value() / total.Value() : 0;
    return out;
  }
  std::vector<double> counts(frame.classes.size(), 0.5);  // never a probability of 0
  for (const uint32_t row : rows) counts[static_cast<size_t>(frame.label[row])] += weight(row);
  if (frame.task == model::Task::kBinary) {
    out.intercept[0] = evaluate::Log(counts[1]) - evaluate::Log(counts[0]);
  } else {
    for (size_t k = 0; k < outputs; ++k) out.intercept[k] = evaluate::Log(counts[k]);
  }
  return out;
}

class BaselineTrial : public Trial {
 public:
  explicit BaselineTrial(const TrainingSet& set) : set_(set) {}
  bool needs_folds() const override { return false; }
  Status FitFold(size_t) override { return Ok(); }
  Status Choose() override { return Ok(); }
  Status ScoreFold(size_t fold, double* margins) override {
    // One number for all folds: priors that differ by fold would rank the rows of one fold before
    // those of another, and backwards at that.
    std::vector<uint32_t> rows;
    for (const evaluate::Fold& each : set_.folds) {
      rows.insert(rows.end(), each.valid.begin(), each.valid.end());
    }
    const model::LinearModel model = Fit(*set_.frame, rows);
    for (size_t i = 0; i < set_.folds[fold].valid.size(); ++i) {
      for (const double value : model.intercept) *margins++ = value;
    }
    return Ok();
  }
  Config chosen() const override { return {}; }
  Result<std::string> FitRows(std::span<const uint32_t> rows, int) override {
    return model::LinearText(Fit(*set_.frame, rows));
  }

 private:
  const TrainingSet& set_;
};

class BaselineLearner : public Learner {
 public:
  std::string_view name() const override { return "baseline"; }
  std::span<const Parameter> parameters() const override { return {}; }
  std::vector<Config> Portfolio(model::Task, int64_t) const override { return {Config{}}; }
  Status Prepare(const TrainingSet& set, const Config&) override {
    set_ = &set;
    return Ok();
  }
  Status PrepareFolds() override { return Ok(); }
  std::unique_ptr<Trial> Make(const Config&) override {
    return std::make_unique<BaselineTrial>(*set_);
  }

 private:
  const TrainingSet* set_ = nullptr;
};

}  // namespace

std::unique_ptr<Learner> MakeBaselineLearner() { return std::make_unique<BaselineLearner>(); }

}  // namespace headrace::learn
