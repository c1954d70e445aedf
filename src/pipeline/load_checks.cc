// What the loader does for checks beyond making them: rules of severities, and the check that every
// source with a cursor has.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/suggest.h"
#include "data/quote.h"
#include "pipeline/loader.h"
#include "pipeline/sql_node.h"

namespace headrace::pipeline {
namespace {

/// A row without a value in the cursor has no place in the order of reading: it is set aside.
class CursorCheck : public Check {
 public:
  explicit CursorCheck(std::string column) : column_(std::move(column)) {}
  std::vector<std::string> columns() const override { return {column_}; }
  void Lint(const data::Schema*, Diagnostics&) const override {}
  std::string Describe(std::span<const data::Value> values, const CheckFacts&) const override {
    return column_ + ": " + values[0].Text() + " without a value";
  }
  std::string BadRows(const std::string&) const override {
    return data::QuoteIdentifier(column_) + " IS NULL";
  }
  std::string Reason() const override {
    return data::QuoteLiteral("the cursor " + column_ + " is missing");
  }

 private:
  const std::string column_;
};

/// A file of checks/: every row that its SELECT gives is wrong.
class SingularCheck : public Check {
 public:
  std::vector<std::string> columns() const override { return {}; }
  void Lint(const data::Schema*, Diagnostics&) const override {}
  std::string Describe(std::span<const data::Value> values, const CheckFacts&) const override {
    const int64_t rows = values[0].AsInt64();
    return rows == 1 ? "1 row is wrong" : std::to_string(rows) + " rows are wrong";
  }
  std::string BadRows(const std::string&) const override { return "true"; }
};

}  // namespace

// ---- Singular checks

void ProjectLoader::MakeSingularChecks() {
  for (const auto& loaded : project_.loaded_.checks) {
    Place place;
    place.file = loaded.sql.path;
    if (project_.loaded_.nodes.count(loaded.name) > 0) {
      diagnostics_.Add(UserError("duplicate_node", "'" + loaded.name + "' is the name of a node")
                           .At(place)
                           .Subject(loaded.name)
                           .Hint("rename the check: both are shown by their names"));
      continue;
    }
    Node node;
    node.name = loaded.name;
    node.kind = "check";
    node.file = loaded.sql.path;
    node.spec.name = loaded.name;
    node.spec.kind = "check";
    node.spec.common.owner = loaded.owner;
    node.spec.common.description = loaded.fields.description;
    node.text = {loaded.sql.text, loaded.sql.path, loaded.name, {}};
    node.deterministic = true;  // only the number of rows counts
    node.component = MakeSqlNode(true);
    const auto fault = [&](const char* field, const char* message, const char* hint) {
      diagnostics_.Add(UserError("bad_severity", message)
                           .At(loaded.places.Of(field))
                           .Node(loaded.name)
                           .Hint(hint));
    };
    if (loaded.fields.severity == spec::CheckSeverity::kQuarantine) {
      fault("severity", "a check as a SQL file can't set rows aside: its rows are those of no node",
            "use 'error' or 'warn'");
    }
    if (loaded.places.Has("allow")) {
      fault("allow", "a check as a SQL file knows no share of rows: all that it gives are wrong",
            "let the SELECT say how many are too many: HAVING count(*) > 10");
    }
    project_.nodes_.push_back(std::move(node));
  }
  std::sort(project_.nodes_.begin(), project_.nodes_.end(),
            [](const Node& a, const Node& b) { return a.name < b.name; });
}

void ProjectLoader::BindSingularCheck(Node& node, Json& definitions) {
  if (node.kind != "check") return;
  BoundCheck bound;
  for (const auto& loaded : project_.loaded_.checks) {
    if (loaded.name != node.name) continue;
    bound.id = loaded.fields.name.empty() ? node.name : loaded.fields.name;
    bound.severity = loaded.fields.severity;
    bound.description = loaded.fields.description;
  }
  bound.type = "singular";
  bound.place.file = node.file;
  bound.check = std::make_unique<SingularCheck>();
  definitions.push_back({{"id", bound.id}, {"severity", static_cast<int>(bound.severity)}});
  node.checks.push_back(std::move(bound));
  if (node.select.ok() && node.select.inputs.empty()) {
    Place place;
    place.file = node.file;
    diagnostics_.Add(UserError("no_node", "check '" + node.name + "' reads no node")
                         .At(place)
                         .Node(node.name)
                         .Hint("a check belongs to the nodes after its FROM"));
  }
}

void ProjectLoader::ConnectChecks() {
  const auto count = static_cast<int>(project_.nodes_.size());
  for (int i = 0; i < count; ++i) ConnectReferences(i);
  for (int i = 0; i < count; ++i) {
    if (project_.nodes_[i].kind == "check") ConnectGates(i);
  }
}

/// Nodes that the node's checks read stand before it in the graph.
void ProjectLoader::ConnectReferences(int to) {
  std::vector<const spec::ComponentRef*> refs;
  const auto& common = project_.nodes_[to].spec.common;
  for (const auto& ref : common.checks) refs.push_back(&ref);
  for (const auto& [name, column] : common.columns) {
    for (const auto& ref : column.checks) refs.push_back(&ref);
  }
  for (const spec::ComponentRef* ref : refs) {
    if (ref->spec == nullptr || ref->options == nullptr) continue;
    for (const spec::Field& field : ref->spec->fields()) {
      if (field.meaning() != spec::Meaning::kNode) continue;
      const auto& name = *static_cast<const std::string*>(field.At(ref->options.get()));
      Place place = ref->places.Has(field.name()) ? ref->places.Of(field.name()) : ref->place;
      place.node = project_.nodes_[to].name;
      ConnectReference(to, name, place);
    }
  }
}

void ProjectLoader::ConnectReference(int to, const std::string& name, const Place& place) {
  const Node& node = project_.nodes_[to];
  if (name.empty() || name == node.name) return;
  const int from = project_.Find(name);
  if (from < 0) {
    if (project_.loaded_.nodes.count(name) > 0) return;  // it has faults of its own
    std::vector<std::string> names;
    for (const Node& other : project_.nodes_) names.push_back(other.name);
    diagnostics_.Add(UserError("unknown_node", "there is no node '" + name + "'")
                         .At(place)
                         .Node(node.name)
                         .Subject(name)
                         .Candidates(Suggest(name, names)));
    return;
  }
  CheckTableInput(node, project_.nodes_[from], place);
  const auto& inputs = node.inputs;
  if (std::find(inputs.begin(), inputs.end(), from) != inputs.end()) return;
  AddEdge(from, to);
  project_.nodes_[to].check_inputs.push_back(from);
  check_edges_.emplace(std::pair(name, node.name), place);
}

/// What reads a node that the check is about waits for the check, but for what the check itself
/// waits for.
void ProjectLoader::ConnectGates(int check) {
  const std::vector<int> about = project_.nodes_[check].inputs;
  std::set<int> above;
  std::vector<int> open = about;
  while (!open.empty()) {
    const int index = open.back();
    open.pop_back();
    if (!above.insert(index).second) continue;
    const auto& inputs = project_.nodes_[index].inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  for (int index : about) {
    const std::vector<int> readers = project_.nodes_[index].outputs;
    for (int reader : readers) {
      Node& node = project_.nodes_[reader];
      const auto& gates = node.gates;
      if (node.kind == "check" || above.count(reader) > 0) continue;
      if (std::find(gates.begin(), gates.end(), check) != gates.end()) continue;
      AddEdge(check, reader);
      node.gates.push_back(check);
    }
  }
}

void ProjectLoader::LintSeverity(const Node& node, const spec::ComponentRef& ref,
                                 const BoundCheck& check) {
  const auto at = [&](const char* field) {
    return ref.places.Has(field) ? ref.places.Of(field) : ref.place;
  };
  const auto add = [&](const char* field, std::string message, std::string hint) {
    diagnostics_.Add(UserError("bad_severity", std::move(message))
                         .At(at(field))
                         .Node(node.name)
                         .Hint(std::move(hint)));
  };
  if (check.check->OfTable() && ref.places.Has("allow")) {
    add("allow", "'" + check.type + "' is about the whole table: no share of rows breaks it",
        "leave 'allow' out");
  }
  if (!check.SetsAside()) return;
  if (node.view) {
    add("severity", "'" + node.name + "' is a view, which keeps no rows that could be set aside",
        "use 'error' or 'warn', or 'materialize: table'");
  } else if (check.check->OfTable()) {
    add("severity", "'" + check.type + "' is about the whole table: it has no rows to set aside",
        "use 'error' or 'warn'");
  } else if (ref.places.Has("allow") && check.allow == 0) {
    add("allow", "with 'allow: 0' no row may be set aside",
        "leave 'allow' out to set aside any number of rows, or use 'severity: error'");
  }
}

void ProjectLoader::LintTakenColumns(const Node& node) {
  if (!node.schema || node.view) return;
  for (const BoundCheck& check : node.checks) {
    if (!check.SetsAside()) continue;
    for (const char* taken : {"_check", "_reason", "_origin", "_run"}) {
      if (node.schema->Find(taken) == nullptr) continue;
      diagnostics_.Add(UserError("taken_column", "'" + node.name + "' has a column '" + taken +
                                                     "', a name that its quarantine needs")
                           .At(check.place)
                           .Node(node.name)
                           .Hint("name the column differently"));
    }
    return;
  }
}

void ProjectLoader::AddCursorCheck(Node& node, Json& definitions) {
  const std::string column = node.component->CursorColumn();
  if (column.empty() || !node.has_table) return;
  BoundCheck bound;
  bound.type = "cursor";
  bound.id = node.name + ".cursor(" + column + ")";
  bound.severity = spec::CheckSeverity::kQuarantine;
  bound.allow = 1;
  bound.place = node.spec.PlaceOf("cursor");
  bound.check = std::make_unique<CursorCheck>(column);
  definitions.push_back({{"id", bound.id}, {"check", "cursor"}});
  node.checks.push_back(std::move(bound));
}

}  // namespace headrace::pipeline
