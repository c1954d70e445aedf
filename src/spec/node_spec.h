#pragma once
// A node's YAML file: exactly one kind key plus the fields that every node may have.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/parse.h"

namespace headrace::spec {

/// "source", "sql", "clean", "enrich", "model", "predict", "sink", "action", "monitor".
const std::vector<std::string>& NodeKinds();

enum class CheckSeverity { kError, kWarn, kQuarantine };
const Options& SpecOptions(CheckSeverity*);
std::string_view Text(CheckSeverity severity);  ///< "error", "warn", "quarantine"

/// Fields of every check; in ComponentRef::common of each entry of `checks:`.
struct CheckFields {
  std::string name;  ///< replaces the id node.check(columns)
  CheckSeverity severity = CheckSeverity::kError;
  double allow = 0;  ///< share of rows (0–1) that may break the rule
  std::string description;
  static const Spec& Describe();
};

struct ColumnFields {
  std::string type;  ///< SQL type; empty = not given
  std::string description;
  std::vector<ComponentRef> checks;  ///< kind "check"; their column is filled in
  bool pii = false;                  ///< personal data: left out of samples and reports
  static const Spec& Describe();
};

enum class Materialize { kTable, kView, kIncremental };
const Options& SpecOptions(Materialize*);
enum class OnFailure {
  kSkip,     ///< descendants are skipped, other branches go on (default)
  kStop,     ///< the whole run stops
  kUseLast,  ///< descendants use the last committed snapshot
};
const Options& SpecOptions(OnFailure*);

/// Who is told of a failed run: a JSON summary is POSTed there.
struct Notify {
  std::string url;
  std::map<std::string, std::string> headers;
  static const Spec& Describe();
};

/// `on_failure: stop`, or {then: stop, notify: url}.
struct FailurePolicy {
  OnFailure then = OnFailure::kSkip;
  std::optional<Notify> notify;
  static const Spec& Describe();
};

/// Fields that every node may have.
struct CommonFields {
  std::string description;
  std::optional<std::string> owner;
  std::optional<std::vector<std::string>> tags;
  std::map<std::string, ColumnFields> columns;
  std::vector<ComponentRef> checks;  ///< kind "check"; CommonAs<CheckFields>() has severity …
  std::optional<Materialize> materialize;
  std::string time;  ///< column that says when a row is; incremental nodes below read by it
  FailurePolicy on_failure;
  int retries = 0;
  std::optional<Duration> timeout;
  std::optional<std::string> schedule;
  std::optional<bool> deterministic;
  bool rerun_always = false;  ///< `volatile: true`
  std::string sample_by;      ///< of a source: the column a run on a sample chooses rows by
  bool sample = true;         ///< false: such a run keeps all rows
  static const Spec& Describe();
};

/// `_folder.yml`: defaults for the nodes of a folder and below; the nearest wins.
struct FolderFields {
  std::optional<std::string> owner;
  std::optional<std::vector<std::string>> tags;
  std::optional<Materialize> materialize;
  std::optional<std::string> schedule;
  std::optional<bool> deterministic;
  static const Spec& Describe();
};
/// Sets what `fields` doesn't say itself. Call with the nearest folder first.
void ApplyDefaults(const FolderFields& folder, CommonFields& fields);

/// A parsed node file. `options.places` holds the places of all fields, the common ones and the
/// kind key included.
struct NodeSpec {
  std::string name;      ///< file stem
  std::string kind;      ///< "source" …; "sql" for the properties of a .sql file
  std::string type;      ///< `source: csv` → "csv"; "" for kinds that take a subject
  std::string subject;   ///< `predict: churn` → "churn"
  ComponentRef options;  ///< the kind's own struct; spec null when the kind has none (sql)
  CommonFields common;

  /// Place of a field's value, or of the file's start; node's name filled in.
  Place PlaceOf(std::string_view path) const;
  /// Place of one item of a list; of the field where a short form has no list.
  Place PlaceOfItem(const std::string& field, size_t index) const;
};

/// Parses a node's (or properties') YAML. If `lookup` has a spec of the kind named "", the key's
/// value is the subject, else it is the type. Without a kind key: kind "sql", properties only.
/// nullopt when the file has no usable kind or isn't a map; other faults leave a usable NodeSpec.
/// `context.subject` and `context.node` are set from `name`.
std::optional<NodeSpec> ParseNode(const yaml::Node& yaml, const std::string& name,
                                  ParseContext context);

/// The kind key of a file, "" when it has none (or is no map).
std::string KindOf(const yaml::Node& yaml);

/// The final node for a run: options and check components with ${…} expanded.
NodeSpec ExpandNode(const NodeSpec& node, const ParseContext& context);

/// The node's definition for its fingerprint: kind, type, subject, the kind's own fields and the
/// common ones that affect `affects`. Sorted keys, defaults left out.
std::string CanonicalJson(const NodeSpec& node, Affects affects);

}  // namespace headrace::spec
