#include "components/checks/expression.h"

#include <fmt/format.h>

#include <set>

#include "base/suggest.h"
#include "components/checks/check_columns.h"
#include "data/quote.h"
#include "sql/describe.h"
#include "sql/expression.h"

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

struct ExpressionOptions {
  std::string expression;
};

/// The expression on one line, as an id and for messages.
std::string OneLine(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

class Expression : public pipeline::Check {
 public:
  explicit Expression(const pipeline::CheckContext& context)
      : site_(context),
        text_(context.ref->As<ExpressionOptions>().expression),
        parser_(context.parser) {
    if (parser_ == nullptr || context.diagnostics == nullptr) return;
    parsed_ = sql::ParseExpression(*parser_, Text());
    for (const Error& fault : parsed_.faults) context.diagnostics->Add(fault);
  }

  std::vector<std::string> columns() const override { return {OneLine(text_)}; }

  /// Only while the project is loaded: the parser lives no longer.
  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    if (schema == nullptr || parser_ == nullptr || !parsed_.ok()) return;
    bool known = true;
    for (const sql::NameUse& use : parsed_.columns) {
      if (schema->Find(use.name) != nullptr) continue;
      known = false;
      Error error = UserError("unknown_column",
                              fmt::format("'{}' has no column '{}'", site_.node, use.written));
      diagnostics.Add(error.At(sql::PlaceOf(Text(), use.span))
                          .Node(site_.node)
                          .Subject(use.written)
                          .Candidates(Suggest(use.written, schema->Names())));
    }
    if (!known) return;
    auto catalog = sql::SchemaCatalog::Open(*parser_);
    if (!catalog.ok()) {
      diagnostics.Add(catalog.error());
      return;
    }
    Status boolean = sql::CheckBoolean(**catalog, Text(), *schema);
    if (!boolean.ok()) diagnostics.Add(Error(boolean.error()).Node(site_.node));
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    return fmt::format("{} {}", RowsBreak(values[0].AsInt64()), OneLine(text_));
  }

  /// On lines of its own: a comment may end it. NULL is not false, so it passes.
  std::string BadRows(const std::string&) const override {
    return fmt::format("NOT (\n{}\n)", text_);
  }

  std::string Reason() const override { return data::QuoteLiteral("breaks " + OneLine(text_)); }

 private:
  sql::SqlText Text() const {
    return {
        text_, site_.ref.place.file, site_.node,
        site_.ref.places.Has("expression") ? site_.ref.places.Of("expression") : site_.ref.place};
  }

  const CheckSite site_;
  const std::string text_;
  sql::SqlParser* const parser_;
  sql::ParsedExpression parsed_;
};

}  // namespace

const Spec& ExpressionSpec() {
  static const Spec spec = [] {
    Spec s("check", "expression", "A SQL expression over the row is true, or NULL.",
           {Field("expression", &ExpressionOptions::expression,
                  "Boolean SQL expression; it may use the row's columns, no other rows.")
                .SqlExpression()
                .NotEmpty()
                .Short()
                .Example("minutes >= 0 and day is not null")});
    s.Example("expression: minutes >= 0 and day is not null\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeExpression(const pipeline::CheckContext& context) {
  return std::make_unique<Expression>(context);
}

}  // namespace headrace::components
