#include "components/checks/unique.h"

#include <fmt/format.h>

#include "components/checks/check_columns.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using spec::Field;
using spec::Spec;

struct UniqueOptions {
  std::vector<std::string> columns;
};

class Unique : public pipeline::Check {
 public:
  explicit Unique(const pipeline::CheckContext& context)
      : site_(context), columns_(context.ref->As<UniqueOptions>().columns) {}

  std::vector<std::string> columns() const override { return columns_; }

  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    LintColumns(site_, columns_, "columns", schema, diagnostics);
  }

  /// Exact: several columns are compared as a row, not as a hash of it.
  std::vector<std::string> Aggregates(const std::string&) const override {
    if (columns_.size() == 1) {
      const std::string column = QuoteIdentifier(columns_[0]);
      return {fmt::format("count({0}) - count(DISTINCT {0})", column)};
    }
    return {fmt::format("count(*) FILTER (WHERE {0}) - count(DISTINCT ROW({1})) FILTER (WHERE {0})",
                        Complete(), data::QuoteIdentifiers(columns_))};
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    const int64_t n = values[0].AsInt64();
    return fmt::format("{}: {} {} that another row has already", fmt::join(columns_, ", "),
                       n == 1 ? "1 row has" : fmt::format("{} rows have", n),
                       columns_.size() == 1 ? "a value" : "values");
  }

  /// All rows of a value that is there more than once: none of them can be called the right one.
  std::string BadRows(const std::string& relation) const override {
    const std::string names = data::QuoteIdentifiers(columns_);
    const std::string row = columns_.size() == 1 ? names : "ROW(" + names + ")";
    return fmt::format(
        "({0}) AND {1} IN (SELECT {1} FROM {2} WHERE {0} GROUP BY {3} HAVING count(*) > 1)",
        Complete(), row, relation, names);
  }

  std::string Reason() const override {
    return data::QuoteLiteral(fmt::format("{} {} in several rows", fmt::join(columns_, ", "),
                                          columns_.size() == 1 ? "is" : "are"));
  }

  bool OfOtherRows() const override { return true; }

  std::string SampleSql(const std::string& table) const override {
    const std::string names = data::QuoteIdentifiers(columns_);
    return fmt::format(
        "SELECT {0}, count(*) AS rows FROM {1} WHERE {2} GROUP BY {0} HAVING count(*) > 1 ORDER BY "
        "count(*) DESC, {0} LIMIT 5",
        names, table, Complete());
  }

 private:
  /// NULL passes: a row with one is not compared.
  std::string Complete() const {
    std::string condition;
    for (const std::string& column : columns_) {
      condition += (condition.empty() ? "" : " AND ") + QuoteIdentifier(column) + " IS NOT NULL";
    }
    return condition;
  }

  const CheckSite site_;
  const std::vector<std::string> columns_;
};

}  // namespace

const Spec& UniqueSpec() {
  static const Spec spec = [] {
    Spec s("check", "unique", "No two rows have the same values in these columns.",
           {Field("columns", &UniqueOptions::columns,
                  "Columns that are unique together; rows with NULL in one of them pass.")
                .Alias("column")
                .Column()
                .NotEmpty()
                .Short()
                .Example("customer_id")});
    s.Example("unique: customer_id\n");
    s.Example("unique: [customer_id, month_end]\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeUnique(const pipeline::CheckContext& context) {
  return std::make_unique<Unique>(context);
}

}  // namespace headrace::components
