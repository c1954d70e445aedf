#pragma once
// PostgreSQL's types: which of ours each becomes, and how it travels.
//
// Rows come as COPY BINARY. A type whose binary form we read becomes the same type of ours; a list
// travels as JSON; every other type (inet, interval, ranges, enums …) travels as the text that
// PostgreSQL shows and stays a text. NUMERIC without precision is DOUBLE: what 15 digits don't hold
// is counted and said.
#include <map>
#include <string>
#include <vector>

#include "components/postgres/postgres_session.h"
#include "data/types.h"

namespace headrace::components {

enum class PostgresWire {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kOid,
  kFloat4,
  kFloat8,
  kDecimal,  ///< NUMERIC(p, s) as DECIMAL(p, s)
  kNumeric,  ///< NUMERIC as DOUBLE
  kText,
  kJsonb,
  kBytes,
  kUuid,
  kDate,
  kTime,
  kTimestamp,  ///< with and without zone
};

/// A column as it is read.
struct PostgresField {
  std::string name;
  std::string declared;  ///< as PostgreSQL spells its type
  PostgresWire wire = PostgresWire::kText;
  std::string delivered;  ///< DuckDB's type of what travels
  int scale = 0;          ///< of kDecimal
  std::string select;     ///< what to SELECT on the server
  std::string item;       ///< over what was delivered
  std::string stored;     ///< DuckDB's type of `item`
  bool as_text = false;   ///< a type of which only the text is kept
};

/// `fixed`: types of `columns:`; a NUMERIC among them travels as text, so that nothing is lost.
Result<std::vector<PostgresField>> DescribePostgresFields(
    PostgresSession& session, const std::vector<PostgresColumn>& columns,
    const std::map<std::string, std::string>& fixed);

}  // namespace headrace::components
