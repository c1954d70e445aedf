#pragma once
// What a node's SQL says, read from DuckDB's own syntax tree: tables, parameters, functions, faults
// and the canonical form. Nothing is executed and no table has to exist.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "sql/text.h"

namespace headrace::sql {

/// A node (or, in an expression, a column) that the text names, once per mention.
struct NameUse {
  std::string name;     ///< lower case
  std::string written;  ///< as it stands in the text, without quotes
  Span span;            ///< with its quotes
};

struct FunctionUse {
  std::string name;  ///< lower case; operators are left out
  Span span;
};

struct ParameterUse {
  std::string name;  ///< without `$`, lower case
  Span span;         ///< with `$`
};

/// A sum, average or the like that may add doubles; whether it does is known with the types.
struct DoubleSum {
  std::string function;
  std::vector<std::string> columns;  ///< last parts of the names in its arguments, lower case
  bool makes_double = false;         ///< its arguments divide or hold a double constant
  Span span;
};

/// What is allowed in a text.
struct SelectRules {
  bool allow_volatile = false;   ///< the node says `volatile: true`: now(), random() … are fine
  bool incremental = false;      ///< `$from` and `$to` exist
  bool any_table = false;        ///< names that no node can have are fine: NODE__quarantine
  bool check_parameters = true;  ///< false: any parameter is fine
  /// Names of the project's parameters, lower case; the reserved ones need not be listed.
  std::vector<std::string> parameters;
};

/// The defaults, and any parameter is fine.
inline SelectRules AnyParameters() { return {.check_parameters = false, .parameters = {}}; }

/// One SELECT. Plain data.
struct ParsedSelect {
  /// Nodes named after FROM, JOIN, in subqueries, CTEs and so on; names of CTEs are not among them.
  std::vector<NameUse> tables;
  /// The same names, each once, sorted: the node's inputs and all the lineage there is so far (the
  /// lineage of columns is not built).
  std::vector<std::string> inputs;
  std::vector<ParameterUse> parameters;
  std::vector<std::string> parameter_names;  ///< each once, sorted
  std::vector<FunctionUse> functions;        ///< in order of the text
  bool uses_volatile = false;  ///< calls now(), random() …; only without fault if allowed
  /// Digest of the syntax tree without positions, comments, formatting and the case of names and
  /// functions: reformatting keeps it, any other change changes it. 32 zero digits on a syntax
  /// error.
  Hash128 canonical;
  /// Errors, all at once. If the text has any, the members above hold what could be read.
  std::vector<Error> faults;
  /// Results that may differ between runs (severity kHint): first() without ORDER BY, LIMIT without
  /// ORDER BY … Sums of doubles need types: SchemaCatalog::Describe adds them.
  std::vector<Error> hints;
  std::vector<DoubleSum> sums;  ///< what Describe looks at

  bool ok() const { return faults.empty(); }
};

/// An in-memory DuckDB that parses. It reads no file and has no network. Not thread-safe; make one
/// per thread that needs it (opening costs 20–40 ms).
class SqlParser {
 public:
  static Result<std::unique_ptr<SqlParser>> Open();
  ~SqlParser();
  SqlParser(const SqlParser&) = delete;
  SqlParser& operator=(const SqlParser&) = delete;

  /// Parses many texts in few queries (1,000 nodes: well under 300 ms). `rules` has one entry per
  /// text, or a single one for all, or none (defaults, parameters not checked). The result has one
  /// entry per text, in order; faults stand in the entries.
  std::vector<ParsedSelect> ParseSelects(std::span<const SqlText> texts,
                                         std::span<const SelectRules> rules = {});
  ParsedSelect ParseSelect(const SqlText& text, const SelectRules& rules = AnyParameters());

  struct State;  ///< for the files of src/sql only
  State& state() { return *state_; }

 private:
  explicit SqlParser(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// For caches: a ParsedSelect as one line of JSON and back. Valid for the same text, file, node,
/// origin, rules and kSelectVersion only; the caller makes the key.
std::string PackSelect(const ParsedSelect& select);
Result<ParsedSelect> UnpackSelect(std::string_view packed);

/// Raised when the meaning of ParsedSelect::canonical or of a rule changes; part of fingerprints.
inline constexpr int kSelectVersion = 1;

}  // namespace headrace::sql
