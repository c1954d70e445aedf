// The rules of names (declared in project_files.h).
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/project_files.h"

namespace headrace::config {
namespace {

// Words that can't stand as a table's name without quotes in DuckDB or Spark. Sorted.
constexpr std::string_view kReserved[] = {"all",          "analyse",
                                          "analyze",      "and",
                                          "anti",         "any",
                                          "array",        "as",
                                          "asc",          "asof",
                                          "asymmetric",   "authorization",
                                          "between",      "binary",
                                          "both",         "case",
                                          "cast",         "check",
                                          "collate",      "collation",
                                          "column",       "concurrently",
                                          "constraint",   "create",
                                          "cross",        "current_date",
                                          "current_time", "current_timestamp",
                                          "current_user", "default",
                                          "deferrable",   "desc",
                                          "describe",     "distinct",
                                          "do",           "else",
                                          "end",          "except",
                                          "exists",       "false",
                                          "fetch",        "filter",
                                          "for",          "foreign",
                                          "freeze",       "from",
                                          "full",         "generated",
                                          "glob",         "grant",
                                          "group",        "having",
                                          "ilike",        "in",
                                          "initially",    "inner",
                                          "intersect",    "interval",
                                          "into",         "is",
                                          "isnull",       "join",
                                          "lambda",       "lateral",
                                          "leading",      "left",
                                          "like",         "limit",
                                          "localtime",    "localtimestamp",
                                          "map",          "minus",
                                          "natural",      "not",
                                          "notnull",      "null",
                                          "offset",       "on",
                                          "only",         "or",
                                          "order",        "outer",
                                          "overlaps",     "pivot",
                                          "pivot_longer", "pivot_wider",
                                          "placing",      "positional",
                                          "primary",      "qualify",
                                          "references",   "returning",
                                          "right",        "select",
                                          "semi",         "session_user",
                                          "show",         "similar",
                                          "some",         "struct",
                                          "summarize",    "symmetric",
                                          "table",        "tablesample",
                                          "then",         "to",
                                          "trailing",     "true",
                                          "try_cast",     "union",
                                          "unique",       "unpack",
                                          "unpivot",      "user",
                                          "using",        "values",
                                          "variadic",     "verbose",
                                          "when",         "where",
                                          "window",       "with"};

constexpr size_t kMaxLength = 63;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsNameChar(char c) { return IsLower(c) || (c >= '0' && c <= '9') || c == '_'; }

/// A name near `name` that follows the rules.
std::string Fixed(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const char next = IsNameChar(lower) ? lower : '_';
    if (next != '_' || (!out.empty() && out.back() != '_')) out += next;
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty() || !IsLower(out.front())) out.insert(0, "n");
  if (IsReservedWord(out)) out += "_rows";
  return out.substr(0, kMaxLength);
}

}  // namespace

bool IsReservedWord(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::binary_search(std::begin(kReserved), std::end(kReserved), lower);
}

Status CheckName(std::string_view name) {
  std::string why;
  if (name.empty()) {
    why = "it is empty";
  } else if (name.size() > kMaxLength) {
    why = fmt::format("it has {} characters, {} are allowed", name.size(), kMaxLength);
  } else if (!IsLower(name.front())) {
    why = "it must start with a small letter";
  } else if (const auto bad = std::find_if_not(name.begin(), name.end(), IsNameChar);
             bad != name.end()) {
    why = "only a-z, 0-9 and _ are allowed";
  } else if (name.find("__") != std::string_view::npos) {
    why = "'__' is kept for tables that Headrace makes, such as x__quarantine";
  } else if (IsReservedWord(name)) {
    why = "it is a reserved word of SQL";
  } else {
    return Ok();
  }
  return UserError("bad_name", fmt::format("'{}' is no name: {}", name, why))
      .Subject(std::string(name))
      .Hint(fmt::format("for example '{}'", Fixed(name)));
}

}  // namespace headrace::config
