#include "components/models/model_options.h"

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

const Spec& RetrainFields::Describe() {
  static const Spec spec{
      "",
      "",
      "When a changed input leads to a new training.",
      {Field("rows", &RetrainFields::rows, "New and changed rows, a share or a number."),
       Field("every", &RetrainFields::every, "Time since the champion's training."),
       Field("drift", &RetrainFields::drift, "Name of a monitor that saw drift.").Optional()}};
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
            "When to train again; not given: whenever the rows change; never: by hand.")
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
  }
  return fields;
}

std::string TextOf(const spec::Value& value) {
  return value.kind() == spec::Value::Kind::kString ? value.String() : spec::ToJson(value);
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
                             const ModelOptions& options, std::vector<std::string>* faults) {
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
  auto add = [&](const spec::Value& value) {
    if (value.kind() == spec::Value::Kind::kString) {
      spec.learners.push_back({value.String(), "{}"});
    } else if (value.kind() == spec::Value::Kind::kMap && value.Entries().size() == 1) {
      const auto& [learner, fields] = value.Entries().front();
      if (fields.IsNull()) {
        spec.learners.push_back({learner, "{}"});
      } else if (fields.kind() == spec::Value::Kind::kMap) {
        spec.learners.push_back({learner, spec::ToJson(fields)});
      } else if (faults != nullptr) {
        faults->push_back("the options of learner '" + learner + "' are not a map");
      }
    } else if (faults != nullptr) {
      faults->push_back("a learner is a name or a map with one name, not " + spec::ToJson(value));
    }
  };
  const spec::Value& learners = options.learners;
  if (learners.kind() == spec::Value::Kind::kString && learners.String() == "auto") return spec;
  if (learners.kind() == spec::Value::Kind::kList) {
    for (const auto& value : learners.Items()) add(value);
    if (learners.Items().empty() && faults != nullptr) {
      faults->push_back("'learners' is an empty list");
    }
  } else {
    add(learners);
  }
  return spec;
}

}  // namespace headrace::components
