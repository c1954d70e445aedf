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

std::string Node::SampleColumn() const {
  if (!common().sample_by.empty()) return common().sample_by;
  const auto key = component->KeyColumns();
  return key.empty() ? "" : key.front();
}

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

/// Every node that is read on the way to `node` through views: views and tables, by index.
std::set<int> Project::Through(const Node& node, Reads reads) const {
  std::set<int> seen;
  std::vector<const Node*> open = {&node};
  while (!open.empty()) {
    const Node& reader = *open.back();
    open.pop_back();
    for (int index : reader.inputs) {
      if (reads == Reads::kRows && !reader.ReadsRowsOf(index)) continue;
      if (seen.insert(index).second && nodes_[index].view) open.push_back(&nodes_[index]);
    }
  }
  return seen;
}

std::vector<int> Project::TableInputs(const Node& node, Reads reads) const {
  std::vector<int> tables;
  for (int index : Through(node, reads)) {
    if (!nodes_[index].view && nodes_[index].has_table) tables.push_back(index);
  }
  return tables;
}

std::vector<int> Project::ViewInputs(const Node& node, Reads reads) const {
  std::vector<int> views;  // indices are in topological order, so a view stands after its own
  for (int index : Through(node, reads)) {
    if (nodes_[index].view) views.push_back(index);
  }
  return views;
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
