#pragma once
// A project that is understood: nodes in topological order with inputs, columns and definitions.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/file_system.h"
#include "config/params.h"
#include "config/project.h"
#include "config/secrets.h"
#include "pipeline/check.h"
#include "pipeline/component.h"
#include "pipeline/intervals.h"
#include "pipeline/registry.h"
#include "pipeline/user_test.h"
#include "sql/select.h"

namespace headrace::pipeline {

struct Node {
  std::string name;
  std::string kind;                 ///< source | sql | model | predict | sink | action …
  std::string file;                 ///< that defines it, relative to the project
  spec::NodeSpec spec;              ///< ${…} expanded where it could be
  std::optional<Error> unexpanded;  ///< why it couldn't; the node can't run
  std::unique_ptr<Component> component;

  // Of kind sql.
  sql::SqlText text;
  sql::ParsedSelect select;
  bool view = false;
  bool incremental = false;
  std::optional<IntervalRules> intervals;  ///< of an incremental node without faults in them
  bool deterministic = false;

  std::vector<int> inputs;   ///< indices of the nodes it reads, each once, sorted by name
  std::vector<int> outputs;  ///< indices of the nodes that read it
  /// Those of `inputs` that only its checks read: a change runs the checks again, not the node.
  std::vector<int> check_inputs;
  /// Those of `inputs` that are singular checks it has to wait for.
  std::vector<int> gates;
  std::vector<BoundCheck> checks;
  std::optional<data::Schema> schema;  ///< as stored; nullopt = not known, or has no table
  std::string definition;              ///< canonical text: what the fingerprint starts from
  std::string checks_definition;       ///< canonical JSON of all checks
  bool has_table = false;

  const spec::CommonFields& common() const { return spec.common; }
  /// Has a SELECT: kinds sql and check.
  bool HasSql() const { return kind == "sql" || kind == "check"; }
  /// Of a source: the column that a sample chooses its rows by; "" = by whole rows.
  std::string SampleColumn() const;
  /// An index of `inputs` whose rows its own are made from.
  bool ReadsRowsOf(int input) const;
};

struct ProjectOptions {
  std::string root;                 ///< folder of headrace.yml, absolute
  std::string target;               ///< "" = default
  std::vector<std::string> params;  ///< "k=v"
  int64_t sample = 0;               ///< millionths of the sources' rows; 0 = all rows
  const Registry* registry = nullptr;
  FileSystem* fs = nullptr;
  Redactor* redactor = nullptr;
  std::map<std::string, std::string> environment;
  /// Folder for what lint found out before (parse trees, column types); "" = none.
  std::string cache_folder;
  /// Columns of a node's last snapshot, for sources that lint can't see into; empty = none known.
  std::function<std::optional<data::Schema>(const std::string& node)> last_schema;
};

/// Immutable after loading: thread-safe.
class Project {
 public:
  /// Reads, parses and lints everything; all faults go to `diagnostics` (sorted). nullptr only when
  /// nothing could be read (no headrace.yml). Nodes with faults are kept when they can be shown.
  static std::unique_ptr<Project> Load(const ProjectOptions& options, Diagnostics& diagnostics);
  ~Project();

  const std::string& name() const { return loaded_.settings.project; }
  const std::string& root() const { return options_.root; }
  /// Whose state is read and written: the target's name; with a sample the name of that state.
  const std::string& target() const { return target_name_; }
  /// Millionths of the sources' rows that are read; 0 = all. Such a run has a state of its own,
  /// borrows nothing, writes no sink and sends nothing.
  int64_t sample() const { return options_.sample; }
  const config::Settings& settings() const { return loaded_.settings; }
  const config::Target& target_settings() const { return target_; }
  /// Settings of the target that `reuse_from:` names.
  const config::Target& reuse_target_settings() const { return reuse_target_; }
  const config::Project& loaded() const { return loaded_; }
  const config::ParamValues& params() const { return params_; }
  const config::Secrets& secrets() const { return *secrets_; }
  bool Sends() const { return sample() == 0 && loaded_.settings.Sends(target_name_); }

  /// In topological order, names breaking ties.
  const std::vector<Node>& nodes() const { return nodes_; }
  /// Index, or -1.
  int Find(std::string_view name) const;
  const Node* FindNode(std::string_view name) const;
  /// kAll: also what only checks and gates of a node read; kRows: what its rows come from.
  enum class Reads { kAll, kRows };
  /// Tables (not views) that a node reads, directly or through views, by index, sorted.
  std::vector<int> TableInputs(const Node& node, Reads reads = Reads::kAll) const;
  /// Views a node needs, in dependency order.
  std::vector<int> ViewInputs(const Node& node, Reads reads = Reads::kAll) const;
  /// Typed parameters for binding; `run_time` is $run_time.
  data::Parameters Parameters(Timestamp run_time) const;
  /// tests/*.yml.
  const std::vector<UserTest>& tests() const { return tests_; }
  /// What lint could not check, for people: "usage: columns of a query are known after the first
  /// run".
  const std::vector<std::string>& not_checked() const { return not_checked_; }
  /// A connection of headrace.yml, expanded; error "unknown_connection" with candidates.
  Result<spec::ComponentRef> Connection(const std::string& name, const Place& place) const;

 private:
  std::set<int> Through(const Node& node, Reads reads) const;
  friend class ProjectLoader;
  ProjectOptions options_;
  config::Project loaded_;
  std::unique_ptr<config::Secrets> secrets_;
  std::string target_name_;
  config::Target target_, reuse_target_;
  config::ParamValues params_;
  std::vector<Node> nodes_;
  std::map<std::string, int, std::less<>> by_name_;
  std::vector<std::string> not_checked_;
  std::vector<UserTest> tests_;
};

}  // namespace headrace::pipeline
