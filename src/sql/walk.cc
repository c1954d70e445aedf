#include "sql/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "sql/faults.h"
#include "sql/lexer.h"
#include "sql/tree.h"

namespace headrace::sql {
namespace {

/// Deeper trees than anybody writes; guards the stack.
constexpr int kMostDepth = 2500;

bool IsNodeName(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= 63 && letter(name[0]) &&
         name.find("__") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

bool LooksLikeFile(std::string_view name) {
  return name.find_first_of("./\\:*?[") != std::string_view::npos;
}

class Walker {
 public:
  Walker(const SqlText& text, const WalkOptions& options) : text_(text), options_(options) {}

  Facts Run(const Json& statement) {
    Visit(statement);
    std::stable_sort(facts_.tables.begin(), facts_.tables.end(), ByPosition);
    std::stable_sort(facts_.columns.begin(), facts_.columns.end(), ByPosition);
    std::stable_sort(facts_.functions.begin(), facts_.functions.end(),
                     [](const auto& a, const auto& b) { return a.span.offset < b.span.offset; });
    return std::move(facts_);
  }

 private:
  static bool ByPosition(const NameUse& a, const NameUse& b) {
    return a.span.offset < b.span.offset;
  }

  // ── positions

  /// Of the user's text; a span without position is the whole first token.
  Span NameSpan(const Json& part) const {
    const size_t offset = OffsetOf(part);
    if (offset == std::string::npos || offset < options_.prefix) return NameSpanAt(text_.text, 0);
    return NameSpanAt(text_.text, offset - options_.prefix);
  }
  /// Of a function: just its name. (DuckDB points to arguments for some that it makes itself.)
  Span FunctionSpan(const Json& part, const std::string& name) const {
    Span span = NameSpan(part);
    const std::string written = Lower(text_.text.substr(span.offset, span.length));
    const size_t dot = written.rfind('.');
    if (dot != std::string::npos && written.substr(dot + 1) == name) {
      return {span.offset + dot + 1, name.size()};
    }
    return span;
  }

  // ── the tree

  void Visit(const Json& part) {
    if (++depth_ > kMostDepth) {
      if (!too_deep_) {
        Fault(UserError("too_deep", "the SQL is nested too deeply")
                  .At(PlaceOf(text_, {}))
                  .Hint("split it into several nodes"));
      }
      too_deep_ = true;
    } else if (part.is_array()) {
      for (const Json& item : part) Visit(item);
    } else if (part.is_object()) {
      VisitObject(part);
    }
    --depth_;
  }

  void VisitObject(const Json& part) {
    const std::string_view type = TextMember(part, "type");
    if (Member(part, "class") != nullptr) return VisitExpression(part);
    if (type.ends_with("_NODE")) return VisitQuery(part);
    if (const Json* sample = Member(part, "sample")) VisitSample(*sample, part);
    if (type == "BASE_TABLE") return VisitTable(part);
    if (type == "TABLE_FUNCTION") return VisitTableFunction(part);
    if (type == "SHOW_REF") return Fault(ShowFault(text_));
    if (type == "JOIN" && TextMember(part, "ref_type") == "POSITIONAL") {
      Hint(NameSpan(part), "POSITIONAL JOIN pairs rows in the order in which they come",
           "join by a key");
    }
    VisitMembers(part);
  }

  void VisitMembers(const Json& part, const char* except = "") {
    for (const auto& [key, value] : part.items()) {
      if (key != except && (value.is_object() || value.is_array())) Visit(value);
    }
  }

  // ── queries and tables

  /// CTEs see those before them; one of WITH RECURSIVE also itself. Then the query sees all.
  void VisitQuery(const Json& query) {
    const size_t outer = ctes_.size();
    const Json* map = Member(query, "cte_map");
    if (const Json* entries = map == nullptr ? nullptr : Member(*map, "map")) {
      for (const Json& entry : *entries) VisitCte(entry);
    }
    VisitModifiers(query);
    if (const Json* sample = Member(query, "sample")) VisitSample(*sample, query);
    VisitMembers(query, "cte_map");
    ctes_.resize(outer);
  }

  void VisitCte(const Json& entry) {
    const std::string name = Lower(TextMember(entry, "key"));
    const Json* value = Member(entry, "value");
    const Json* query = value == nullptr ? nullptr : Member(*value, "query");
    const Json* node = query == nullptr ? nullptr : Member(*query, "node");
    if (node == nullptr) return;
    const bool recursive = TextMember(*node, "type") == "RECURSIVE_CTE_NODE";
    if (recursive) ctes_.push_back(name);
    Visit(*node);
    if (!recursive) ctes_.push_back(name);
  }

  void VisitModifiers(const Json& query) {
    const Json* modifiers = Member(query, "modifiers");
    if (!HasItems(modifiers)) return;
    bool ordered = false;
    for (const Json& modifier : *modifiers) {
      ordered = ordered || TextMember(modifier, "type") == "ORDER_MODIFIER";
    }
    if (ordered) return;
    for (const Json& modifier : *modifiers) {
      const std::string_view type = TextMember(modifier, "type");
      if (type == "LIMIT_MODIFIER" || type == "LIMIT_PERCENT_MODIFIER") {
        const Json* limit = Member(modifier, "limit");
        Hint(limit == nullptr ? Span{0, 1} : NameSpan(*limit),
             "LIMIT without ORDER BY keeps whichever rows come first",
             "add ORDER BY with a unique key");
      } else if (HasItems(Member(modifier, "distinct_on_targets"))) {
        Hint(NameSpan((*Member(modifier, "distinct_on_targets"))[0]),
             "DISTINCT ON without ORDER BY keeps whichever row comes first",
             "add ORDER BY with a unique key");
      }
    }
  }

  void VisitSample(const Json& sample, const Json& owner) {
    facts_.uses_volatile = true;
    const Json* seed = Member(sample, "seed");
    const bool repeatable = seed != nullptr && seed->is_number() && seed->get<double>() >= 0;
    Span span = NameSpan(owner);
    for (const Token& token : Lex(text_.text)) {
      if (IsWord(text_.text, token, "sample") || IsWord(text_.text, token, "tablesample")) {
        span = token.span;
      }
    }
    if (repeatable) {
      Hint(span, "a repeatable sample still depends on the order of the rows and on the threads",
           "choose rows by a hash: WHERE hash(key) % 100 < 10");
    } else if (!options_.rules->allow_volatile) {
      Fault(SampleFault(text_, span));
    }
  }

  void VisitTable(const Json& table) {
    const std::string written(TextMember(table, "table_name"));
    const std::string name = Lower(written);
    const std::string schema = Lower(TextMember(table, "schema_name"));
    const Span span = NameSpan(table);
    const bool qualified = !schema.empty() || !TextMember(table, "catalog_name").empty();
    const bool cte = std::find(ctes_.begin(), ctes_.end(), name) != ctes_.end();
    if (Member(table, "at_clause") != nullptr) Fault(TimeTravelFault(text_, span, written));
    if (cte && (!qualified || schema == "recurring")) return;
    const bool file = written == "csv" || written == "parquet" || written == "json";
    if (qualified && file && schema != "main") {  // usage.csv without quotes
      Fault(FileTableFault(text_, span, text_.text.substr(span.offset, span.length)));
    } else if (qualified) {
      Fault(QualifiedTableFault(text_, span, text_.text.substr(span.offset, span.length), name));
    } else if (IsNodeName(name) ||
               (options_.rules->any_table && name.find("__") != std::string::npos)) {
      facts_.tables.push_back({name, written, span});
    } else if (LooksLikeFile(written) || text_.text[span.offset] == '\'') {
      Fault(FileTableFault(text_, span, written));
    } else {
      Fault(BadNodeNameFault(text_, span, written));
    }
  }

  void VisitTableFunction(const Json& table) {
    const Json* function = Member(table, "function");
    if (function == nullptr) return;
    const std::string name = Lower(TextMember(*function, "function_name"));
    if (KindOfTableFunction(name) == TableFunctionKind::kAllowed) {
      VisitMembers(*function);
    } else {
      // Its arguments would only repeat the fault (a file's name is no column).
      Fault(TableFunctionFault(text_, FunctionSpan(*function, name), name));
    }
  }

  // ── expressions

  void VisitExpression(const Json& part) {
    const std::string_view type = TextMember(part, "class");
    if (type == "FUNCTION") return VisitFunction(part);
    if (type == "WINDOW") return VisitWindow(part);
    if (type == "COLUMN_REF") return VisitColumn(part);
    if (type == "LAMBDA") return VisitLambda(part);
    if (options_.expression && type == "SUBQUERY") {
      return Fault(NotInRow(NameSpan(part), "a subquery reads other rows",
                            "compute the value in a node, then use its column"));
    }
    if (options_.expression && type == "STAR") {
      return Fault(NotInRow(NameSpan(part), "* stands for all columns, not for one value",
                            "name the columns"));
    }
    VisitMembers(part);
  }

  void VisitFunction(const Json& part) {
    const std::string name = Lower(TextMember(part, "function_name"));
    const Json* is_operator = Member(part, "is_operator");
    if (is_operator == nullptr || !is_operator->get<bool>()) {
      const Json* arguments = Member(part, "children");
      const std::string_view schema = TextMember(part, "schema");
      // x.upper() is upper(x): x stands as schema.
      const bool method =
          !schema.empty() && schema != "main" && schema != "system" && schema != "pg_catalog";
      const size_t count = (arguments == nullptr ? 0 : arguments->size()) + (method ? 1 : 0);
      CheckFunction(part, name, count);
      if (method && options_.expression) AddColumn(std::string(schema), NameSpan(part));
      const Json* order = Member(part, "order_bys");
      const bool ordered = order != nullptr && HasItems(Member(*order, "orders"));
      if (!ordered) HintOrder(part, name);
      NoteSum(part, name);
    }
    const bool outer = in_lambda_function_;
    in_lambda_function_ = TakesLambda(name);
    VisitMembers(part);
    in_lambda_function_ = outer;
  }

  void VisitWindow(const Json& part) {
    const std::string name = Lower(TextMember(part, "function_name"));
    const Span span = FunctionSpan(part, name);
    if (options_.expression) {
      return Fault(NotInRow(span, "a window function reads other rows",
                            "compute the value in a node, then use its column"));
    }
    facts_.functions.push_back({name, span});
    const bool ordered = HasItems(Member(part, "orders")) || HasItems(Member(part, "arg_orders"));
    if (!ordered) {
      HintOrder(part, name);
    } else if (const std::string_view why = OrderDependence(name);
               name == "row_number" || name == "ntile" || name == "lag" || name == "lead" ||
               name == "first_value" || name == "last_value" || name == "nth_value") {
      Hint(span, fmt::format("{}() {}", name, why),
           "end its ORDER BY with a unique key, if it does not");
    }
    NoteSum(part, name);
    VisitMembers(part);
  }

  void CheckFunction(const Json& part, const std::string& name, size_t arguments) {
    const Span span = FunctionSpan(part, name);
    const FunctionFault fault = FaultOf(name, arguments);
    const unsigned kinds = options_.functions->KindsOf(name);
    // Some DuckDB makes itself, of [1, 2] or INTERVAL 1 DAY.
    const char first = text_.text[std::min(span.offset, text_.text.size() - 1)];
    if (std::isalpha(static_cast<unsigned char>(first)) != 0 || first == '_' || first == '"') {
      facts_.functions.push_back({name, span});
    }
    if (fault != FunctionFault::kNone) return CheckFault(span, name + "()", fault);
    if (kinds == 0) {
      return Fault(UnknownFunctionFault(text_, span, name, options_.functions->Suggest(name)));
    }
    // error() is VOLATILE only to keep the optimizer from calling it early.
    if ((kinds & FunctionCatalog::kVolatile) != 0 && name != "error") {
      CheckFault(span, name + "()", FunctionFault::kRandom);
    }
    if (options_.expression && (kinds & FunctionCatalog::kAggregate) != 0 &&
        (kinds & (FunctionCatalog::kScalar | FunctionCatalog::kMacro)) == 0) {
      Fault(NotInRow(span, fmt::format("{}() reads other rows", name),
                     "compute the value in a node, then use its column"));
    }
  }

  void CheckFault(Span span, const std::string& name, FunctionFault fault) {
    const bool changing = fault == FunctionFault::kTime || fault == FunctionFault::kRandom;
    facts_.uses_volatile = facts_.uses_volatile || changing;
    if (changing && options_.rules->allow_volatile) return;
    Fault(FunctionFaultError(text_, span, name, fault));
  }

  void VisitColumn(const Json& part) {
    const Json* names = Member(part, "column_names");
    if (!HasItems(names)) return;
    const std::string first((*names)[0].get_ref<const std::string&>());
    const std::string lower = Lower(first);
    if (std::find(lambda_names_.begin(), lambda_names_.end(), lower) != lambda_names_.end()) return;
    if (names->size() == 1 && IsPseudoColumn(lower)) {
      facts_.functions.push_back({lower, NameSpan(part)});
      return CheckFault(NameSpan(part), lower, FaultOf(lower, 0));
    }
    if (options_.expression) AddColumn(first, NameSpan(part));
  }

  void AddColumn(const std::string& written, Span span) {
    facts_.columns.push_back({Lower(written), written, span});
  }

  /// lambda x: …, the older x -> …, or the arrow of JSON: doc -> '$.id', which has the same tree.
  void VisitLambda(const Json& part) {
    const Json *left = Member(part, "lhs"), *right = Member(part, "expr");
    const size_t outer = lambda_names_.size();
    if (left != nullptr) {
      const bool keyword = OffsetOf(*left) == std::string::npos;
      if (!(keyword || in_lambda_function_) || !AddLambdaNames(*left)) Visit(*left);
    }
    if (right != nullptr) Visit(*right);
    lambda_names_.resize(outer);
  }

  /// x, or row(x, i); false if it is neither.
  bool AddLambdaNames(const Json& part) {
    if (const Json* names = Member(part, "column_names"); HasItems(names) && names->size() == 1) {
      lambda_names_.push_back(Lower((*names)[0].get_ref<const std::string&>()));
      return true;
    }
    const Json* children = Member(part, "children");
    if (TextMember(part, "function_name") != "row" || children == nullptr) return false;
    for (const Json& child : *children) {
      if (!AddLambdaNames(child)) return false;
    }
    return true;
  }

  // ── hints

  void HintOrder(const Json& part, const std::string& name) {
    const std::string_view why = OrderDependence(name);
    if (why.empty()) return;
    const bool window = TextMember(part, "class") == "WINDOW";
    const bool by_order = why.find("approximation") == std::string_view::npos &&
                          why.find("tie") == std::string_view::npos &&
                          why.find("frequent") == std::string_view::npos;
    std::string hint =
        "it may differ from run to run; `deterministic: true` runs the node on one "
        "thread, in order";
    if (window) {
      return Hint(
          FunctionSpan(part, name),
          fmt::format("{}() without ORDER BY takes the rows in the order in which they come", name),
          "give its OVER (…) an ORDER BY that ends with a unique key");
    }
    if (by_order) hint = fmt::format("write {}(x ORDER BY key)", name);
    Hint(FunctionSpan(part, name), fmt::format("{}() {}", name, why), std::move(hint));
  }

  void NoteSum(const Json& part, const std::string& name) {
    if (!AddsDoubles(name)) return;
    DoubleSum sum{name, {}, false, FunctionSpan(part, name)};
    if (const Json* arguments = Member(part, "children")) CollectSum(*arguments, sum);
    facts_.sums.push_back(std::move(sum));
  }

  static void CollectSum(const Json& part, DoubleSum& sum) {
    if (part.is_array()) {
      for (const Json& item : part) CollectSum(item, sum);
    }
    if (!part.is_object()) return;
    const std::string_view type = TextMember(part, "class");
    if (type == "CAST") {  // its type decides, whatever stands inside
      const Json* to = Member(part, "cast_type");
      const std::string_view id = to == nullptr ? std::string_view() : TextMember(*to, "id");
      sum.makes_double = sum.makes_double || id == "DOUBLE" || id == "FLOAT";
      return;
    }
    if (TextMember(part, "function_name") == "/") sum.makes_double = true;
    if (const Json* value = Member(part, "value"); type == "CONSTANT" && value != nullptr) {
      const Json* of = Member(*value, "type");
      if (of != nullptr && TextMember(*of, "id") == "DOUBLE") sum.makes_double = true;
    }
    if (const Json* names = Member(part, "column_names"); type == "COLUMN_REF" && HasItems(names)) {
      sum.columns.push_back(Lower(names->back().get_ref<const std::string&>()));
    }
    for (const auto& [key, value] : part.items()) {
      if (value.is_object() || value.is_array()) CollectSum(value, sum);
    }
  }

  Error NotInRow(Span span, std::string message, std::string hint) {
    return UserError("not_a_row_expression", std::move(message))
        .At(PlaceOf(text_, span))
        .Hint(std::move(hint));
  }
  void Fault(Error error) { facts_.faults.push_back(std::move(error)); }
  void Hint(Span span, std::string message, std::string hint) {
    facts_.hints.push_back(OrderHint(text_, span, std::move(message), std::move(hint)));
  }

  const SqlText& text_;
  const WalkOptions& options_;
  Facts facts_;
  std::vector<std::string> ctes_;          // names in sight, lower case
  std::vector<std::string> lambda_names_;  // likewise
  bool in_lambda_function_ = false;        // among the arguments of list_transform or the like
  int depth_ = 0;
  bool too_deep_ = false;
};

}  // namespace

Facts Walk(const Json& statement, const SqlText& text, const WalkOptions& options) {
  return Walker(text, options).Run(statement);
}

}  // namespace headrace::sql
