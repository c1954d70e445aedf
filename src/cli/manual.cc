// reference and schema: what Headrace tells about its own files and commands.
#include "engine/manual.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "cli/commands.h"
#include "cli/help.h"

namespace headrace::cli {
namespace {

using engine::ManualFile;

/// All commands on one page, from the texts of --help.
ManualFile CommandsPage() {
  std::string text =
      "# Commands\n\nWhat `headrace COMMAND --help` prints. Flags that every command takes stand "
      "at the end.\n";
  std::string_view group;
  for (const CommandHelp& command : kCommandHelp) {
    if (command.group != group) {
      group = command.group;
      text += fmt::format("\n## {}\n", group);
    }
    text +=
        fmt::format("\n### {}\n\n```\nheadrace {}\n  {}\n{}{}```\n", command.name, command.usage,
                    command.summary, command.text.empty() ? "" : "\n", command.text);
  }
  text += fmt::format("\n## Flags\n\n```\n{}```\n\n{}", kGlobalFlags, kExitCodes);
  return {"commands.md", text};
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

int WriteAll(const std::vector<ManualFile>& files, const std::string& folder, Console& console) {
  FileSystem& fs = RealFileSystem();
  Status done = fs.CreateDirectories(folder);
  for (const ManualFile& file : files) {
    if (done.ok()) done = fs.Write(JoinPath(folder, file.name), file.text);
  }
  if (!done.ok()) {
    console.Print(done.error());
    return ExitCode(done.error());
  }
  std::vector<std::string> names;
  for (const ManualFile& file : files) names.push_back(file.name);
  if (console.json()) {
    console.JsonLine({{"event", "written"}, {"folder", folder}, {"files", names}});
    return 0;
  }
  console.Progress(
      fmt::format("{} in {}\n", Tally(static_cast<int64_t>(files.size()), "file"), folder));
  return 0;
}

int PrintText(const Result<std::string>& text, Console& console) {
  if (!text.ok()) {
    console.Print(text.error());
    return ExitCode(text.error());
  }
  console.Data(*text);
  return 0;
}

Result<std::string> SchemaText(const std::string& name) {
  std::string known;
  for (const ManualFile& file : engine::SchemaFiles()) {
    const std::string one = file.name.substr(0, file.name.find('.'));
    if (one == name) return file.text;
    known += (known.empty() ? "" : ", ") + one;
  }
  return UserError("unknown_schema", "there is no schema '" + name + "'")
      .Subject(name)
      .Hint("one of " + known);
}

}  // namespace

int Reference(const Arguments& arguments, Console& console) {
  const ManualFile commands = CommandsPage();
  if (!arguments.output.empty()) {
    auto files = engine::ReferencePages({"[Commands](commands.md)"});
    files.push_back(commands);
    return WriteAll(files, arguments.output, console);
  }
  const std::string name = Joined(arguments.paths);
  if (name == "commands") return PrintText(commands.text, console);
  return PrintText(engine::ReferencePage(name), console);
}

int Schema(const Arguments& arguments, Console& console) {
  if (arguments.output.empty()) {
    const std::string name = Joined(arguments.paths);
    return PrintText(SchemaText(name.empty() ? "node" : name), console);
  }
  const int code = WriteAll(engine::SchemaFiles(), arguments.output, console);
  if (code == 0) {
    const std::string& folder = arguments.output;
    console.Progress(fmt::format(
        "for VS Code with the YAML extension, in .vscode/settings.json:\n"
        "  \"yaml.schemas\": {{\n"
        "    \"{0}/headrace.schema.json\": \"headrace.yml\",\n"
        "    \"{0}/folder.schema.json\": \"_folder.yml\",\n"
        "    \"{0}/check.schema.json\": \"checks/*.yml\",\n"
        "    \"{0}/test.schema.json\": \"tests/*.yml\",\n"
        "    \"{0}/node.schema.json\": \"pipeline/**/[!_]*.yml\"\n"
        "  }}\n"
        "elsewhere, on top of a file: # yaml-language-server: $schema=…/node.schema.json\n",
        folder));
  }
  return code;
}

}  // namespace headrace::cli
