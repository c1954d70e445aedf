#pragma once
// headrace.yml.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/diagnostics.h"
#include "base/result.h"
#include "config/params.h"
#include "spec/node_spec.h"

namespace headrace::config {

struct DuckdbEngine {
  static const spec::Spec& Describe();
};
struct SparkEngine {
  std::string url;  ///< "sc://host:15002"
  static const spec::Spec& Describe();
};

/// Actions of a target. Without a word only `prod` (or the only target) sends.
enum class Actions { kSend, kDryRun };
const spec::Options& SpecOptions(Actions*);

/// What a target keeps beside what is current, pinned, or what champions were trained on.
struct RetentionFields {
  int snapshots = 2;   ///< older snapshots of a table
  int runs = 3;        ///< everything that was current at the end of so many last runs
  int history = 1000;  ///< runs in `show` and in the report
  static const spec::Spec& Describe();
};

struct Target {
  std::variant<DuckdbEngine, SparkEngine> engine;
  std::string warehouse;   ///< folder or URL of snapshots; "" = .headrace/ of the project
  std::string store;       ///< "" = SQLite in .headrace/, else postgres://…
  std::string reuse_from;  ///< target whose snapshots are opened read-only; "" = none
  std::optional<Actions> actions;
  RetentionFields retention;
  std::optional<int> threads;
  std::string memory;  ///< "4GB"; "" = default
  static const spec::Spec& Describe();

  std::string EngineName() const;  ///< "duckdb" or "spark"
};

/// Fields of every connection; in ComponentRef::common of each.
struct ConnectionFields {
  std::string root;  ///< folder outside the project in which its paths may lie; "" = none
  std::string description;
  static const spec::Spec& Describe();
};

/// What a failed run does, whatever node failed.
struct RunFailure {
  std::optional<spec::Notify> notify;
  static const spec::Spec& Describe();
};

struct Settings {
  std::string project;
  std::string description;
  std::map<std::string, Param> params;
  std::map<std::string, spec::ComponentRef> connections;  ///< kind "connection", by `type:`
  std::map<std::string, Target> targets;                  ///< at least one: "dev" is made if none
  bool deterministic = false;
  RunFailure on_failure;
  spec::FieldPlaces places;   ///< "targets.dev.engine" …
  spec::ComponentRef parsed;  ///< the whole, for Expand and ToJson
  static const spec::Spec& Describe();

  /// The target of that name; "" = the default: dev, or the only one. Error "unknown_target".
  Result<std::string> PickTarget(const std::string& name) const;
  /// A target may send: it says `actions: send`, or says nothing and is prod or the only one.
  bool Sends(const std::string& target) const;
};

/// Faults go to the context (its subject is set here). Names of params, connections and targets
/// follow CheckName's pattern.
Settings ParseSettings(const yaml::Node& yaml, spec::ParseContext context);

/// One target with ${…} expanded.
Target ExpandTarget(const Settings& settings, const std::string& target,
                    const spec::ParseContext& context);

}  // namespace headrace::config
