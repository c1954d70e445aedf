#include "pipeline/loader.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <queue>
#include <set>

#include "base/suggest.h"
#include "config/sample.h"
#include "pipeline/interval_build.h"
#include "pipeline/interval_rules.h"
#include "pipeline/sql_node.h"
#include "spec/print.h"

namespace headrace::pipeline {
namespace {

/// True when a text of the node still holds ${…}.
bool Pending(const spec::NodeSpec& node) {
  auto pending = [](const spec::ComponentRef& ref) { return ref.spec != nullptr && !ref.expanded; };
  if (pending(node.options)) return true;
  for (const auto& check : node.common.checks) {
    if (pending(check)) return true;
  }
  for (const auto& [name, column] : node.common.columns) {
    for (const auto& check : column.checks) {
      if (pending(check)) return true;
    }
  }
  return false;
}

std::vector<std::string> NamesOf(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const Node& node : nodes) names.push_back(node.name);
  return names;
}

std::string FileText(const std::string& name) { return "'" + name + "'"; }

bool SameLine(const Place& a, const Place& b) {
  return a.line > 0 && a.line == b.line && a.file == b.file;
}

/// A local path is opened by lint: there an unset ${NAME} is an error at once.
bool NamesLocalPath(const spec::NodeSpec& node, const Place& place) {
  if (node.options.spec == nullptr) return false;
  for (const spec::Field& field : node.options.spec->fields()) {
    if (field.meaning() != spec::Meaning::kPath) continue;
    if (SameLine(node.PlaceOf(field.name()), place)) return true;
  }
  return false;
}

/// `… AS x`, `x,` or `x FROM`: there a column of a result gets its name.
bool NamesResult(const std::string& text, size_t begin, size_t end) {
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '"'; };
  const auto is = [&](size_t at, std::string_view word) {
    for (size_t i = 0; i < word.size(); ++i) {
      if (at + i >= text.size() ||
          std::tolower(static_cast<unsigned char>(text[at + i])) != word[i]) {
        return false;
      }
    }
    return true;
  };
  while (begin > 0 && blank(text[begin - 1])) --begin;
  while (end < text.size() && blank(text[end])) ++end;
  return (begin >= 2 && is(begin - 2, "as")) || is(end, ",") || is(end, "from");
}

/// Where the text names the column, from behind, since the names of a result stand last; else its
/// first word.
sql::Span FindColumn(const std::string& text, const std::string& column) {
  const auto word = [&](size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                text[at] == '_' || static_cast<unsigned char>(text[at]) >= 0x80);
  };
  for (size_t at = text.size() - std::min(text.size(), column.size());; --at) {
    const bool here = !column.empty() && NamesResult(text, at, at + column.size()) &&
                      !(at > 0 && word(at - 1)) && !word(at + column.size()) &&
                      std::equal(column.begin(), column.end(), text.begin() + static_cast<long>(at),
                                 [](unsigned char a, unsigned char b) {
                                   return std::tolower(a) == std::tolower(b);
                                 });
    if (here) return {at, column.size()};
    if (at == 0) break;
  }
  size_t begin = 0;
  while (begin < text.size() && !word(begin)) ++begin;
  size_t end = begin;
  while (word(end)) ++end;
  return {begin, std::max<size_t>(end - begin, 1)};
}

/// A rule about the number of rows, or about the rows of another table: a sample may well break it
/// though all rows keep it.
bool AsksForAllRows(const Check& check) {
  return !check.Reads().empty() || (check.OfTable() && !check.OfTime());
}

}  // namespace

ProjectLoader::ProjectLoader(Project& project, Diagnostics& diagnostics)
    : project_(project),
      diagnostics_(diagnostics),
      cache_(*project.options_.fs, project.options_.cache_folder) {}

bool ProjectLoader::ReadFiles() {
  const ProjectOptions& options = project_.options_;
  auto loaded = config::LoadProject(*options.fs, options.root, *options.registry, diagnostics_,
                                    options.redactor);
  if (!loaded.has_value()) return false;
  project_.loaded_ = std::move(*loaded);
  config::SecretsOptions secrets;
  secrets.project_root = options.root;
  secrets.environment = options.environment;
  secrets.fs = options.fs;
  secrets.redactor = options.redactor;
  project_.secrets_ = std::make_unique<config::Secrets>(std::move(secrets));
  return true;
}

void ProjectLoader::ReadSettings() {
  const config::Settings& settings = project_.loaded_.settings;
  auto picked = settings.PickTarget(project_.options_.target);
  if (!picked.ok()) {
    diagnostics_.Add(picked.error());
  } else {
    project_.target_name_ = *picked;
    spec::ParseContext context{&diagnostics_,
                               project_.options_.registry,
                               project_.secrets_.get(),
                               "target '" + *picked + "'",
                               "",
                               ""};
    project_.target_ = config::ExpandTarget(settings, *picked, context);
    const Place place = settings.places.Of("targets." + *picked);
    if (project_.target_.EngineName() != "duckdb") {
      diagnostics_.Add(UserError("not_built", "engine '" + project_.target_.EngineName() +
                                                  "' is not built yet; this version runs duckdb")
                           .At(place));
    }
    if (!project_.target_.store.empty()) {
      diagnostics_.Add(UserError("not_built",
                                 "a store in PostgreSQL is not built yet; leave out 'store:' to "
                                 "keep it in .headrace/")
                           .At(place));
    }
    if (!project_.target_.reuse_from.empty()) {
      project_.reuse_target_ = config::ExpandTarget(settings, project_.target_.reuse_from, context);
    }
    if (project_.sample() > 0) {
      project_.target_name_ = config::SampleState(*picked, project_.sample());
      project_.target_.reuse_from.clear();  // whole tables are no sample
    }
  }
  Diagnostics found;
  project_.params_ = config::ResolveParams(settings.params, project_.options_.params, found);
  for (Error error : found.all()) {
    const Place place = settings.places.Of("params." + error.subject);
    if (error.code == "missing_param" && place.line > 0) {
      // A parameter whose declaration has faults has no value because of them.
      const auto& all = diagnostics_.all();
      if (std::any_of(all.begin(), all.end(),
                      [&](const Error& other) { return SameLine(other.place, place); })) {
        continue;
      }
      error.At(place);
    }
    diagnostics_.Add(std::move(error));
  }
}

void ProjectLoader::MakeNodes() {
  const ProjectOptions& options = project_.options_;
  for (const auto& [name, loaded] : project_.loaded_.nodes) {
    Node node;
    node.name = name;
    node.kind = loaded.spec.kind;
    node.file = loaded.path;
    node.spec = loaded.spec;
    if (Pending(node.spec)) {
      Diagnostics found;
      spec::ParseContext context{
          &found, options.registry, project_.secrets_.get(), node.kind + " '" + name + "'", name,
          ""};
      spec::NodeSpec expanded = spec::ExpandNode(loaded.spec, context);
      if (found.HasErrors()) {
        for (const Error& error : found.all()) {
          if (error.severity == Severity::kError && !node.unexpanded) node.unexpanded = error;
          // Lint opens no secrets it can do without: an unset name is a warning there.
          Error shown = error;
          if (shown.code == "unset_variable" && !NamesLocalPath(loaded.spec, shown.place)) {
            shown.As(Severity::kWarning);
          }
          diagnostics_.Add(std::move(shown));
        }
      } else {
        node.spec = std::move(expanded);
      }
    }
    const spec::CommonFields& common = node.spec.common;
    node.deterministic = common.deterministic.value_or(project_.loaded_.settings.deterministic);
    if (node.kind == "sql") {
      const config::SqlText* sql = loaded.SqlFor("duckdb");
      if (sql == nullptr) continue;
      node.text.text = sql->text;
      node.text.file = sql->path;
      node.text.node = name;
      node.view = common.materialize == spec::Materialize::kView;
      node.incremental = common.materialize == spec::Materialize::kIncremental;
      if (node.incremental) {
        node.intervals = ReadIntervalRules(node.spec, diagnostics_);
        node.component = MakeIntervalNode();
      } else {
        RefuseIntervalOptions(node.spec, diagnostics_);
        node.component = MakeSqlNode(node.view);
      }
    } else if (auto make = options.registry->FindComponent(node.kind, node.spec.type)) {
      if (node.spec.options.spec == nullptr) continue;  // a fault that is reported already
      node.component = make(node.spec);
    } else {
      continue;  // reported when the file was parsed
    }
    node.has_table = node.component->HasTable() && !node.view;
    project_.nodes_.push_back(std::move(node));
  }
  MakeSingularChecks();
  for (size_t i = 0; i < project_.nodes_.size(); ++i) {
    project_.by_name_[project_.nodes_[i].name] = static_cast<int>(i);
  }
}

sql::SqlParser* ProjectLoader::Parser() {
  if (parser_ == nullptr && !parser_failed_) {
    auto opened = sql::SqlParser::Open();
    if (opened.ok()) {
      parser_ = std::move(*opened);
    } else {
      parser_failed_ = true;
      diagnostics_.Add(opened.error());
    }
  }
  return parser_.get();
}

sql::SchemaCatalog* ProjectLoader::Catalog() {
  if (catalog_ == nullptr && Parser() != nullptr) {
    auto opened = sql::SchemaCatalog::Open(*parser_);
    if (opened.ok()) {
      catalog_ = std::move(*opened);
    } else {
      parser_failed_ = true;
      diagnostics_.Add(opened.error());
    }
  }
  return catalog_.get();
}

sql::SelectRules ProjectLoader::RulesOf(const Node& node) const {
  sql::SelectRules rules;
  rules.allow_volatile = node.spec.common.rerun_always;
  rules.incremental = node.incremental;
  for (const auto& [name, param] : project_.loaded_.settings.params) {
    rules.parameters.push_back(name);
  }
  return rules;
}

std::string ProjectLoader::SelectKey(const Node& node) const {
  Hasher hasher;
  hasher.Add("select").Add(int64_t{sql::kSelectVersion});
  hasher.Add(node.text.file).Add(node.name).Add(node.text.text);
  hasher.Add(int64_t{node.spec.common.rerun_always}).Add(int64_t{node.incremental});
  for (const auto& [name, param] : project_.loaded_.settings.params) {
    hasher.Add(name).Add(static_cast<int64_t>(param.type));
  }
  return hasher.Finish().Hex();
}

void ProjectLoader::ParseSql() {
  std::vector<int> missing;
  std::vector<std::string> keys(project_.nodes_.size());
  for (size_t i = 0; i < project_.nodes_.size(); ++i) {
    Node& node = project_.nodes_[i];
    if (!node.HasSql()) continue;
    keys[i] = SelectKey(node);
    if (const std::string* packed = cache_.Find(keys[i])) {
      auto select = sql::UnpackSelect(*packed);
      if (select.ok()) {
        node.select = std::move(*select);
        continue;
      }
    }
    missing.push_back(static_cast<int>(i));
  }
  if (!missing.empty() && Parser() != nullptr) {
    std::vector<sql::SqlText> texts;
    std::vector<sql::SelectRules> rules;
    for (int i : missing) {
      texts.push_back(project_.nodes_[i].text);
      rules.push_back(RulesOf(project_.nodes_[i]));
    }
    auto selects = parser_->ParseSelects(texts, rules);
    for (size_t k = 0; k < missing.size(); ++k) {
      cache_.Put(keys[missing[k]], sql::PackSelect(selects[k]));
      project_.nodes_[missing[k]].select = std::move(selects[k]);
    }
  }
  for (const Node& node : project_.nodes_) {
    if (!node.HasSql()) continue;
    for (const Error& fault : node.select.faults) diagnostics_.Add(fault);
    if (node.deterministic) continue;
    for (const Error& hint : node.select.hints) diagnostics_.Hint(hint);
  }
}

void ProjectLoader::AddEdge(int from, int to) {
  auto& inputs = project_.nodes_[to].inputs;
  if (std::find(inputs.begin(), inputs.end(), from) != inputs.end()) return;
  inputs.push_back(from);
  project_.nodes_[from].outputs.push_back(to);
}

void ProjectLoader::CheckTableInput(const Node& node, const Node& input, const Place& place) {
  if (input.has_table || input.view) return;
  Error error =
      UserError("not_a_table", input.kind + " '" + input.name + "' has no rows to select from");
  error.At(place).Node(node.name).Subject(input.name);
  if (input.kind == "model") {
    std::vector<std::string> predicts;
    for (const Node& other : project_.nodes_) {
      if (other.kind == "predict" &&
          other.spec.subject.substr(0, other.spec.subject.find('@')) == input.name) {
        predicts.push_back(other.name);
      }
    }
    error.Hint(predicts.empty()
                   ? "a model gives rows through a predict node: make a file with 'predict: " +
                         input.name + "' and select from that"
                   : "select from the predict node " + FileText(predicts.front()));
  } else {
    error.Hint("select from the node that " + input.kind + " '" + input.name + "' reads");
  }
  diagnostics_.Add(std::move(error));
}

void ProjectLoader::ConnectNodes() {
  const auto names = NamesOf(project_.nodes_);
  auto connect = [&](int to, const std::string& name, const Place& place, bool table) {
    const Node& node = project_.nodes_[to];
    int from = project_.Find(name);
    if (from < 0) {
      // A node whose file has faults is not in the graph; its own faults are reported.
      if (project_.loaded_.nodes.count(name) > 0) return;
      for (const auto& files : project_.loaded_.files.nodes) {
        if (files.name == name) return;
      }
      auto near = Suggest(name, names);
      diagnostics_.Add(UserError("unknown_node", "there is no node '" + name + "'")
                           .At(place)
                           .Node(node.name)
                           .Subject(name)
                           .Hint(near.empty() ? "names after FROM and JOIN are nodes: files in "
                                                "pipeline/; make '" +
                                                    name + "' a source"
                                              : "")
                           .Candidates(near));
      return;
    }
    if (table) CheckTableInput(node, project_.nodes_[from], place);
    AddEdge(from, to);
  };
  for (size_t i = 0; i < project_.nodes_.size(); ++i) {
    const int to = static_cast<int>(i);
    if (project_.nodes_[i].HasSql()) {
      std::set<std::string> seen;
      for (const auto& use : project_.nodes_[i].select.tables) {
        if (!seen.insert(use.name).second) continue;
        connect(to, use.name, sql::PlaceOf(project_.nodes_[i].text, use.span), true);
      }
    } else {
      for (const auto& input : project_.nodes_[i].component->Inputs()) {
        if (input.node.empty()) continue;
        const bool subject = input.field.empty() || input.field == project_.nodes_[i].kind;
        connect(to, input.node,
                project_.nodes_[i].spec.PlaceOf(subject ? project_.nodes_[i].kind : input.field),
                !subject);
      }
    }
  }
  ConnectChecks();
  SortTopologically();
}

void ProjectLoader::SortTopologically() {
  auto& nodes = project_.nodes_;
  std::vector<int> waiting(nodes.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;  // by name: nodes are sorted
  for (size_t i = 0; i < nodes.size(); ++i) {
    waiting[i] = static_cast<int>(nodes[i].inputs.size());
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<int> order;
  while (!ready.empty()) {
    int i = ready.top();
    ready.pop();
    order.push_back(i);
    for (int out : nodes[i].outputs) {
      if (--waiting[out] == 0) ready.push(out);
    }
  }
  if (order.size() < nodes.size()) {
    std::vector<int> pending;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (waiting[i] > 0) pending.push_back(static_cast<int>(i));
    }
    ReportCycle(pending);
    order.insert(order.end(), pending.begin(), pending.end());
  }
  std::vector<int> position(nodes.size());
  for (size_t k = 0; k < order.size(); ++k) position[order[k]] = static_cast<int>(k);
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  for (int i : order) sorted.push_back(std::move(nodes[i]));
  for (Node& node : sorted) {
    for (int& i : node.inputs) i = position[i];
    for (int& i : node.outputs) i = position[i];
    std::sort(node.inputs.begin(), node.inputs.end());
    std::sort(node.outputs.begin(), node.outputs.end());
    for (int& i : node.check_inputs) i = position[i];
    for (int& i : node.gates) i = position[i];
  }
  nodes = std::move(sorted);
  for (size_t i = 0; i < nodes.size(); ++i) project_.by_name_[nodes[i].name] = static_cast<int>(i);
}

// One cycle for each knot of nodes that wait for each other: walk backwards along inputs until a
// node comes again; what lies between is a cycle.
void ProjectLoader::ReportCycle(const std::vector<int>& pending) {
  const auto& nodes = project_.nodes_;
  std::set<int> left(pending.begin(), pending.end());
  while (!left.empty()) {
    std::vector<int> path;
    std::map<int, size_t> at;
    int current = *left.begin();
    bool closed = false;
    while (current >= 0) {
      auto seen = at.find(current);
      if (seen != at.end()) {
        path.erase(path.begin(), path.begin() + static_cast<long>(seen->second));
        closed = true;
        break;
      }
      at[current] = path.size();
      path.push_back(current);
      int next = -1;
      for (int input : nodes[current].inputs) {
        if (left.count(input) > 0) {
          next = input;
          break;
        }
      }
      current = next;
    }
    for (const auto& [node, unused] : at) left.erase(node);
    if (!closed) continue;                   // hangs below a cycle that is reported already
    std::reverse(path.begin(), path.end());  // data flows from the first to the last
    auto smallest = std::min_element(path.begin(), path.end());
    std::rotate(path.begin(), smallest, path.end());
    std::string text;
    for (int i : path) text += nodes[i].name + " → ";
    text += nodes[path.front()].name;
    const Node& reader = nodes[path.front()];
    const Node& read = nodes[path.back()];
    Place place;
    place.file = reader.file;
    const auto by_check = check_edges_.find({read.name, reader.name});
    if (by_check != check_edges_.end()) {
      place = by_check->second;
    } else if (reader.HasSql()) {
      for (const auto& use : reader.select.tables) {
        if (use.name == read.name) {
          place = sql::PlaceOf(reader.text, use.span);
          break;
        }
      }
    } else {
      place = reader.spec.PlaceOf("from");
    }
    diagnostics_.Add(UserError("cycle", "nodes depend on each other in a circle: " + text)
                         .At(place)
                         .Node(reader.name)
                         .Hint("one of them must read something else"));
  }
}

bool ProjectLoader::NeedsParser(const spec::ComponentRef& ref) const {
  if (ref.spec == nullptr) return false;
  for (const spec::Field& field : ref.spec->fields()) {
    if (field.meaning() == spec::Meaning::kSqlExpression) return true;
  }
  return ref.spec->name() == "expression" || ref.spec->name() == "matches" ||
         ref.spec->kind() == "model";
}

void ProjectLoader::MakeChecks() {
  for (Node& node : project_.nodes_) {
    std::vector<const spec::ComponentRef*> refs;
    for (const auto& ref : node.spec.common.checks) refs.push_back(&ref);
    for (const auto& [name, column] : node.spec.common.columns) {
      for (const auto& ref : column.checks) refs.push_back(&ref);
    }
    std::map<std::string, int> ids;
    Json definitions = Json::array();
    for (const spec::ComponentRef* ref : refs) {
      if (ref->spec == nullptr) continue;
      auto make = project_.options_.registry->FindCheck(ref->spec->name());
      if (make == nullptr) continue;
      if (!node.has_table && !node.view) {
        diagnostics_.Add(UserError("no_rows", node.kind + " '" + node.name +
                                                  "' has no rows that could be checked")
                             .At(ref->place)
                             .Node(node.name));
        continue;
      }
      BoundCheck bound;
      bound.type = ref->spec->name();
      if (ref->common != nullptr) {
        const auto& fields = ref->CommonAs<spec::CheckFields>();
        bound.id = fields.name;
        bound.severity = fields.severity;
        bound.allow = fields.allow;
        if (bound.SetsAside() && !ref->places.Has("allow")) bound.allow = 1;
        bound.description = fields.description;
      }
      bound.place = ref->place;
      CheckContext context;
      context.node = node.name;
      context.ref = ref;
      context.parser = NeedsParser(*ref) ? Parser() : nullptr;
      context.diagnostics = &diagnostics_;
      context.schema_of = [this](const std::string& name) -> const data::Schema* {
        auto found = defined_.find(name);
        return found == defined_.end() ? nullptr : &found->second;
      };
      bound.check = make(context);
      if (bound.check == nullptr) continue;
      LintSeverity(node, *ref, bound);
      if (project_.sample() > 0 && AsksForAllRows(*bound.check)) {
        if (bound.SetsAside() && !ref->places.Has("allow")) bound.allow = 0;
        bound.severity = spec::CheckSeverity::kWarn;
      }
      if (bound.id.empty()) {
        bound.id = node.name + "." + bound.type;
        const auto columns = bound.check->columns();
        for (size_t i = 0; i < columns.size(); ++i) bound.id += (i ? ", " : "(") + columns[i];
        bound.id += columns.empty() ? "" : ")";
      }
      if (int count = ++ids[bound.id]; count > 1) bound.id += "#" + std::to_string(count);
      Json definition;
      definition["id"] = bound.id;
      definition["check"] = bound.type;
      definition["severity"] = static_cast<int>(bound.severity);
      definition["allow"] = bound.allow;
      definition["options"] = spec::CanonicalJson(*ref, spec::Affects::kData);
      definition["more"] = spec::CanonicalJson(*ref, spec::Affects::kChecks);
      bound.definition = definition.dump(-1, ' ', false, Json::error_handler_t::replace);
      definitions.push_back(std::move(definition));
      node.checks.push_back(std::move(bound));
    }
    AddCursorCheck(node, definitions);
    BindSingularCheck(node, definitions);
    if (!definitions.empty()) {
      node.checks_definition = definitions.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
  }
}

void ProjectLoader::DescribeSql(Node& node) {
  if (!node.select.ok()) return;
  for (const std::string& name : node.select.parameter_names) {
    const bool declared = project_.loaded_.settings.params.count(name) > 0;
    if (declared && project_.params_.count(name) == 0) return;  // it has no value: reported
  }
  Hasher hasher;
  hasher.Add("describe").Add(SelectKey(node));
  size_t read = 0;
  for (int input : node.inputs) {
    if (!node.ReadsRowsOf(input)) continue;
    ++read;
    auto found = defined_.find(project_.nodes_[input].name);
    if (found == defined_.end()) {
      const Node& table = project_.nodes_[input];
      if (table.has_table || table.view) {
        project_.not_checked_.push_back(node.name + ": the columns of '" + table.name +
                                        "' are not known yet");
      }
      return;
    }
    hasher.Add(found->first).Add(data::ToJson(found->second).dump());
  }
  if (read < node.select.inputs.size()) return;  // unknown nodes: reported
  const std::string key = hasher.Finish().Hex();
  std::vector<Error> hints;
  bool known = false;
  if (const std::string* kept = cache_.Find(key)) {
    auto json = ParseJson(*kept, "lint cache");
    if (json.ok() && json->contains("schema") && json->contains("hints")) {
      auto schema = data::SchemaFromJson((*json)["schema"]);
      auto packed = sql::UnpackSelect((*json)["hints"].get<std::string>());
      if (schema.ok() && packed.ok()) {
        node.schema = std::move(*schema);
        hints = std::move(packed->hints);
        known = true;
      }
    }
  }
  if (!known) {
    sql::SchemaCatalog* catalog = Catalog();
    if (catalog == nullptr) return;
    for (int input : node.inputs) {
      if (!node.ReadsRowsOf(input)) continue;
      const std::string& name = project_.nodes_[input].name;
      if (catalog->Find(name) == nullptr) catalog->Define(name, defined_.at(name));
    }
    data::Parameters parameters = project_.Parameters(0);
    if (node.incremental) {
      parameters.push_back({"from", "TIMESTAMP", "2000-01-01 00:00:00"});
      parameters.push_back({"to", "TIMESTAMP", "2000-01-02 00:00:00"});
    }
    auto described = catalog->Describe(node.text, node.select, parameters);
    if (!described.ok()) {
      diagnostics_.Add(described.error());
      return;
    }
    if (!described->has_value()) return;
    node.schema = std::move((*described)->schema);
    hints = std::move((*described)->hints);
    sql::ParsedSelect carrier;  // packs the hints: errors have one text form only
    carrier.hints = hints;
    Json json;
    json["schema"] = data::ToJson(*node.schema);
    json["hints"] = sql::PackSelect(carrier);
    cache_.Put(key, json.dump());
  }
  if (!node.deterministic) {
    for (Error& hint : hints) diagnostics_.Hint(std::move(hint));
  }
  if (node.view || node.kind == "check") return;
  auto stored = data::StoredSchema(*node.schema);
  if (!stored.ok()) {
    Error error = stored.error();
    if (error.place.line == 0) {
      error.At(sql::PlaceOf(node.text, FindColumn(node.text.text, error.subject)));
    }
    diagnostics_.Add(std::move(error.Node(node.name)));
    node.schema.reset();
    return;
  }
  node.schema = std::move(*stored);
}

void ProjectLoader::DescribeComponent(Node& node) {
  LintContext context;
  context.project = &project_;
  context.node = &node;
  context.diagnostics = &diagnostics_;
  context.fs = project_.options_.fs;
  if (NeedsParser(node.spec.options)) {
    context.catalog = Catalog();
    context.parser = parser_.get();
  }
  context.cache_folder = project_.options_.cache_folder;
  context.schema_of = [this](const std::string& name) -> const data::Schema* {
    auto found = defined_.find(name);
    return found == defined_.end() ? nullptr : &found->second;
  };
  std::optional<data::Schema> last;
  if (project_.options_.last_schema && node.has_table) {
    last = project_.options_.last_schema(node.name);
    if (last) context.last_schema = &*last;
  }
  Diagnostics found;
  context.diagnostics = &found;
  auto schema = node.component->Lint(context);
  // What comes from a field that is wrong or missing anyway isn't said twice.
  const std::vector<Error> before = diagnostics_.all();
  for (const Error& error : found.all()) {
    const bool follows = std::any_of(before.begin(), before.end(), [&](const Error& other) {
      return other.place.node == node.name && other.severity == Severity::kError &&
             (((other.code == "missing_field" || other.code == "wrong_type") &&
               SameLine(other.place, error.place)) ||
              (other.code == "unknown_field" &&
               SameLine(error.place, node.spec.PlaceOf(node.kind))));
    });
    if (!follows) diagnostics_.Add(error);
  }
  if (node.has_table) node.schema = std::move(schema);
}

void ProjectLoader::CheckDeclaredColumns(Node& node) {
  if (!node.schema) return;
  for (const auto& [name, column] : node.spec.common.columns) {
    const data::Column* found = node.schema->Find(name);
    const std::string path = "columns." + name;
    if (found == nullptr) {
      diagnostics_.Add(
          UserError("unknown_column",
                    node.kind + " '" + node.name + "' has no column '" + name + "'")
              .At(node.spec.options.places.Key(path))
              .Node(node.name)
              .Subject(name)
              .Candidates(Suggest(name, node.schema->Names()))
              .Hint(Suggest(name, node.schema->Names()).empty()
                        ? fmt::format("its columns: {}", fmt::join(node.schema->Names(), ", "))
                        : ""));
      continue;
    }
    if (column.type.empty() || node.kind != "sql") continue;
    auto declared = data::ParseType(column.type);
    auto actual = data::ParseType(found->type);
    if (!declared.ok()) {
      diagnostics_.Add(
          Error(declared.error()).At(node.spec.PlaceOf(path + ".type")).Node(node.name));
    } else if (actual.ok() && declared->Text() != actual->Text()) {
      diagnostics_.Add(UserError("column_type", "column '" + name + "' of '" + node.name + "' is " +
                                                    found->type + ", declared as " + column.type)
                           .At(node.spec.PlaceOf(path + ".type"))
                           .Node(node.name)
                           .Subject(name)
                           .Hint("cast it in " + node.file + ", or declare " + found->type));
    }
  }
}

void ProjectLoader::LintSample(const Node& node) {
  const spec::CommonFields& common = node.common();
  if (node.kind != "source") {
    for (const char* field : {"sample_by", "sample"}) {
      if (!node.spec.options.places.Has(field)) continue;
      diagnostics_.Add(UserError("bad_sample", std::string("'") + field + "' is for sources: a " +
                                                   "sample is taken where rows are read")
                           .At(node.spec.options.places.Key(field))
                           .Node(node.name)
                           .Hint("leave it out"));
    }
    return;
  }
  if (common.sample_by.empty()) return;
  const Place place = node.spec.PlaceOf("sample_by");
  if (!common.sample) {
    diagnostics_.Add(UserError("bad_sample",
                               "'sample: false' keeps all rows: there is nothing to "
                               "choose by 'sample_by'")
                         .At(place)
                         .Node(node.name)
                         .Hint("leave one of them out"));
  } else if (node.schema && node.schema->Find(common.sample_by) == nullptr) {
    diagnostics_.Add(UserError("unknown_column", "source '" + node.name + "' has no column '" +
                                                     common.sample_by + "' to sample by")
                         .At(place)
                         .Node(node.name)
                         .Subject(common.sample_by)
                         .Candidates(Suggest(common.sample_by, node.schema->Names())));
  }
}

void ProjectLoader::LintChecks(Node& node) {
  for (const BoundCheck& check : node.checks) {
    check.check->Lint(node.schema ? &*node.schema : nullptr, diagnostics_);
  }
  LintTakenColumns(node);
}

bool ProjectLoader::HasErrors(const Node& node) const {
  const auto& all = diagnostics_.all();
  return std::any_of(all.begin(), all.end(), [&](const Error& error) {
    return error.severity == Severity::kError &&
           (error.place.node == node.name || error.place.file == node.file);
  });
}

void ProjectLoader::PropagateTypes() {
  for (Node& node : project_.nodes_) {
    if (node.HasSql()) {
      DescribeSql(node);
    } else {
      DescribeComponent(node);
    }
    if (node.schema) {
      defined_[node.name] = *node.schema;
    } else if ((node.has_table || node.view) && node.kind != "sql" && !HasErrors(node)) {
      project_.not_checked_.push_back(node.name + ": its columns are known after the first run");
    }
    CheckDeclaredColumns(node);
    LintSample(node);
    LintIntervals(project_, node, diagnostics_);
    LintChecks(node);
  }
}

void ProjectLoader::WriteDefinitions() {
  for (Node& node : project_.nodes_) {
    Json definition;
    definition["kind"] = node.kind;
    if (node.HasSql()) {
      definition["view"] = node.view;
      definition["tree"] = node.select.canonical.Hex();
      definition["tree_version"] = sql::kSelectVersion;
      if (node.incremental) definition["time"] = node.spec.common.time;
    }
    definition["deterministic"] = node.deterministic;
    definition["fields"] = spec::CanonicalJson(node.spec, spec::Affects::kData);
    Json connections = Json::object();
    for (const std::string& name : node.component->Connections()) {
      auto connection = project_.Connection(name, node.spec.PlaceOf("connection"));
      if (connection.ok()) connections[name] = spec::IdentityJson(*connection);
    }
    definition["connections"] = std::move(connections);
    if (project_.sample() > 0 && node.kind == "source") {
      definition["sample"] = {{"all", !node.common().sample}, {"by", node.SampleColumn()}};
    }
    node.definition = definition.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

void ProjectLoader::WarnUnsetConnections() {
  Diagnostics warnings;
  for (const auto& [name, connection] : project_.loaded_.settings.connections) {
    config::WarnUnset(connection, *project_.secrets_, warnings);
  }
  for (const Error& warning : warnings.all()) {
    // Where a node's lint opens the connection the name is an error already.
    const auto& all = diagnostics_.all();
    const bool said = std::any_of(all.begin(), all.end(), [&](const Error& other) {
      return other.code == warning.code && SameLine(other.place, warning.place);
    });
    if (!said) diagnostics_.Add(warning);
  }
}

void ProjectLoader::Finish() {
  WarnUnsetConnections();
  cache_.Save();
}

}  // namespace headrace::pipeline
