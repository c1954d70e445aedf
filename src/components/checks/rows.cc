#include "components/checks/rows.h"

#include <fmt/format.h>

#include <cmath>

#include "base/number_text.h"
#include "components/checks/check_columns.h"

namespace headrace::components {
namespace {

using spec::Field;
using spec::Spec;

struct RowsOptions {
  std::optional<int64_t> min, max;
  std::optional<double> change;
};

std::optional<spec::Fault> CheckOrder(const RowsOptions& o) {
  if (!o.min || !o.max || *o.min <= *o.max) return std::nullopt;
  return spec::Fault{"min", fmt::format("min {} is above max {}", *o.min, *o.max),
                     "no number can pass"};
}

class Rows : public pipeline::Check {
 public:
  explicit Rows(const pipeline::CheckContext& context) : options_(context.ref->As<RowsOptions>()) {}

  std::vector<std::string> columns() const override { return {}; }
  void Lint(const data::Schema*, Diagnostics&) const override {}
  /// The number of rows is known without asking.
  std::vector<std::string> Aggregates(const std::string&) const override { return {}; }

  int64_t FailingRows(std::span<const data::Value>,
                      const pipeline::CheckFacts& facts) const override {
    const bool few = options_.min && facts.rows < *options_.min;
    const bool many = options_.max && facts.rows > *options_.max;
    return few || many || Changed(facts) ? 1 : 0;
  }

  std::string Describe(std::span<const data::Value>,
                       const pipeline::CheckFacts& facts) const override {
    std::string text = Counted(facts.rows, "row");
    if (options_.min && facts.rows < *options_.min) {
      text += fmt::format(", expected are at least {}", *options_.min);
    }
    if (options_.max && facts.rows > *options_.max) {
      text += fmt::format(", expected are at most {}", *options_.max);
    }
    if (options_.change && facts.last_rows && *facts.last_rows != facts.rows) {
      text += fmt::format(", {} than the {} before", ChangeText(facts), *facts.last_rows);
      if (Changed(facts)) text += fmt::format("; allowed are {:.2f} %", *options_.change * 100);
    }
    return text;
  }

  std::string BadRows(const std::string&) const override { return ""; }
  bool OfTable() const override { return true; }

 private:
  static double Share(const pipeline::CheckFacts& facts) {
    const auto before = static_cast<double>(*facts.last_rows);
    return before == 0 ? INFINITY : std::abs(static_cast<double>(facts.rows) - before) / before;
  }
  bool Changed(const pipeline::CheckFacts& facts) const {
    return options_.change && facts.last_rows && *facts.last_rows != facts.rows &&
           Share(facts) > *options_.change;
  }
  static std::string ChangeText(const pipeline::CheckFacts& facts) {
    const char* word = facts.rows > *facts.last_rows ? "more" : "fewer";
    if (*facts.last_rows == 0) return word;
    return fmt::format("{:.2f} % {}", Share(facts) * 100, word);
  }

  const RowsOptions options_;
};

}  // namespace

const Spec& RowsSpec() {
  static const Spec spec = [] {
    Spec s("check", "rows", "The number of rows lies in a range, or near the last one.",
           {Field("min", &RowsOptions::min, "Fewest allowed rows.").Min(0).Example(1),
            Field("max", &RowsOptions::max, "Most allowed rows.").Min(0).Example(1000000),
            Field("change", &RowsOptions::change,
                  "How far the number may be from that of the snapshot before, up or down.")
                .Min(0)
                .Percent()
                .Example("20%")});
    s.AtLeastOne({"min", "max", "change"});
    s.Rule<RowsOptions>(CheckOrder);
    s.Example("rows: {min: 1}\n");
    s.Example("rows: {min: 1000, change: 20%, severity: warn}\n");
    return s;
  }();
  return spec;
}

std::unique_ptr<pipeline::Check> MakeRows(const pipeline::CheckContext& context) {
  return std::make_unique<Rows>(context);
}

}  // namespace headrace::components
