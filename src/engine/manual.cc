#include "engine/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "components/builtins.h"
#include "config/project.h"
#include "config/settings.h"
#include "engine/manual_models.h"
#include "pipeline/registry.h"
#include "pipeline/user_test.h"
#include "spec/node_spec.h"
#include "spec/print.h"
#include "spec/schema_writer.h"

namespace headrace::engine {
namespace {

using pipeline::Registry;
using spec::Affects;
using spec::ReferenceStyle;
using spec::Spec;

/// What stands on top of a kind's page. A kind that is not listed gets a page all the same.
struct Chapter {
  std::string kind, title, intro;
};

const std::vector<Chapter>& Chapters() {
  static const std::vector<Chapter> chapters = {
      {"source", "Sources",
       "A source reads rows from outside and keeps them as the node's table. The kind key names "
       "where from: `source: csv`. Every source also has the [fields of every node](node.md)."},
      {"sql", "SQL",
       "A `.sql` file is a node: one SELECT whose FROM and JOIN name other nodes. A `.yml` of the "
       "same name beside it, without a kind key, holds its properties: the fields here and the "
       "[fields of every node](node.md)."},
      {"check", "Checks",
       "A check is a rule that the rows of a node keep. It stands in the node's `checks:`, or "
       "below a column in `columns:`, where it knows its column: `columns: {id: {checks: "
       "[not_null, unique]}}`. Checks run before the node's new rows become visible; all checks of "
       "a node are one pass over its rows."},
      {"model", "Models",
       "A model learns a column of a node from the others. Every version is tested on rows it did "
       "not see; it becomes champion only when all lines of `gate:` hold. Models also have the "
       "[fields of every node](node.md). What the fields may name: [metrics](metrics.md), "
       "[gates](gates.md), [learners](learners.md)."},
      {"predict", "Predictions",
       "`predict: churn` scores the rows of a node with the champion of the model `churn`; "
       "`churn@challenger` and `churn@12` name another version. It also has the [fields of every "
       "node](node.md)."},
      {"sink", "Sinks",
       "A sink writes the rows of a node to where others read them. It also has the [fields of "
       "every node](node.md)."},
      {"action", "Actions",
       "An action does something for each row that meets a condition, once per key. Only the "
       "target `prod`, or the only target, sends; the others record what they would send. Actions "
       "also have the [fields of every node](node.md)."},
      {"connection", "Connections",
       "A connection says how to reach a database or a service. It stands under `connections:` in "
       "[headrace.yml](settings.md), and nodes name it. A change of a field that is part of the "
       "connection's identity (where it leads to, not who asks) reruns the nodes that read it."}};
  return chapters;
}

Chapter ChapterOf(const std::string& kind) {
  for (const Chapter& chapter : Chapters()) {
    if (chapter.kind == kind) return chapter;
  }
  return {kind, kind, ""};
}

const Registry& Builtins() {
  static const Registry registry = [] {
    Registry filled;
    components::RegisterBuiltins(filled);
    return filled;
  }();
  return registry;
}

/// Kinds in the order of the chapters, others behind; only those that have something.
std::vector<std::string> Kinds() {
  std::vector<std::string> kinds;
  const std::vector<std::string> known = Builtins().Kinds();
  const auto add = [&](const std::string& kind) {
    const bool there = std::find(known.begin(), known.end(), kind) != known.end();
    if (there && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  };
  for (const Chapter& chapter : Chapters()) add(chapter.kind);
  for (const std::string& kind : known) add(kind);
  return kinds;
}

ReferenceStyle StyleOf(const std::string& kind, const std::string& name, int level) {
  ReferenceStyle style{.level = level, .title = name.empty() ? kind : name};
  if (kind == "check") style.affects = Affects::kChecks;
  return style;
}

constexpr const char* kReruns =
    "**reruns** says what a changed value makes run again: the `node` (and what reads it, if its "
    "rows change), its `checks` on the rows that are there, or nothing (–).";

/// The types of a kind; "" for a kind that takes a subject.
std::vector<std::string> TypesOf(const std::string& kind) {
  if (Builtins().Find(kind, "") != nullptr) return {""};
  return Builtins().Names(kind);
}

std::string KindPage(const std::string& kind) {
  const Chapter chapter = ChapterOf(kind);
  std::string text = fmt::format("# {}\n\n{}{}", chapter.title, chapter.intro,
                                 chapter.intro.empty() ? "" : "\n\n");
  text += std::string(kReruns) + "\n\n";
  const std::vector<std::string> names = TypesOf(kind);
  if (names.size() > 1) {
    for (const std::string& name : names) {
      text += fmt::format("- [{0}](#{0}): {1}\n", name, Builtins().Find(kind, name)->summary());
    }
    text += "\n";
  }
  for (const std::string& name : names) {
    text += ReferenceMarkdown(*Builtins().Find(kind, name), StyleOf(kind, name, 2)) + "\n";
  }
  if (kind == "check") {
    text += ReferenceMarkdown(spec::CheckFields::Describe(),
                              {.level = 2, .title = "Every check", .affects = Affects::kChecks});
    text += "\n";
  }
  text.pop_back();
  return text;
}

std::string NodePage() {
  return ReferenceMarkdown(spec::CommonFields::Describe(), {.title = "Every node"}) + "\n" +
         kReruns + "\n";
}

std::string FolderPage() {
  return "# _folder.yml\n\nDefaults for the nodes of the folder and of the folders below it; the "
         "nearest file wins, and what a node says itself wins over all.\n\n"
         "```yaml\nowner: data-team\ntags: [daily]\n```\n\n" +
         ReferenceMarkdown(spec::FolderFields::Describe(), {.level = 2, .title = "Fields"});
}

std::string SettingsPage() {
  return "# headrace.yml\n\nThe file that makes a folder a project.\n\n"
         "```yaml\nproject: churn\nparams:\n  as_of: {type: date, default: 2026-01-01}\n"
         "connections:\n  usage_db: {type: sqlite, path: data/usage.db}\n"
         "targets:\n  dev:  {engine: duckdb}\n  prod: {engine: duckdb, memory: 8GB}\n```\n\n"
         "`${NAME}` and `${NAME:-default}` in any value are read from the environment, from a file "
         "NAME in the folder that `HEADRACE_SECRETS_DIR` names, or from `.env` beside this file; "
         "`$${` is a literal `${`. Connections: [connection.md](connection.md).\n\n" +
         ReferenceMarkdown(config::Settings::Describe(),
                           {.level = 2, .title = "Fields", .reruns = false});
}

std::string IndexPage(const std::vector<std::string>& more) {
  std::string text =
      "# Reference\n\nMade by `headrace reference --output docs/reference` from the tables that "
      "Headrace itself reads project files with. In a terminal: `headrace reference csv`.\n\n"
      "- [headrace.yml](settings.md): the project's settings\n"
      "- [_folder.yml](folder.md): defaults of a folder\n"
      "- [Every node](node.md): fields that any node may have\n";
  for (const std::string& kind : Kinds()) {
    const std::vector<std::string> names = TypesOf(kind);
    std::vector<std::string> links;
    for (const std::string& name : names) {
      if (!name.empty()) links.push_back(fmt::format("[{1}]({0}.md#{1})", kind, name));
    }
    text += fmt::format("- [{}]({}.md){}{}\n", ChapterOf(kind).title, kind,
                        links.empty() ? "" : ": ", fmt::join(links, ", "));
  }
  text += "- Of models: [metrics](metrics.md), [gates](gates.md), [learners](learners.md)\n";
  for (const std::string& line : more) text += "- " + line + "\n";
  return text;
}

/// Of the .yml beside a SQL file of checks/: it has no shares and no rows to set aside.
std::string CheckSchema() {
  spec::SchemaWriter writer(&Builtins());
  Json schema =
      writer.Object({&spec::CheckFields::Describe(), &config::CheckOwner::Describe()}, "");
  schema["properties"].erase("allow");
  schema["properties"]["severity"] = {
      {"enum", {"error", "warn"}}, {"description", "What a bad row does."}, {"default", "error"}};
  return spec::SchemaText("headrace check",
                          "Properties of a check of a Headrace project, beside its SQL file.",
                          schema, writer.defs());
}

}  // namespace

std::vector<ManualFile> ReferencePages(const std::vector<std::string>& more) {
  std::vector<ManualFile> files = {{"README.md", IndexPage(more)},
                                   {"settings.md", SettingsPage()},
                                   {"folder.md", FolderPage()},
                                   {"node.md", NodePage()}};
  for (const std::string& kind : Kinds()) files.push_back({kind + ".md", KindPage(kind)});
  files.push_back({"metrics.md", MetricsPage()});
  files.push_back({"gates.md", GatesPage()});
  files.push_back({"learners.md", LearnersPage()});
  return files;
}

Result<std::string> ReferencePage(const std::string& name) {
  if (name.empty()) return IndexPage({});
  std::vector<std::string> known;
  for (const ManualFile& file : ReferencePages()) {
    const std::string page = file.name.substr(0, file.name.rfind('.'));
    if (page == name && page != "README") return file.text;
    known.push_back(page);
  }
  std::string found;
  for (const std::string& kind : Kinds()) {
    for (const std::string& type : TypesOf(kind)) {
      if (type.empty()) continue;
      if (type == name || kind + " " + type == name) {
        ReferenceStyle style = StyleOf(kind, kind + ": " + type, 1);
        found +=
            (found.empty() ? "" : "\n") + ReferenceMarkdown(*Builtins().Find(kind, type), style);
      }
      known.push_back(type);
    }
  }
  if (!found.empty()) return found;
  return UserError("unknown_page", "there is no page '" + name + "'")
      .Subject(name)
      .Candidates(Suggest(name, known))
      .Hint("headrace reference lists the pages");
}

std::vector<ManualFile> SchemaFiles() {
  return {{"headrace.schema.json", JsonSchema(config::Settings::Describe(), &Builtins())},
          {"node.schema.json", NodeJsonSchema(Builtins())},
          {"folder.schema.json", JsonSchema(spec::FolderFields::Describe(), &Builtins())},
          {"check.schema.json", CheckSchema()},
          {"test.schema.json", pipeline::UserTestJsonSchema()}};
}

}  // namespace headrace::engine
