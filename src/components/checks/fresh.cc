#include "components/checks/fresh.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/number_text.h"
#include "components/checks/check_columns.h"
#include "data/quote.h"

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

constexpr int64_t kMinute = 60'000'000, kHour = 60 * kMinute, kDay = 24 * kHour;

struct FreshOptions {
  std::string column;
  spec::Duration within;
};

std::optional<spec::Fault> CheckWithin(const FreshOptions& o) {
  if (o.within.micros > 0 || o.within.months > 0) return std::nullopt;
  return spec::Fault{"within", "'" + o.within.text + "' is no time that data can be old",
                     "write for instance '2 days'"};
}

/// "3 days 4 hours", "40 minutes": the two largest units.
std::string Age(int64_t micros) {
  const int64_t days = micros / kDay, hours = micros % kDay / kHour,
                minutes = micros % kHour / kMinute;
  if (days > 0) return Counted(days, "day") + (hours > 0 ? " " + Counted(hours, "hour") : "");
  if (hours > 0)
    return Counted(hours, "hour") + (minutes > 0 ? " " + Counted(minutes, "minute") : "");
  return Counted(minutes, "minute");
}

class Fresh : public pipeline::Check {
 public:
  explicit Fresh(const pipeline::CheckContext& context)
      : site_(context), options_(context.ref->As<FreshOptions>()) {}

  std::vector<std::string> columns() const override { return {options_.column}; }

  void Lint(const data::Schema* schema, Diagnostics& diagnostics) const override {
    const auto found = LintColumns(site_, columns(), "column", schema, diagnostics);
    if (found.empty() || found[0] == nullptr) return;
    const auto type_class = data::ClassOf(found[0]->type);
    if (type_class == data::TypeClass::kDate || type_class == data::TypeClass::kTimestamp) return;
    diagnostics.Add(site_
                        .Fault("type_mismatch",
                               fmt::format("column '{}' is {}; the age of rows needs a date or a "
                                           "timestamp",
                                           found[0]->name, found[0]->type),
                               "column")
                        .Hint("cast it in a node, or declare its type under `columns:`"));
  }

  std::vector<std::string> Aggregates(const std::string&) const override {
    return {fmt::format("epoch_us(max(CAST({} AS TIMESTAMP)))",
                        data::QuoteIdentifier(options_.column))};
  }

  int64_t FailingRows(std::span<const data::Value> values,
                      const pipeline::CheckFacts& facts) const override {
    if (values[0].is_null()) return 1;
    const int64_t allowed = options_.within.micros + options_.within.months * 30 * kDay;
    return facts.now - values[0].AsInt64() > allowed ? 1 : 0;
  }

  std::string Describe(std::span<const data::Value> values,
                       const pipeline::CheckFacts& facts) const override {
    if (values[0].is_null()) return options_.column + ": there is no value";
    const int64_t age = std::max<int64_t>(facts.now - values[0].AsInt64(), 0);
    std::string text = fmt::format("{}: the latest is {}, {} old", options_.column,
                                   FormatTimestamp(values[0].AsInt64()), Age(age));
    if (FailingRows(values, facts) > 0) text += "; allowed are " + options_.within.text;
    return text;
  }

  std::string BadRows(const std::string&) const override { return ""; }
  bool OfTable() const override { return true; }
  bool OfTime() const override { return true; }

 private:
  const CheckSite site_;
  const FreshOptions options_;
};

}  // namespace

const Spec& FreshSpec() {
  static const Spec spec = [] {
    Spec s(
        "check", "fresh",
        "The latest value of a time column is not too old. It is judged in every run, by the "
        "clock of the run, whether the rows changed or not.",
        {Field("column", &FreshOptions::column, "Date or timestamp; a date is its midnight, UTC.")
             .Column()
             .NotEmpty()
             .Example("updated_at"),
         Field("within", &FreshOptions::within,
               "How old the latest value may be; a month counts 30 days.")
             .ShortUnderColumn()
             .Example("2 days")});
    s.Rule<FreshOptions>(CheckWithin);
    s.Example("fresh: {column: updated_at, within: 2 days, severity: warn}\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeFresh(const pipeline::CheckContext& context) {
  return std::make_unique<Fresh>(context);
}

}  // namespace headrace::components
