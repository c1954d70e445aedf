#include "components/models/predict_node.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "components/models/model_options.h"
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
    const bool number = IsNumber();
    static const std::vector<std::string> kAliases = {"champion", "challenger", "shadow"};
    if (!number && std::find(kAliases.begin(), kAliases.end(), reference_) == kAliases.end()) {
      context.diagnostics->Add(
          UserError("unknown_alias", "'" + reference_ + "' is no version of a model")
              .At(node.spec.PlaceOf("predict"))
              .Node(name_)
              .Subject(reference_)
              .Candidates(Suggest(reference_, kAliases))
              .Hint("a number, champion, challenger or shadow: predict: " + model_ + "@12"));
    }
    LintFeatures(context, model);
    if (options_.reasons > 0) {
      context.diagnostics->Add(UserError("not_built", "'reasons' is not built yet")
                                   .At(node.spec.PlaceOf("reasons"))
                                   .Node(name_)
                                   .Hint("leave it out"));
    }
    const data::Schema* input = context.schema_of(options_.from);
    if (input != nullptr) {
      for (size_t i = 0; i < options_.keep.size(); ++i) {
        const std::string& column = options_.keep[i];
        if (input->Find(column) != nullptr) continue;
        context.diagnostics->Add(
            UserError("unknown_column", "'" + options_.from + "' has no column '" + column + "'")
                .At(node.spec.PlaceOfItem("keep", i))
                .Node(name_)
                .Subject(column)
                .Candidates(Suggest(column, input->Names()))
                .Hint(Suggest(column, input->Names()).empty()
                          ? fmt::format("its columns: {}", fmt::join(input->Names(), ", "))
                          : ""));
      }
    }
    if (input != nullptr) WarnReplaced(context, *input);
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
    } else if (context.state_of(model_) != nullptr && !IsNumber()) {
      // A version that doesn't exist is a mistake, not something to wait for: Build says so.
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
    auto package = model::ReadPackage(*context.fs, JoinPath(context.warehouse, version->package));
    if (!package.ok()) {
      Error error = std::move(package).error();
      if (error.code != "damaged_model") return error;
      return error.At(context.node->spec.PlaceOf("predict"))
          .Hint("restore the package, or train the model again: headrace run --full " + model_);
    }
    package->version = version->version;
    HR_ASSIGN(auto scorer, model::Scorer::Make(*std::move(package)));
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
  /// `predict: churn@12`. Versions count from 1.
  bool IsNumber() const {
    return !reference_.empty() && reference_.size() < 10 && reference_.front() != '0' &&
           reference_.find_first_not_of("0123456789") == std::string::npos;
  }

  /// Columns that the model is told to learn from must be there to score. Of the others it takes
  /// what is useful, which only training knows: a warning.
  void LintFeatures(const pipeline::LintContext& context, const pipeline::Node* model) const {
    if (model == nullptr || model->kind != "model" || model->spec.options.spec == nullptr) return;
    const auto& learned = model->spec.options.As<ModelOptions>();
    const data::Schema* rows = context.schema_of(learned.from);
    const data::Schema* input = context.schema_of(options_.from);
    if (rows == nullptr || input == nullptr) return;
    const auto& include = learned.features.include;
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    std::vector<std::string> missing;
    for (const auto& name : include.empty() ? rows->Names() : include) {
      const bool role = name == learned.target || name == learned.time || name == learned.group ||
                        name == learned.weight || has(learned.key, name) ||
                        has(learned.features.exclude, name);
      if ((!include.empty() || !role) && rows->Find(name) != nullptr &&
          input->Find(name) == nullptr) {
        missing.push_back(name);
      }
    }
    if (missing.empty()) return;
    Error error =
        UserError("missing_columns",
                  fmt::format("'{}' lacks columns that model '{}' {} learn from: {}", options_.from,
                              model_, include.empty() ? "may" : "must", fmt::join(missing, ", ")));
    error.At(context.node->spec.PlaceOf("from"))
        .Node(name_)
        .Hint(
            "select them there too, or leave them out of the model by `features: {exclude: […]}`");
    if (include.empty()) error.As(Severity::kWarning);
    context.diagnostics->Add(std::move(error));
  }

  /// Kept columns that have the name of one of the prediction's own.
  void WarnReplaced(const pipeline::LintContext& context, const data::Schema& input) const {
    for (const char* own : {"prediction", "probability", "model_version"}) {
      const bool kept = options_.keep.empty() ||
                        std::any_of(options_.keep.begin(), options_.keep.end(),
                                    [&](const std::string& k) { return data::SameName(k, own); });
      if (!kept || input.Find(own) == nullptr) continue;
      context.diagnostics->Add(
          UserError(
              "replaced_column",
              fmt::format("'{}' has a column '{}', and that of the prediction takes its place",
                          options_.from, own))
              .As(Severity::kWarning)
              .At(context.node->spec.PlaceOf(options_.keep.empty() ? "from" : "keep"))
              .Node(name_)
              .Subject(own)
              .Hint("rename it in a node above, or leave it out with `keep:`"));
    }
  }

  std::string name_, model_, reference_;
  PredictOptions options_;
};

}  // namespace

std::unique_ptr<pipeline::Component> MakePredictNode(const spec::NodeSpec& node) {
  return std::make_unique<PredictNode>(node);
}

}  // namespace headrace::components
