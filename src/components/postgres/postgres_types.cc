#include "components/postgres/postgres_types.h"

#include <fmt/format.h>

#include <set>

#include "data/quote.h"
#include "data/types.h"

namespace headrace::components {
namespace {

using Wire = PostgresWire;

struct Known {
  uint32_t oid;  // of src/include/catalog/pg_type.dat; they never change
  Wire wire;
  std::string_view type;  // ours
  bool in_lists;
};
constexpr Known kKnown[] = {
    {16, Wire::kBool, "BOOLEAN", true},
    {17, Wire::kBytes, "BLOB", false},
    {18, Wire::kText, "VARCHAR", false},  // "char"
    {19, Wire::kText, "VARCHAR", true},   // name
    {20, Wire::kInt8, "BIGINT", true},
    {21, Wire::kInt2, "SMALLINT", true},
    {23, Wire::kInt4, "INTEGER", true},
    {25, Wire::kText, "VARCHAR", true},
    {26, Wire::kOid, "BIGINT", false},
    {114, Wire::kText, "VARCHAR", false},  // json
    {700, Wire::kFloat4, "FLOAT", true},
    {701, Wire::kFloat8, "DOUBLE", true},
    {1042, Wire::kText, "VARCHAR", true},  // char(n): with its blanks
    {1043, Wire::kText, "VARCHAR", true},
    {1082, Wire::kDate, "DATE", true},
    {1083, Wire::kTime, "TIME", true},
    {1114, Wire::kTimestamp, "TIMESTAMP", true},
    {1184, Wire::kTimestamp, "TIMESTAMP WITH TIME ZONE", true},
    {2950, Wire::kUuid, "UUID", true},
    {3802, Wire::kJsonb, "VARCHAR", false},
};
constexpr uint32_t kNumeric = 1700;

const Known* Find(uint32_t oid) {
  for (const Known& known : kKnown) {
    if (known.oid == oid) return &known;
  }
  return nullptr;
}

/// DECIMAL(p,s) of a NUMERIC's modifier; "" when there is none that holds it.
std::string DecimalOf(int modifier, int* scale) {
  if (modifier < 4) return "";
  const int precision = ((modifier - 4) >> 16) & 0xFFFF;
  int digits = (modifier - 4) & 0x7FF;
  digits = (digits ^ 1024) - 1024;  // PostgreSQL 15 has negative scales
  const int whole = digits < 0 ? precision - digits : std::max(precision, digits);
  if (whole > 38) return "";
  *scale = std::max(0, digits);
  return fmt::format("DECIMAL({},{})", whole, *scale);
}

struct TypeRow {
  char kind = 'b';    // typtype
  uint32_t base = 0;  // of a domain
  int base_modifier = -1;
  uint32_t element = 0;  // of a list
};

/// What the catalog says of these types and of those that they rest on.
Result<std::map<uint32_t, TypeRow>> ReadTypes(PostgresSession& session, std::set<uint32_t> wanted) {
  std::map<uint32_t, TypeRow> types;
  for (int depth = 0; depth < 8 && !wanted.empty(); ++depth) {
    HR_ASSIGN(auto rows,
              session.Query(fmt::format(
                  "SELECT oid, typtype, typbasetype, typtypmod, CASE WHEN typcategory = 'A' AND "
                  "typlen = -1 THEN typelem ELSE 0 END FROM pg_catalog.pg_type WHERE oid IN ({})",
                  fmt::join(wanted, ", "))));
    std::set<uint32_t> next;
    for (const PostgresRow& row : rows) {
      TypeRow type;
      type.kind = row[1]->front();
      type.base = static_cast<uint32_t>(std::stoul(*row[2]));
      type.base_modifier = std::stoi(*row[3]);
      type.element = static_cast<uint32_t>(std::stoul(*row[4]));
      types[static_cast<uint32_t>(std::stoul(*row[0]))] = type;
      for (const uint32_t more : {type.base, type.element}) {
        if (more != 0 && !types.contains(more)) next.insert(more);
      }
    }
    wanted = std::move(next);
  }
  return types;
}

/// A domain's own type.
void Resolve(const std::map<uint32_t, TypeRow>& types, uint32_t* oid, int* modifier) {
  for (int depth = 0; depth < 8; ++depth) {
    auto found = types.find(*oid);
    if (found == types.end() || found->second.kind != 'd') return;
    *oid = found->second.base;
    if (*modifier < 0) *modifier = found->second.base_modifier;
  }
}

PostgresField FieldOf(const PostgresColumn& column, const std::map<uint32_t, TypeRow>& types,
                      bool fixed) {
  PostgresField field;
  field.name = column.name;
  const std::string quoted = data::QuoteIdentifier(column.name);
  field.select = field.item = quoted;
  uint32_t oid = column.type;
  int modifier = column.modifier;
  Resolve(types, &oid, &modifier);
  const auto travel = [&](Wire wire, std::string delivered, std::string stored) {
    field.wire = wire;
    field.delivered = std::move(delivered);
    field.stored = std::move(stored);
  };
  if (const Known* known = Find(oid)) {
    const bool uuid = known->wire == Wire::kUuid;
    travel(known->wire, uuid ? "VARCHAR" : std::string(known->type), std::string(known->type));
    if (uuid) field.item = fmt::format("CAST({} AS UUID)", quoted);
    return field;
  }
  if (oid == kNumeric && !fixed) {
    const std::string decimal = DecimalOf(modifier, &field.scale);
    if (decimal.empty()) {
      travel(Wire::kNumeric, "DOUBLE", "DOUBLE");
    } else {
      travel(Wire::kDecimal, decimal, decimal);
    }
    return field;
  }
  auto found = types.find(oid);
  if (found != types.end() && found->second.element != 0) {
    uint32_t element = found->second.element;
    int element_modifier = modifier;
    Resolve(types, &element, &element_modifier);
    std::string type;
    if (const Known* known = Find(element); known != nullptr && known->in_lists) type = known->type;
    int scale = 0;
    if (element == kNumeric) {
      type = DecimalOf(element_modifier, &scale);
      if (type.empty()) type = "DOUBLE";
    }
    if (!type.empty()) {
      travel(Wire::kText, "VARCHAR", type + "[]");
      field.select = fmt::format("to_json({})::text", quoted);
      field.item = fmt::format("CAST(CAST({} AS JSON) AS {}[])", quoted, type);
      return field;
    }
  }
  travel(Wire::kText, "VARCHAR", "VARCHAR");
  field.select = fmt::format("{}::text", quoted);
  field.as_text = oid != kNumeric;
  return field;
}

}  // namespace

Result<std::vector<PostgresField>> DescribePostgresFields(
    PostgresSession& session, const std::vector<PostgresColumn>& columns,
    const std::map<std::string, std::string>& fixed) {
  std::set<uint32_t> oids;
  std::string shown;
  for (const PostgresColumn& column : columns) {
    oids.insert(column.type);
    shown += fmt::format("{}format_type({}, {})", shown.empty() ? "" : ", ", column.type,
                         column.modifier);
  }
  HR_ASSIGN(auto types, ReadTypes(session, std::move(oids)));
  HR_ASSIGN(auto declared, session.Query("SELECT " + shown));
  std::vector<PostgresField> fields;
  for (const PostgresColumn& column : columns) {
    bool is_fixed = false;
    for (const auto& [name, type] : fixed) {
      is_fixed = is_fixed || data::SameName(name, column.name);
    }
    fields.push_back(FieldOf(column, types, is_fixed));
    fields.back().declared = declared.at(0)[fields.size() - 1].value_or("");
  }
  return fields;
}

}  // namespace headrace::components
