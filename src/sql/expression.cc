#include "sql/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sql/canonical.h"
#include "sql/compose.h"
#include "sql/describe_state.h"
#include "sql/duck_session.h"
#include "sql/faults.h"
#include "sql/lexer.h"
#include "sql/statement.h"
#include "sql/tree.h"
#include "sql/walk.h"

namespace headrace::sql {
namespace {

constexpr char kRow[] = "headrace_row";
constexpr char kForm[] = "write one condition, for instance: amount > 0 AND plan = 'pro'";

const SelectRules& RulesOf(std::span<const SelectRules> rules, size_t i) {
  static const SelectRules unchecked = AnyParameters();
  if (rules.empty()) return unchecked;
  return rules.size() == 1 ? rules[0] : rules[i];
}

void ReadTree(const std::string& json, const SqlText& text, const SelectRules& rules,
              const FunctionCatalog& functions, ParsedExpression& expression) {
  const Json answer = ParseTree(json);
  const Json* statements = Member(answer, "statements");
  if (!HasItems(statements)) {
    Error fault = ExplainParseError(text, answer, kExpressionPrefix.size());
    if (fault.hint.empty() && fault.candidates.empty()) fault.Hint(kForm);
    expression.faults.push_back(std::move(fault));
    return;
  }
  if (statements->size() > 1) {
    expression.faults.push_back(SecondStatementFault(text, {}));
    return;
  }
  const Json* item = OneExpression(text, (*statements)[0], expression.faults);
  if (item == nullptr) return;
  Facts facts = Walk(*item, text,
                     {.rules = &rules,
                      .functions = &functions,
                      .prefix = kExpressionPrefix.size(),
                      .expression = true});
  expression.columns = std::move(facts.columns);
  for (const NameUse& use : expression.columns) expression.column_names.push_back(use.name);
  auto& names = expression.column_names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  expression.functions = std::move(facts.functions);
  for (Error& fault : facts.faults) {
    // The hints are for a node's SELECT: an expression has neither $run_time nor `volatile`.
    if (fault.code == "not_constant")
      fault.hint = "compute the value in a node, then use its column";
    expression.faults.push_back(std::move(fault));
  }
  expression.canonical = CanonicalHash(*item);
}

}  // namespace

std::vector<ParsedExpression> ParseExpressions(SqlParser& parser, std::span<const SqlText> texts,
                                               std::span<const SelectRules> rules) {
  std::vector<ParsedExpression> expressions(texts.size());
  std::vector<std::string> to_parse;
  std::vector<size_t> indexes;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Token> tokens = Lex(texts[i].text);
    ParsedExpression& expression = expressions[i];
    if (tokens.empty()) {
      expression.faults.push_back(UserError("empty_sql", "there is no expression here")
                                      .At(PlaceOf(texts[i], {}))
                                      .Hint(kForm));
      continue;
    }
    if (auto fault = CheckStatement(texts[i], tokens)) {
      expression.faults.push_back(std::move(fault->Hint(kForm)));
      continue;
    }
    expression.parameters = FindParameters(texts[i], tokens, RulesOf(rules, i), expression.faults);
    expression.parameter_names = DistinctNames(expression.parameters);
    indexes.push_back(i);
    to_parse.push_back(std::string(kExpressionPrefix) + WithAsciiBlanks(texts[i].text));
  }
  SqlParser::State& state = parser.state();
  const Result<std::vector<std::string>> trees = state.Serialize(to_parse);
  for (size_t t = 0; t < indexes.size(); ++t) {
    const size_t i = indexes[t];
    if (trees.ok()) {
      ReadTree((*trees)[t], texts[i], RulesOf(rules, i), state.functions, expressions[i]);
    } else {
      expressions[i].faults.push_back(trees.error());
    }
  }
  return expressions;
}

ParsedExpression ParseExpression(SqlParser& parser, const SqlText& text, const SelectRules& rules) {
  return std::move(ParseExpressions(parser, {&text, 1}, {&rules, 1})[0]);
}

Result<std::string> DescribeExpression(SchemaCatalog& catalog, const SqlText& text,
                                       const data::Schema& row,
                                       const data::Parameters& parameters) {
  SchemaCatalog::State& state = catalog.state();
  HR_TRY(state.ResolveTypes(text.node, row));
  BindContext context;
  context.tables.emplace_back("the row", row.Names());
  context.prefix = kExpressionPrefix.size();
  context.row = true;
  const std::string sql = fmt::format("{}{}\nFROM {}", kExpressionPrefix,
                                      WithAsciiBlanks(TrimStatement(text.text)), kRow);
  const NodeSchemas visible{{kRow, row}};
  HR_ASSIGN(const data::Schema schema, state.Bind(sql, visible, text, parameters, context));
  if (schema.columns.size() != 1) return InternalError("an expression gave several columns");
  return schema.columns[0].type;
}

Status CheckBoolean(SchemaCatalog& catalog, const SqlText& text, const data::Schema& row,
                    const data::Parameters& parameters) {
  HR_ASSIGN(const std::string type, DescribeExpression(catalog, text, row, parameters));
  if (type == "BOOLEAN") return Ok();
  return UserError("not_boolean", fmt::format("the condition gives {}, not true or false", type))
      .At(PlaceOf(text, {0, TrimStatement(text.text).size()}))
      .Subject(type)
      .Hint("compare it, for instance: amount > 0");
}

}  // namespace headrace::sql
