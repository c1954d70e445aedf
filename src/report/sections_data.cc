// Parts about nodes: graph, changes, checks, rows, actions, decisions, notes.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/number_text.h"
#include "report/charts.h"
#include "report/graph_chart.h"
#include "report/number_text.h"
#include "report/sections.h"

namespace headrace::report {
namespace {

constexpr size_t kMostRows = 200;  // of a table

bool HasTable(const NodeLine& node) {
  return node.kind != "model" && node.kind != "action" && node.kind != "sink";
}

bool HasRun(const NodeLine& node) {
  return node.state != NodeState::kReused && node.state != NodeState::kUnselected;
}

Markup StateCell(NodeState state) {
  Markup cell("td");
  cell.Add(Markup("span", StateSign(state) + " " + StateWord(state))
               .Class("state " + StateClass(state)));
  return cell;
}

Markup NameCell(const NodeLine& node) {
  Markup cell("td");
  cell.Class("name").Text(node.name);
  cell.Add(Markup("span", node.type.empty() || node.type == node.kind
                              ? node.kind
                              : node.kind + " · " + CutText(node.type, 30))
               .Class("sub"));
  return cell;
}

std::string ChangeOf(const NodeLine& node) {
  if (!HasTable(node)) return "–";
  if (node.rows < 0 || node.rows_before < 0)
    return node.rows_before < 0 && node.rows >= 0 ? "new" : "";
  const int64_t change = node.rows - node.rows_before;
  if (change == 0) return "±0";
  return (change > 0 ? "+" : "−") + Grouped(change > 0 ? change : -change);
}

std::string Cut(size_t shown, size_t all) {
  return shown < all ? fmt::format("{} more are not shown.", all - shown) : "";
}

/// Sentences about what is different from the run before.
std::vector<std::string> Changes(const NodeLine& node) {
  std::vector<std::string> out;
  if (node.state == NodeState::kFailed || node.state == NodeState::kSkipped) return out;
  if (node.rows_before < 0 && node.rows >= 0 && node.state == NodeState::kBuilt) {
    out.push_back(fmt::format("built for the first time, {}", Tally(node.rows, "row")));
  } else if (node.rows >= 0 && node.rows != node.rows_before && node.rows_before >= 0) {
    const double share = node.rows_before == 0 ? 0
                                               : static_cast<double>(node.rows - node.rows_before) /
                                                     static_cast<double>(node.rows_before);
    out.push_back(fmt::format(
        "{} rows became {}{}", Grouped(node.rows_before), Grouped(node.rows),
        node.rows_before == 0
            ? ""
            : fmt::format(" ({}{:.1f} %)", share < 0 ? "−" : "+", std::abs(share) * 100)));
  } else if (node.new_rows) {
    out.push_back("as many rows as before, with other values");
  }
  if (!node.columns_added.empty()) out.push_back("new columns: " + Listed(node.columns_added, 8));
  if (!node.columns_removed.empty())
    out.push_back("columns gone: " + Listed(node.columns_removed, 8));
  if (!node.columns_changed.empty()) {
    out.push_back("columns of another type: " + Listed(node.columns_changed, 8));
  }
  return out;
}

}  // namespace

Markup NewSection(std::string_view id, std::string_view heading, std::string_view under) {
  Markup section("section");
  section.Id(id);
  section.Add(Markup("h2", heading));
  if (!under.empty()) section.Add(Markup("p", under).Class("under"));
  return section;
}

Markup NewTable(const std::vector<std::string>& head) {
  Markup row("tr");
  for (const std::string& name : head) {
    const bool number = name.ends_with('#');
    Markup cell("th", number ? name.substr(0, name.size() - 1) : name);
    cell.Attr("scope", "col");
    if (number) cell.Class("n");
    row.Add(std::move(cell));
  }
  return Markup("table").Add(Markup("thead").Add(std::move(row)));
}

Markup Cell(std::string_view text, std::string_view style) {
  Markup cell("td", text);
  if (!style.empty()) cell.Class(style);
  return cell;
}

Section GraphSection(const RunReport& report) {
  Chart graph = GraphChart("graph", report.nodes);
  if (!graph) return std::nullopt;
  Markup section = NewSection("pipeline", "The pipeline");
  section.Add(std::move(*graph));
  return section;
}

Section ChangesSection(const RunReport& report) {
  Markup list("ul");
  list.Class("plain");
  size_t count = 0;
  for (const ModelSection& model : report.models) {
    if (!model.trained_now || model.champion_before == model.champion_now) continue;
    std::string text = model.champion_before == 0
                           ? fmt::format("version {} is the first in use", model.champion_now)
                           : fmt::format("version {} took over from version {}", model.champion_now,
                                         model.champion_before);
    list.Add(Markup("li").Add(Markup("strong", model.model)).Text(": " + text));
    ++count;
  }
  // Nodes with the same change stand on one line.
  std::vector<std::pair<std::string, std::vector<std::string>>> lines;
  for (const NodeLine& node : report.nodes) {
    if (!HasTable(node) || !HasRun(node)) continue;
    std::string text;
    for (const std::string& change : Changes(node)) text += (text.empty() ? "" : "; ") + change;
    if (text.empty()) continue;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&](const auto& line) { return line.first == text; });
    if (same == lines.end()) {
      lines.push_back({text, {node.name}});
    } else {
      same->second.push_back(node.name);
    }
  }
  constexpr size_t kMostLines = 40;
  for (const auto& [text, names] : lines) {
    if (++count > kMostLines) continue;
    list.Add(Markup("li").Add(Markup("strong", Listed(names, 6))).Text(": " + text));
  }
  if (count > kMostLines) {
    list.Add(Markup("li", fmt::format("and {} more changes", count - kMostLines)));
  }
  Markup section = NewSection("changes", "What changed",
                              report.previous_run.empty()
                                  ? "This is the first run that is remembered: everything is new."
                                  : "Against the run before, " + report.previous_run + ".");
  if (report.previous_run.empty()) return section;
  if (count == 0) {
    section.Add(Markup("p", "No table has other rows or columns than before."));
    return section;
  }
  section.Add(std::move(list));
  return section;
}

Section ChecksSection(const RunReport& report) {
  size_t wrong = 0, all = 0;
  Markup table = NewTable({"Check", "Verdict", "Rows that break it#", "What it says"});
  Markup body("tbody");
  for (const NodeLine& node : report.nodes) {
    for (const CheckLine& check : node.checks) {
      ++all;
      if (check.status == "pass") continue;
      if (++wrong > kMostRows) continue;
      Markup row("tr");
      row.Add(Cell(check.check, "name"));
      row.Add(Markup("td").Add(Markup("span", check.status == "fail" ? "✕ failed" : "! warned")
                                   .Class("verdict-word " + check.status)));
      row.Add(Cell(fmt::format("{} of {}", Grouped(check.failing), Grouped(check.rows)), "n"));
      row.Add(Cell(check.message));
      body.Add(std::move(row));
    }
  }
  Chart history = CheckChart("check-history", report.check_history);
  if (all == 0 && !history) return std::nullopt;
  Markup section =
      NewSection("checks", "Checks",
                 wrong == 0 ? fmt::format("All {} checks of this run's tables passed.", all)
                            : fmt::format("{} of {} checks did not pass.", wrong, all));
  if (wrong > 0) section.Add(table.Add(std::move(body)));
  if (history) section.Add(Markup("div").Class("scroll").Add(std::move(*history)));
  return section;
}

Section RowsSection(const RunReport& report) {
  Markup table = NewTable({"Table", "Read or made#", "Rows now#", "Since the last run#",
                           "Set aside#", "Last runs", "Owner"});
  Markup body("tbody");
  size_t count = 0, all = 0;
  int64_t quarantined = 0;
  for (const NodeLine& node : report.nodes) {
    if (node.rows < 0 || node.kind == "model" || node.kind == "action") continue;
    const auto aside = node.counts.find("quarantined");
    if (aside != node.counts.end()) quarantined += aside->second;
    ++all;
    if (++count > kMostRows) continue;
    Markup row("tr");
    row.Add(NameCell(node));
    const auto read = node.counts.find("read");
    const bool made = node.state == NodeState::kBuilt;
    row.Add(Cell(read != node.counts.end() ? Grouped(read->second)
                 : made                    ? Grouped(node.rows)
                                           : "–",
                 "n"));
    row.Add(Cell(Grouped(node.rows), "n"));
    row.Add(Cell(ChangeOf(node), "n"));
    row.Add(Cell(aside == node.counts.end() ? "–" : Grouped(aside->second), "n"));
    Markup spark("td");
    if (Chart chart = RowsSpark(IdOf("rows", node.name), node)) spark.Add(std::move(*chart));
    row.Add(std::move(spark));
    row.Add(Cell(node.owner));
    body.Add(std::move(row));
  }
  if (all == 0) return std::nullopt;
  std::string under = "Rows of each table after the run.";
  under += quarantined > 0
               ? " " + Tally(quarantined, "row") + " set aside in quarantine with the reason."
               : " No row was set aside.";
  Markup section = NewSection("rows", "Rows in and out", under);
  section.Add(Markup("div").Class("scroll").Add(table.Add(std::move(body))));
  if (const std::string cut = Cut(std::min(all, kMostRows), all); !cut.empty()) {
    section.Add(Markup("p", cut).Class("says"));
  }
  return section;
}

Section ActionsSection(const RunReport& report) {
  Markup table = NewTable({"Action", "Sent#", "Failed#", "Sent earlier#", "Would send#"});
  Markup body("tbody");
  bool any = false;
  for (const NodeLine& node : report.nodes) {
    if (node.kind != "action" || !HasRun(node)) continue;
    any = true;
    const auto number = [&](const char* key) {
      const auto found = node.counts.find(key);
      return found == node.counts.end() ? std::string("–") : Grouped(found->second);
    };
    Markup row("tr");
    Markup name("td");
    name.Class("name").Text(node.name);
    if (!node.description.empty()) name.Add(Markup("span", node.description).Class("sub"));
    row.Add(std::move(name));
    for (const char* key : {"sent", "failed", "already_sent", "would_send"}) {
      row.Add(Cell(number(key), "n"));
    }
    body.Add(std::move(row));
  }
  if (!any) return std::nullopt;
  Markup section = NewSection(
      "actions", "Actions",
      report.sends
          ? "What was sent to other systems. Each key is sent once until its time is over."
          : "Target " + report.target + " sends nothing; it records what it would have sent.");
  section.Add(table.Add(std::move(body)));
  return section;
}

Section DecisionsSection(const RunReport& report) {
  if (report.nodes.empty()) return std::nullopt;
  Markup table = NewTable({"Node", "What was done", "Why", "Rows#", "Time#"});
  Markup body("tbody");
  size_t shown = 0, quiet = 0;
  const bool many = report.nodes.size() > 60;
  for (const NodeLine& node : report.nodes) {
    if ((many && !HasRun(node)) || shown >= kMostRows) {
      ++quiet;
      continue;
    }
    ++shown;
    Markup row("tr");
    row.Add(NameCell(node));
    row.Add(StateCell(node.state));
    Markup why("td", node.reason);
    if (!node.error.empty() && node.error != node.reason) {
      why.Add(Markup("span", node.error).Class("sub"));
    }
    if (!node.hint.empty()) why.Add(Markup("span", "What to do: " + node.hint).Class("sub"));
    row.Add(std::move(why));
    row.Add(Cell(node.rows < 0 ? "–" : Grouped(node.rows), "n"));
    row.Add(Cell(node.state == NodeState::kUnselected ? "–" : FormatSeconds(node.seconds), "n"));
    body.Add(std::move(row));
  }
  Markup section = NewSection("decisions", "What was decided, and why",
                              "A node runs when its definition, its inputs or the outside changed; "
                              "else its last rows are used again.");
  section.Add(Markup("div").Class("scroll").Add(table.Add(std::move(body))));
  if (quiet > 0) {
    section.Add(Markup("p", fmt::format("{} more nodes were up to date or not selected.", quiet))
                    .Class("says"));
  }
  return section;
}

Section NotesSection(const RunReport& report) {
  if (report.notes.empty()) return std::nullopt;
  Markup list("ul");
  list.Class("plain");
  for (size_t i = 0; i < report.notes.size() && i < kMostRows; ++i) {
    const Note& note = report.notes[i];
    Markup item("li");
    if (!note.node.empty()) item.Add(Markup("strong", note.node)).Text(": ");
    item.Text(note.message);
    if (note.severity == "warning") item.Add(Markup("span", "warning").Class("sub warn"));
    list.Add(std::move(item));
  }
  Markup section = NewSection("notes", "Notes", "What the run has to say besides.");
  section.Add(std::move(list));
  return section;
}

Markup AboutSection(const RunReport& report) {
  Markup section = NewSection("about", "About this run");
  Markup list("dl");
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    list.Add(Markup("dt", name)).Add(Markup("dd", value));
  };
  add("Run", report.run);
  add("Project, target", report.project + ", " + report.target);
  add("Started", FormatTimestamp(report.started));
  add("Took", FormatSeconds(report.seconds));
  add("Status", report.status);
  add("Command", report.command.empty() ? "" : "headrace " + report.command);
  add("Parameters", report.params == "{}" ? "" : report.params);
  add("Headrace", report.version + " on " + report.engine);
  section.Add(std::move(list));
  section.Add(
      Markup("p",
             "The page shows sums, names and shares; no value of a row. Groups of fewer than "
             "20 rows are never shown by themselves.")
          .Class("says"));
  return section;
}

}  // namespace headrace::report
