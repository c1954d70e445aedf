#pragma once
// Types of a query's columns, found by DuckDB's binder over empty tables of known schemas.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/types.h"
#include "sql/parameter.h"
#include "sql/select.h"

namespace headrace::sql {

/// What a query gives.
struct Description {
  data::Schema schema;  ///< before `data::StoredSchema`
  /// Hints that need types: sum or avg of doubles, median … (severity kHint, with places).
  std::vector<Error> hints;
};

/// Schemas of nodes in an in-memory DuckDB: no rows, no files. Use it in topological order: define
/// the sources, then for each node Describe and Define its result. 1,000 nodes take well under
/// 500 ms. Uses the parser's database; the parser must outlive it. Not thread-safe.
class SchemaCatalog {
 public:
  static Result<std::unique_ptr<SchemaCatalog>> Open(SqlParser& parser);
  ~SchemaCatalog();
  SchemaCatalog(const SchemaCatalog&) = delete;
  SchemaCatalog& operator=(const SchemaCatalog&) = delete;

  /// Sets or replaces the schema of a node (also of a view: it is described like a table). Cheap:
  /// DuckDB sees it when a query first needs it. A type that DuckDB does not know is reported by
  /// the first Describe that uses the node.
  void Define(std::string_view name, data::Schema schema);
  /// Says that a node exists whose columns can't be known: what reads it is "not checked".
  void DefineUnknown(std::string_view name);
  const data::Schema* Find(std::string_view name) const;  ///< nullptr: unknown or undefined

  /// Columns and types of a node's SELECT, or the first fault DuckDB finds, with place and
  /// candidates (unknown column, function or node, ambiguous names, wrong argument types …).
  /// nullopt: an input's columns are unknown, so nothing can be said. `select` is the parse of
  /// `text` and must be ok(). `parameters` types the project's (values don't matter); the
  /// reserved ones are known.
  Result<std::optional<Description>> Describe(const SqlText& text, const ParsedSelect& select,
                                              const data::Parameters& parameters = {});

  struct State;  ///< for the files of src/sql only
  State& state() { return *state_; }

 private:
  explicit SchemaCatalog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// For caches, as PackSelect: valid for the same text, parameters and schemas of inputs.
std::string PackDescription(const Description& description);
Result<Description> UnpackDescription(std::string_view packed);

}  // namespace headrace::sql
