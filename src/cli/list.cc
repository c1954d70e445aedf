#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "base/text_table.h"
#include "cli/commands.h"

namespace headrace::cli {
namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void PrintJson(const engine::NodeSummary& node, Console& console) {
  Json line = {{"event", "node"}, {"node", node.name}, {"kind", node.kind}};
  if (!node.type.empty()) line["type"] = node.type;
  line["file"] = node.file;
  if (!node.materialize.empty()) line["materialize"] = node.materialize;
  line["inputs"] = node.inputs;
  line["tags"] = node.tags;
  if (!node.owner.empty()) line["owner"] = node.owner;
  if (!node.description.empty()) line["description"] = node.description;
  line["rows"] = node.rows < 0 ? Json() : Json(node.rows);
  line["committed"] = node.committed == 0 ? Json() : Json(FormatTimestamp(node.committed));
  console.JsonLine(line);
}

}  // namespace

int List(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto nodes = session.engine().List({arguments.select, arguments.exclude});
  if (!nodes.ok()) return session.Fail(nodes.error());
  if (console.json()) {
    for (const auto& node : *nodes) PrintJson(node, console);
    return 0;
  }
  const bool tagged = std::any_of(nodes->begin(), nodes->end(),
                                  [](const auto& node) { return !node.tags.empty(); });
  std::vector<std::string> header = {"NODE", "KIND", "ROWS", "READS", "FILE"};
  if (tagged) header.push_back("TAGS");
  TextTable table(header);
  for (const auto& node : *nodes) {
    std::string kind = node.kind;
    if (!node.type.empty()) kind += " (" + node.type + ")";
    if (node.materialize == "view") kind = "sql (view)";
    table.AddRow({node.name, kind, node.rows < 0 ? "-" : Grouped(node.rows), Joined(node.inputs),
                  node.file, Joined(node.tags)});
  }
  if (table.rows() > 0) console.Text(table.Render({console.columns(), console.out_color()}));
  console.Progress(Tally(static_cast<int64_t>(nodes->size()), "node") + "\n");
  return 0;
}

}  // namespace headrace::cli
