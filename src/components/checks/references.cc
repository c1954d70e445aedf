#include "components/checks/references.h"

#include <fmt/format.h>

#include "components/checks/check_columns.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using data::QuoteIdentifier;
using spec::Field;
using spec::Spec;

struct ReferencesOptions {
  std::vector<std::string> columns;
  std::string node;
  std::vector<std::string> to;
};

std::optional<spec::Fault> CheckCounts(const ReferencesOptions& o) {
  if (o.to.empty() || o.to.size() == o.columns.size()) return std::nullopt;
  return spec::Fault{"to", fmt::format("{} columns refer to {}", o.columns.size(), o.to.size()),
                     "name as many columns of the other node, in the same order"};
}

class References : public pipeline::Check {
 public:
  explicit References(const pipeline::CheckContext& context)
      : site_(context),
        options_(context.ref->As<ReferencesOptions>()),
        to_(options_.to.empty() ? options_.columns : options_.to),
        schema_of_(context.schema_of) {}

  std::vector<std::string> columns() const override { return options_.columns; }

  /// Only while the project is loaded: the other nodes' columns are not known later.
  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    const auto own = LintColumns(site_, options_.columns, "columns", schema, diagnostics);
    const data::Schema* there = Self() ? schema : schema_of_ ? schema_of_(options_.node) : nullptr;
    if (there == nullptr) return;
    CheckSite other = site_;
    other.node = options_.node;
    Diagnostics found;
    const auto others = LintColumns(other, to_, "to", there, found);
    for (Error error : found.all()) diagnostics.Add(std::move(error.Node(site_.node)));
    for (size_t n = 0; n < own.size() && n < others.size(); ++n) {
      if (own[n] == nullptr || others[n] == nullptr) continue;
      const auto a = data::ClassOf(own[n]->type), b = data::ClassOf(others[n]->type);
      if (a == b || (data::IsNumber(a) && data::IsNumber(b))) continue;
      diagnostics.Add(site_.Fault(
          "type_mismatch",
          fmt::format("column '{}' is {}, column '{}' of '{}' is {}: no value can refer to another",
                      own[n]->name, own[n]->type, others[n]->name, options_.node, others[n]->type),
          "columns"));
    }
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts&) const override {
    return fmt::format("{}: {} not in {}({})", fmt::join(options_.columns, ", "),
                       Values(values[0].AsInt64()), options_.node, fmt::join(to_, ", "));
  }

  std::string BadRows(const std::string& relation) const override {
    std::string whole, inner, complete;
    for (const std::string& column : options_.columns) {
      whole += (whole.empty() ? "" : " AND ") + QuoteIdentifier(column) + " IS NOT NULL";
    }
    // With the name of the table: a column that it lacks must not be taken from the row outside.
    for (const std::string& column : to_) {
      inner += (inner.empty() ? "" : ", ") + ("r." + QuoteIdentifier(column));
      complete += (complete.empty() ? "r." : " AND r.") + QuoteIdentifier(column) + " IS NOT NULL";
    }
    std::string names = data::QuoteIdentifiers(options_.columns);
    if (options_.columns.size() > 1) {
      names = "ROW(" + names + ")";
      inner = "ROW(" + inner + ")";
    }
    return fmt::format("({}) AND {} NOT IN (SELECT {} FROM {} AS r WHERE {})", whole, names, inner,
                       Self() ? "(SELECT * FROM " + relation + ")" : QuoteIdentifier(options_.node),
                       complete);
  }

  std::string Reason() const override {
    std::string values;
    for (const std::string& column : options_.columns) {
      values += fmt::format("{}left(CAST({} AS VARCHAR), 100)", values.empty() ? "" : ", ",
                            QuoteIdentifier(column));
    }
    return fmt::format(
        "{} || concat_ws(', ', {}) || {}",
        data::QuoteLiteral(fmt::format("{} ", fmt::join(options_.columns, ", "))), values,
        data::QuoteLiteral(fmt::format(" is not in {}({})", options_.node, fmt::join(to_, ", "))));
  }

  std::string SampleSql(const std::string& table) const override {
    return FrequentSql(data::QuoteIdentifiers(options_.columns), table, BadRows(table));
  }

  bool OfOtherRows() const override { return Self(); }
  bool ReadsItself() const override { return Self(); }
  std::string Reads() const override { return Self() ? "" : options_.node; }

 private:
  bool Self() const { return options_.node == site_.node; }

  const CheckSite site_;
  const ReferencesOptions options_;
  const std::vector<std::string> to_;
  const std::function<const data::Schema*(const std::string& node)> schema_of_;
};

}  // namespace

const Spec& ReferencesSpec() {
  static const Spec spec = [] {
    Spec s("check", "references", "Values of a column are there in another node. NULL passes.",
           {Field("columns", &ReferencesOptions::columns, "Columns to check, as one value.")
                .Alias("column")
                .Column()
                .NotEmpty()
                .Example("customer_id"),
            Field("node", &ReferencesOptions::node,
                  "Node that holds the values; it runs before this one.")
                .Node()
                .NotEmpty()
                .ShortUnderColumn()
                .Example("customers"),
            Field("to", &ReferencesOptions::to, "Its columns, if they are named differently.")
                .Optional()
                .Example("id")});
    s.Rule<ReferencesOptions>(CheckCounts);
    s.Example("references: {columns: customer_id, node: customers}\n");
    s.Example("references: {columns: [customer, day], node: days, to: [id, day]}\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeReferences(const pipeline::CheckContext& context) {
  return std::make_unique<References>(context);
}

}  // namespace headrace::components
