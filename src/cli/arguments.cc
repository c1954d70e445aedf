// Reading the command line. CLI11 takes the words apart (flags before and behind the command,
// --flag=value, --); what is wrong is said in our own words, with suggestions, so its exceptions
// end here.
#include "cli/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>

#include "base/budget.h"
#include "base/suggest.h"
#include "cli/help.h"
#include "config/sample.h"

namespace headrace::cli {
namespace {

/// Commands of the design that this version does not have.
constexpr const char* kNotBuilt[] = {"check",   "compare", "docs",  "drift", "evaluate", "explain",
                                     "predict", "profile", "score", "serve", "train",    "up"};

/// What CLI11 fills in, before it is looked at.
struct Raw {
  Arguments arguments;
  std::string threads, memory, format, limit, jobs, to;
  std::string from_time, to_time, sample, engine;
};

class Grammar {
 public:
  Grammar() : app_("headrace") {
    app_.set_help_flag();
    app_.require_subcommand(0, 1);
    app_.allow_extras();
    Flag(&app_, "-h,--help", raw.arguments.help);
    Option(&app_, "--project", raw.arguments.project);
    Option(&app_, "--target", raw.arguments.target);
    List(&app_, "--param", raw.arguments.params);
    Option(&app_, "--sample", raw.sample);
    Option(&app_, "--threads", raw.threads);
    Option(&app_, "--memory", raw.memory);
    Flag(&app_, "--quiet", raw.arguments.quiet);
    Flag(&app_, "--json", raw.arguments.json);
    AddCommands();
  }

  CLI::App& app() { return app_; }
  const std::map<std::string, CLI::App*>& commands() const { return commands_; }

  Raw raw;

 private:
  void AddCommands() {
    Arguments& a = raw.arguments;
    CLI::App* init = Command("init");
    Option(init, "--example", a.example);
    Positional(init, "DIR", a.subject);
    Flag(Command("doctor"), "--crash-points", a.crash_points);
    Command("lint");
    for (const char* name : {"plan", "run"}) {
      CLI::App* command = Command(name);
      Positionals(command, "SELECT", a.select);
      List(command, "--exclude", a.exclude);
      Flag(command, "--full", a.full);
      Option(command, "--from", raw.from_time);
      Option(command, "--to", raw.to_time);
    }
    CLI::App* run = commands_["run"];
    Flag(run, "--fail-fast", a.fail_fast);
    Flag(run, "--no-wait", a.no_wait);
    Flag(run, "--watch", a.watch);
    Option(run, "--engine", raw.engine);
    CLI::App* test = Command("test");
    Positionals(test, "PATH", a.paths);
    Option(test, "--jobs", raw.jobs);
    Flag(test, "--update", a.update);
    CLI::App* list = Command("list");
    Positionals(list, "SELECT", a.select);
    List(list, "--exclude", a.exclude);
    Positional(Command("show"), "NODE", a.subject);
    Positional(Command("report"), "RUN", a.subject);
    CLI::App* query = Command("query");
    Positional(query, "SQL", a.sql);
    Option(query, "--format", raw.format);
    Option(query, "--limit", raw.limit);
    Option(query, "--at", a.at_run);
    Option(query, "-o,--output", a.output);
    Positional(Command("models"), "NAME", a.subject);
    AddModelCommands();
    Flag(Command("clean"), "--all", a.all);
    for (const char* name : {"reference", "schema"}) {
      CLI::App* command = Command(name);
      Positionals(command, "NAME", a.paths);
      Option(command, "-o,--output", a.output);
    }
    Command("version");
    Positionals(Command("help"), "COMMAND", a.paths);
  }

  void AddModelCommands() {
    CLI::App* model = Command("model");
    model->require_subcommand(0, 1);
    for (const char* name : {"show", "compare", "promote", "rollback"}) {
      CLI::App* command = model->add_subcommand(name);
      Prepare(command);
      commands_[std::string("model ") + name] = command;
      Positional(command, "NAME", raw.arguments.subject);
    }
    Positionals(commands_["model compare"], "VERSIONS", raw.arguments.paths);
    Option(commands_["model promote"], "--why", raw.arguments.why);
    Option(commands_["model rollback"], "--why", raw.arguments.why);
    Option(commands_["model rollback"], "--to", raw.to);
  }

  CLI::App* Command(const std::string& name) {
    CLI::App* command = app_.add_subcommand(name);
    Prepare(command);
    return commands_[name] = command;
  }
  static void Prepare(CLI::App* command) {
    command->set_help_flag();
    command->fallthrough();  // global flags may stand behind the command
  }
  static void Flag(CLI::App* app, const char* name, bool& value) { app->add_flag(name, value); }
  static void Option(CLI::App* app, const char* name, std::string& value) {
    app->add_option(name, value);
  }
  static void List(CLI::App* app, const char* name, std::vector<std::string>& value) {
    app->add_option(name, value)->expected(1)->take_all()->allow_extra_args(false);
  }
  static void Positional(CLI::App* app, const char* name, std::string& value) {
    app->add_option(name, value);
  }
  static void Positionals(CLI::App* app, const char* name, std::vector<std::string>& value) {
    app->add_option(name, value);
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> commands_;
};

std::vector<std::string> LongFlags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
  }
  std::sort(flags.begin(), flags.end());
  return flags;
}

Error NotBuilt(const std::string& what) {
  return UserError("not_built", what + " is not built yet")
      .Subject(what)
      .Hint("headrace --help lists what is there");
}

/// Words that people bring along from tools like ours, and what they are called here.
struct Elsewhere {
  std::string_view word, hint;
};
constexpr Elsewhere kCommandsElsewhere[] = {
    {"build", "headrace run builds, checks, trains and sends"},
    {"compile", "headrace lint checks the SQL, headrace plan says what would run"},
    {"parse", "headrace lint checks the whole project"},
    {"ls", "headrace list"},
    {"seed", "files are sources: write pipeline/NAME.yml with `source: csv`, then headrace run"},
    {"debug", "headrace doctor says what is missing"},
    {"retry", "headrace run goes on from where the last run stopped"},
    {"backfill", "headrace run NODE --from 2026-01-05 --to 2026-01-12"},
    {"status", "headrace plan says what is out of date, headrace list what there is"},
    {"sql", "headrace query \"FROM orders LIMIT 5\""},
    {"promote", "headrace model promote NAME@VERSION"},
    {"rollback", "headrace model rollback NAME"},
    {"validate", "headrace lint checks the whole project"},
};
constexpr Elsewhere kFlagsElsewhere[] = {
    {"--select", "name the nodes without a flag: headrace run +orders tag:daily"},
    {"-s", "name the nodes without a flag: headrace run +orders tag:daily"},
    {"--models", "name the nodes without a flag: headrace run +orders tag:daily"},
    {"-m", "name the nodes without a flag: headrace run +orders tag:daily"},
    {"--full-refresh", "write --full: every selected node is built anew"},
    {"-f", "write --full: every selected node is built anew"},
    {"--vars", "write --param NAME=VALUE, once for each"},
    {"-x", "write --fail-fast"},
    {"-q", "write --quiet"},
    {"-t", "write --target NAME"},
    {"--project-dir", "write --project DIR"},
    {"--dry-run", "headrace plan says what a run would do"},
    {"--defer", "write `reuse_from: prod` at the target, in headrace.yml"},
};

template <size_t n>
std::string_view HintFor(const Elsewhere (&table)[n], const std::string& word) {
  for (const Elsewhere& entry : table) {
    if (entry.word == word) return entry.hint;
  }
  return "";
}

Error UnknownCommand(const std::string& word, const std::string& parent,
                     std::vector<std::string> known) {
  Error error =
      UserError("unknown_command", fmt::format("there is no command '{}{}'", parent, word));
  error.Subject(word);
  if (parent.empty() && !HintFor(kCommandsElsewhere, word).empty()) {
    return error.Hint(std::string(HintFor(kCommandsElsewhere, word)));
  }
  return error.Candidates(Suggest(word, known)).Hint("headrace --help lists all commands");
}

std::vector<std::string> Names(std::string_view prefix) {
  std::vector<std::string> names;
  for (const CommandHelp& command : kCommandHelp) {
    if (!command.name.starts_with(prefix)) continue;
    const std::string_view name = command.name.substr(prefix.size());
    names.emplace_back(name.substr(0, name.find(' ')));
  }
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// Whole decimal numbers within bounds.
Status ReadNumber(const std::string& text, const std::string& flag, int64_t low, int64_t high,
                  int64_t* value) {
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, *value);
  if (fault == std::errc() && stop == end && *value >= low && *value <= high) return Ok();
  return UserError("bad_value", fmt::format("{} takes a whole number from {} to {}, not '{}'", flag,
                                            low, high, text))
      .Subject(text);
}

/// What CLI11 threw, in our words.
Error FromParser(const CLI::ParseError& fault) {
  const std::string text = fault.what();
  const std::string name = text.substr(0, text.find_first_of(": "));
  if (fault.get_name() == "ArgumentMismatch") {
    if (text.find("At Most") != std::string::npos) {
      return UserError("repeated_flag", fmt::format("{} may be given only once", name))
          .Subject(name);
    }
    return UserError("missing_value", fmt::format("{} needs a value", name)).Subject(name);
  }
  return UserError("bad_arguments", text).Hint("headrace --help");
}

/// A word behind `command` (or in front of any) that nothing took.
Status CheckWord(const std::string& word, const std::string& command) {
  const bool not_built = std::count(std::begin(kNotBuilt), std::end(kNotBuilt), word) > 0;
  if (command.empty()) {
    return not_built ? NotBuilt("'headrace " + word + "'") : UnknownCommand(word, "", Names(""));
  }
  if (command == "model") {
    if (not_built) return NotBuilt("'headrace model " + word + "'");
    return UnknownCommand(word, "model ", Names("model "));
  }
  return UserError("unexpected_argument",
                   fmt::format("'{}' takes no further argument '{}'", command, word))
      .Subject(word)
      .Hint(fmt::format("usage: headrace {}", FindHelp(command)->usage));
}

Status CheckFlag(const std::string& word, const std::string& command, const CLI::App& app,
                 const CLI::App* parsed) {
  const std::string flag = word.substr(0, word.find('='));
  std::vector<std::string> known = LongFlags(app);
  if (parsed != nullptr) {
    for (auto& own : LongFlags(*parsed)) known.push_back(std::move(own));
  }
  Error error = UserError("unknown_flag",
                          command.empty() ? fmt::format("there is no flag '{}'", flag)
                                          : fmt::format("'{}' has no flag '{}'", command, flag));
  error.Subject(flag);
  if (const auto hint = HintFor(kFlagsElsewhere, flag); !hint.empty()) {
    return error.Hint(std::string(hint));
  }
  return error.Candidates(Suggest(flag, known))
      .Hint(command.empty() ? "headrace --help lists them"
                            : fmt::format("headrace {} --help lists its flags", command));
}

/// What nothing took. Without a command its name is what matters, else the first flag.
Status CheckLeftOver(Grammar& grammar, const std::string& command, const CLI::App* parsed) {
  std::vector<std::string> words, flags;
  for (std::string& word : grammar.app().remaining(true)) {
    if (word == "--") continue;
    (word.size() > 1 && word[0] == '-' ? flags : words).push_back(std::move(word));
  }
  const bool need_command = command.empty() || command == "model";
  if (!words.empty() && (need_command || flags.empty())) return CheckWord(words.front(), command);
  if (!flags.empty()) return CheckFlag(flags.front(), command, grammar.app(), parsed);
  return Ok();
}

Status Missing(const std::string& what, const std::string& command) {
  return UserError("missing_argument", fmt::format("'{}' needs {}", command, what))
      .Hint(fmt::format("usage: headrace {}", FindHelp(command)->usage));
}

Status CheckNotBuilt(const Raw& raw) {
  if (raw.engine == "spark") return NotBuilt("'run --engine spark'");
  if (!raw.engine.empty() && raw.engine != "duckdb") {
    return UserError("bad_value", fmt::format("--engine is duckdb or spark, not '{}'", raw.engine))
        .Subject(raw.engine)
        .Candidates(Suggest(raw.engine, {"duckdb", "spark"}));
  }
  return Ok();
}

Status ReadFormat(const std::string& text, Format* format) {
  static const std::map<std::string, Format> kFormats = {{"table", Format::kTable},
                                                         {"csv", Format::kCsv},
                                                         {"json", Format::kJson},
                                                         {"parquet", Format::kParquet}};
  if (text.empty()) return Ok();
  const auto found = kFormats.find(text);
  if (found == kFormats.end()) {
    return UserError("bad_value",
                     fmt::format("--format is table, csv, json or parquet, not '{}'", text))
        .Subject(text)
        .Candidates(Suggest(text, {"table", "csv", "json", "parquet"}));
  }
  *format = found->second;
  return Ok();
}

Status ReadTime(const std::string& text, const char* flag, std::optional<Timestamp>* time) {
  if (text.empty()) return Ok();
  auto parsed = ParseTimestamp(text);
  if (!parsed.ok()) {
    return UserError("bad_value", fmt::format("{} takes a date or a time, not '{}'", flag, text))
        .Subject(flag)
        .Hint("for example 2024-03-01 or 2024-03-01T06:00:00Z");
  }
  *time = *parsed;
  return Ok();
}

Status ReadValues(const Raw& raw, Arguments* arguments) {
  if (!raw.sample.empty()) {
    HR_ASSIGN(arguments->sample, config::ParseSample(raw.sample));
  }
  HR_TRY(ReadTime(raw.from_time, "--from", &arguments->from));
  HR_TRY(ReadTime(raw.to_time, "--to", &arguments->to));
  if (arguments->from && arguments->to && *arguments->from >= *arguments->to) {
    return UserError("bad_value", "--from must be before --to")
        .Hint("the range takes --from in and leaves --to out");
  }
  int64_t number = 0;
  if (!raw.threads.empty()) {
    HR_TRY(ReadNumber(raw.threads, "--threads", 1, 1024, &number));
    arguments->threads = static_cast<int>(number);
  }
  if (!raw.memory.empty()) {
    auto bytes = ParseMemory(raw.memory);
    if (!bytes.ok()) return std::move(bytes).error();
    arguments->memory_bytes = *bytes;
  }
  if (!raw.limit.empty()) {
    HR_TRY(ReadNumber(raw.limit, "--limit", 0, INT64_C(1'000'000'000'000), &number));
    arguments->limit = number;
  }
  if (!raw.jobs.empty()) {
    HR_TRY(ReadNumber(raw.jobs, "--jobs", 1, 256, &number));
    arguments->jobs = static_cast<int>(number);
  }
  if (!raw.to.empty()) {
    HR_TRY(ReadNumber(raw.to, "--to", 1, 1'000'000'000, &number));
    arguments->version = static_cast<int>(number);
  }
  HR_TRY(ReadFormat(raw.format, &arguments->format));
  for (const std::string& param : arguments->params) {
    if (param.find('=') == std::string::npos || param[0] == '=') {
      return UserError("bad_value", fmt::format("--param takes NAME=VALUE, not '{}'", param))
          .Subject(param);
    }
  }
  return CheckNotBuilt(raw);
}

Status CheckNeeded(const Arguments& arguments) {
  const std::string& command = arguments.command;
  if (command == "show" && arguments.subject.empty()) return Missing("the name of a node", command);
  if (command == "query" && arguments.sql.empty()) return Missing("a SELECT", command);
  if (command.starts_with("model ") && arguments.subject.empty()) {
    return Missing("the name of a model", command);
  }
  if (command == "model compare" && arguments.paths.size() > 2) {
    return UserError("unexpected_argument", "'model compare' takes a model and two versions")
        .Hint("headrace model compare churn 3 5");
  }
  if (command == "model") {
    return UserError("missing_argument",
                     "'model' needs what to do: show, compare, promote or rollback")
        .Hint("headrace models lists the versions");
  }
  return Ok();
}

}  // namespace

Result<Arguments> ParseArguments(const std::vector<std::string>& words) {
  Grammar grammar;
  try {
    grammar.app().parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& fault) {
    return FromParser(fault);
  }
  Arguments& arguments = grammar.raw.arguments;
  const CLI::App* parsed = nullptr;
  for (const auto& [name, command] : grammar.commands()) {
    if (!command->parsed() || name.size() <= arguments.command.size()) continue;
    arguments.command = name;
    parsed = command;
  }
  if (arguments.command == "help") {
    arguments.help = true;
    arguments.command.clear();
    for (const auto& word : arguments.paths) {
      arguments.command += (arguments.command.empty() ? "" : " ") + word;
    }
    if (!arguments.command.empty() && FindHelp(arguments.command) == nullptr) {
      return UnknownCommand(arguments.command, "", Names(""));
    }
    return arguments;
  }
  HR_TRY(CheckLeftOver(grammar, arguments.command, parsed));
  if (arguments.help) return arguments;
  HR_TRY(ReadValues(grammar.raw, &arguments));
  HR_TRY(CheckNeeded(arguments));
  return arguments;
}

std::vector<std::string> FlagsOf(const std::string& command) {
  Grammar grammar;
  if (command.empty()) return LongFlags(grammar.app());
  const auto found = grammar.commands().find(command);
  return found == grammar.commands().end() ? std::vector<std::string>() : LongFlags(*found->second);
}

}  // namespace headrace::cli
