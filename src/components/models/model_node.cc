#include "components/models/model_node.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "components/models/model_options.h"
#include "components/models/retrain.h"
#include "evaluate/metrics.h"
#include "learn/check_columns.h"
#include "learn/judge.h"
#include "learn/target_reader.h"
#include "learn/train.h"
#include "learn/train_report.h"
#include "model/package.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

/// The best version ever promoted, by its own test rows: the ratchet of tolerances holds against
/// it.
std::optional<store::ModelVersion> BestPromoted(const std::vector<store::ModelVersion>& versions,
                                                const std::string& metric, bool higher) {
  std::optional<store::ModelVersion> best;
  double best_value = 0;
  for (const auto& version : versions) {
    if (version.status != store::ModelStatus::kChampion &&
        version.status != store::ModelStatus::kRetired) {
      continue;
    }
    auto metrics = ParseJson(version.metrics, "metrics");
    if (!metrics.ok() || !metrics->contains(metric)) continue;
    const double value = (*metrics)[metric].value("value", 0.0);
    if (!best || (higher ? value > best_value : value < best_value)) {
      best = version;
      best_value = value;
    }
  }
  return best;
}

Json MetricsJson(const std::map<std::string, model::MetricValue>& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) {
    json[name] = {
        {"value", value.value}, {"low", value.low}, {"high", value.high}, {"rows", value.rows}};
  }
  return json;
}

class ModelNode : public pipeline::Component {
 public:
  explicit ModelNode(const spec::NodeSpec& node)
      : name_(node.name), type_(node.type), options_(node.options.As<ModelOptions>()) {}

  std::vector<pipeline::InputRef> Inputs() const override { return {{options_.from, "from"}}; }
  bool HasTable() const override { return false; }

  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override {
    const pipeline::Node& node = *context.node;
    auto add = [&](Error error, const std::string& field) {
      if (error.place.file.empty() || error.place.line == 0) error.At(node.spec.PlaceOf(field));
      context.diagnostics->Add(std::move(error.Node(node.name)));
    };
    std::vector<OptionFault> faults;
    learn::ModelSpec spec = ToModelSpec(name_, type_, options_, &faults);
    for (const auto& fault : faults) add(UserError(fault.code, fault.message), fault.field);
    LintGates(spec, context);
    spec.gates.clear();
    LintLearners(spec, context);
    spec.learners.clear();
    for (Error& error : learn::CheckSpec(spec)) {
      std::string field = error.code.find("metric") != std::string::npos ? "metric" : type_;
      if (error.code == "bad_test") field = "test";
      if (error.code == "bad_label_after") field = "label_after";
      if (error.code == "bad_costs") field = "costs";
      if (error.code == "bad_class_weight") field = "class_weight";
      if (error.code == "needs_costs") field = "metric";
      if (error.code == "unsupported_duration" || error.code == "bad_duration") {
        field = options_.label_after.empty() ? "test" : "label_after";
      }
      if (!node.spec.options.places.Has(field)) field = "model";
      add(std::move(error), field);
    }
    LintRetrain(context);
    if (!options_.weight.empty()) LintColumn(context, options_.weight, "weight");
    if (!options_.target.empty()) LintColumn(context, options_.target, "target");
    LintTarget(context, spec);
    LintColumns(context, options_.key, "key");
    if (!options_.time.empty()) LintColumn(context, options_.time, "time");
    if (!options_.group.empty()) LintColumn(context, options_.group, "group");
    LintColumns(context, options_.features.include, "features.include");
    LintColumns(context, options_.features.exclude, "features.exclude");
    for (const auto& [column, type] : options_.features.types) {
      LintColumn(context, column, "features.types." + column);
      static const std::vector<std::string> kTypes = {"boolean", "category", "date", "number",
                                                      "text"};
      if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
        add(UserError("bad_option", "'" + type + "' is no type of a feature")
                .Subject(type)
                .Candidates(Suggest(type, kTypes))
                .Hint("number, category, boolean, date or text"),
            "features.types." + column);
      }
    }
    if (const data::Schema* schema = context.schema_of(options_.from); schema != nullptr) {
      for (auto& [field, error] : learn::CheckColumns(spec, *schema)) {
        // Of a list the item, of a single value the field; what is no type at all was said above.
        if (error.code == "unknown_type") continue;
        const std::string whole = field.substr(0, field.find('['));
        add(std::move(error), node.spec.options.places.Has(field) ? field : whole);
      }
    }
    return std::nullopt;
  }

  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override {
    pipeline::Probe probe;
    if (context.state == nullptr || context.store == nullptr) return probe;
    if (const auto* word = std::get_if<std::string>(&options_.retrain);
        word != nullptr && *word == "never") {
      probe.keep = "retrain: never";
    }
    HR_ASSIGN(auto champion, context.store->ResolveModel(context.target, name_, "champion"));
    ProbeRetrain(options_, context, champion ? &*champion : nullptr, &probe);
    HR_ASSIGN(auto versions, context.store->ListModelVersions(context.target, name_));
    if (!versions.empty() && versions.front().status == store::ModelStatus::kRefused) {
      probe.unchanged = fmt::format("version {} was refused by its gate on the same rows",
                                    versions.front().version);
    }
    return probe;
  }

  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override;

 private:
  /// Each learner by itself, each where it stands.
  void LintLearners(const learn::ModelSpec& spec, const pipeline::LintContext& context) const {
    for (size_t i = 0; i < spec.learners.size(); ++i) {
      learn::ModelSpec one;
      one.name = name_;
      one.task = spec.task;
      one.target = "target";
      one.learners = {spec.learners[i]};
      for (Error& error : learn::CheckSpec(one)) {
        error.At(context.node->spec.PlaceOfItem("learners", i));
        context.diagnostics->Add(std::move(error.Node(name_)));
      }
    }
  }

  /// Each gate by itself: the faults of all of them, each where it stands.
  void LintGates(const learn::ModelSpec& spec, const pipeline::LintContext& context) const {
    for (size_t i = 0; i < options_.gate.size(); ++i) {
      const Place place = context.node->spec.PlaceOfItem("gate", i);
      learn::ModelSpec one;
      one.name = name_;
      one.task = spec.task;
      one.target = "target";
      one.gates = {options_.gate[i]};
      one.gate_places = {place};
      if (auto gates = learn::ParseGates(one, context.parser);
          gates.ok() && !gates->front().slice.empty()) {
        LintColumn(context, gates->front().slice, fmt::format("gate[{}]", i));
      }
      for (Error& error : learn::CheckSpec(one, context.parser)) {
        if (error.place.line == 0) error.At(place);
        context.diagnostics->Add(std::move(error.Node(name_)));
      }
    }
  }

  void LintRetrain(const pipeline::LintContext& context) const {
    const auto add = [&](Error error, const std::string& field) {
      context.diagnostics->Add(std::move(error.At(context.node->spec.PlaceOf(field)).Node(name_)));
    };
    if (const auto* word = std::get_if<std::string>(&options_.retrain)) {
      if (!word->empty() && *word != "never") {
        add(UserError("bad_option", "'retrain' is 'never' or a map, not '" + *word + "'")
                .Hint("retrain: {rows: 10%, every: 7 days}"),
            "retrain");
      }
      return;
    }
    const auto& fields = std::get<RetrainFields>(options_.retrain);
    if (!fields.rows && !fields.every && !fields.drift) {
      add(UserError("bad_option", "'retrain' names none of rows, every and drift")
              .Hint("retrain: {rows: 10%, every: 7 days}, or leave it out"),
          "retrain");
    }
    if (fields.rows && !(fields.rows->value > 0)) {
      add(UserError("out_of_range", "'rows' of 'retrain' is not above 0"), "retrain.rows");
    }
  }

  void LintTarget(const pipeline::LintContext& context, const learn::ModelSpec& spec) const {
    const data::Schema* schema = context.schema_of(options_.from);
    const data::Column* target = schema == nullptr ? nullptr : schema->Find(options_.target);
    if (target == nullptr) return;
    auto reader = learn::TargetReader::Make(spec, target->type);
    if (reader.ok()) return;
    context.diagnostics->Add(
        Error(reader.error()).At(context.node->spec.PlaceOf("target")).Node(name_));
  }

  void LintColumns(const pipeline::LintContext& context, const std::vector<std::string>& columns,
                   const std::string& field) const {
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string item = fmt::format("{}[{}]", field, i);
      const bool list = context.node->spec.options.places.Has(item);
      LintColumn(context, columns[i], list ? item : field);
    }
  }

  void LintColumn(const pipeline::LintContext& context, const std::string& column,
                  const std::string& field) const {
    const data::Schema* schema = context.schema_of(options_.from);
    if (schema == nullptr || schema->Find(column) != nullptr) return;
    const auto near = Suggest(column, schema->Names());
    context.diagnostics->Add(
        UserError("unknown_column", "'" + options_.from + "' has no column '" + column + "'")
            .At(context.node->spec.PlaceOf(field))
            .Hint(near.empty() ? fmt::format("its columns: {}", fmt::join(schema->Names(), ", "))
                               : "")
            .Node(name_)
            .Subject(column)
            .Candidates(near));
  }

  Result<std::optional<model::Package>> ReadVersion(
      const pipeline::BuildContext& context,
      const std::optional<store::ModelVersion>& version) const {
    if (!version) return std::optional<model::Package>();
    HR_ASSIGN(auto package,
              model::ReadPackage(*context.fs, JoinPath(context.warehouse, version->package)));
    package.version = version->version;
    return std::optional<model::Package>(std::move(package));
  }

  std::string name_, type_;
  ModelOptions options_;
};

std::string GateMessage(const learn::TrainOutcome& trained) {
  std::string text;
  for (const auto& line : trained.gate.lines) {
    if (line.verdict == evaluate::Verdict::kPass) continue;
    text += "\n  " + line.message;
  }
  return text;
}

/// The first line that did not pass.
Place PlaceOfGate(const spec::NodeSpec& spec, const std::vector<std::string>& gates,
                  const evaluate::GateResult& result) {
  for (const auto& line : result.lines) {
    if (line.verdict == evaluate::Verdict::kPass) continue;
    const auto found = std::find(gates.begin(), gates.end(), line.gate);
    if (found == gates.end() || gates.size() == 1) break;
    return spec.PlaceOfItem("gate", static_cast<size_t>(found - gates.begin()));
  }
  return spec.PlaceOf("gate");
}

Result<pipeline::Outcome> ModelNode::Build(pipeline::BuildContext& context) const {
  learn::TrainRequest request;
  request.spec = ToModelSpec(name_, type_, options_, nullptr);
  HR_ASSIGN(auto versions, context.store->ListModelVersions(context.target, name_));
  HR_ASSIGN(auto champion, context.store->ResolveModel(context.target, name_, "champion"));
  std::optional<model::Package> champion_package;
  std::optional<Error> damaged;
  if (auto package = ReadVersion(context, champion); package.ok()) {
    champion_package = *std::move(package);
  } else {
    damaged = std::move(package).error();
    if (damaged->code != "damaged_model" || !context.full) {
      return damaged->Hint(fmt::format(
          "headrace run --full {} trains a version that takes its place, without comparing it",
          name_));
    }
    champion.reset();  // asked for by hand: a model that can't be read can't be compared either
  }
  RetrainAdvice advice;
  if (champion) {
    HR_ASSIGN(advice, AdviseRetrain(options_, request.spec, context, *champion, *champion_package));
    if (!advice.train) {
      pipeline::Outcome kept;
      kept.action = "reuse";
      kept.reason = advice.reason;
      kept.identity = champion->content_hash;
      kept.details = R"({"kept": true})";
      return kept;
    }
  }
  std::optional<model::Package> best_package;
  if (champion_package) {
    request.champion = &*champion_package;
    auto metric = evaluate::FindMetric(
        champion_package->metric,
        champion_package->task == model::Task::kRegression   ? evaluate::Task::kRegression
        : champion_package->task == model::Task::kMulticlass ? evaluate::Task::kMulticlass
                                                             : evaluate::Task::kBinary);
    if (metric.ok()) {
      auto best = BestPromoted(versions, champion_package->metric, (*metric)->higher_is_better);
      if (best && best->version != champion->version) {
        HR_ASSIGN(best_package, ReadVersion(context, best));
        request.best = &*best_package;
      }
    }
  }
  data::ReadOptions read;
  read.with_order = true;
  read.order_by = options_.key;
  request.with_order = true;
  HR_ASSIGN(request.rows, context.ReadInput(options_.from, read));
  auto threads = context.budget->TakeThreads(context.budget->threads());
  request.threads = threads.count();
  request.budget = context.budget;
  request.cancel = context.cancel;
  request.clock = context.clock;
  request.progress = [&](const learn::TrainProgress& progress) {
    if (context.progress == nullptr) return;
    context.progress->SetStage(progress.note.empty() ? progress.stage : progress.note);
  };
  auto trained = learn::Train(std::move(request));
  if (!trained.ok()) {
    Error error = std::move(trained).error();
    if (error.place.file.empty()) error.At(context.node->spec.PlaceOf("target"));
    return std::move(error.Node(name_));
  }
  HR_ASSIGN(int number, context.store->NextModelVersion(context.target, name_));
  model::Package& package = trained->package;
  package.version = number;
  package.created = FormatTimestamp(context.now);
  package.data_fingerprint = context.fingerprint;
  package.code_fingerprint = store::DefinitionDigest(context.node->definition);
  const std::string relative = fmt::format("models/{}/{}", name_, number);
  const std::string folder = JoinPath(context.warehouse, relative);
  // A run that died between rename and commit left a package that no version names.
  if (context.fs->Exists(folder)) HR_TRY(context.fs->RemoveAll(folder));
  HR_TRY(context.fs->CreateDirectories(DirName(folder)));
  HR_TRY(model::WritePackage(
      *context.fs, package,
      JoinPath(context.warehouse,
               fmt::format("tmp/{}/model-{}-{}", context.claim.epoch, name_, number)),
      folder));

  store::ModelVersion version;
  version.model = name_;
  version.version = number;
  version.status =
      trained->refused() ? store::ModelStatus::kRefused : store::ModelStatus::kChampion;
  version.fingerprint = context.fingerprint;
  version.content_hash = model::ContentHash(package).Hex();
  version.package = relative;
  version.rows = package.training_rows;
  if (auto input = context.inputs.find(options_.from); input != context.inputs.end()) {
    version.training = {options_.from, input->second.build_id};
    version.training_snapshot = input->second.id;
  }
  const Json metrics = MetricsJson(package.metrics);
  version.metrics = metrics.dump();
  const std::string gate_lines = learn::GatesJson(trained->gate);
  version.gate = gate_lines;

  pipeline::Outcome outcome;
  outcome.action = versions.empty() ? "build" : "retrain";
  outcome.reason = advice.reason;
  outcome.rows = trained->rows;
  outcome.identity = !trained->refused() ? version.content_hash
                     : champion          ? champion->content_hash
                                         : "";
  if (damaged) {
    outcome.notes.push_back(damaged->As(Severity::kWarning)
                                .Hint("the new version was not compared with it")
                                .Node(name_));
  }
  for (const auto& finding : trained->findings) {
    Error note = UserError(finding.code, finding.message);
    note.As(Severity::kHint).Node(name_).Subject(finding.subject);
    if (finding.level == learn::FindingLevel::kHint) {
      note.At(context.node->spec.PlaceOf(finding.field.empty() ? "from" : finding.field));
    }
    outcome.notes.push_back(std::move(note));
  }
  Json event;
  event["node"] = name_;
  event["version"] = number;
  event["status"] = std::string(store::Text(version.status));
  event["metric"] = package.metric;
  event["metrics"] = metrics;
  event["baseline"] = MetricsJson(trained->baseline);
  if (champion_package) event["champion"] = MetricsJson(trained->champion);
  event["gates"] = Json::parse(gate_lines);
  event["findings"] = Json::parse(learn::FindingsJson(trained->findings));
  event["summary"] = trained->summary;
  event["threshold"] = package.threshold;
  event["trials"] = trained->trials;
  event["split"] = package.split;
  event["rows"] = trained->rows;
  event["rows_without_target"] = trained->rows_without_target;
  outcome.events.emplace_back("model", event.dump());
  Json details;
  details["model"] = event;
  outcome.details = details.dump();
  if (trained->refused()) {
    const bool undecided = trained->gate.verdict == evaluate::Verdict::kUndecided;
    Error error = DataError(
        "gate_failed",
        fmt::format("version {} of model '{}' was not promoted: {}{}", number, name_,
                    undecided ? "too few rows to judge its gate" : "it did not pass its gate",
                    GateMessage(*trained)));
    error.At(PlaceOfGate(context.node->spec, options_.gate, trained->gate)).Node(name_);
    error.Hint(champion
                   ? fmt::format("predictions go on with version {}", champion->version)
                   : fmt::format("there is no champion yet, so nothing can be predicted; {}, or "
                                 "promote by hand: headrace model promote {}@{}",
                                 undecided ? "bring more rows" : "lower the gate", name_, number));
    outcome.failure = std::move(error);
  }
  outcome.model = std::move(version);
  return outcome;
}

}  // namespace

std::unique_ptr<pipeline::Component> MakeModelNode(const spec::NodeSpec& node) {
  return std::make_unique<ModelNode>(node);
}

}  // namespace headrace::components
