#include "pipeline/project.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/suggest.h"
#include "pipeline/loader.h"

namespace headrace::pipeline {

std::unique_ptr<Project> Project::Load(const ProjectOptions& options, Diagnostics& diagnostics) {
  auto project = std::unique_ptr<Project>(new Project());
  project->options_ = options;
  ProjectLoader loader(*project, diagnostics);
  if (!loader.ReadFiles()) {
    diagnostics.Sort();
    return nullptr;
  }
  loader.ReadSettings();
  loader.MakeNodes();
  loader.ParseSql();
  loader.ConnectNodes();
  loader.MakeChecks();
  loader.PropagateTypes();
  loader.WriteDefinitions();
  project->tests_ = ParseUserTests(*project, diagnostics);
  loader.Finish();
  diagnostics.Sort();
  return project;
}

Project::~Project() = default;

bool Node::ReadsRowsOf(int input) const {
  const auto in = [input](const std::vector<int>& list) {
    return std::find(list.begin(), list.end(), input) != list.end();
  };
  return !in(check_inputs) && !in(gates);
}

int Project::Find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? -1 : found->second;
}

const Node* Project::FindNode(std::string_view name) const {
  int index = Find(name);
  return index < 0 ? nullptr : &nodes_[index];
}

std::vector<int> Project::TableInputs(const Node& node) const {
  std::set<int> tables;
  std::set<int> seen;
  std::vector<int> open(node.inputs);
  while (!open.empty()) {
    int index = open.back();
    open.pop_back();
    if (!seen.insert(index).second) continue;
    const Node& input = nodes_[index];
    if (input.view) {
      open.insert(open.end(), input.inputs.begin(), input.inputs.end());
    } else if (input.has_table) {
      tables.insert(index);
    }
  }
  return {tables.begin(), tables.end()};
}

std::vector<int> Project::ViewInputs(const Node& node) const {
  std::set<int> views;  // node indices are in topological order, so a view stands after its own
  std::vector<int> open(node.inputs);
  while (!open.empty()) {
    int index = open.back();
    open.pop_back();
    if (!nodes_[index].view || !views.insert(index).second) continue;
    open.insert(open.end(), nodes_[index].inputs.begin(), nodes_[index].inputs.end());
  }
  return {views.begin(), views.end()};
}

data::Parameters Project::Parameters(Timestamp run_time) const {
  data::Parameters parameters;
  for (const auto& [name, value] : params_) {
    data::Parameter p;
    p.name = name;
    switch (value.type) {
      case config::ParamType::kBool:
        p.type = "BOOLEAN";
        break;
      case config::ParamType::kInt:
        p.type = "BIGINT";
        break;
      case config::ParamType::kDouble:
        p.type = "DOUBLE";
        break;
      case config::ParamType::kString:
        p.type = "VARCHAR";
        break;
      case config::ParamType::kDate:
        p.type = "DATE";
        break;
      case config::ParamType::kTimestamp:
        p.type = "TIMESTAMP";
        break;
    }
    if (value.type == config::ParamType::kTimestamp) {
      std::string text = FormatTimestamp(value.micros);
      text.pop_back();  // TIMESTAMP without zone: drop the Z
      p.text = text;
    } else if (value.value.kind() == spec::Value::Kind::kString) {
      p.text = value.value.String();
    } else {
      p.text = spec::ToJson(value.value);
    }
    parameters.push_back(std::move(p));
  }
  std::string run_time_text = FormatTimestamp(run_time);
  run_time_text.pop_back();
  parameters.push_back({"run_time", "TIMESTAMP", run_time_text});
  return parameters;
}

Result<spec::ComponentRef> Project::Connection(const std::string& name, const Place& place) const {
  auto found = loaded_.settings.connections.find(name);
  if (found == loaded_.settings.connections.end()) {
    std::vector<std::string> names;
    for (const auto& [known, unused] : loaded_.settings.connections) names.push_back(known);
    return UserError("unknown_connection", "there is no connection '" + name + "' in headrace.yml")
        .At(place)
        .Subject(name)
        .Candidates(Suggest(name, names))
        .Hint(names.empty() ? "headrace.yml has no 'connections:' yet" : "");
  }
  if (found->second.expanded) return found->second;
  Diagnostics diagnostics;
  spec::ParseContext context{
      &diagnostics, options_.registry, secrets_.get(), "connection '" + name + "'", "", ""};
  spec::ComponentRef expanded = spec::Expand(found->second, context);
  for (const Error& error : diagnostics.all()) {
    if (error.severity == Severity::kError) return error;
  }
  return expanded;
}

}  // namespace headrace::pipeline
