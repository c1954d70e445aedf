#include "components/checks/accepted.h"

#include <fmt/format.h>

#include "components/checks/check_columns.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using spec::Field;
using spec::Spec;

struct AcceptedOptions {
  std::string column;
  std::vector<spec::Value> values;
};

class Accepted : public pipeline::Check {
 public:
  explicit Accepted(const pipeline::CheckContext& context)
      : site_(context), options_(context.ref->As<AcceptedOptions>()) {}

  std::vector<std::string> columns() const override { return {options_.column}; }

  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    const auto found = LintColumns(site_, columns(), "column", schema, diagnostics);
    for (size_t n = 0; n < options_.values.size(); ++n) {
      const spec::Value& value = options_.values[n];
      const std::string field = fmt::format("values[{}]", n);
      if (value.IsNull()) {
        diagnostics.Add(
            site_.Fault("bad_value", "NULL passes this check: it needs no mention", field)
                .Hint("leave it out; `not_null` is the check that refuses NULL"));
        continue;
      }
      if (found.empty() || found[0] == nullptr) continue;
      const std::string why = WhyNotComparable(*found[0], value);
      if (!why.empty()) diagnostics.Add(site_.Fault("type_mismatch", why, field));
    }
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    return fmt::format("{}: {} not one of {}", options_.column, Values(values[0].AsInt64()),
                       List());
  }

  std::string BadRows(const std::string&) const override {
    std::string list;
    for (const spec::Value& value : options_.values) {
      if (!value.IsNull()) list += (list.empty() ? "" : ", ") + SqlLiteral(value);
    }
    if (list.empty()) return QuoteIdentifier(options_.column) + " IS NOT NULL";
    return fmt::format("{} NOT IN ({})", QuoteIdentifier(options_.column), list);
  }

  std::string Reason() const override {
    return ReasonSql(options_.column, " is not one of " + List());
  }

  std::string SampleSql(const std::string& table) const override {
    return FrequentSql(QuoteIdentifier(options_.column), table, BadRows(table));
  }

 private:
  std::string List() const {
    constexpr size_t kMost = 8;
    std::string list;
    for (size_t n = 0; n < options_.values.size() && n < kMost; ++n) {
      list += (n == 0 ? "" : ", ") + Shown(options_.values[n]);
    }
    return list + (options_.values.size() > kMost ? ", …" : "");
  }

  const CheckSite site_;
  const AcceptedOptions options_;
};

}  // namespace

const Spec& AcceptedSpec() {
  static const Spec spec = [] {
    Spec s("check", "accepted", "A column holds only values of a list.",
           {Field("column", &AcceptedOptions::column, "Column to check.")
                .Column()
                .NotEmpty()
                .Example("plan"),
            Field("values", &AcceptedOptions::values, "Allowed values; NULL passes in any case.")
                .NotEmpty()
                .ShortUnderColumn()});
    s.Example("accepted: {column: plan, values: [basic, pro]}\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeAccepted(const pipeline::CheckContext& context) {
  return std::make_unique<Accepted>(context);
}

}  // namespace headrace::components
