#include "sql/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "sql/compose.h"
#include "sql/duck_session.h"
#include "sql/faults.h"
#include "sql/lexer.h"
#include "sql/statement.h"
#include "sql/tree.h"

namespace headrace::sql {
namespace {

constexpr char kForm[] = "write a comparison such as roc_auc >= 0.80, rmse <= 1.1 * champion.rmse";

/// Reads DuckDB's tree of "SELECT <gate>" into a Gate.
class GateReader {
 public:
  GateReader(const SqlText& text, const std::vector<std::string>& metrics)
      : text_(text), metrics_(metrics) {}

  Result<Gate> Read(const Json& item) const {
    Gate gate;
    gate.text = std::string(TrimStatement(text_.text));
    HR_ASSIGN(gate.compare, CompareOf(item));
    const Json *left = Member(item, "left"), *right = Member(item, "right");
    if (left == nullptr || right == nullptr) return Bad(item, "this is no comparison", kForm);
    HR_ASSIGN(GateTerm metric, ReadTerm(*left));
    if (metric.kind != GateTerm::Kind::kMetric ||
        metric.metric.subject == GateMetric::Subject::kChampion) {
      return Bad(*left, "the left side must be one metric of the candidate",
                 "put the metric on the left: roc_auc >= champion.roc_auc - 0.005");
    }
    gate.left = metric.metric;
    gate.left_place = metric.place;
    gate.slice = gate.left.slice;
    HR_ASSIGN(gate.right, ReadTerm(*right));
    HR_TRY(CheckRight(gate.right, gate));
    return gate;
  }

 private:
  Span SpanOf(const Json& part) const {
    const size_t offset = OffsetOf(part);
    if (offset != std::string::npos && offset >= kExpressionPrefix.size()) {
      return NameSpanAt(text_.text, offset - kExpressionPrefix.size());
    }
    for (const char* key : {"children", "left"}) {
      const Json* child = Member(part, key);
      if (child != nullptr && child->is_array() && !child->empty()) return SpanOf((*child)[0]);
      if (child != nullptr && child->is_object()) return SpanOf(*child);
    }
    return {0, 0};
  }

  Error Bad(const Json& part, std::string message, std::string hint) const {
    return UserError("bad_gate", std::move(message))
        .At(PlaceOf(text_, SpanOf(part)))
        .Hint(std::move(hint));
  }

  Result<GateCompare> CompareOf(const Json& item) const {
    const std::string_view type = TextMember(item, "type");
    if (type == "COMPARE_GREATERTHANOREQUALTO") return GateCompare::kGreaterEqual;
    if (type == "COMPARE_GREATERTHAN") return GateCompare::kGreater;
    if (type == "COMPARE_LESSTHANOREQUALTO") return GateCompare::kLessEqual;
    if (type == "COMPARE_LESSTHAN") return GateCompare::kLess;
    if (type.starts_with("CONJUNCTION") || type == "COMPARE_BETWEEN") {
      return Bad(item, "a gate is one comparison", "make each comparison a line of its own");
    }
    if (type.starts_with("COMPARE_")) {
      return Bad(item, "a gate compares by >=, >, <= or <", kForm);
    }
    return Bad(item, "this is no comparison", kForm);
  }

  Result<GateTerm> ReadTerm(const Json& part) const {
    const std::string_view type = TextMember(part, "class");
    if (type == "CONSTANT") return ReadNumber(part);
    if (type == "COLUMN_REF" || type == "OPERATOR") return ReadMetric(part);
    if (type == "FUNCTION") return ReadOperator(part);
    return Bad(part, "a gate knows numbers, metrics and + - * /", kForm);
  }

  /// As written: 0.005 stands in the tree as DECIMAL.
  Result<GateTerm> ReadNumber(const Json& part) const {
    const Json* value = Member(part, "value");
    const Json* number = value == nullptr ? nullptr : Member(*value, "value");
    const size_t offset = OffsetOf(part);
    if (number == nullptr || !number->is_number() || offset == std::string::npos) {
      return Bad(part, "a number is expected here", kForm);
    }
    GateTerm term;
    for (const Token& token : Lex(text_.text)) {
      if (token.kind != Token::Kind::kNumber ||
          token.span.offset + token.span.length + kExpressionPrefix.size() <= offset) {
        continue;
      }
      std::string digits(TextOf(text_.text, token));
      std::erase(digits, '_');
      std::from_chars(digits.data(), digits.data() + digits.size(), term.number);
      term.place = PlaceOf(text_, token.span);
      break;
    }
    if (number->get<double>() < 0) term.number = -term.number;
    return term;
  }

  Result<GateTerm> ReadOperator(const Json& part) const {
    const std::string_view name = TextMember(part, "function_name");
    const Json* children = Member(part, "children");
    const size_t count = children == nullptr ? 0 : children->size();
    static constexpr std::pair<std::string_view, GateTerm::Kind> kOperators[] = {
        {"+", GateTerm::Kind::kAdd},
        {"-", GateTerm::Kind::kSubtract},
        {"*", GateTerm::Kind::kMultiply},
        {"/", GateTerm::Kind::kDivide}};
    for (const auto& [text, kind] : kOperators) {
      if (name != text || count == 0 || count > 2) continue;
      GateTerm term;
      term.kind = kind;
      term.place = PlaceOf(text_, SpanOf(part));
      for (const Json& child : *children) {
        HR_ASSIGN(GateTerm operand, ReadTerm(child));
        term.terms.push_back(std::move(operand));
      }
      if (count == 2) return term;
      if (kind == GateTerm::Kind::kAdd) return std::move(term.terms[0]);
      term.kind = GateTerm::Kind::kNegate;
      return term;
    }
    return Bad(part, fmt::format("a gate knows + - * /, but not {}", name), kForm);
  }

  // ── metrics: [champion.] metric [ '[' slice ']' ] [ .low | .high ]

  Result<GateTerm> ReadMetric(const Json& part) const {
    GateTerm term;
    term.kind = GateTerm::Kind::kMetric;
    term.place = PlaceOf(text_, SpanOf(part));
    HR_TRY(ReadReference(part, term.metric));
    HR_TRY(CheckMetric(part, term.metric));
    return term;
  }

  Status ReadReference(const Json& part, GateMetric& metric) const {
    const std::string_view type = TextMember(part, "type");
    const Json* children = Member(part, "children");
    if (type == "STRUCT_EXTRACT" && HasItems(children) && children->size() == 2) {
      HR_TRY(ReadReference((*children)[0], metric));
      const Json* value = Member((*children)[1], "value");
      return ReadBound(part, Lower(value == nullptr ? "" : TextMember(*value, "value")), metric);
    }
    if (type == "ARRAY_EXTRACT" && HasItems(children) && children->size() == 2) {
      HR_TRY(ReadReference((*children)[0], metric));
      const Json* names = Member((*children)[1], "column_names");
      if (!HasItems(names) || names->size() != 1 || !metric.slice.empty()) {
        return Bad((*children)[1], "a slice is the name of one column",
                   "for instance: roc_auc[region]");
      }
      metric.slice = Lower((*names)[0].get_ref<const std::string&>());
      return Ok();
    }
    const Json* names = Member(part, "column_names");
    if (!HasItems(names)) return Bad(part, "a metric is expected here", kForm);
    return ReadNames(part, *names, metric);
  }

  Status ReadNames(const Json& part, const Json& names, GateMetric& metric) const {
    size_t i = 0;
    const auto name = [&](size_t at) { return Lower(names[at].get_ref<const std::string&>()); };
    if (name(0) == "champion") {
      metric.subject = GateMetric::Subject::kChampion;
      ++i;
    }
    if (i == names.size()) {
      return Bad(part, "a metric of the champion is expected here",
                 "for instance: champion.roc_auc");
    }
    metric.metric = name(i++);
    if (i < names.size()) HR_TRY(ReadBound(part, name(i++), metric));
    if (i < names.size()) return Bad(part, "this name has too many parts", kForm);
    return Ok();
  }

  Status ReadBound(const Json& part, const std::string& bound, GateMetric& metric) const {
    if (bound == "low") {
      metric.value = GateMetric::Value::kLow;
    } else if (bound == "high") {
      metric.value = GateMetric::Value::kHigh;
    } else {
      return Bad(part, fmt::format("'{}' is no bound of a metric", bound),
                 "the 95 % bounds are .low and .high; the champion's metric is champion.roc_auc");
    }
    return Ok();
  }

  Status CheckMetric(const Json& part, const GateMetric& metric) const {
    if (metrics_.empty() ||
        std::find(metrics_.begin(), metrics_.end(), metric.metric) != metrics_.end()) {
      return Ok();
    }
    Error error = UserError("unknown_metric", fmt::format("there is no metric '{}'", metric.metric))
                      .At(PlaceOf(text_, SpanOf(part)))
                      .Subject(metric.metric);
    std::vector<std::string> candidates = Suggest(metric.metric, metrics_);
    if (candidates.empty()) {
      std::string all;
      for (const std::string& known : metrics_) all += (all.empty() ? "" : ", ") + known;
      error.Hint("metrics here: " + all);
    }
    return error.Candidates(std::move(candidates));
  }

  /// Slices must be the left side's; whether the champion is named.
  Status CheckRight(const GateTerm& term, Gate& gate) const {
    for (const GateTerm& operand : term.terms) HR_TRY(CheckRight(operand, gate));
    if (term.kind != GateTerm::Kind::kMetric) return Ok();
    gate.relative = gate.relative || term.metric.subject == GateMetric::Subject::kChampion;
    if (term.metric.slice.empty() || term.metric.slice == gate.slice) return Ok();
    return UserError(
               "bad_gate",
               fmt::format("the right side is sliced by '{}', the left side {}", term.metric.slice,
                           gate.slice.empty() ? "is not" : "by '" + gate.slice + "'"))
        .At(term.place)
        .Hint(fmt::format("write {}[{}] on the left", gate.left.metric, term.metric.slice));
  }

  const SqlText& text_;
  const std::vector<std::string>& metrics_;
};

}  // namespace

Result<Gate> ParseGate(SqlParser& parser, const SqlText& text,
                       const std::vector<std::string>& metrics) {
  const std::vector<Token> tokens = Lex(text.text);
  if (tokens.empty()) {
    return UserError("bad_gate", "there is no gate here").At(PlaceOf(text, {})).Hint(kForm);
  }
  if (auto fault = CheckStatement(text, tokens)) return std::move(fault->Hint(kForm));
  HR_ASSIGN(
      const std::vector<std::string> trees,
      parser.state().Serialize({std::string(kExpressionPrefix) + WithAsciiBlanks(text.text)}));
  const Json answer = ParseTree(trees[0]);
  const Json* statements = Member(answer, "statements");
  if (!HasItems(statements)) return ExplainParseError(text, answer, kExpressionPrefix.size());
  std::vector<Error> faults;
  const Json* item = OneExpression(text, (*statements)[0], faults);
  if (item == nullptr) return std::move(faults[0].Hint(kForm));
  return GateReader(text, metrics).Read(*item);
}

Result<double> EvaluateTerm(const GateTerm& term,
                            const std::function<Result<double>(const GateMetric&)>& value_of) {
  if (term.kind == GateTerm::Kind::kNumber) return term.number;
  if (term.kind == GateTerm::Kind::kMetric) return value_of(term.metric);
  HR_ASSIGN(const double left, EvaluateTerm(term.terms[0], value_of));
  if (term.kind == GateTerm::Kind::kNegate) return -left;
  HR_ASSIGN(const double right, EvaluateTerm(term.terms[1], value_of));
  switch (term.kind) {
    case GateTerm::Kind::kAdd:
      return left + right;
    case GateTerm::Kind::kSubtract:
      return left - right;
    case GateTerm::Kind::kMultiply:
      return left * right;
    default:
      break;
  }
  if (right == 0) return UserError("bad_gate", "the gate divides by zero").At(term.place);
  return left / right;
}

bool Holds(GateCompare compare, double left, double right) {
  switch (compare) {
    case GateCompare::kLess:
      return left < right;
    case GateCompare::kLessEqual:
      return left <= right;
    case GateCompare::kGreater:
      return left > right;
    case GateCompare::kGreaterEqual:
      return left >= right;
  }
  return false;
}

const char* CompareText(GateCompare compare) {
  switch (compare) {
    case GateCompare::kLess:
      return "<";
    case GateCompare::kLessEqual:
      return "<=";
    case GateCompare::kGreater:
      return ">";
    case GateCompare::kGreaterEqual:
      return ">=";
  }
  return "";
}

}  // namespace headrace::sql
