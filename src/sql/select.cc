#include "sql/select.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sql/canonical.h"
#include "sql/duck_session.h"
#include "sql/faults.h"
#include "sql/lexer.h"
#include "sql/statement.h"
#include "sql/tree.h"
#include "sql/walk.h"

namespace headrace::sql {
namespace {

const SelectRules& RulesOf(std::span<const SelectRules> rules, size_t i) {
  static const SelectRules unchecked = AnyParameters();
  if (rules.empty()) return unchecked;
  return rules.size() == 1 ? rules[0] : rules[i];
}

std::vector<std::string> DistinctTables(const std::vector<NameUse>& tables) {
  std::vector<std::string> names;
  for (const NameUse& use : tables) names.push_back(use.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void SortByPlace(std::vector<Error>& errors) {
  std::stable_sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
}

void ReadTree(const std::string& json, const SqlText& text, const SelectRules& rules,
              const FunctionCatalog& functions, ParsedSelect& select) {
  const Json answer = ParseTree(json);
  const Json* statements = Member(answer, "statements");
  if (!HasItems(statements)) {
    select.faults.push_back(ExplainParseError(text, answer, 0));
    return;
  }
  // Unreachable while our words and DuckDB's agree; a second statement must never slip through.
  if (statements->size() > 1) {
    select.faults.push_back(SecondStatementFault(text, {}));
    return;
  }
  Facts facts = Walk((*statements)[0], text, {.rules = &rules, .functions = &functions});
  select.tables = std::move(facts.tables);
  select.inputs = DistinctTables(select.tables);
  select.functions = std::move(facts.functions);
  select.sums = std::move(facts.sums);
  select.uses_volatile = facts.uses_volatile;
  select.hints = std::move(facts.hints);
  std::move(facts.faults.begin(), facts.faults.end(), std::back_inserter(select.faults));
  SortByPlace(select.faults);
  SortByPlace(select.hints);
  select.canonical = CanonicalHash((*statements)[0]);
}

}  // namespace

std::vector<ParsedSelect> SqlParser::ParseSelects(std::span<const SqlText> texts,
                                                  std::span<const SelectRules> rules) {
  std::vector<ParsedSelect> selects(texts.size());
  std::vector<std::string> to_parse;
  std::vector<size_t> indexes;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Token> tokens = Lex(texts[i].text);
    ParsedSelect& select = selects[i];
    if (auto fault = CheckStatement(texts[i], tokens)) {
      select.faults.push_back(std::move(*fault));
      continue;
    }
    select.parameters = FindParameters(texts[i], tokens, RulesOf(rules, i), select.faults);
    select.parameter_names = DistinctNames(select.parameters);
    indexes.push_back(i);
    to_parse.push_back(WithAsciiBlanks(texts[i].text));
  }
  const Result<std::vector<std::string>> trees = state_->Serialize(to_parse);
  for (size_t t = 0; t < indexes.size(); ++t) {
    const size_t i = indexes[t];
    if (trees.ok()) {
      ReadTree((*trees)[t], texts[i], RulesOf(rules, i), state_->functions, selects[i]);
    } else {
      selects[i].faults.push_back(trees.error());
    }
  }
  return selects;
}

ParsedSelect SqlParser::ParseSelect(const SqlText& text, const SelectRules& rules) {
  return std::move(ParseSelects({&text, 1}, {&rules, 1})[0]);
}

}  // namespace headrace::sql
