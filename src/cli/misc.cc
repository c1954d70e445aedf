// init, doctor, clean, version.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/number_text.h"
#include "base/text_table.h"
#include "cli/commands.h"
#include "headrace/version.h"

namespace headrace::cli {

int Init(const Arguments& arguments, Console& console) {
  std::string folder = arguments.subject;
  if (folder.empty()) folder = arguments.example.empty() ? "." : arguments.example;
  // The project is named after its folder, so "." must have a name.
  std::string named = folder;
  if (folder == "." || folder == "./") {
    char path[4096];
    if (getcwd(path, sizeof path) != nullptr) named = path;
  }
  while (named.size() > 1 && named.back() == '/') named.pop_back();
  auto files = engine::InitProject(RealFileSystem(), named, arguments.example);
  if (!files.ok()) {
    console.Print(files.error());
    return ExitCode(files.error());
  }
  if (console.json()) {
    console.JsonLine({{"event", "init"}, {"folder", named}, {"files", *files}});
    return 0;
  }
  console.Progress(fmt::format("a new project in {}: {}\n", folder,
                               Tally(static_cast<int64_t>(files->size()), "file")));
  for (const auto& file : *files) console.Progress("  " + file + "\n");
  console.Progress("\nwhat next:\n");
  if (folder != "." && folder != "./") console.Progress("  cd " + folder + "\n");
  console.Progress(arguments.example.empty()
                       ? "  put a source into pipeline/, for instance pipeline/customers.yml:\n"
                         "      source: csv\n"
                         "      path: data/customers.csv\n"
                         "  headrace lint\n  headrace run\n"
                       : "  headrace plan\n  headrace run\n");
  return 0;
}

int Doctor(const Arguments& arguments, Console& console) {
  if (arguments.crash_points) {
    for (const auto& name : CrashPointNames()) {
      if (console.json()) {
        console.JsonLine({{"event", "crash_point"}, {"name", name}});
      } else {
        console.Data(name + "\n");
      }
    }
    return 0;
  }
  const auto lines = engine::Doctor(arguments.project);
  bool ok = true;
  TextTable table({"", "WHAT", "STATE"});
  for (const auto& line : lines) {
    ok = ok && line.ok;
    if (console.json()) {
      console.JsonLine({{"event", "doctor"},
                        {"what", line.what},
                        {"ok", line.ok},
                        {"detail", line.detail},
                        {"remedy", line.remedy}});
    }
    table.AddRow({line.ok ? "ok" : "bad", line.what,
                  line.detail + (line.remedy.empty() ? "" : "; " + line.remedy)});
  }
  if (!console.json()) console.Text(table.Render({0, console.out_color()}));
  return ok ? 0 : 1;
}

int Clean(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto report = session.engine().Clean(arguments.all);
  if (!report.ok()) return session.Fail(report.error());
  if (console.json()) {
    console.JsonLine(
        {{"event", "clean"}, {"bytes_freed", report->bytes_freed}, {"removed", report->removed}});
    return 0;
  }
  if (report->removed.empty()) console.Progress("nothing to remove\n");
  for (const auto& line : report->removed) console.Progress("removed " + line + "\n");
  if (report->bytes_freed > 0) {
    console.Progress(FormatBytes(report->bytes_freed) + " are free again\n");
  }
  return 0;
}

int Version(Console& console) {
  if (console.json()) {
    console.JsonLine({{"event", "version"}, {"version", HEADRACE_VERSION}});
  } else {
    console.Data("headrace " HEADRACE_VERSION "\n");
  }
  return 0;
}

}  // namespace headrace::cli
