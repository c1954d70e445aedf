#include "components/checks/not_null.h"

#include <fmt/format.h>

#include "components/checks/check_columns.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using spec::Field;
using spec::Spec;

struct NotNullOptions {
  std::vector<std::string> columns;
};

class NotNull : public pipeline::Check {
 public:
  explicit NotNull(const pipeline::CheckContext& context)
      : site_(context), columns_(context.ref->As<NotNullOptions>().columns) {}

  std::vector<std::string> columns() const override { return columns_; }

  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    LintColumns(site_, columns_, "columns", schema, diagnostics);
  }

  /// Rows first, then values of each column when there are several.
  std::vector<std::string> Aggregates(const std::string& relation) const override {
    std::vector<std::string> all = {fmt::format("count(*) FILTER (WHERE {})", BadRows(relation))};
    if (columns_.size() > 1) {
      for (const std::string& column : columns_) {
        all.push_back(fmt::format("count(*) - count({})", QuoteIdentifier(column)));
      }
    }
    return all;
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    std::string text;
    for (size_t n = 0; n < columns_.size(); ++n) {
      const int64_t missing = values[columns_.size() > 1 ? n + 1 : 0].AsInt64();
      if (missing == 0) continue;
      text +=
          fmt::format("{}{}: {} missing", text.empty() ? "" : ", ", columns_[n], Values(missing));
    }
    return text;
  }

  std::string BadRows(const std::string&) const override {
    std::string condition;
    for (const std::string& column : columns_) {
      condition += (condition.empty() ? "" : " OR ") + QuoteIdentifier(column) + " IS NULL";
    }
    return condition;
  }

  std::string Reason() const override {
    std::string parts;
    for (const std::string& column : columns_) {
      parts += fmt::format(", CASE WHEN {} IS NULL THEN {} END", QuoteIdentifier(column),
                           data::QuoteLiteral(column + " is missing"));
    }
    return "concat_ws(', '" + parts + ")";
  }

 private:
  const CheckSite site_;
  const std::vector<std::string> columns_;
};

}  // namespace

const Spec& NotNullSpec() {
  static const Spec spec = [] {
    Spec s("check", "not_null", "Columns have a value in every row.",
           {Field("columns", &NotNullOptions::columns, "Columns to check.")
                .Alias("column")
                .Column()
                .NotEmpty()
                .Short()
                .Example("customer_id")});
    s.Example("not_null: customer_id\n");
    s.Example("not_null: [customer_id, day]\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeNotNull(const pipeline::CheckContext& context) {
  return std::make_unique<NotNull>(context);
}

}  // namespace headrace::components
