#include "sql/faults.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file_system.h"
#include "sql/lexer.h"

namespace headrace::sql {
namespace {

Error Fault(const SqlText& text, Span span, const char* code, std::string message) {
  return UserError(code, std::move(message)).At(PlaceOf(text, span));
}

std::string SourceTypeOf(std::string_view path) {
  const std::string lower = Lower(path);
  const auto has = [&](std::string_view ending) {
    return lower.ends_with(ending) || lower.find(std::string(ending) + ".") != std::string::npos;
  };
  if (has(".parquet")) return "parquet";
  if (has(".json") || has(".ndjson") || has(".jsonl")) return "json";
  if (has(".db") || has(".sqlite") || has(".sqlite3")) return "sqlite";
  return "csv";
}

struct StatementHint {
  std::string_view keywords;  // blank before and behind each
  std::string_view hint;
};

constexpr StatementHint kStatementHints[] = {
    {" COPY EXPORT ",
     "rows are written by a sink: a file with `sink: csv` (or parquet) and `from:`"},
    {" ATTACH DETACH USE ", "databases are reached by a source with a `connection:`"},
    {" IMPORT ", "files are read by a source, for instance `source: parquet`"},
    {" SET RESET PRAGMA ",
     "the engine makes the settings, the same in every run; see the flags --threads and --memory"},
    {" INSTALL LOAD UPDATE_EXTENSIONS ",
     "extensions can't be loaded from SQL; sources and sinks bring what they need"},
    {" CREATE ", "write only the SELECT: its result becomes the table, named like the file"},
    {" INSERT UPDATE DELETE MERGE TRUNCATE UPSERT ",
     "a node's table is exactly what its SELECT returns; write a SELECT of the rows you want"},
    {" DROP ALTER ", "tables follow their files: remove or change the node's file"},
    {" CALL EXECUTE PREPARE DEALLOCATE ", "write the SELECT itself"},
    {" EXPLAIN DESCRIBE DESC SHOW SUMMARIZE ", "type `headrace show NODE` to look at a node"},
    {" BEGIN START COMMIT ROLLBACK ABORT CHECKPOINT VACUUM ANALYZE COMMENT ",
     "the engine commits each node; leave the statement out"},
};

std::string_view HintForStatement(const std::string& keyword) {
  for (const StatementHint& entry : kStatementHints) {
    if (entry.keywords.find(" " + keyword + " ") != std::string_view::npos) return entry.hint;
  }
  return "write one SELECT (WITH … SELECT, VALUES and FROM … SELECT are fine too)";
}

std::string AllowedTableFunctionsText() {
  std::string all;
  for (const std::string& name : AllowedTableFunctions()) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

std::string NodeNameFor(std::string_view path) {
  std::string name = Lower(BaseName(path));
  name = name.substr(0, name.find('.'));
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); }, '_');
  name.erase(0, name.find_first_not_of("_0123456789"));
  while (name.ends_with('_')) name.pop_back();
  for (size_t at; (at = name.find("__")) != std::string::npos;) name.erase(at, 1);
  return name.empty() ? "my_source" : name;
}

Error SyntaxFault(const SqlText& text, Span span, std::string message) {
  return Fault(text, span, "syntax", std::move(message));
}

Error EmptyFault(const SqlText& text) {
  return Fault(text, {}, "empty_sql", "there is no SELECT here")
      .Hint("write one SELECT, for instance: SELECT * FROM customers");
}

Error SecondStatementFault(const SqlText& text, Span span) {
  return Fault(text, span, "several_statements", "a second statement starts here")
      .Hint("a node is one SELECT: move this one to a file of its own, or join them by WITH");
}

Error NotASelectFault(const SqlText& text, Span span, const std::string& keyword) {
  return Fault(text, span, "not_a_select",
               fmt::format("{} is not allowed: only SELECT is", keyword))
      .Subject(keyword)
      .Hint(std::string(HintForStatement(keyword)));
}

Error PivotWithoutInFault(const SqlText& text, Span span) {
  return Fault(text, span, "pivot_without_in",
               "PIVOT needs the list of values: without it the columns depend on the data")
      .Hint("write them down: PIVOT t ON plan IN ('basic', 'pro') USING sum(x)");
}

Error QualifiedTableFault(const SqlText& text, Span span, const std::string& written,
                          const std::string& table) {
  return Fault(text, span, "qualified_table",
               fmt::format("'{}' has a schema, but only nodes may be read, and nodes have none",
                           written))
      .Subject(written)
      .Hint(fmt::format("write {} if you mean the node; for a table of a database make a source: "
                        "a file {}.yml with `source:`, `connection:` and `table: {}`",
                        table, NodeNameFor(table), written));
}

Error FileTableFault(const SqlText& text, Span span, const std::string& path) {
  const std::string name = NodeNameFor(path);
  return Fault(text, span, "file_in_sql",
               fmt::format("'{}' is a file, but only nodes may be read", path))
      .Subject(path)
      .Hint(fmt::format("make it a source: a file {0}.yml with `source: {1}` and `path: {2}`, then "
                        "write FROM {0}",
                        name, SourceTypeOf(path), path));
}

Error BadNodeNameFault(const SqlText& text, Span span, const std::string& name) {
  return Fault(text, span, "unknown_node", fmt::format("there can't be a node '{}'", name))
      .Subject(name)
      .Hint(
          "names of nodes are a-z, 0-9 and _, begin with a letter, have 63 characters at most "
          "and no __");
}

Error ShowFault(const SqlText& text) {
  Span span;
  const std::vector<Token> tokens = Lex(text.text);
  for (const Token& token : tokens) {
    for (const char* word : {"describe", "desc", "show", "summarize"}) {
      if (IsWord(text.text, token, word) && span.length == 0) span = token.span;
    }
  }
  std::string keyword = text.text.substr(span.offset, span.length);
  std::transform(keyword.begin(), keyword.end(), keyword.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return NotASelectFault(text, span, keyword);
}

Error TimeTravelFault(const SqlText& text, Span span, const std::string& table) {
  return Fault(text, span, "time_travel", fmt::format("'{}' can't be read AT a version", table))
      .Hint(
          "a node reads its inputs' current snapshots; look at old ones with `headrace query "
          "--at RUN`");
}

Error TableFunctionFault(const SqlText& text, Span span, const std::string& name) {
  Error error = Fault(text, span, "table_function",
                      fmt::format("{}() is not allowed: only nodes may be read", name))
                    .Subject(name);
  switch (KindOfTableFunction(name)) {
    case TableFunctionKind::kFile:
      return error.Hint(
          "make the file a source: a .yml file with `source: csv` (parquet, json) and "
          "`path:`, then read that node");
    case TableFunctionKind::kDatabase:
      return error.Hint(
          "make the table a source: a .yml file with `source:`, `connection:` and "
          "`table:` or `query:`, then read that node");
    case TableFunctionKind::kHiddenSql:
      return error.Hint(
          "it hides SQL in a string, and with it the node's inputs: write the query "
          "itself");
    case TableFunctionKind::kCatalog:
      return error.Hint(
          "it shows the engine's internals, not data; `headrace show NODE` and "
          "`headrace doctor` tell what there is");
    default:
      return error.Hint("table functions that may be used: " + AllowedTableFunctionsText());
  }
}

Error FunctionFaultError(const SqlText& text, Span span, const std::string& name,
                         FunctionFault fault) {
  const char* code = "not_constant";
  std::string message, hint;
  switch (fault) {
    case FunctionFault::kTime:
      message = fmt::format("{} reads the clock, so the same inputs give another result", name);
      hint = "use $run_time, the time of the run; or set `volatile: true` to rerun the node always";
      break;
    case FunctionFault::kRandom:
      message = fmt::format("{} gives another value in every run", name);
      hint = "derive the value from the row, for instance hash(key); or set `volatile: true`";
      break;
    case FunctionFault::kSession:
      message = fmt::format("{} depends on the session, not on the data", name);
      hint = "leave it out; what differs between targets can be a parameter: $name";
      break;
    case FunctionFault::kSetting:
      code = "forbidden_function";
      message = fmt::format(
          "{} is not allowed: settings, sequences and the environment may not "
          "enter a result",
          name);
      hint = "make it a parameter: `params:` in headrace.yml, $name in SQL, --param name=value";
      break;
    case FunctionFault::kHiddenSql:
    case FunctionFault::kNone:
      code = "forbidden_function";
      message = fmt::format("{} is not allowed: it hides SQL in a string", name);
      hint = "write the query itself";
      break;
  }
  return Fault(text, span, code, std::move(message)).Subject(name).Hint(std::move(hint));
}

Error UnknownFunctionFault(const SqlText& text, Span span, const std::string& name,
                           std::vector<std::string> candidates) {
  Error error =
      Fault(text, span, "unknown_function", fmt::format("there is no function '{}'", name))
          .Subject(name);
  if (candidates.empty()) error.Hint("the functions of DuckDB can be used, but not of extensions");
  return error.Candidates(std::move(candidates));
}

Error SampleFault(const SqlText& text, Span span) {
  return Fault(text, span, "not_constant", "a sample takes other rows in every run")
      .Hint("choose rows by a hash: WHERE hash(key) % 100 < 10; or set `volatile: true`");
}

Error PositionalParameterFault(const SqlText& text, Span span, const std::string& written) {
  return Fault(text, span, "positional_parameter",
               fmt::format("{} has no name: parameters are written $name", written))
      .Subject(written)
      .Hint("declare it under `params:` in headrace.yml");
}

Error IntervalParameterFault(const SqlText& text, Span span, const std::string& name) {
  return Fault(text, span, "interval_parameter",
               fmt::format("${} exists only in an incremental node", name))
      .Subject(name)
      .Hint(
          "set `materialize: incremental`, `time:`, `every:` and `start:` in the .yml file beside "
          "it");
}

Error UnknownParameterFault(const SqlText& text, Span span, const std::string& name,
                            std::vector<std::string> candidates) {
  Error error =
      Fault(text, span, "unknown_parameter", fmt::format("there is no parameter '{}'", name))
          .Subject(name);
  if (candidates.empty()) {
    error.Hint(
        fmt::format("declare it in headrace.yml: params: {{{}: {{type: …, default: …}}}}", name));
  }
  return error.Candidates(std::move(candidates));
}

Error OrderHint(const SqlText& text, Span span, std::string message, std::string hint) {
  return Fault(text, span, "order_dependent", std::move(message))
      .Hint(std::move(hint))
      .As(Severity::kHint);
}

}  // namespace headrace::sql
