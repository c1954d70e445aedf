#pragma once
#include <set>
#include <string>
#include <vector>

#include "sql/describe.h"
#include "sql/duck_session.h"
#include "sql/explain.h"

namespace headrace::sql {

struct SchemaCatalog::State {
  SqlParser::State& parser;
  NodeSchemas nodes;              ///< by lower-case name
  std::set<std::string> unknown;  ///< nodes whose columns can't be known

  /// Binds `sql` (`prefix` bytes in front of the text) over the nodes given. The types of all their
  /// columns must be known to the parser.
  Result<data::Schema> Bind(const std::string& sql, const NodeSchemas& visible, const SqlText& text,
                            const data::Parameters& parameters, const BindContext& context);
  Result<data::Schema> DescribeBound(const std::string& sql, const SqlText& text,
                                     const data::Parameters& parameters, BindContext context);
  void MarkNulls(const std::string& sql, data::Schema& schema);
  /// Makes DuckDB's types of a schema; error "bad_type" names `node`.
  Status ResolveTypes(const std::string& node, const data::Schema& schema);
};

}  // namespace headrace::sql
