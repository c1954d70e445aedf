#include "components/checks/matches.h"

#include <fmt/format.h>

#include "components/checks/check_columns.h"
#include "data/quote.h"
#include "sql/pattern.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using spec::Field;
using spec::Spec;

struct MatchesOptions {
  std::string column;
  std::string pattern;
};

class Matches : public pipeline::Check {
 public:
  explicit Matches(const pipeline::CheckContext& context)
      : site_(context), options_(context.ref->As<MatchesOptions>()) {
    if (context.parser == nullptr || context.diagnostics == nullptr) return;
    Status sound = sql::CheckPattern(*context.parser, options_.pattern);
    if (sound.ok()) return;
    context.diagnostics->Add(
        site_.Fault("bad_pattern", sound.error().message, "pattern").Hint(sound.error().hint));
  }

  std::vector<std::string> columns() const override { return {options_.column}; }

  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    const auto found = LintColumns(site_, columns(), "column", schema, diagnostics);
    if (found.empty() || found[0] == nullptr) return;
    if (data::ClassOf(found[0]->type) == data::TypeClass::kText) return;
    diagnostics.Add(site_
                        .Fault("type_mismatch",
                               fmt::format("column '{}' is {}; a pattern is for text",
                                           found[0]->name, found[0]->type),
                               "column")
                        .Hint("use `between` or `accepted`, or cast the column in a node"));
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    return fmt::format("{}: {} not like {}", options_.column, Values(values[0].AsInt64()),
                       options_.pattern);
  }

  std::string BadRows(const std::string&) const override {
    return fmt::format("NOT regexp_full_match({}, {})", QuoteIdentifier(options_.column),
                       data::QuoteLiteral(options_.pattern));
  }

  std::string Reason() const override {
    return ReasonSql(options_.column, " is not like " + options_.pattern);
  }

  std::string SampleSql(const std::string& table) const override {
    return FrequentSql(QuoteIdentifier(options_.column), table, BadRows(table));
  }

 private:
  const CheckSite site_;
  const MatchesOptions options_;
};

}  // namespace

const Spec& MatchesSpec() {
  static const Spec spec = [] {
    Spec s("check", "matches", "Texts of a column have a form. NULL passes.",
           {Field("column", &MatchesOptions::column, "Column to check.")
                .Column()
                .NotEmpty()
                .Example("email"),
            Field("pattern", &MatchesOptions::pattern,
                  "Regular expression (RE2) that the whole text must match; begin and end with .* "
                  "for a part of it.")
                .NotEmpty()
                .ShortUnderColumn()
                .Example("[^@ ]+@[^@ ]+")});
    s.Example("matches: {column: email, pattern: '[^@ ]+@[^@ ]+'}\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeMatches(const pipeline::CheckContext& context) {
  return std::make_unique<Matches>(context);
}

}  // namespace headrace::components
