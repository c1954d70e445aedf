#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace headrace::cli {
namespace {

void PrintResult(const pipeline::UserTestResult& result, bool updated, Console& console) {
  if (result.passed) return;
  std::string text = fmt::format("{} ({}): {}\n", result.test, result.file,
                                 updated        ? "updated"
                                 : result.error ? "could not run"
                                                : "failed");
  if (result.error) {
    text += Render(*result.error, {console.color()}) + "\n";
  } else {
    text += fmt::format("{} of {} rows as expected", result.as_expected, result.expected);
    if (result.changed > 0) text += fmt::format(", {} changed", result.changed);
    if (result.missing > 0) text += fmt::format(", {} missing", result.missing);
    if (result.unexpected > 0) text += fmt::format(", {} unexpected", result.unexpected);
    text += "\n" + result.diff;
  }
  console.Note(text + "\n");
}

}  // namespace

int UserTests(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto results = session.engine().Test(arguments.paths, arguments.update);
  if (!results.ok()) return session.Fail(results.error());
  size_t passed = 0, updated = 0, failed = 0;
  for (const auto& result : *results) {
    const bool rewritten = arguments.update && result.updated.has_value();
    ++(result.passed ? passed : rewritten ? updated : failed);
    if (!console.json()) {
      PrintResult(result, rewritten, console);
      continue;
    }
    Json json = {{"event", "test"},           {"test", result.test},
                 {"node", result.node},       {"file", result.file},
                 {"passed", result.passed},   {"updated", rewritten},
                 {"missing", result.missing}, {"unexpected", result.unexpected},
                 {"changed", result.changed}};
    if (result.error) json["error"] = result.error->message;
    console.JsonLine(json);
  }
  if (console.json()) {
    console.JsonLine({{"event", "tests_finished"},
                      {"passed", passed},
                      {"updated", updated},
                      {"failed", failed}});
  } else {
    std::string line = fmt::format("{} passed, {} failed", passed, failed);
    if (updated > 0) line += fmt::format(", {} updated", updated);
    console.Data(line + "\n");
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace headrace::cli
