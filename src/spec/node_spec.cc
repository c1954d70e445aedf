#include "spec/node_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "spec/planned.h"
#include "spec/print.h"

namespace headrace::spec {
namespace {

template <class T>
void Inherit(std::optional<T>& own, const std::optional<T>& from) {
  if (!own) own = from;
}

/// The schema of what every node may have, but for the kinds that have own fields of that name.
Error NoKind(const yaml::Node& yaml, const std::vector<std::string>& kinds) {
  return UserError("bad_node",
                   fmt::format("a node has one kind, this file has {}", fmt::join(kinds, " and ")))
      .At(yaml::PlaceOf(*yaml.Find(kinds[1])))
      .Subject(kinds[1])
      .Hint("keep one of them; one file is one node");
}

std::vector<std::string> KindsIn(const yaml::Node& yaml) {
  std::vector<std::string> kinds;
  for (const yaml::Entry& entry : yaml.entries) {
    const auto& all = NodeKinds();
    if (std::find(all.begin(), all.end(), entry.key.text) != all.end()) {
      kinds.push_back(entry.key.text);
    }
  }
  return kinds;
}

/// `soruce: csv`: no kind key, but one that nearly is.
const yaml::Entry* MisspeltKind(const yaml::Node& yaml, const Spec* properties) {
  for (const yaml::Entry& entry : yaml.entries) {
    const std::string& key = entry.key.text;
    if (CommonFields::Describe().Find(key) != nullptr) continue;
    if (properties != nullptr && properties->Find(key) != nullptr) continue;
    if (!Suggest(key, NodeKinds(), 1).empty() && key.size() > 2) return &entry;
  }
  return nullptr;
}

bool ReadKind(const yaml::Node& yaml, NodeSpec& node, const Spec*& spec,
              const ParseContext& context) {
  const auto report = [&](Error error) {
    error.place.node = node.name;
    context.diagnostics->Add(std::move(error));
    return false;
  };
  const std::vector<std::string> kinds = KindsIn(yaml);
  if (kinds.size() > 1) return report(NoKind(yaml, kinds));
  const auto find = [&](std::string_view name) {
    return context.lookup == nullptr ? nullptr : context.lookup->Find(node.kind, name);
  };
  if (kinds.empty()) {
    node.kind = "sql";
    spec = find("");
    const yaml::Entry* wrong = MisspeltKind(yaml, spec);
    if (wrong == nullptr) return true;
    return report(UserError("unknown_kind", fmt::format("'{}' is no kind of node", wrong->key.text))
                      .At(yaml::PlaceOf(wrong->key))
                      .Subject(wrong->key.text)
                      .Candidates(Suggest(wrong->key.text, NodeKinds()))
                      .Hint(fmt::format("one of {}", fmt::join(NodeKinds(), ", "))));
  }
  node.kind = kinds.front();
  const yaml::Node& value = *yaml.Find(node.kind);
  std::vector<std::string> names;
  if (context.lookup != nullptr) names = context.lookup->Names(node.kind);
  const bool takes_subject = find("") != nullptr || node.kind == "sql";
  if (!takes_subject && names.empty()) {
    return report(UserError("not_built", fmt::format("this version has no '{}' nodes", node.kind))
                      .At(yaml::PlaceOf(*yaml.Find(node.kind)))
                      .Subject(node.kind));
  }
  if (!value.IsScalar()) {
    return report(UserError("wrong_type", fmt::format("'{}' must name {}, found {}", node.kind,
                                                      takes_subject ? "what it is about" : "a type",
                                                      yaml::Describe(value)))
                      .At(yaml::PlaceOf(value))
                      .Hint(names.empty() ? "" : fmt::format("one of {}", fmt::join(names, ", "))));
  }
  spec = value.text.empty() ? nullptr : find(value.text);
  if (spec != nullptr) {
    node.type = value.text;
  } else if (takes_subject) {
    node.subject = value.text;
    spec = find("");
  } else {
    if (IsPlanned(node.kind, value.text)) {
      return report(
          UserError("not_built", fmt::format("{} '{}' is not built yet", node.kind, value.text))
              .At(yaml::PlaceOf(value))
              .Subject(value.text)
              .Hint(fmt::format("this version has {}", fmt::join(names, ", "))));
    }
    return report(
        UserError("unknown_type", fmt::format("there is no {} '{}'", node.kind, value.text))
            .At(yaml::PlaceOf(value))
            .Subject(value.text)
            .Candidates(Suggest(value.text, names))
            .Hint(fmt::format("one of {}", fmt::join(names, ", "))));
  }
  return true;
}

}  // namespace

const std::vector<std::string>& NodeKinds() {
  static const std::vector<std::string> kinds = {"source",  "sql",  "clean",  "enrich", "model",
                                                 "predict", "sink", "action", "monitor"};
  return kinds;
}

const Options& SpecOptions(CheckSeverity*) {
  static const Options options = {
      {"error", "A bad row stops the node: its new snapshot is rejected.",
       static_cast<int64_t>(CheckSeverity::kError)},
      {"warn", "A bad row is reported.", static_cast<int64_t>(CheckSeverity::kWarn)},
      {"quarantine", "Bad rows are set aside in NODE__quarantine.",
       static_cast<int64_t>(CheckSeverity::kQuarantine)}};
  return options;
}

std::string_view Text(CheckSeverity severity) {
  return severity == CheckSeverity::kWarn         ? "warn"
         : severity == CheckSeverity::kQuarantine ? "quarantine"
                                                  : "error";
}

const Options& SpecOptions(Materialize*) {
  static const Options options = {
      {"table", "A snapshot is built.", static_cast<int64_t>(Materialize::kTable)},
      {"view", "No files: those who read it run its query.",
       static_cast<int64_t>(Materialize::kView)},
      {"incremental", "A snapshot is built in time intervals.",
       static_cast<int64_t>(Materialize::kIncremental)}};
  return options;
}

const Options& SpecOptions(OnFailure*) {
  static const Options options = {
      {"skip", "What depends on it is skipped; the rest goes on.",
       static_cast<int64_t>(OnFailure::kSkip)},
      {"stop", "The run stops.", static_cast<int64_t>(OnFailure::kStop)},
      {"use_last", "What depends on it uses its last snapshot.",
       static_cast<int64_t>(OnFailure::kUseLast)}};
  return options;
}

const Spec& Notify::Describe() {
  static const Spec spec =
      Spec{"",
           "notify",
           "Who is told of a failed run.",
           {Field("url", &Notify::url, "Gets a POST with a JSON summary of what failed.")
                .NotEmpty()
                .Short()
                .Secret()
                .Example("${ALERT_HOOK}"),
            Field("headers", &Notify::headers, "Headers of that request.").Optional().Secret()}}
          .Rule<Notify>([](const Notify& notify) -> std::optional<Fault> {
            if (notify.url.starts_with("https://") || notify.url.starts_with("http://")) {
              return std::nullopt;
            }
            return Fault{"url", "that is no URL", "write it like https://hooks.example.com/x"};
          });
  return spec;
}

const Spec& FailurePolicy::Describe() {
  static const Spec spec{
      "",
      "on_failure",
      "What a failure does.",
      {Field("then", &FailurePolicy::then, "What the failure does to the run.").Default().Short(),
       Field("notify", &FailurePolicy::notify,
             "Who is told when the run is over, by targets that send.")}};
  return spec;
}

const Spec& CheckFields::Describe() {
  static const Spec spec{
      "",
      "check_fields",
      "Fields of every check.",
      {Field("name", &CheckFields::name, "Name in place of the id node.check(columns).")
           .Optional()
           .Example("ids_are_known"),
       Field("severity", &CheckFields::severity, "What a bad row does.").Default(),
       Field("allow", &CheckFields::allow, "Share of rows that may break the rule.")
           .Default()
           .Range(0, 1)
           .Percent()
           .Example("1%"),
       Field("description", &CheckFields::description, "Why the rule holds.")
           .Optional()
           .Affects(Affects::kNothing)}};
  return spec;
}

const Spec& ColumnFields::Describe() {
  static const Spec spec{
      "",
      "column",
      "What is known about a column.",
      {Field("type", &ColumnFields::type, "Its SQL type.")
           .Optional()
           .Short()
           .Example("BIGINT")
           .Affects(Affects::kData),
       Field("description", &ColumnFields::description, "What it means.")
           .Optional()
           .Affects(Affects::kNothing),
       Field("checks", &ColumnFields::checks, "Checks of this column.")
           .Optional()
           .Affects(Affects::kChecks)
           .Components("check", ComponentForm::kKey, &CheckFields::Describe),
       Field("pii", &ColumnFields::pii, "Personal data: left out of samples and reports.")
           .Default()
           .Affects(Affects::kPolicy)}};
  return spec;
}

const Spec& CommonFields::Describe() {
  static const Spec spec{
      "",
      "node",
      "Fields of every node.",
      {Field("description", &CommonFields::description, "What the node is.")
           .Optional()
           .Affects(Affects::kNothing),
       Field("owner", &CommonFields::owner, "Who answers for it.").Affects(Affects::kNothing),
       Field("tags", &CommonFields::tags, "Words to select nodes by: tag:x.")
           .Affects(Affects::kNothing),
       Field("columns", &CommonFields::columns, "What is known about its columns, by name.")
           .Optional()
           .Column()
           .Affects(Affects::kNothing),
       Field("checks", &CommonFields::checks, "Rules its rows must keep.")
           .Optional()
           .Affects(Affects::kChecks)
           .Components("check", ComponentForm::kKey, &CheckFields::Describe),
       Field("materialize", &CommonFields::materialize,
             "How its rows are kept; table if not said."),
       Field("time", &CommonFields::time,
             "Column with the time of a row: incremental nodes read and follow the rows by it.")
           .Optional()
           .Column()
           .Affects(Affects::kPolicy)
           .Example("day"),
       Field("on_failure", &CommonFields::on_failure, "What its failure does to the run.")
           .Default()
           .Affects(Affects::kPolicy),
       Field("retries", &CommonFields::retries, "How often it is tried again after a failure.")
           .Default()
           .Range(0, 100)
           .Affects(Affects::kPolicy),
       Field("timeout", &CommonFields::timeout, "After this time it counts as failed.")
           .Affects(Affects::kPolicy)
           .Example("10 minutes"),
       Field("schedule", &CommonFields::schedule,
             "When it runs under 'up': cron or 'every 1 hour'.")
           .Affects(Affects::kPolicy),
       Field("deterministic", &CommonFields::deterministic,
             "Run it ordered and on one thread, so that a rebuild gives the same bytes."),
       Field("volatile", &CommonFields::rerun_always, "Run it every time, changed or not.")
           .Default()
           .Affects(Affects::kPolicy),
       Field("sample_by", &CommonFields::sample_by,
             "Of a source: the column whose values `run --sample` chooses its rows by; the first "
             "column of its key if not said, all columns without a key.")
           .Optional()
           .Column()
           .Affects(Affects::kPolicy)
           .Example("customer_id"),
       Field("sample", &CommonFields::sample,
             "Of a source: false keeps all of its rows in `run --sample` (small tables that "
             "others refer to).")
           .Default()
           .Affects(Affects::kPolicy)}};
  return spec;
}

const Spec& FolderFields::Describe() {
  static const Spec spec{
      "",
      "folder",
      "Defaults for the nodes of a folder and below.",
      {Field("owner", &FolderFields::owner, "Who answers for the nodes."),
       Field("tags", &FolderFields::tags, "Words to select nodes by."),
       Field("materialize", &FolderFields::materialize, "How rows are kept."),
       Field("schedule", &FolderFields::schedule, "When the nodes run."),
       Field("deterministic", &FolderFields::deterministic, "Rebuilds give the same bytes.")}};
  return spec;
}

void ApplyDefaults(const FolderFields& folder, CommonFields& fields) {
  Inherit(fields.owner, folder.owner);
  Inherit(fields.tags, folder.tags);
  Inherit(fields.materialize, folder.materialize);
  Inherit(fields.schedule, folder.schedule);
  Inherit(fields.deterministic, folder.deterministic);
}

Place NodeSpec::PlaceOf(std::string_view path) const {
  Place place = options.places.Of(path);
  place.node = name;
  return place;
}

Place NodeSpec::PlaceOfItem(const std::string& field, size_t index) const {
  const std::string item = fmt::format("{}[{}]", field, index);
  return PlaceOf(options.places.Has(item) ? item : field);
}

std::string KindOf(const yaml::Node& yaml) {
  const std::vector<std::string> kinds = KindsIn(yaml);
  return kinds.empty() ? "" : kinds.front();
}

std::optional<NodeSpec> ParseNode(const yaml::Node& yaml, const std::string& name,
                                  ParseContext context) {
  NodeSpec node;
  node.name = name;
  context.node = name;
  if (!yaml.IsMap() && !yaml.IsNull()) {
    Place place = yaml::PlaceOf(yaml);
    place.node = name;
    context.diagnostics->Add(
        UserError("bad_node",
                  fmt::format("a node is a map, this file holds {}", yaml::Describe(yaml)))
            .At(std::move(place))
            .Hint("write 'source: csv' or another kind, then 'field: value' lines"));
    return std::nullopt;
  }
  const Spec* spec = nullptr;
  if (!ReadKind(yaml, node, spec, context)) return std::nullopt;
  context.subject = fmt::format("{} '{}'", node.kind, name);

  ComponentRef& ref = node.options;
  ref.type = node.type;
  ref.spec = spec;
  std::vector<Part> parts;
  if (spec != nullptr) {
    ref.options = spec->Make();
    parts.push_back({spec, ref.options.get()});
  }
  parts.push_back({&CommonFields::Describe(), &node.common});
  const std::vector<std::string> ignored = {node.kind};
  ref.origin = std::make_shared<const ComponentRef::Origin>(
      ComponentRef::Origin{yaml, ignored, context.subject, name, ""});
  ref.places = ParseInto(yaml, parts, ignored, context, &ref.unexpanded);
  if (const yaml::Entry* kind = yaml.FindEntry(node.kind)) {
    ref.places.Add(node.kind, kind->key.mark, kind->value.mark);
    ref.place = yaml::PlaceOf(kind->value);
    ref.place.node = name;
  }
  ref.expanded = context.expander != nullptr || !HoldsVariable(yaml);
  return node;
}

NodeSpec ExpandNode(const NodeSpec& node, const ParseContext& context) {
  if (node.options.expanded || node.options.origin == nullptr) return node;
  std::optional<NodeSpec> expanded = ParseNode(node.options.origin->yaml, node.name, context);
  if (!expanded) return node;
  // What folders gave is not in the file.
  CommonFields& common = expanded->common;
  Inherit(common.owner, node.common.owner);
  Inherit(common.tags, node.common.tags);
  Inherit(common.materialize, node.common.materialize);
  Inherit(common.schedule, node.common.schedule);
  Inherit(common.deterministic, node.common.deterministic);
  return *std::move(expanded);
}

std::string CanonicalJson(const NodeSpec& node, Affects affects) {
  using Json = nlohmann::json;
  Json json = Json::object();
  if (affects == Affects::kData) {
    json["kind"] = node.kind;
    if (!node.type.empty()) json["type"] = node.type;
    if (!node.subject.empty()) json["subject"] = node.subject;
  }
  const auto add = [&](const std::string& text) {
    const Json fields = Json::parse(text, nullptr, false);
    if (fields.is_object()) json.update(fields);
  };
  if (node.options.spec != nullptr) add(CanonicalJson(node.options, affects));
  // Said or not said, the default is the same.
  CommonFields common = node.common;
  if (common.materialize == Materialize::kTable) common.materialize.reset();
  if (common.deterministic == false) common.deterministic.reset();
  add(CanonicalJson(CommonFields::Describe(), &common, affects));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace headrace::spec
