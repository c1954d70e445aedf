// Entered from the launcher: reads the command line and calls the command.
#include <unistd.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

#include "base/process.h"
#include "cli/commands.h"
#include "cli/file_watch.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "config/project_files.h"

namespace headrace::cli {
namespace {

void PrintHelp(const Arguments& arguments, Console& console) {
  const auto write = [&](std::string_view text) { console.Data(text); };
  if (const CommandHelp* command = FindHelp(arguments.command)) {
    WriteHelp(*command, write);
  } else {
    WriteOverview(write);
  }
}

/// For the run's record: the words as they were typed.
std::string Typed(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    const bool quote = word.empty() || word.find_first_of(" '\"") != std::string::npos;
    text += (text.empty() ? "" : " ") + (quote ? "'" + word + "'" : word);
  }
  return text;
}

int OnProject(const Arguments& arguments, const std::string& typed, Console& console) {
  auto session = Session::Open(arguments, console);
  if (!session.ok()) {
    console.Print(session.error());
    return ExitCode(session.error());
  }
  Session& s = **session;
  const std::string& command = arguments.command;
  if (command == "lint") return Lint(s, console);
  if (command == "plan") return Plan(arguments, s, console);
  if (command == "run") return Run(arguments, typed, s, console);
  if (command == "list") return List(arguments, s, console);
  if (command == "show") return Show(arguments, s, console);
  if (command == "report") return Report(arguments, s, console);
  if (command == "query") return Query(arguments, s, console);
  if (command == "models") return Models(arguments, s, console);
  if (command == "model show") return ModelShow(arguments, s, console);
  if (command == "model promote") return ModelPromote(arguments, s, console);
  if (command == "model compare") return ModelCompare(arguments, s, console);
  if (command == "model rollback") return ModelRollback(arguments, s, console);
  return Clean(arguments, s, console);
}

/// Runs, waits for a change below the project, and runs again. What is wrong with the project is
/// printed, and the next save tries anew.
int WatchRuns(const Arguments& arguments, const std::string& typed, Console& console) {
  auto root =
      config::FindProject(RealFileSystem(), arguments.project.empty() ? "." : arguments.project);
  if (!root.ok()) {
    console.Print(root.error());
    return ExitCode(root.error());
  }
  auto watch = FileWatch::Open(*root);
  if (!watch.ok()) {
    console.Print(watch.error());
    return ExitCode(watch.error());
  }
  for (;;) {
    const int code = OnProject(arguments, typed, console);
    if (code == 130) return code;
    if (!console.json()) console.Note("\nwatching for changes; Ctrl-C ends it\n");
    CancelToken stop;
    const Interrupt interrupt(stop);
    auto changed = watch->Wait(stop);
    if (!changed.ok()) {
      console.Print(changed.error());
      return ExitCode(changed.error());
    }
    if (changed->empty()) return code;
    std::string names;
    for (const std::string& name : *changed) names += (names.empty() ? "" : ", ") + name;
    if (!console.json()) console.Note("\nchanged: " + names + "\n");
  }
}

int Dispatch(const Arguments& arguments, const std::string& typed, Console& console) {
  const std::string& command = arguments.command;
  if (arguments.help || command.empty()) {
    PrintHelp(arguments, console);
    return 0;
  }
  if (command == "init") return Init(arguments, console);
  if (command == "doctor") return Doctor(arguments, console);
  if (command == "reference") return Reference(arguments, console);
  if (command == "schema") return Schema(arguments, console);
  if (command == "version") return Version(console);
  if (command == "test") return Test(arguments, console);
  if (command == "run" && arguments.watch) return WatchRuns(arguments, typed, console);
  return OnProject(arguments, typed, console);
}

int Main(const std::vector<std::string>& words) {
  InitProcess();
  auto arguments = ParseArguments(words);
  if (!arguments.ok()) {
    bool json = false;
    for (const auto& word : words) json = json || word == "--json";
    Console console(STDOUT_FILENO, STDERR_FILENO, false, json);
    console.Print(arguments.error());
    return ExitCode(arguments.error());
  }
  Console console(STDOUT_FILENO, STDERR_FILENO, arguments->quiet, arguments->json);
  const int code = Dispatch(*arguments, Typed(words), console);
  if (Status written = console.written(); !written.ok()) {
    console.Print(written.error());
    return code == 0 ? ExitCode(written.error()) : code;
  }
  return code;
}

}  // namespace
}  // namespace headrace::cli

/// What the launcher calls. Exceptions of third-party code that got this far end here.
extern "C" __attribute__((visibility("default"))) int headrace_main(int argc, char** argv) {
  try {
    return headrace::cli::Main(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::bad_alloc&) {
    const auto error = headrace::SystemError("out_of_memory", "there is not enough memory")
                           .Hint("give more with --memory, or let less run at once with --threads");
    headrace::cli::Console(STDOUT_FILENO, STDERR_FILENO, false, false).Print(error);
    return 1;
  } catch (const std::exception& fault) {
    const auto error =
        headrace::InternalError(std::string("an exception was not caught: ") + fault.what());
    headrace::cli::Console(STDOUT_FILENO, STDERR_FILENO, false, false).Print(error);
    return 3;
  }
}
