#include <fmt/format.h>

#include "data/quote.h"
#include "sql/duck_session.h"
#include "sql/lexer.h"

namespace headrace::sql {
namespace {

std::string TakeText(char* text) {
  std::string copy = text == nullptr ? "" : text;
  duckdb_free(text);
  return copy;
}

/// A field's name as DESCRIBE writes it: quoted only where it must be.
std::string FieldName(const std::string& name, const Keywords& keywords) {
  const bool plain =
      !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
      Lower(name).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos &&
      !keywords.contains(Lower(name));
  return plain ? name : data::QuoteIdentifier(name);
}

std::string EnumText(duckdb_logical_type type) {
  std::string text = "ENUM(";
  for (uint32_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
    text +=
        (i == 0 ? "" : ", ") + data::QuoteLiteral(TakeText(duckdb_enum_dictionary_value(type, i)));
  }
  return text + ")";
}

std::string StructText(duckdb_logical_type type, const Keywords& keywords) {
  std::string text = "STRUCT(";
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const OwnedType child(duckdb_struct_type_child_type(type, i));
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                        FieldName(TakeText(duckdb_struct_type_child_name(type, i)), keywords),
                        TypeText(child.get(), keywords));
  }
  return text + ")";
}

std::string UnionText(duckdb_logical_type type, const Keywords& keywords) {
  std::string text = "UNION(";
  for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i) {
    const OwnedType member(duckdb_union_type_member_type(type, i));
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                        FieldName(TakeText(duckdb_union_type_member_name(type, i)), keywords),
                        TypeText(member.get(), keywords));
  }
  return text + ")";
}

const char* PlainText(duckdb_type id) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_TIME_NS:
      return "TIME_NS";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_BIGNUM:
      return "BIGNUM";
    case DUCKDB_TYPE_SQLNULL:
      return "\"NULL\"";
    default:
      return "UNKNOWN";
  }
}

}  // namespace

std::string TypeText(duckdb_logical_type type, const Keywords& keywords) {
  const std::string alias = TakeText(duckdb_logical_type_get_alias(type));
  if (!alias.empty()) return alias;  // JSON is a VARCHAR by that name
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_ENUM:
      return EnumText(type);
    case DUCKDB_TYPE_STRUCT:
      return StructText(type, keywords);
    case DUCKDB_TYPE_UNION:
      return UnionText(type, keywords);
    case DUCKDB_TYPE_LIST: {
      const OwnedType child(duckdb_list_type_child_type(type));
      return TypeText(child.get(), keywords) + "[]";
    }
    case DUCKDB_TYPE_ARRAY: {
      const OwnedType child(duckdb_array_type_child_type(type));
      return fmt::format("{}[{}]", TypeText(child.get(), keywords),
                         duckdb_array_type_array_size(type));
    }
    case DUCKDB_TYPE_MAP: {
      const OwnedType key(duckdb_map_type_key_type(type)), value(duckdb_map_type_value_type(type));
      return fmt::format("MAP({}, {})", TypeText(key.get(), keywords),
                         TypeText(value.get(), keywords));
    }
    default:
      return PlainText(id);
  }
}

}  // namespace headrace::sql
