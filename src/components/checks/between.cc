#include "components/checks/between.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "components/checks/check_columns.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using spec::Field;
using spec::Spec;

struct BetweenOptions {
  std::string column;
  std::optional<spec::Value> min, max;
  bool exclusive = false;
};

std::optional<spec::Fault> CheckOrder(const BetweenOptions& o) {
  if (!o.min || !o.max) return std::nullopt;
  bool wrong = false;
  if (o.min->IsNumber() && o.max->IsNumber()) {
    wrong = o.min->Number() > o.max->Number();
  } else if (o.min->kind() == spec::Value::Kind::kString &&
             o.max->kind() == spec::Value::Kind::kString) {
    const auto low = ParseTimestamp(o.min->String()), high = ParseTimestamp(o.max->String());
    wrong = low.ok() && high.ok() ? *low > *high : o.min->String() > o.max->String();
  } else {
    return spec::Fault{
        "max",
        fmt::format("min {} and max {} are of different types", Shown(*o.min), Shown(*o.max)), ""};
  }
  if (!wrong) return std::nullopt;
  return spec::Fault{"min", fmt::format("min {} is above max {}", Shown(*o.min), Shown(*o.max)),
                     "no value can pass"};
}

class Between : public pipeline::Check {
 public:
  explicit Between(const pipeline::CheckContext& context)
      : site_(context), options_(context.ref->As<BetweenOptions>()) {}

  std::vector<std::string> columns() const override { return {options_.column}; }

  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    const auto found = LintColumns(site_, columns(), "column", schema, diagnostics);
    if (found.empty() || found[0] == nullptr) return;
    const auto check = [&](const std::optional<spec::Value>& bound, const std::string& field) {
      if (!bound) return;
      std::string why = WhyNotComparable(*found[0], *bound);
      if (why.empty() && data::ClassOf(found[0]->type) == data::TypeClass::kBoolean) {
        why = fmt::format("column '{}' is BOOLEAN, which has no range", found[0]->name);
      }
      if (!why.empty()) diagnostics.Add(site_.Fault("type_mismatch", why, field));
    };
    check(options_.min, "min");
    check(options_.max, "max");
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    return fmt::format("{}: {} not {}", options_.column, Values(values[0].AsInt64()), Range());
  }

  std::string Reason() const override { return ReasonSql(options_.column, " is not " + Range()); }

  std::string BadRows(const std::string&) const override {
    const std::string column = QuoteIdentifier(options_.column);
    std::string condition;
    bool numbers = false;
    const auto add = [&](const std::optional<spec::Value>& bound, const char* beyond) {
      if (!bound) return;
      numbers = numbers || bound->IsNumber();
      condition += fmt::format("{}{} {} {}", condition.empty() ? "" : " OR ", column, beyond,
                               SqlLiteral(*bound));
    };
    add(options_.min, options_.exclusive ? "<=" : "<");
    add(options_.max, options_.exclusive ? ">=" : ">");
    // In SQL NaN is the largest number: with a `min` alone it would pass.
    if (numbers) condition += fmt::format(" OR isnan(CAST({} AS DOUBLE))", column);
    return condition;
  }

 private:
  std::string Range() const {
    std::string range;
    const char* open = options_.exclusive ? "above" : "at least";
    const char* close = options_.exclusive ? "below" : "at most";
    if (options_.min) range += fmt::format("{} {}", open, Shown(*options_.min));
    if (options_.max) {
      range += fmt::format("{}{} {}", range.empty() ? "" : " and ", close, Shown(*options_.max));
    }
    return range;
  }

  const CheckSite site_;
  const BetweenOptions options_;
};

}  // namespace

const Spec& BetweenSpec() {
  static const Spec spec = [] {
    Spec s(
        "check", "between", "Values of a column lie in a range. NULL passes, NaN fails.",
        {Field("column", &BetweenOptions::column, "Column to check.")
             .Column()
             .NotEmpty()
             .Example("minutes"),
         Field("min", &BetweenOptions::min, "Smallest allowed value: a number, or a date as text.")
             .Example(0),
         Field("max", &BetweenOptions::max, "Largest allowed value.").Example(1440),
         Field("exclusive", &BetweenOptions::exclusive, "min and max themselves fail.").Default()});
    s.AtLeastOne({"min", "max"});
    s.Rule<BetweenOptions>(CheckOrder);
    s.Example("between: {column: minutes, min: 0, max: 1440}\n");
    s.Example("between: {column: day, min: 2020-01-01}\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeBetween(const pipeline::CheckContext& context) {
  return std::make_unique<Between>(context);
}

}  // namespace headrace::components
