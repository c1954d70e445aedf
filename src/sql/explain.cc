#include "sql/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/suggest.h"
#include "sql/lexer.h"
#include "sql/statement.h"
#include "sql/tree.h"

namespace headrace::sql {
namespace {

/// The parts of DuckDB's JSON that we use.
struct Complaint {
  std::string message, subtype, name, kind, call, candidates;
  std::optional<size_t> offset;  // in the user's text
};

Complaint ReadComplaint(std::string_view duck_message, size_t prefix) {
  Complaint complaint;
  const size_t brace = duck_message.find('{');
  const Json json = brace == std::string_view::npos
                        ? Json()
                        : Json::parse(duck_message.substr(brace), nullptr, false);
  if (!json.is_object()) {
    const size_t colon = duck_message.find("Error: ");
    complaint.message =
        duck_message.substr(colon == std::string_view::npos ? 0 : colon + sizeof("Error: ") - 1);
    return complaint;
  }
  complaint.message = TextMember(json, "exception_message");
  complaint.subtype = TextMember(json, "error_subtype");
  complaint.name = TextMember(json, "name");
  complaint.kind = TextMember(json, "type");
  complaint.call = TextMember(json, "call");
  complaint.candidates = TextMember(json, "candidates");
  const std::string_view position = TextMember(json, "position");
  size_t offset = 0;
  if (!position.empty() &&
      std::from_chars(position.data(), position.data() + position.size(), offset).ec ==
          std::errc() &&
      offset >= prefix) {
    complaint.offset = offset - prefix;
  }
  return complaint;
}

/// What stands in the n-th pair of double quotes.
std::string Quoted(std::string_view message, int n) {
  for (size_t i = 0; i < message.size(); ++i) {
    if (message[i] != '"') continue;
    const size_t end = message.find('"', i + 1);
    if (end == std::string_view::npos) return "";
    if (n-- == 0) return std::string(message.substr(i + 1, end - i - 1));
    i = end;
  }
  return "";
}

/// All that stands in double quotes.
std::vector<std::string> AllQuoted(std::string_view message) {
  std::vector<std::string> all;
  for (int i = 0;; ++i) {
    std::string one = Quoted(message, i);
    if (one.empty()) return all;
    all.push_back(std::move(one));
  }
}

/// The first token of that name (or string of that content), behind the first `after` if that is
/// given.
std::optional<Span> FindName(std::string_view text, std::string_view name,
                             std::string_view after = "") {
  bool seen = after.empty();
  for (const Token& token : Lex(text)) {
    if (!seen) {
      seen = IsWord(text, token, after);
    } else if (Lower(NameOf(text, token)) == Lower(name)) {
      return token.span;
    }
  }
  return std::nullopt;
}

std::vector<std::string> AllColumns(const BindContext& context) {
  std::vector<std::string> all;
  for (const auto& [table, columns] : context.tables) {
    for (const std::string& column : columns) {
      if (std::find(all.begin(), all.end(), column) == all.end()) all.push_back(column);
    }
  }
  return all;
}

/// "columns of customers: id, name, … 9 more"
std::string ColumnsHint(const BindContext& context) {
  std::string hint;
  for (const auto& [table, columns] : context.tables) {
    if (hint.size() > 200) break;
    hint += fmt::format("{}columns of {}: ", hint.empty() ? "" : "; ", table);
    for (size_t i = 0; i < columns.size() && i < 12; ++i) {
      hint += (i == 0 ? "" : ", ") + columns[i];
    }
    if (columns.size() > 12) hint += fmt::format(", … {} more", columns.size() - 12);
  }
  return hint;
}

/// What to do about some complaints that have no error of their own.
std::string HintFor(std::string_view message) {
  static constexpr std::pair<std::string_view, std::string_view> kHints[] = {
      {"WHERE clause cannot contain aggregates", "use HAVING, or filter in an outer SELECT"},
      {"WHERE clause cannot contain window", "use QUALIFY, or filter in an outer SELECT"},
      {"aggregate function calls cannot be nested", "compute the inner one in a CTE"},
      {"GROUP BY term out of range", "write the column's name"},
      {"ORDER term out of range", "write the column's name"},
      {"Subquery returns", "select exactly one column in it"},
      {"Cannot extract field",
       "the dot takes a field of a struct; for a table's column check the "
       "name in front of it"},
  };
  for (const auto& [part, hint] : kHints) {
    if (message.find(part) != std::string_view::npos) return std::string(hint);
  }
  return "";
}

class Explainer {
 public:
  Explainer(Complaint complaint, const SqlText& text, const BindContext& context)
      : complaint_(std::move(complaint)), text_(text), context_(context) {}

  Error Explain() const {
    const std::string& message = complaint_.message;
    const auto says = [&](std::string_view part) {
      return message.find(part) != std::string::npos;
    };
    if (complaint_.subtype == "COLUMN_NOT_FOUND") return UnknownColumn(complaint_.name, Where());
    if (says("does not have a column named")) return UnknownColumnOf();
    if (says("EXCLUDE list not found")) return UnknownColumn(Quoted(message, 0), After("exclude"));
    if (says("REPLACE list not found")) return UnknownColumn(Quoted(message, 0), After("replace"));
    if (says("RENAME list not found")) return UnknownColumn(Quoted(message, 0), After("rename"));
    if (says("side of join")) return UnknownUsingColumn();
    if (says("Referenced table")) return UnknownAlias();
    if (complaint_.subtype == "MISSING_ENTRY") return MissingEntry();
    if (complaint_.subtype == "NO_MATCHING_FUNCTION") return WrongArguments();
    if (says("Could not choose a best candidate")) return AmbiguousCall();
    if (says("Ambiguous reference to table")) return DuplicateAlias();
    if (says("Ambiguous reference")) return AmbiguousColumn();
    if (says("must appear in the GROUP BY")) return NotGrouped();
    if (says("same number of result columns")) return SetColumns();
    return Other();
  }

 private:
  // ── places

  Span Where() const {
    return complaint_.offset ? NameSpanAt(text_.text, *complaint_.offset) : Span{0, 0};
  }
  Span After(std::string_view word) const {
    return FindName(text_.text, Quoted(complaint_.message, 0), word).value_or(Span{0, 0});
  }
  /// The last part of a dotted name: `spnd` of `c.spnd`.
  Span LastPart(Span span, const std::string& name) const {
    return span.length > name.size() &&
                   Lower(text_.text.substr(span.offset + span.length - name.size(), name.size())) ==
                       Lower(name)
               ? Span{span.offset + span.length - name.size(), name.size()}
               : span;
  }

  // ── errors

  Error Make(const char* code, Span span, std::string message) const {
    return UserError(code, std::move(message)).At(PlaceOf(text_, span));
  }

  Error UnknownColumn(const std::string& name, Span span) const {
    Error error = Make("unknown_column", LastPart(span, name),
                       fmt::format("there is no column '{}' here", name))
                      .Subject(name);
    return WithColumns(std::move(error), name, span);
  }

  Error WithColumns(Error error, const std::string& name, Span span) const {
    std::vector<std::string> candidates = Suggest(name, AllColumns(context_));
    const auto same = std::find_if(candidates.begin(), candidates.end(), [&](const auto& column) {
      return Lower(column) == Lower(name);
    });
    if (same != candidates.end()) {
      return error.Hint(
          fmt::format("a column '{}' exists, but what this SELECT reads (a CTE, a subquery) does "
                      "not pass it on",
                      *same));
    }
    if (candidates.empty() && text_.text[span.offset] == '"') {
      return error.Hint(fmt::format("a text stands in single quotes: '{}'", name));
    }
    if (candidates.empty()) error.Hint(ColumnsHint(context_));
    return error.Candidates(std::move(candidates));
  }

  /// Table "c" does not have a column named "spnd"
  Error UnknownColumnOf() const {
    const std::string table = Quoted(complaint_.message, 0), name = Quoted(complaint_.message, 1);
    Error error = Make("unknown_column", LastPart(Where(), name),
                       fmt::format("'{}' has no column '{}'", table, name))
                      .Subject(name);
    return WithColumns(std::move(error), name, Where());
  }

  /// Column "cust" does not exist on left side of join!
  Error UnknownUsingColumn() const {
    const std::string name = Quoted(complaint_.message, 0);
    const bool left = complaint_.message.find("left") != std::string::npos;
    Error error = Make("unknown_column", After("using"),
                       fmt::format("the {} side of the join has no column '{}'",
                                   left ? "left" : "right", name))
                      .Subject(name);
    return error.Hint(ColumnsHint(context_));
  }

  Error UnknownAlias() const {
    const std::string name = Quoted(complaint_.message, 0);
    const size_t list = complaint_.message.find("Candidate");
    std::vector<std::string> known;
    if (list != std::string::npos) {
      known = AllQuoted(std::string_view(complaint_.message).substr(list));
    }
    Span span = complaint_.offset ? Where() : FindName(text_.text, name).value_or(Span{0, 0});
    span.length = std::min(span.length, name.size());
    if (context_.row) {
      return Make("unknown_column", span, fmt::format("there is no column '{}' here", name))
          .Subject(name)
          .Hint("columns of the row stand alone: write amount, not t.amount");
    }
    Error error = Make("unknown_table", span, fmt::format("FROM has no table or alias '{}'", name))
                      .Subject(name);
    return error.Candidates(std::move(known));
  }

  /// Ambiguous reference to table "u" (duplicate alias "u", …)
  Error DuplicateAlias() const {
    const std::string name = Quoted(complaint_.message, 0);
    return Make("duplicate_alias", FindName(text_.text, name, "from").value_or(Span{0, 0}),
                fmt::format("two tables in FROM are called '{}'", name))
        .Subject(name)
        .Hint("give one of them another name: FROM customers AS c");
  }

  Error MissingEntry() const {
    const std::string& name = complaint_.name;
    if (complaint_.kind == "Table") {
      return UnknownNodeFault(text_, Where(), Lower(name),
                              context_.nodes ? context_.nodes() : std::vector<std::string>());
    }
    const bool type = complaint_.kind == "Type";
    Error error = Make(type ? "unknown_type" : "unknown_function", Where(),
                       fmt::format("there is no {} '{}'", type ? "type" : "function", name))
                      .Subject(name);
    if (type) return error.Hint("types are DuckDB's: BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP …");
    if (!complaint_.candidates.empty()) error.Candidates({complaint_.candidates});
    return error;
  }

  /// call: sum(VARCHAR), candidates: sum(DECIMAL) -> DECIMAL,sum(BOOLEAN) -> HUGEINT,…
  Error WrongArguments() const {
    const std::string& call = complaint_.call;
    const size_t bracket = call.find('(');
    const std::string name = call.substr(0, bracket);
    const bool word = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0;
    std::string types = WithoutLiterals(bracket == std::string::npos ? "" : call.substr(bracket));
    Error error = Make("wrong_arguments", Where(),
                       fmt::format("{}{} can't take {}", name, word ? "()" : "", types))
                      .Subject(call);
    return error.Hint(word ? Signatures() : "cast one side, for instance CAST(x AS DOUBLE)");
  }

  static std::string WithoutLiterals(std::string types) {
    for (const auto& [from, to] :
         {std::pair{"INTEGER_LITERAL", "INTEGER"}, std::pair{"STRING_LITERAL", "VARCHAR"}}) {
      for (size_t at; (at = types.find(from)) != std::string::npos;) {
        types.replace(at, std::string_view(from).size(), to);
      }
    }
    return types;
  }

  /// "it takes sum(DECIMAL), sum(BOOLEAN) … 6 more; CAST(x AS type) changes a type"
  std::string Signatures() const {
    std::vector<std::string> all;
    std::string_view rest = complaint_.candidates;
    const std::string opening = complaint_.name + "(";
    while (!rest.empty()) {  // entries are separated by a comma, as are their arguments
      const size_t next = rest.find("," + opening);
      const std::string_view one = rest.substr(0, next);
      all.emplace_back(one.substr(0, one.find(" -> ")));
      rest = next == std::string_view::npos ? std::string_view() : rest.substr(next + 1);
    }
    std::string text = "it takes ";
    for (size_t i = 0; i < all.size() && i < 3; ++i) text += (i == 0 ? "" : ", ") + all[i];
    if (all.size() > 3) text += fmt::format(" … {} more", all.size() - 3);
    return text + "; CAST(x AS type) changes a type";
  }

  Error AmbiguousCall() const {
    return Make("wrong_arguments", Where(),
                fmt::format("{} could mean several things",
                            WithoutLiterals(Quoted(complaint_.message, 0))))
        .Hint("cast one side, for instance CAST(x AS DATE)");
  }

  /// Ambiguous reference to column name "id" (use: "a.id" or "b.id")
  Error AmbiguousColumn() const {
    std::vector<std::string> quoted = AllQuoted(complaint_.message);
    const std::string name = quoted.empty() ? "" : quoted[0];
    if (!quoted.empty()) quoted.erase(quoted.begin());
    return Make("ambiguous_column", Where(), fmt::format("several tables have a column '{}'", name))
        .Subject(name)
        .Candidates(std::move(quoted));
  }

  Error NotGrouped() const {
    // column "spend" must appear …, or without quotes, in HAVING
    std::string name = Quoted(complaint_.message, 0);
    constexpr std::string_view kColumn = "column ";
    if (name.empty() && complaint_.message.starts_with(kColumn)) {
      const std::string_view rest = std::string_view(complaint_.message).substr(kColumn.size());
      name = rest.substr(0, rest.find(' '));
    }
    Span span = complaint_.offset ? Where() : FindName(text_.text, name).value_or(Span{0, 0});
    return Make("not_grouped", span,
                fmt::format("'{}' is neither in GROUP BY nor inside an aggregate", name))
        .Subject(name)
        .Hint(fmt::format("add it to GROUP BY, or say which value: max({0}), any_value({0} ORDER "
                          "BY key)",
                          name));
  }

  Error SetColumns() const {
    Span span;
    for (const Token& token : Lex(text_.text)) {
      for (const char* word : {"union", "except", "intersect"}) {
        if (span.length == 0 && IsWord(text_.text, token, word)) span = token.span;
      }
    }
    return Make("column_count", span, "the two sides have different numbers of columns")
        .Hint("select the same columns on both sides, or match them by name: UNION BY NAME");
  }

  Error Other() const {
    Span span = Where();
    if (!complaint_.offset) {
      // A name that DuckDB quotes and that stands in the text is the best place there is.
      std::string name = Quoted(complaint_.message, 0);
      const size_t quote = complaint_.message.find('\'');
      if (quote != std::string::npos) {
        const size_t end = complaint_.message.find('\'', quote + 1);
        name = complaint_.message.substr(quote + 1, end - quote - 1);
      }
      span = FindName(text_.text, name).value_or(Span{0, 0});
    }
    if (complaint_.message.starts_with("GROUP BY")) {
      span = FindName(text_.text, "group").value_or(Span{0, 0});
    }
    return Make("bad_sql", span, WithoutLiterals(CleanMessage(complaint_.message)))
        .Hint(HintFor(complaint_.message));
  }

  const Complaint complaint_;
  const SqlText& text_;
  const BindContext& context_;
};

}  // namespace

Error UnknownNodeFault(const SqlText& text, Span span, const std::string& name,
                       const std::vector<std::string>& nodes) {
  Error error = UserError("unknown_node", fmt::format("there is no node '{}'", name))
                    .At(PlaceOf(text, span))
                    .Subject(name);
  std::vector<std::string> candidates = Suggest(name, nodes);
  if (candidates.empty()) {
    error.Hint("a name after FROM or JOIN is the stem of a file below pipeline/");
  }
  return error.Candidates(std::move(candidates));
}

Error ExplainBindError(std::string_view duck_message, const SqlText& text,
                       const BindContext& context) {
  return Explainer(ReadComplaint(duck_message, context.prefix), text, context).Explain();
}

}  // namespace headrace::sql
