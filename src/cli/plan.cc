#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "base/text_table.h"
#include "cli/commands.h"
#include "pipeline/interval_plan.h"

namespace headrace::cli {
namespace {

std::string ActionText(const pipeline::Decision& decision) {
  const std::string action = pipeline::Name(decision.action);
  return decision.certain ? action : action + "?";
}

/// The intervals that would be built, each with the reason.
Json IntervalsJson(const pipeline::Decision& decision) {
  Json list = Json::array();
  for (const auto& task : decision.intervals->run) {
    list.push_back({{"from", FormatTimestamp(task.interval.from)},
                    {"to", FormatTimestamp(task.interval.to)},
                    {"reason", task.why}});
  }
  return list;
}

void PrintJson(const std::vector<pipeline::PlannedNode>& plan, Console& console) {
  for (const auto& planned : plan) {
    Json line = {{"event", "plan"},
                 {"node", planned.node->name},
                 {"kind", planned.node->kind},
                 {"action", pipeline::Name(planned.decision.action)},
                 {"reason", planned.decision.reason},
                 {"certain", planned.decision.certain}};
    if (planned.decision.intervals) line["intervals"] = IntervalsJson(planned.decision);
    if (!planned.decision.inputs_changed.empty()) {
      line["inputs_changed"] = planned.decision.inputs_changed;
    }
    console.JsonLine(line);
  }
}

/// "3 nodes would be built, 1 may be, 5 are up to date".
std::string Summary(const std::vector<pipeline::PlannedNode>& plan) {
  std::map<std::string, int> counts;
  for (const auto& planned : plan) {
    const auto action = planned.decision.action;
    if (action == pipeline::Action::kReuse) {
      ++counts["reuse"];
    } else if (!planned.decision.certain) {
      ++counts["maybe"];
    } else {
      ++counts[pipeline::Name(action)];
    }
  }
  std::string text = Tally(static_cast<int64_t>(plan.size()), "node") + ":";
  const auto add = [&](const char* key, const char* words) {
    if (counts[key] > 0) {
      text += fmt::format("{} {} {}", text.ends_with(":") ? "" : ",", counts[key], words);
    }
  };
  add("build", "to build");
  add("intervals", "to build in part");
  add("check", "to check");
  add("maybe", "to build if rows above change");
  add("reuse", "up to date");
  add("skip", "to skip");
  add("fail", "to fail");
  return text + "\n";
}

}  // namespace

int Plan(const Arguments& arguments, Session& session, Console& console) {
  if (!session.SoundWithWarnings()) return 2;
  auto plan = session.engine().Plan({arguments.select, arguments.exclude},
                                    {arguments.full, arguments.from, arguments.to, {}});
  if (!plan.ok()) return session.Fail(plan.error());
  if (console.json()) {
    PrintJson(*plan, console);
    return 0;
  }
  TextTable table({"NODE", "KIND", "ACTION", "REASON"});
  for (const auto& planned : *plan) {
    table.AddRow({planned.node->name, planned.node->kind, ActionText(planned.decision),
                  planned.decision.reason});
  }
  if (table.rows() > 0) console.Text(table.Render({console.columns(), console.out_color()}));
  console.Progress(Summary(*plan));
  return 0;
}

}  // namespace headrace::cli
