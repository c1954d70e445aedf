#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace headrace::cli {

int Lint(Session& session, Console& console) {
  const engine::LintReport report = session.engine().Lint();
  PrintFindings(console, report.findings, /*hints=*/true);
  const FindingCounts counts = Count(report.findings);
  if (console.json()) {
    Json not_checked = Json::array();
    for (const auto& line : report.not_checked) not_checked.push_back(line);
    console.JsonLine({{"event", "lint_finished"},
                      {"nodes", report.nodes},
                      {"errors", counts.errors},
                      {"warnings", counts.warnings},
                      {"hints", counts.hints},
                      {"not_checked", not_checked}});
  } else {
    if (!report.not_checked.empty() && !console.quiet()) {
      console.Note("not checked:\n");
      for (const auto& line : report.not_checked) console.Note("  " + line + "\n");
    }
    if (!console.quiet() || counts.errors > 0) {
      console.Note(CountsLine(counts, report.nodes) + "\n");
    }
  }
  return report.ok() ? 0 : 2;
}

}  // namespace headrace::cli
