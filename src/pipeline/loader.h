#pragma once
#include <memory>
#include <string>
#include <vector>

#include "pipeline/lint_cache.h"
#include "pipeline/project.h"
#include "sql/describe.h"

namespace headrace::pipeline {

/// Builds a Project step by step; see Project::Load for the steps.
class ProjectLoader {
 public:
  ProjectLoader(Project& project, Diagnostics& diagnostics);

  bool ReadFiles();     ///< false: nothing to go on with
  void ReadSettings();  ///< target, parameters
  void MakeNodes();     ///< components, ${…}
  void ParseSql();
  void ConnectNodes();  ///< edges, unknown names, cycles; sorts the nodes topologically
  void MakeChecks();
  void PropagateTypes();  ///< components' own lint and columns, in topological order
  void WriteDefinitions();
  void Finish();  ///< saves the cache

 private:
  sql::SqlParser* Parser();  ///< opened when first needed; null after a failure
  sql::SchemaCatalog* Catalog();
  void WarnUnsetConnections();
  void AddEdge(int from, int to);
  void CheckTableInput(const Node& node, const Node& input, const Place& place);
  void SortTopologically();
  void ReportCycle(const std::vector<int>& pending);
  void DescribeSql(Node& node);
  void DescribeComponent(Node& node);
  void LintChecks(Node& node);
  void LintSeverity(const Node& node, const spec::ComponentRef& ref, const BoundCheck& check);
  void LintTakenColumns(const Node& node);
  void AddCursorCheck(Node& node, Json& definitions);
  // Singular checks and the nodes that checks read: load_checks.cc.
  void MakeSingularChecks();
  void BindSingularCheck(Node& node, Json& definitions);
  void ConnectChecks();
  void ConnectReferences(int to);
  void ConnectReference(int to, const std::string& name, const Place& place);
  void ConnectGates(int check);
  void CheckDeclaredColumns(Node& node);
  void LintSample(const Node& node);
  bool HasErrors(const Node& node) const;
  sql::SelectRules RulesOf(const Node& node) const;
  std::string SelectKey(const Node& node) const;
  bool NeedsParser(const spec::ComponentRef& ref) const;

  Project& project_;
  Diagnostics& diagnostics_;
  LintCache cache_;
  std::unique_ptr<sql::SqlParser> parser_;
  std::unique_ptr<sql::SchemaCatalog> catalog_;
  bool parser_failed_ = false;
  std::map<std::string, data::Schema, std::less<>> defined_;  ///< known columns by node
  std::vector<std::string> last_order_;
  std::map<std::pair<std::string, std::string>, Place> check_edges_;  ///< from, to: made by a check
};

}  // namespace headrace::pipeline
