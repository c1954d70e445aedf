// Which types a snapshot keeps. Every line of the table was found by writing values to Parquet and
// reading them back (stored_types_test.cc does it again): what comes back as another type or value
// is cast where no value can change by it, and refused where the user must choose.
#include <fmt/format.h>

#include <set>

#include "data/quote.h"
#include "data/types.h"

namespace headrace::data {
namespace {

using Action = StoredType::Action;

struct Rule {
  std::string_view name;
  Action action;
  std::string_view type;  // what to cast to
  std::string_view reason;
};
constexpr std::string_view kNoSuchType = "Parquet has no such type";
constexpr Rule kRules[] = {
    {"HUGEINT", Action::kCast, "DECIMAL(38,0)", "Parquet has no 128-bit integers"},
    {"UHUGEINT", Action::kCast, "DECIMAL(38,0)", "Parquet has no 128-bit integers"},
    {"ENUM", Action::kCast, "VARCHAR", "Parquet keeps the text of an ENUM"},
    {"TIMESTAMP_S", Action::kCast, "TIMESTAMP", "Parquet has no timestamps in seconds"},
    {"TIMESTAMP_MS", Action::kCast, "TIMESTAMP", "it is read back in microseconds"},
    {"TIME WITH TIME ZONE", Action::kRefuse, "VARCHAR", "Parquet drops the offset of the zone"},
    {"TIME_NS", Action::kRefuse, "VARCHAR", kNoSuchType},
    {"INTERVAL", Action::kRefuse, "VARCHAR", "Parquet keeps no microseconds of an INTERVAL"},
    {"BIT", Action::kRefuse, "VARCHAR", kNoSuchType},
    {"BIGNUM", Action::kRefuse, "VARCHAR", kNoSuchType},
    {"VARIANT", Action::kRefuse, "JSON", "its values have no fixed type"},
    {"GEOMETRY", Action::kRefuse, "VARCHAR", "it is read back as another type"},
    {"UNION", Action::kRefuse, "VARCHAR", kNoSuchType},
    {"NULL", Action::kRefuse, "VARCHAR", "a NULL without a type could become any"},
    {"ARRAY", Action::kRefuse, "", "Parquet drops the length of an array"},
};
constexpr std::string_view kKept[] = {"BOOLEAN",
                                      "TINYINT",
                                      "SMALLINT",
                                      "INTEGER",
                                      "BIGINT",
                                      "UTINYINT",
                                      "USMALLINT",
                                      "UINTEGER",
                                      "UBIGINT",
                                      "FLOAT",
                                      "DOUBLE",
                                      "DECIMAL",
                                      "VARCHAR",
                                      "JSON",
                                      "DATE",
                                      "TIME",
                                      "TIMESTAMP",
                                      "TIMESTAMP_NS",
                                      "TIMESTAMP WITH TIME ZONE",
                                      "BLOB",
                                      "UUID",
                                      "LIST",
                                      "STRUCT",
                                      "MAP"};

// Changes `tree` into the type to cast to; says the strictest action over all its parts.
Action Store(TypeTree& tree, std::string& reason) {
  Action action = Action::kSame;
  for (TypeTree& child : tree.children) {
    Action of_child = Store(child, reason);
    if (of_child > action) action = of_child;
  }
  if (tree.name == "STRUCT") {
    for (const std::string& field : tree.fields) {
      if (!field.empty()) continue;
      reason = "Parquet needs names for the fields of a STRUCT";
      return Action::kRefuse;
    }
  }
  for (const Rule& rule : kRules) {
    if (tree.name != rule.name) continue;
    if (rule.action >= action) reason = rule.reason;
    if (rule.action > action) action = rule.action;
    if (tree.name == "ARRAY") {
      tree.name = "LIST";
    } else {
      tree = ParseType(rule.type).value();
    }
    return action;
  }
  for (std::string_view kept : kKept) {
    if (tree.name == kept) return action;
  }
  reason = kNoSuchType;
  tree = ParseType("VARCHAR").value();
  return Action::kRefuse;
}

}  // namespace

StoredType StoredTypeOf(std::string_view type, std::string_view column) {
  StoredType out;
  Result<TypeTree> parsed = ParseType(type);
  if (!parsed.ok()) {
    out.action = Action::kRefuse;
    out.reason = "its type is unknown";
    out.hint = fmt::format("CAST({} AS VARCHAR)", QuoteIdentifier(column));
    return out;
  }
  TypeTree tree = *parsed;
  out.action = Store(tree, out.reason);
  out.type = tree.Text();
  if (out.action != Action::kRefuse) return out;
  bool nameless = out.reason.find("names for the fields") != std::string::npos;
  out.hint = nameless ? std::string("{'a': …, 'b': …} instead of row(…)")
                      : fmt::format("CAST({} AS {})", QuoteIdentifier(column), out.type);
  out.type.clear();
  return out;
}

Result<Schema> StoredSchema(const Schema& result) {
  Schema stored;
  std::set<std::string> seen;
  std::string faults, hints, first;
  for (const Column& column : result.columns) {
    std::string folded = column.name;
    for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!seen.insert(folded).second) {
      return UserError("duplicate_column",
                       fmt::format("two columns of the result are called '{}'", column.name))
          .Subject(column.name)
          .Hint("give one of them another name with AS (upper and lower case are the same)");
    }
    StoredType type = StoredTypeOf(column.type, column.name);
    if (type.action == Action::kRefuse) {
      faults += fmt::format("{}column '{}' has type {}, which a table can't keep: {}",
                            faults.empty() ? "" : "; ", column.name, column.type, type.reason);
      hints += (hints.empty() ? "write " : ", ") + type.hint;
      if (first.empty()) first = column.name;
      continue;
    }
    stored.columns.push_back({column.name, type.type, column.nullable});
  }
  if (result.columns.empty()) {
    return UserError("column_types", "the result has no columns").Hint("select at least one");
  }
  if (!faults.empty()) return UserError("column_types", faults).Subject(first).Hint(hints);
  return stored;
}

std::string StoredSelectList(const Schema& result, const Schema& stored) {
  std::string out;
  for (size_t i = 0; i < result.size(); ++i) {
    if (i > 0) out += ", ";
    std::string name = QuoteIdentifier(result.columns[i].name);
    bool same = result.columns[i].type == stored.columns[i].type;
    out += same ? name : fmt::format("CAST({0} AS {1}) AS {0}", name, stored.columns[i].type);
  }
  return out;
}

}  // namespace headrace::data
