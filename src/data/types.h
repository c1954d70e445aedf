#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace headrace::data {

/// Whether two names are one column: without regard to ASCII case, as SQL looks names up.
bool SameName(std::string_view a, std::string_view b);

/// A column as DuckDB describes it. `type` is DuckDB's own SQL text, e.g. "DECIMAL(10,2)",
/// "STRUCT(a INTEGER, b VARCHAR[])", "TIMESTAMP WITH TIME ZONE".
struct Column {
  std::string name;
  std::string type;
  bool nullable = true;  ///< false only where it is known that no NULL can stand there
  friend bool operator==(const Column&, const Column&) = default;
};

/// Columns in order. Plain data.
struct Schema {
  std::vector<Column> columns;

  size_t size() const { return columns.size(); }
  /// By SameName. nullptr when there is none.
  const Column* Find(std::string_view name) const;
  /// Position of the column that Find finds, or -1.
  int IndexOf(std::string_view name) const;
  std::vector<std::string> Names() const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

/// [{"name": "id", "type": "BIGINT"}, {"name": "x", "type": "DOUBLE", "nullable": false}]
Json ToJson(const Schema& schema);
/// Error "bad_schema" (blame internal) when the text is not of that shape.
Result<Schema> SchemaFromJson(const Json& json);

/// What a type is for those who must treat its values alike.
enum class TypeClass {
  kBoolean,
  kInteger,   ///< TINYINT … BIGINT, UTINYINT … UBIGINT, HUGEINT, UHUGEINT
  kFloating,  ///< FLOAT, DOUBLE
  kDecimal,
  kText,  ///< VARCHAR and ENUM
  kDate,
  kTime,       ///< TIME, TIME_NS, TIME WITH TIME ZONE
  kTimestamp,  ///< every TIMESTAMP, with or without zone
  kInterval,
  kBlob,
  kList,  ///< also arrays of fixed length
  kStruct,
  kMap,
  kUuid,
  kOther,  ///< UNION, BIT, BIGNUM, untyped NULL, types of extensions
};
TypeClass ClassOf(std::string_view type);
/// "integer", "text" …: the word for messages and JSON.
std::string_view TypeClassName(TypeClass type_class);
bool IsNumber(TypeClass type_class);  ///< integer, floating, decimal

/// A type taken apart: "STRUCT(a INTEGER)[]" is a list with one child, a struct with one child.
struct TypeTree {
  TypeClass type_class = TypeClass::kOther;
  std::string name;  ///< "DECIMAL", "STRUCT", "VARCHAR", "LIST", "ARRAY" …; upper case
  std::vector<TypeTree> children;   ///< list: element; map: key, value; struct, union: fields
  std::vector<std::string> fields;  ///< names of a struct's or union's fields
  int precision = 0, scale = 0;     ///< of DECIMAL
  int length = 0;                   ///< of a fixed array
  /// The canonical text; ParseType(t.Text()) gives `t` again.
  std::string Text() const;
};
/// Reads DuckDB's type text. Error "bad_type" (blame user) when the brackets or quotes don't close.
Result<TypeTree> ParseType(std::string_view type);

/// What becomes of a column of a type when it is stored. Parquet must not change a value: types
/// that it would change are cast to one that it keeps, or refused.
struct StoredType {
  enum class Action { kSame, kCast, kRefuse };
  Action action = Action::kSame;
  std::string type;    ///< the type in the snapshot (kSame, kCast)
  std::string reason;  ///< why it is cast or refused, e.g. "Parquet has no 128-bit integers"
  std::string hint;    ///< kRefuse: what to write, e.g. "CAST(x AS VARCHAR)"
};
/// `column` is the name that stands in the hint.
StoredType StoredTypeOf(std::string_view type, std::string_view column);

/// The schema a query's result has when it is stored. All faults at once, as one Error with code
/// "column_types" (blame user), or "duplicate_column"; the hint names the cast for each column.
Result<Schema> StoredSchema(const Schema& result);

/// The list of select items that turns `result` into `stored`: `"a", CAST("b" AS …) AS "b"`.
std::string StoredSelectList(const Schema& result, const Schema& stored);

}  // namespace headrace::data
