// Reads DuckDB's type text: words, "(…)" and any number of "[]" or "[n]" behind.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "data/quote.h"
#include "data/types.h"

namespace headrace::data {
namespace {

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

struct NamedClass {
  std::string_view name;
  TypeClass type_class;
};
constexpr NamedClass kClasses[] = {
    {"BOOLEAN", TypeClass::kBoolean},
    {"TINYINT", TypeClass::kInteger},
    {"SMALLINT", TypeClass::kInteger},
    {"INTEGER", TypeClass::kInteger},
    {"BIGINT", TypeClass::kInteger},
    {"UTINYINT", TypeClass::kInteger},
    {"USMALLINT", TypeClass::kInteger},
    {"UINTEGER", TypeClass::kInteger},
    {"UBIGINT", TypeClass::kInteger},
    {"HUGEINT", TypeClass::kInteger},
    {"UHUGEINT", TypeClass::kInteger},
    {"FLOAT", TypeClass::kFloating},
    {"DOUBLE", TypeClass::kFloating},
    {"DECIMAL", TypeClass::kDecimal},
    {"VARCHAR", TypeClass::kText},
    {"JSON", TypeClass::kText},
    {"ENUM", TypeClass::kText},
    {"DATE", TypeClass::kDate},
    {"TIME", TypeClass::kTime},
    {"TIME_NS", TypeClass::kTime},
    {"TIME WITH TIME ZONE", TypeClass::kTime},
    {"TIMESTAMP", TypeClass::kTimestamp},
    {"TIMESTAMP_S", TypeClass::kTimestamp},
    {"TIMESTAMP_MS", TypeClass::kTimestamp},
    {"TIMESTAMP_NS", TypeClass::kTimestamp},
    {"TIMESTAMP WITH TIME ZONE", TypeClass::kTimestamp},
    {"INTERVAL", TypeClass::kInterval},
    {"BLOB", TypeClass::kBlob},
    {"LIST", TypeClass::kList},
    {"ARRAY", TypeClass::kList},
    {"STRUCT", TypeClass::kStruct},
    {"MAP", TypeClass::kMap},
    {"UUID", TypeClass::kUuid},
};

constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"BOOL", "BOOLEAN"},
    {"LOGICAL", "BOOLEAN"},
    {"INT1", "TINYINT"},
    {"INT2", "SMALLINT"},
    {"SHORT", "SMALLINT"},
    {"INT", "INTEGER"},
    {"INT4", "INTEGER"},
    {"SIGNED", "INTEGER"},
    {"INT8", "BIGINT"},
    {"LONG", "BIGINT"},
    {"FLOAT4", "FLOAT"},
    {"REAL", "FLOAT"},
    {"FLOAT8", "DOUBLE"},
    {"DOUBLE PRECISION", "DOUBLE"},
    {"NUMERIC", "DECIMAL"},
    {"TEXT", "VARCHAR"},
    {"STRING", "VARCHAR"},
    {"CHAR", "VARCHAR"},
    {"BPCHAR", "VARCHAR"},
    {"DATETIME", "TIMESTAMP"},
    {"TIMESTAMP_US", "TIMESTAMP"},
    {"TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"},
    {"TIMETZ", "TIME WITH TIME ZONE"},
    {"BYTEA", "BLOB"},
    {"BINARY", "BLOB"},
    {"VARBINARY", "BLOB"},
};

// Words that can't be the name of a struct's field without quotes.
constexpr std::string_view kReserved[] = {
    "all",          "analyse",     "analyze", "and",       "any",        "array",      "as",
    "asc",          "asymmetric",  "both",    "case",      "cast",       "check",      "collate",
    "column",       "constraint",  "create",  "default",   "deferrable", "desc",       "describe",
    "distinct",     "do",          "else",    "end",       "except",     "false",      "fetch",
    "for",          "foreign",     "from",    "group",     "having",     "in",         "initially",
    "intersect",    "into",        "lambda",  "lateral",   "leading",    "limit",      "not",
    "null",         "offset",      "on",      "only",      "or",         "order",      "pivot",
    "pivot_longer", "pivot_wider", "placing", "primary",   "qualify",    "references", "returning",
    "select",       "show",        "some",    "summarize", "symmetric",  "table",      "then",
    "to",           "trailing",    "true",    "union",     "unique",     "unpivot",    "using",
    "variadic",     "when",        "where",   "window",    "with"};

bool NeedsQuotes(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return true;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return true;
  }
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(std::begin(kReserved), std::end(kReserved), lower) != std::end(kReserved);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<TypeTree> Run() {
    HR_ASSIGN(TypeTree tree, Type(0));
    Blanks();
    if (at_ != text_.size()) return Bad("something stands behind the type");
    return tree;
  }

 private:
  Error Bad(std::string_view why) const {
    return UserError("bad_type",
                     fmt::format("'{}' is not a type: {} (at character {})", text_, why, at_ + 1))
        .Subject(std::string(text_))
        .Hint(
            "types are written as in DuckDB: BIGINT, DECIMAL(10,2), VARCHAR[], STRUCT(a INTEGER)");
  }
  void Blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool Eat(char c) {
    Blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Result<std::string> QuotedText(char quote) {
    std::string out;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c != quote) {
        out += c;
      } else if (at_ < text_.size() && text_[at_] == quote) {
        out += quote;
        ++at_;
      } else {
        return out;
      }
    }
    return Bad("a quote is not closed");
  }
  std::string Word() {
    Blanks();
    size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  text_[at_] == '_' || (text_[at_] & 0x80) != 0)) {
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }
  Result<int> Number() {
    std::string word = Word();
    bool digits = !word.empty() && word.size() <= 9 &&
                  word.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) return Bad("a number is expected");
    return std::stoi(word);
  }

  Result<TypeTree> Type(int depth) {
    if (depth > 100) return Bad("it is nested too deeply");
    TypeTree tree;
    if (Eat('"')) {
      HR_ASSIGN(std::string name, QuotedText('"'));
      tree.name = Upper(name);
    } else {
      std::string name = Upper(Word());
      if (name.empty()) return Bad("a type's name is expected");
      for (;;) {  // TIMESTAMP WITH TIME ZONE, DOUBLE PRECISION
        size_t before = at_;
        std::string next = Upper(Word());
        bool part = next == "WITH" || next == "TIME" || next == "ZONE" || next == "PRECISION";
        if (!part) {
          at_ = before;
          break;
        }
        name += " " + next;
      }
      tree.name = name;
    }
    for (auto [alias, name] : kAliases) {
      if (tree.name == alias) tree.name = name;
    }
    HR_TRY(Arguments(tree, depth));
    tree.type_class = TypeClass::kOther;
    for (const NamedClass& named : kClasses) {
      if (named.name == tree.name) tree.type_class = named.type_class;
    }
    while (Eat('[')) {
      TypeTree list;
      list.type_class = TypeClass::kList;
      list.name = "LIST";
      if (!Eat(']')) {
        HR_ASSIGN(list.length, Number());
        list.name = "ARRAY";
        if (!Eat(']')) return Bad("a ']' is missing");
      }
      list.children.push_back(std::move(tree));
      tree = std::move(list);
    }
    return tree;
  }

  Status Arguments(TypeTree& tree, int depth) {
    if (tree.name == "DECIMAL") tree.precision = 18, tree.scale = 3;
    if (!Eat('(')) return Ok();
    if (tree.name == "STRUCT" || tree.name == "UNION") {
      if (Eat(')')) return Ok();
      do {
        HR_TRY(Field(tree, depth));
      } while (Eat(','));
    } else if (tree.name == "MAP") {
      do {
        HR_ASSIGN(TypeTree child, Type(depth + 1));
        tree.children.push_back(std::move(child));
      } while (Eat(','));
      if (tree.children.size() != 2) return Bad("a MAP has a key and a value type");
    } else if (tree.name == "DECIMAL") {
      HR_ASSIGN(tree.precision, Number());
      tree.scale = 0;
      if (Eat(',')) {
        HR_ASSIGN(tree.scale, Number());
      }
      if (tree.precision < 1 || tree.precision > 38 || tree.scale > tree.precision) {
        return Bad("DECIMAL has 1 to 38 digits, and at most as many behind the point");
      }
    } else {
      return Skip(tree);
    }
    if (!Eat(')')) return Bad("a ')' is missing");
    return Ok();
  }

  // A field is `name TYPE`; structs made by row() have fields without names.
  Status Field(TypeTree& tree, int depth) {
    std::string name;
    size_t before = at_;
    if (Eat('"')) {
      HR_ASSIGN(name, QuotedText('"'));
    } else {
      name = Word();
    }
    Blanks();
    bool nameless = at_ < text_.size() && (text_[at_] == ',' || text_[at_] == ')' ||
                                           text_[at_] == '(' || text_[at_] == '[');
    if (nameless) {
      at_ = before;
      name.clear();
    }
    HR_ASSIGN(TypeTree child, Type(depth + 1));
    tree.fields.push_back(std::move(name));
    tree.children.push_back(std::move(child));
    return Ok();
  }

  // The labels of an ENUM, the length of VARCHAR(10), and what extensions write: of no interest.
  Status Skip(TypeTree& tree) {
    int open = 1;
    while (at_ < text_.size() && open > 0) {
      char c = text_[at_++];
      if (c == '\'' || c == '"') {
        HR_ASSIGN(std::string text, QuotedText(c));
        if (tree.name == "ENUM") tree.fields.push_back(std::move(text));
      } else if (c == '(') {
        ++open;
      } else if (c == ')') {
        --open;
      }
    }
    if (open > 0) return Bad("a ')' is missing");
    return Ok();
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<TypeTree> ParseType(std::string_view type) { return Parser(type).Run(); }

std::string TypeTree::Text() const {
  if (name == "LIST") return children[0].Text() + "[]";
  if (name == "ARRAY") return fmt::format("{}[{}]", children[0].Text(), length);
  if (name == "DECIMAL") return fmt::format("DECIMAL({},{})", precision, scale);
  if (name == "MAP" && children.size() == 2) {
    return fmt::format("MAP({}, {})", children[0].Text(), children[1].Text());
  }
  if (name == "NULL") return "\"NULL\"";
  std::string inner;
  if (name == "STRUCT" || name == "UNION") {
    for (size_t i = 0; i < children.size(); ++i) {
      if (i > 0) inner += ", ";
      if (!fields[i].empty()) {
        inner += NeedsQuotes(fields[i]) ? QuoteIdentifier(fields[i]) : fields[i];
        inner += " ";
      }
      inner += children[i].Text();
    }
    return fmt::format("{}({})", name, inner);
  }
  if (name == "ENUM") {
    for (const std::string& label : fields) {
      if (!inner.empty()) inner += ", ";
      inner += QuoteLiteral(label);
    }
    return fmt::format("ENUM({})", inner);
  }
  return name;
}

}  // namespace headrace::data
