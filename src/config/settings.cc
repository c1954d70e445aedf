#include "config/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/budget.h"
#include "base/suggest.h"

namespace headrace::config {
namespace {

using spec::Field;

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.front() >= 'a' && name.front() <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

template <class T>
std::vector<std::string> Names(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

template <class T>
void CheckNames(const Settings& settings, const std::map<std::string, T>& map, const char* field,
                const char* what, Diagnostics& diagnostics) {
  for (const std::string& name : Names(map)) {
    if (IsPlainName(name)) continue;
    diagnostics.Add(UserError("bad_name", fmt::format("'{}' is no name for a {}", name, what))
                        .At(settings.places.Key(fmt::format("{}.{}", field, name)))
                        .Subject(name)
                        .Hint("a-z, 0-9 and _, the first a letter, at most 63"));
  }
}

void CheckReuse(const Settings& settings, Diagnostics& diagnostics) {
  for (const auto& [name, target] : settings.targets) {
    const std::string& from = target.reuse_from;
    if (from.empty() || spec::NeedsExpansion(from)) continue;
    const Place place = settings.places.Of(fmt::format("targets.{}.reuse_from", name));
    if (from == name) {
      diagnostics.Add(UserError("bad_value", fmt::format("target '{}' can't reuse itself", name))
                          .At(place)
                          .Subject(name));
    } else if (!settings.targets.contains(from)) {
      diagnostics.Add(UserError("unknown_target", fmt::format("there is no target '{}'", from))
                          .At(place)
                          .Subject(from)
                          .Candidates(Suggest(from, Names(settings.targets))));
    }
  }
}

std::optional<spec::Fault> CheckMemory(const Target& target) {
  if (target.memory.empty() || spec::NeedsExpansion(target.memory)) return std::nullopt;
  const Result<int64_t> bytes = ParseMemory(target.memory);
  if (bytes.ok()) return std::nullopt;
  return spec::Fault{"memory", bytes.error().message, "for example 4GB"};
}

std::optional<spec::Fault> CheckProject(const Settings& settings) {
  const bool good = std::all_of(settings.project.begin(), settings.project.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  if (good) return std::nullopt;
  return spec::Fault{"project", fmt::format("'{}' is no name for a project", settings.project),
                     "use letters, digits, _ and -"};
}

}  // namespace

const spec::Spec& DuckdbEngine::Describe() {
  static const spec::Spec spec =
      spec::Spec::For<DuckdbEngine>("engine", "duckdb", "DuckDB, inside this process.", {});
  return spec;
}

const spec::Spec& SparkEngine::Describe() {
  static const spec::Spec spec{"engine",
                               "spark",
                               "An Apache Spark cluster, through Spark Connect.",
                               {Field("url", &SparkEngine::url, "Where Spark Connect listens.")
                                    .NotEmpty()
                                    .Example("sc://host:15002")}};
  return spec;
}

const spec::Options& SpecOptions(Actions*) {
  static const spec::Options options = {
      {"send", "Actions are sent.", static_cast<int64_t>(Actions::kSend)},
      {"dry_run", "What would be sent is recorded.", static_cast<int64_t>(Actions::kDryRun)}};
  return options;
}

const spec::Spec& RunFailure::Describe() {
  static const spec::Spec spec{"",
                               "run_failure",
                               "What a failed run does.",
                               {Field("notify", &RunFailure::notify,
                                      "Who is told when the run is over, by targets that send.")}};
  return spec;
}

const spec::Spec& RetentionFields::Describe() {
  static const spec::Spec spec{
      "",
      "retention",
      "What a target keeps of the past, for undoing changes and for `query --at`.",
      {Field("snapshots", &RetentionFields::snapshots, "Older snapshots of each table.")
           .Range(0, 100'000)
           .Default(2),
       Field("runs", &RetentionFields::runs,
             "The last runs whose tables can all still be read with `query --at`.")
           .Range(0, 100'000)
           .Default(3),
       Field("history", &RetentionFields::history,
             "Runs of which is remembered what they did; their tables may be gone.")
           .Range(10, 1'000'000)
           .Default(1000)}};
  return spec;
}

const spec::Spec& Target::Describe() {
  static const spec::Spec spec =
      spec::Spec{
          "",
          "target",
          "Where a project runs and keeps its state.",
          {Field("engine", &Target::engine, "What runs the SQL.").Default().Tag("type"),
           Field("warehouse", &Target::warehouse,
                 "Folder or URL of the snapshots; .headrace/ of the project if not said.")
               .Optional()
               .Example("s3://bucket/churn"),
           Field("store", &Target::store,
                 "Database of the metadata; SQLite in .headrace/ if not said.")
               .Optional()
               .Secret()
               .Example("${STORE_URI}"),
           Field("reuse_from", &Target::reuse_from,
                 "A target whose snapshots are read where this one has none.")
               .Optional()
               .Example("prod"),
           Field("actions", &Target::actions,
                 "Whether actions are sent; only prod or the only target sends if not said."),
           Field("retention", &Target::retention, "What is kept of the past.").Default(),
           Field("threads", &Target::threads, "Most threads of a run.").Range(1, 4096),
           Field("memory", &Target::memory, "Most memory of a run.").Optional().Example("4GB")}}
          .Rule<Target>(&CheckMemory);
  return spec;
}

std::string Target::EngineName() const {
  return std::holds_alternative<SparkEngine>(engine) ? "spark" : "duckdb";
}

const spec::Spec& ConnectionFields::Describe() {
  static const spec::Spec spec{
      "",
      "connection",
      "Fields of every connection.",
      {Field("root", &ConnectionFields::root,
             "Folder outside the project in which the connection's paths may lie.")
           .Optional()
           .Identity()
           .Example("/data/shared"),
       Field("description", &ConnectionFields::description, "What it leads to.")
           .Optional()
           .Affects(spec::Affects::kNothing)}};
  return spec;
}

const spec::Spec& Settings::Describe() {
  static const spec::Spec spec = spec::Spec{
      "",
      "headrace.yml",
      "Settings of a project.",
      {Field("project", &Settings::project, "The project's name.").NotEmpty().Example("churn"),
       Field("description", &Settings::description, "What the project does.")
           .Optional()
           .Affects(spec::Affects::kNothing),
       Field("params", &Settings::params, "Parameters: $name in SQL.").Optional(),
       Field("connections", &Settings::connections, "Databases and services, by name.")
           .Optional()
           .Components("connection", spec::ComponentForm::kTag, &ConnectionFields::Describe),
       Field("targets", &Settings::targets, "Where it runs, by name; 'dev' on DuckDB if not said.")
           .Optional(),
       Field("deterministic", &Settings::deterministic,
             "Rebuilds give the same bytes, for all nodes.")
           .Default(),
       Field("on_failure", &Settings::on_failure, "What a failed run does.")
           .Optional()}}.Rule<Settings>(&CheckProject);
  return spec;
}

Settings ParseSettings(const yaml::Node& yaml, spec::ParseContext context) {
  context.subject = "headrace.yml";
  spec::ComponentRef parsed = spec::Parse(Settings::Describe(), yaml, context);
  Settings settings = parsed.As<Settings>();
  settings.places = parsed.places;
  settings.parsed = std::move(parsed);
  Diagnostics& diagnostics = *context.diagnostics;
  CheckNames(settings, settings.params, "params", "parameter", diagnostics);
  CheckNames(settings, settings.connections, "connections", "connection", diagnostics);
  CheckNames(settings, settings.targets, "targets", "target", diagnostics);
  for (const auto& [name, param] : settings.params) {
    if (!IsReservedParam(name)) continue;
    diagnostics.Add(UserError("reserved_param", fmt::format("'{}' is set by Headrace itself", name))
                        .At(settings.places.Key("params." + name))
                        .Subject(name)
                        .Hint("choose another name; from, to and run_time are reserved"));
  }
  CheckReuse(settings, diagnostics);
  if (settings.targets.empty()) settings.targets["dev"];
  return settings;
}

Result<std::string> Settings::PickTarget(const std::string& name) const {
  const std::vector<std::string> names = Names(targets);
  if (name.empty()) {
    if (targets.contains("dev")) return std::string("dev");
    if (targets.size() == 1) return names.front();
    return UserError("unknown_target", "the project has several targets and none is called 'dev'")
        .Hint(fmt::format("choose with --target: {}", fmt::join(names, ", ")));
  }
  if (targets.contains(name)) return name;
  return UserError("unknown_target", fmt::format("there is no target '{}'", name))
      .Subject(name)
      .Candidates(Suggest(name, names))
      .Hint(fmt::format("headrace.yml has {}", fmt::join(names, ", ")));
}

bool Settings::Sends(const std::string& target) const {
  const auto found = targets.find(target);
  if (found == targets.end()) return false;
  if (found->second.actions) return *found->second.actions == Actions::kSend;
  return target == "prod" || targets.size() == 1;
}

Target ExpandTarget(const Settings& settings, const std::string& target,
                    const spec::ParseContext& context) {
  const auto found = settings.targets.find(target);
  const Target standing = found == settings.targets.end() ? Target() : found->second;
  if (settings.parsed.origin == nullptr) return standing;
  const yaml::Node* targets = settings.parsed.origin->yaml.Find("targets");
  const yaml::Node* node = targets == nullptr ? nullptr : targets->Find(target);
  if (node == nullptr || !spec::HoldsVariable(*node)) return standing;
  spec::ParseContext inner = context;
  inner.subject = fmt::format("target '{}'", target);
  return spec::Parse(Target::Describe(), *node, inner).As<Target>();
}

}  // namespace headrace::config
