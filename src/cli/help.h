#pragma once
// The texts of `headrace --help` and `headrace COMMAND --help`. Plain data in a header, because the
// launcher prints them without loading the library. arguments_test.cc holds them against the flags
// that are really read.
#include <string_view>

namespace headrace::cli {

struct CommandHelp {
  std::string_view name;     ///< "run", "model promote"
  std::string_view group;    ///< heading in the overview
  std::string_view usage;    ///< behind "headrace "
  std::string_view summary;  ///< one line, lower case, no full stop
  std::string_view text;     ///< flags and examples; may be empty
};

inline constexpr CommandHelp kCommandHelp[] = {
    {"init", "Start", "init [--example NAME] [DIR]", "make a new project, empty or an example",
     "  --example NAME   copy an example: churn, house_prices or flights\n"
     "\n"
     "DIR is a new or empty folder; the example's name, else the current folder, when left out.\n"},
    {"doctor", "Start", "doctor [--crash-points]", "what is installed, what is missing",
     "  --crash-points   list the named places at which tests kill the process\n"},
    {"lint", "Work", "lint", "check the whole project without running anything",
     "Reports every fault at once, each with its place. Opens no network, changes nothing.\n"
     "Exit code 2 when there are errors. --json: one object a finding.\n"},
    {"plan", "Work", "plan [SELECT…]", "what a run would do, and why",
     "  --full             as if every node were out of date\n"
     "  --from T, --to T   as in `headrace run`\n"
     "  --exclude SELECT   leave nodes out; may be given several times\n"
     "\n"
     "SELECT: name  +name (with what it reads)  name+ (with what reads it)  2+name  tag:x\n"
     "        kind:model  pipeline/x/  'f*'  state:modified  result:failed\n"
     "Several are a union; a comma means both: tag:daily,kind:sql\n"},
    {"run", "Work", "run [SELECT…]", "build what is out of date: nodes, checks, models, sends",
     "  --full             build every selected node, also what is up to date\n"
     "  --from T, --to T   of incremental nodes: build the intervals from T until T, stale or "
     "not,\n"
     "                     and no others (a changed definition builds all); UTC\n"
     "  --exclude SELECT   leave nodes out; may be given several times\n"
     "  --fail-fast        stop at the first failure; else independent nodes go on\n"
     "  --no-wait          fail when another run holds the target, instead of waiting\n"
     "  --watch            run again whenever a file of the project changes, until Ctrl-C\n"
     "\n"
     "SELECT as in `headrace plan --help`. Ctrl-C keeps what is finished.\n"
     "--sample 1% tries the project on few rows: nothing is written to sinks or sent, and the\n"
     "target's own tables, champions and sends stay as they are.\n"
     "Not built yet: --engine spark.\n"},
    {"test", "Work", "test [TEST…]", "run the project's tests: rows given, rows expected",
     "  --update   show what comes out otherwise than expected, and write it into the tests\n"
     "  --jobs N   cases that run at once (2)\n"
     "\n"
     "TEST: the name of a file of tests/, or of the node it tests; 'f*' for several.\n"
     "A folder, or a file *.case: cases of commands and what they print, as Headrace tests "
     "itself.\n"},
    {"list", "Look", "list [SELECT…]", "the nodes of the project",
     "  --exclude SELECT   leave nodes out; may be given several times\n"},
    {"show", "Look", "show NODE", "one node: columns, rows, lineage, checks, files, last runs", ""},
    {"report", "Look", "report [RUN]", "the page of a run (the last one), written again",
     "A run that did something writes it at its end: .headrace/TARGET/reports/RUN.html, the "
     "newest\n"
     "also as latest.html. One file, no script: open it in a browser, mail it, print it.\n"
     "Prints the path. Runs are listed by headrace show NODE.\n"},
    {"query", "Look", "query SQL", "a SELECT over the tables as they are now",
     "  --format F   table | csv | json | parquet; table on a terminal, csv elsewhere\n"
     "  --limit N    at most N rows; a table shows 200 unless told\n"
     "  --at RUN     the tables as that run left them: its id, the first characters of it, or a\n"
     "               time such as 2026-01-31T09:30Z (the last run that had ended by then)\n"
     "  -o, --output FILE   write there; the ending gives the format\n"
     "\n"
     "SQL - is read from stdin. Example: headrace query \"FROM scores LIMIT 5\"\n"},
    {"reference", "Look", "reference [NAME]", "what may stand in a project's files, as Markdown",
     "  -o, --output DIR   write all pages there\n"
     "\n"
     "NAME is a kind or a type: source, csv, 'sink csv', settings (headrace.yml), node (fields of\n"
     "every node), folder. Without NAME: the list.\n"},
    {"schema", "Look", "schema [NAME]", "JSON Schema of a project's files, for editors",
     "  -o, --output DIR   write all of them there, and say how an editor finds them\n"
     "\n"
     "NAME is headrace (headrace.yml), node (meant when left out), folder (_folder.yml), check\n"
     "(checks/*.yml) or test (tests/*.yml).\n"},
    {"models", "Models", "models [NAME]", "versions, their state and main metric", ""},
    {"model show", "Models", "model show NAME[@VERSION]", "card, leaderboard, gates of a version",
     "VERSION is a number or an alias: churn@3, churn@champion (meant when left out).\n"},
    {"model compare", "Models", "model compare NAME [A [B]]", "two versions on the same rows",
     "A and B are versions or aliases; the champion and the newest other one when left out. Rows\n"
     "that a version has learned from enter by its stored out-of-fold scores. Differences are B - "
     "A\n"
     "with 95 % bounds.\n"},
    {"model promote", "Models", "model promote NAME@VERSION", "make a version champion by hand",
     "  --why TEXT   kept with the change\n"},
    {"model rollback", "Models", "model rollback NAME", "go back to an older champion and stay",
     "  --to N       that version; the champion before this one when left out\n"
     "  --why TEXT   kept with the change\n"},
    {"clean", "Keep house", "clean [--all]", "remove what can be rebuilt",
     "  --all   also snapshots, models, runs and the history of sends: everything of the target\n"},
    {"version", "Keep house", "version", "print the version", ""},
};

inline constexpr std::string_view kGlobalFlags =
    "Everywhere:\n"
    "  --project DIR   the project's folder; else the one around the current folder\n"
    "  --target NAME   dev, prod, …; each has its own tables, champions and sends\n"
    "  --sample 1%     so many of the sources' rows: tables and models of their own beside the\n"
    "                  target's; run, plan, query, show, models, clean … all take it\n"
    "  --param K=V     a parameter of the project; may be given several times\n"
    "  --threads N     at most so many threads\n"
    "  --memory SIZE   at most so much memory, e.g. 4GB\n"
    "  --quiet         no progress and no summary, only errors\n"
    "  --json          one JSON object a line on stdout\n"
    "  --help          this text, or that of a command\n";

inline constexpr std::string_view kExitCodes =
    "Exit codes: 0 done; 1 a node, check, gate or test failed; 2 the project, the SQL or the "
    "command\nline is wrong; 3 a fault of Headrace; 130 interrupted.\n";

inline const CommandHelp* FindHelp(std::string_view name) {
  for (const CommandHelp& command : kCommandHelp) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

/// Writes the overview piece by piece.
template <class Write>
void WriteOverview(Write&& write) {
  write("Headrace: machine learning inside the data pipeline.\n\nUsage: headrace COMMAND …\n");
  std::string_view group;
  for (const CommandHelp& command : kCommandHelp) {
    if (command.group != group) {
      group = command.group;
      write("\n");
      write(group);
      write(":\n");
    }
    write("  ");
    write(command.name);
    constexpr std::string_view kBlanks = "                 ";
    write(kBlanks.substr(command.name.size() < kBlanks.size() ? command.name.size() : 16));
    write(command.summary);
    write("\n");
  }
  write("\n");
  write(kGlobalFlags);
  write("\n");
  write(kExitCodes);
  write("\nFirst steps: headrace init --example churn && cd churn && headrace run\n");
}

template <class Write>
void WriteHelp(const CommandHelp& command, Write&& write) {
  write("headrace ");
  write(command.usage);
  write("\n  ");
  write(command.summary);
  write("\n");
  if (!command.text.empty()) {
    write("\n");
    write(command.text);
  }
  write("\n");
  write(kGlobalFlags);
}

}  // namespace headrace::cli
