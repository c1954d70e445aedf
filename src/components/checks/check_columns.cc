#include "components/checks/check_columns.h"

#include <fmt/format.h>

#include <cmath>

#include "base/clock.h"
#include "base/suggest.h"
#include "data/quote.h"

namespace headrace::components {

Error CheckSite::Fault(std::string code, std::string message, const std::string& field) const {
  Place place = ref.places.Has(field) ? ref.places.Of(field) : ref.place;
  const size_t bracket = field.find('[');
  if (!ref.places.Has(field) && bracket != std::string::npos &&
      ref.places.Has(field.substr(0, bracket))) {
    place = ref.places.Of(field.substr(0, bracket));
  }
  place.node = node;
  return UserError(std::move(code), std::move(message)).At(std::move(place));
}

std::vector<const data::Column*> LintColumns(const CheckSite& site,
                                             const std::vector<std::string>& columns,
                                             const std::string& field, const data::Schema* schema,
                                             Diagnostics& diagnostics) {
  if (schema == nullptr) return {};
  std::vector<const data::Column*> found;
  for (size_t n = 0; n < columns.size(); ++n) {
    found.push_back(schema->Find(columns[n]));
    if (found.back() != nullptr || columns[n].empty()) continue;  // empty: said when it was read
    const std::string path = field == "columns" ? fmt::format("columns[{}]", n) : field;
    diagnostics.Add(site.Fault("unknown_column",
                               fmt::format("'{}' has no column '{}'", site.node, columns[n]), path)
                        .Subject(columns[n])
                        .Candidates(Suggest(columns[n], schema->Names())));
  }
  return found;
}

std::string Values(int64_t n) { return n == 1 ? "1 value is" : fmt::format("{} values are", n); }

std::string RowsBreak(int64_t n) {
  return n == 1 ? "1 row breaks" : fmt::format("{} rows break", n);
}

std::string ReasonSql(const std::string& column, const std::string& rest) {
  return fmt::format("{} || left(CAST({} AS VARCHAR), 100) || {}", data::QuoteLiteral(column + " "),
                     data::QuoteIdentifier(column), data::QuoteLiteral(rest));
}

std::string FrequentSql(const std::string& columns, const std::string& table,
                        const std::string& bad) {
  return fmt::format(
      "SELECT {0}, count(*) AS rows FROM {1} WHERE {2} GROUP BY {0} ORDER BY count(*) DESC, {0} "
      "LIMIT 5",
      columns, table, bad);
}

std::string Shown(const spec::Value& value) {
  return value.kind() == spec::Value::Kind::kString ? "'" + value.String() + "'"
                                                    : spec::ToJson(value);
}

std::string SqlLiteral(const spec::Value& value) {
  switch (value.kind()) {
    case spec::Value::Kind::kBool:
      return value.Bool() ? "true" : "false";
    case spec::Value::Kind::kInt:
      return std::to_string(value.Int());
    case spec::Value::Kind::kDouble: {
      const double number = value.Number();
      if (std::isfinite(number)) return fmt::format("{}", number);
      return std::isnan(number) ? "'nan'::DOUBLE"
                                : fmt::format("'{}inf'::DOUBLE", number < 0 ? "-" : "");
    }
    case spec::Value::Kind::kString:
      return data::QuoteLiteral(value.String());
    default:
      return "NULL";
  }
}

std::string WhyNotComparable(const data::Column& column, const spec::Value& value) {
  using data::TypeClass;
  using Kind = spec::Value::Kind;
  const TypeClass type_class = data::ClassOf(column.type);
  const Kind kind = value.kind();
  bool fits = false;
  std::string expected;
  if (data::IsNumber(type_class)) {
    fits = value.IsNumber();
    expected = "a number";
  } else if (type_class == TypeClass::kBoolean) {
    fits = kind == Kind::kBool;
    expected = "true or false";
  } else if (type_class == TypeClass::kDate || type_class == TypeClass::kTimestamp) {
    fits = kind == Kind::kString && ParseTimestamp(value.String()).ok();
    expected = "a date like 2026-01-31";
  } else if (type_class == TypeClass::kText || type_class == TypeClass::kUuid ||
             type_class == TypeClass::kTime) {
    fits = kind == Kind::kString;
    expected = value.IsNumber() ? "text: put it in quotes" : "text";
  } else {
    expected = "a column of another type: such values have no order and no short text";
  }
  if (fits) return "";
  return fmt::format("column '{}' is {}, so {} can't be compared with it; expected {}", column.name,
                     column.type, Shown(value), expected);
}

}  // namespace headrace::components
