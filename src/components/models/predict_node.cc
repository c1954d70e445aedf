#include "components/models/predict_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "components/models/scored_reader.h"
#include "model/scorer.h"
#include "pipeline/project.h"

namespace headrace::components {

using spec::Field;
using spec::Spec;

const Spec& PredictSpec() {
  static const Spec spec = [] {
    Spec s{"predict",
           "",
           "Scores rows with a model: churn, churn@challenger or churn@12.",
           {Field("from", &PredictOptions::from, "Node whose rows are scored.").Node(),
            Field("keep", &PredictOptions::keep,
                  "Columns that stand beside the prediction; not given: all.")
                .Column()
                .Optional(),
            Field("reasons", &PredictOptions::reasons, "How many reasons each row gets.")
                .Range(0, 100)
                .Default()}};
    s.Example("predict: churn\nfrom: customers_today\nkeep: [customer_id]\n");
    return s;
  }();
  return spec;
}

namespace {

class PredictNode : public pipeline::Component {
 public:
  explicit PredictNode(const spec::NodeSpec& node)
      : name_(node.name), options_(node.options.As<PredictOptions>()) {
    const size_t at = node.subject.find('@');
    model_ = node.subject.substr(0, at);
    reference_ = at == std::string::npos ? "champion" : node.subject.substr(at + 1);
  }

  std::vector<pipeline::InputRef> Inputs() const override {
    return {{options_.from, "from"}, {model_, "predict"}};
  }
  bool HasTable() const override { return true; }

  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override {
    const pipeline::Node& node = *context.node;
    const pipeline::Node* model = context.project->FindNode(model_);
    if (model != nullptr && model->kind != "model") {
      std::vector<std::string> models;
      for (const auto& other : context.project->nodes()) {
        if (other.kind == "model") models.push_back(other.name);
      }
      context.diagnostics->Add(
          UserError("not_a_model", "'" + model_ + "' is a " + model->kind + ", not a model")
              .At(node.spec.PlaceOf("predict"))
              .Node(name_)
              .Subject(model_)
              .Candidates(models));
    }
    if (options_.reasons > 0) {
      context.diagnostics->Add(UserError("not_built", "'reasons' is not built yet")
                                   .At(node.spec.PlaceOf("reasons"))
                                   .Node(name_)
                                   .Hint("leave it out"));
    }
    const data::Schema* input = context.schema_of(options_.from);
    if (input != nullptr) {
      for (const auto& column : options_.keep) {
        const data::Column* found = input->Find(column);
        if (found != nullptr) continue;
        context.diagnostics->Add(
            UserError("unknown_column", "'" + options_.from + "' has no column '" + column + "'")
                .At(node.spec.PlaceOf("keep"))
                .Node(name_)
                .Subject(column)
                .Candidates(Suggest(column, input->Names())));
      }
    }
    // The columns of a prediction depend on the classes that training finds.
    if (context.last_schema != nullptr) return *context.last_schema;
    return std::nullopt;
  }

  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override {
    pipeline::Probe probe;
    if (context.store == nullptr) return probe;
    HR_ASSIGN(auto version, context.store->ResolveModel(context.target, model_, reference_));
    if (version) {
      probe.identity = fmt::format("{}@{}", version->version, version->content_hash);
    } else if (context.state_of(model_) != nullptr) {
      probe.blocked = reference_ == "champion"
                          ? "model '" + model_ + "' has no champion: no version passed its gate"
                          : "model '" + model_ + "' has no version '" + reference_ + "'";
    }
    return probe;
  }

  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override {
    HR_ASSIGN(auto version, context.store->ResolveModel(context.target, model_, reference_));
    if (!version) {
      return UserError("no_champion", "model '" + model_ + "' has no version '" + reference_ + "'")
          .At(context.node->spec.PlaceOf("predict"))
          .Hint("headrace models " + model_ + " lists its versions");
    }
    HR_ASSIGN(auto package,
              model::ReadPackage(*context.fs, JoinPath(context.warehouse, version->package)));
    package.version = version->version;
    HR_ASSIGN(auto scorer, model::Scorer::Make(std::move(package)));
    HR_ASSIGN(auto input, context.ReadInput(options_.from, {}));
    auto threads = context.budget->TakeThreads(context.budget->threads());
    HR_ASSIGN(auto scored, ScoreRows(std::move(input), scorer, options_.keep, threads.count(),
                                     context.progress));
    HR_ASSIGN(auto instance, context.node->deterministic ? context.instances->Deterministic()
                                                         : context.instances->Parallel());
    HR_ASSIGN(auto source, instance->AddSource(std::move(scored)));
    HR_ASSIGN(auto connection, instance->Connect());
    data::MaterializeRequest request;
    request.node = name_;
    request.build_id = context.build_id;
    request.select = "SELECT * FROM " + source.sql();
    request.aggregates = context.aggregates;
    request.query = context.Query();
    auto pending = context.writer->Materialize(connection, request);
    if (Status read = source.error(); !read.ok()) return std::move(read).error();
    if (!pending.ok()) return std::move(pending).error();
    pipeline::Outcome outcome;
    outcome.rows = pending->snapshot().rows;
    outcome.pending.emplace(std::move(*pending));
    Json details;
    details["model_version"] = version->version;
    outcome.details = details.dump();
    return outcome;
  }

 private:
  std::string name_, model_, reference_;
  PredictOptions options_;
};

}  // namespace

std::unique_ptr<pipeline::Component> MakePredictNode(const spec::NodeSpec& node) {
  return std::make_unique<PredictNode>(node);
}

}  // namespace headrace::components
