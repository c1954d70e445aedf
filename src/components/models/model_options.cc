#include "components/models/model_options.h"

#include <set>

#include "components/models/model_node.h"

namespace headrace::components {

using spec::Affects;
using spec::Field;
using spec::Spec;

const Spec& FeatureFields::Describe() {
  static const Spec spec{
      "",
      "",
      "Which columns a model may use, and as what.",
      {Field("include", &FeatureFields::include, "Only these columns.").Column().Optional(),
       Field("exclude", &FeatureFields::exclude, "All columns but these.").Column().Optional(),
       Field("types", &FeatureFields::types,
             "Column to number, category, boolean, date or text (its words count), where the SQL "
             "type "
             "misleads.")
           .Optional()}};
  return spec;
}

const Spec& BudgetFields::Describe() {
  static const Spec spec = [] {
    Spec s{"",
           "",
           "How much work the search may do.",
           {Field("trials", &BudgetFields::trials, "Configurations to try (deterministic).")
                .Range(1, 100000),
            Field("minutes", &BudgetFields::minutes, "Wall time; the trials done are recorded.")
                .Above(0)}};
    s.AtMostOne({"trials", "minutes"});
    return s;
  }();
  return spec;
}

const Spec& DriftFields::Describe() {
  static const Spec spec{
      "",
      "drift",
      "When the inputs of a model count as drifted.",
      {Field("psi", &DriftFields::psi,
             "Population stability index from which on an input has drifted, beyond what luck "
             "gives; 0.1 is little, 0.25 much.")
           .Default()
           .Above(0)
           .Short()
           .Example(0.2),
       Field("inputs", &DriftFields::inputs, "Share of the inputs that must have; one if not said.")
           .Default()
           .Range(0, 1)
           .Percent()
           .Example("30%")}};
  return spec;
}

const Spec& RetrainFields::Describe() {
  static const Spec spec{
      "",
      "",
      "When a changed input leads to a new training.",
      {Field(
           "rows", &RetrainFields::rows,
           "New and changed rows since the champion's training: a share of its rows, or a number."),
       Field("every", &RetrainFields::every,
             "Time since the champion's training; its rows must have changed too."),
       Field("drift", &RetrainFields::drift,
             "The rows of now are distributed otherwise than those the champion was trained on: "
             "0.2, or {psi: 0.2, inputs: 30%}.")}};
  return spec;
}

namespace {

std::vector<Field> Fields(bool classification) {
  std::vector<Field> fields = {
      Field("from", &ModelOptions::from, "Node whose rows are learned from.").Node(),
      Field("target", &ModelOptions::target, "Column to predict.").Column(),
      Field("key", &ModelOptions::key,
            "Columns that identify a row: never a feature, and the row's side of the split.")
          .Column()
          .NotEmpty()
          .Optional(),
      Field("time", &ModelOptions::time,
            "Column of time: validation respects it (train on the past, test on the latest rows).")
          .Column()
          .Optional(),
      Field("group", &ModelOptions::group, "Column whose equal values stay on one side.")
          .Column()
          .Optional(),
      Field("weight", &ModelOptions::weight, "Column with the weight of a row.")
          .Column()
          .Optional(),
      Field("features", &ModelOptions::features, "Which columns may be used.").Optional(),
      Field("metric", &ModelOptions::metric,
            "Metric that chooses the model; roc_auc, log_loss or rmse by default.")
          .Optional(),
      Field("learners", &ModelOptions::learners,
            "auto, or a list of learners: lightgbm, linear, each with options or without.")
          .Default(spec::Value("auto")),
      Field("budget", &ModelOptions::budget, "Work of the search: {trials: n} or {minutes: n}.")
          .Optional(),
      Field("gate", &ModelOptions::gate,
            "Conditions a version must meet to become champion, e.g. `roc_auc >= 0.80`.")
          .Optional(),
      Field("retrain", &ModelOptions::retrain,
            "When to train again: {rows: 10%, every: 7 days}, whichever comes first; not given: "
            "whenever the rows change; never: by hand.")
          .Optional()
          .Affects(Affects::kPolicy),
      Field("refit", &ModelOptions::refit,
            "Train the chosen recipe on all rows after the gate was passed.")
          .Default(),
      Field("test", &ModelOptions::test,
            "Test set: a share (20%), a duration with `time` (30 days), holdout or cross.")
          .Optional(),
      Field("label_after", &ModelOptions::label_after,
            "How long after `time` the target is known: leaves that gap before the test rows.")
          .Optional(),
      Field("seed", &ModelOptions::seed, "Seed of splits and search.").Default(),
  };
  if (classification) {
    fields.push_back(Field("positive", &ModelOptions::positive,
                           "The class whose probability is given; else true, 1 or yes, else the "
                           "rarer one.")
                         .Optional());
    fields.push_back(Field("threshold", &ModelOptions::threshold,
                           "Probability from which on the positive class is predicted; else 0.5.")
                         .Range(0, 1));
    fields.push_back(
        Field("costs", &ModelOptions::costs,
              "What a wrong decision costs: {false_positive: 1, false_negative: 5}, or "
              "{actual: {predicted: cost}} for several classes. The threshold of least "
              "cost is found on out-of-fold scores.")
            .Optional());
    fields.push_back(Field("class_weight", &ModelOptions::class_weight,
                           "balanced, or {class: weight}: how much a class counts in learning; "
                           "not given: all rows alike. Probabilities stay calibrated.")
                         .Optional());
  }
  return fields;
}

using Kind = spec::Value::Kind;
using Faults = std::vector<OptionFault>;

std::string TextOf(const spec::Value& value) {
  return value.kind() == Kind::kString ? value.String() : spec::ToJson(value);
}

void Add(Faults* faults, const char* field, const char* code, std::string message) {
  if (faults != nullptr) faults->push_back({field, code, std::move(message)});
}

void ReadLearner(const spec::Value& value, std::vector<learn::LearnerSpec>* out, Faults* faults) {
  if (value.kind() == Kind::kString) {
    out->push_back({value.String(), "{}"});
    return;
  }
  if (value.kind() != Kind::kMap || value.Entries().size() != 1) {
    Add(faults, "learners", "bad_learner",
        "a learner is a name or a map with one name, not " + spec::ToJson(value));
    return;
  }
  const auto& [learner, fields] = value.Entries().front();
  if (fields.IsNull()) {
    out->push_back({learner, "{}"});
  } else if (fields.kind() == Kind::kMap) {
    out->push_back({learner, spec::ToJson(fields)});
  } else {
    Add(faults, "learners", "bad_learner",
        "the options of learner '" + learner + "' are not a map");
  }
}

void ReadLearners(const spec::Value& learners, std::vector<learn::LearnerSpec>* out,
                  Faults* faults) {
  if (learners.kind() == Kind::kString && learners.String() == "auto") return;
  if (learners.kind() != Kind::kList) {
    ReadLearner(learners, out, faults);
    return;
  }
  std::set<std::string> bare;  // without fields of their own
  for (const auto& value : learners.Items()) {
    ReadLearner(value, out, faults);
    if (value.kind() == Kind::kString && !bare.insert(value.String()).second) {
      Add(faults, "learners", "bad_learner", "'learners' has '" + value.String() + "' twice");
    }
  }
  if (learners.Items().empty()) {
    Add(faults, "learners", "bad_learner", "'learners' is an empty list");
  }
}

constexpr const char* kCostsHelp =
    "'costs' is {false_positive: 1, false_negative: 5}, or {actual: {predicted: cost}}";

void ReadCosts(const spec::Value& costs, learn::CostSpec* out, Faults* faults) {
  if (costs.IsNull()) return;
  const auto refuse = [&] { Add(faults, "costs", "bad_costs", kCostsHelp); };
  if (costs.kind() != Kind::kMap || costs.Entries().empty()) return refuse();
  for (const auto& [name, value] : costs.Entries()) {
    if (value.IsNumber() && name == "false_positive") {
      out->false_positive = value.Number();
    } else if (value.IsNumber() && name == "false_negative") {
      out->false_negative = value.Number();
    } else if (value.kind() == Kind::kMap) {
      for (const auto& [predicted, cost] : value.Entries()) {
        if (!cost.IsNumber()) return refuse();
        out->matrix[name][predicted] = cost.Number();
      }
    } else {
      return refuse();
    }
  }
  const bool pair = out->false_positive || out->false_negative;
  if (pair != out->matrix.empty()) return refuse();
  if (pair) {
    out->false_positive = out->false_positive.value_or(1);
    out->false_negative = out->false_negative.value_or(1);
  }
}

void ReadClassWeight(const spec::Value& weight, learn::ClassWeightSpec* out, Faults* faults) {
  if (weight.IsNull()) return;
  if (weight.kind() == Kind::kString && weight.String() == "balanced") {
    out->balanced = true;
    return;
  }
  bool good = weight.kind() == Kind::kMap && !weight.Entries().empty();
  if (good) {
    for (const auto& [name, value] : weight.Entries()) {
      good = good && value.IsNumber();
      if (good) out->weights[name] = value.Number();
    }
  }
  if (!good) {
    Add(faults, "class_weight", "bad_class_weight",
        "'class_weight' is balanced, or a map of classes to numbers");
  }
}

}  // namespace

const Spec& ClassificationSpec() {
  static const Spec spec = [] {
    Spec s = Spec::For<ModelOptions>("model", "classification",
                                     "Learns which of two or more classes a row belongs to.",
                                     Fields(true));
    s.Example(
        "model: classification\nfrom: features\ntarget: churned\nkey: customer_id\n"
        "gate:\n  - roc_auc >= 0.80\nseed: 7\n");
    return s;
  }();
  return spec;
}

const Spec& RegressionSpec() {
  static const Spec spec = [] {
    Spec s = Spec::For<ModelOptions>("model", "regression", "Learns a number.", Fields(false));
    s.Example("model: regression\nfrom: houses\ntarget: price\nkey: id\ngate:\n  - r2 >= 0.7\n");
    return s;
  }();
  return spec;
}

learn::ModelSpec ToModelSpec(const std::string& name, const std::string& task,
                             const ModelOptions& options, std::vector<OptionFault>* faults) {
  learn::ModelSpec spec;
  spec.name = name;
  spec.task = task;
  spec.from = options.from;
  spec.target = options.target;
  if (!options.positive.IsNull()) spec.positive = TextOf(options.positive);
  spec.key = options.key;
  spec.time = options.time;
  spec.group = options.group;
  spec.weight = options.weight;
  spec.features = {options.features.include, options.features.exclude, options.features.types};
  spec.metric = options.metric;
  spec.budget = {options.budget.trials, options.budget.minutes};
  spec.gates = options.gate;
  spec.refit = options.refit;
  spec.threshold = options.threshold;
  spec.test = options.test;
  spec.label_after = options.label_after;
  spec.seed = options.seed;
  ReadCosts(options.costs, &spec.costs, faults);
  ReadClassWeight(options.class_weight, &spec.class_weight, faults);
  ReadLearners(options.learners, &spec.learners, faults);
  return spec;
}

}  // namespace headrace::components
