#pragma once
// A check: a rule that a node's rows must keep. All checks of a node are aggregate expressions of
// one scan over its stored rows, evaluated before the commit.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/diagnostics.h"
#include "data/types.h"
#include "data/value.h"
#include "spec/node_spec.h"
#include "sql/expression.h"

namespace headrace::pipeline {

/// What is known about the rows that a check judges, besides the values of its aggregates.
struct CheckFacts {
  int64_t rows = 0;                  ///< judged
  std::optional<int64_t> last_rows;  ///< of the snapshot before this one
  Timestamp now = 0;                 ///< the engine's clock, read once a run
};

/// One check, bound to its node. Const after making: thread-safe.
class Check {
 public:
  virtual ~Check() = default;

  /// What makes the check's id: "columns" of `node.check(columns)`; empty for none.
  virtual std::vector<std::string> columns() const = 0;
  /// Faults that need the node's columns (unknown ones, types that don't fit), with places of
  /// `ref`. `schema` null = not known yet: then only what can be said without it.
  virtual void Lint(const data::Schema* schema, Diagnostics& diagnostics) const = 0;
  /// SQL aggregate expressions over the stored rows, each giving a BIGINT. Columns are quoted.
  /// `relation`: what to write after FROM to read the same rows again.
  virtual std::vector<std::string> Aggregates(const std::string& relation) const {
    return {"count(*) FILTER (WHERE " + BadRows(relation) + ")"};
  }
  /// Rows that break the rule, from the values of Aggregates() in their order. For a check of the
  /// whole table: 1 when it fails.
  virtual int64_t FailingRows(std::span<const data::Value> values, const CheckFacts& facts) const {
    (void)facts;
    return values[0].AsInt64();
  }
  /// What is wrong, for people: "customer_id: 3 values are missing". Called when FailingRows > 0;
  /// for a check of the whole table always: the value it saw.
  virtual std::string Describe(std::span<const data::Value> values,
                               const CheckFacts& facts) const = 0;
  /// A SQL condition that is true for exactly the rows that break the rule, for samples and
  /// quarantine; "" when no row can be blamed.
  virtual std::string BadRows(const std::string& relation) const = 0;
  /// SQL of a text that says what is wrong with a row that BadRows chose, for quarantine.
  virtual std::string Reason() const { return "''"; }
  /// SELECT of a few offending values from relation `table`, for messages; "" = use BadRows().
  virtual std::string SampleSql(const std::string& table) const {
    (void)table;
    return "";
  }
  /// The rule is about the table as a whole (its number of rows, its age): shares and quarantine
  /// have no meaning.
  virtual bool OfTable() const { return false; }
  /// Whether a row is bad depends on the node's other rows too (unique).
  virtual bool OfOtherRows() const { return false; }
  /// Its SQL reads the rows a second time, by the relation that BadRows is given.
  virtual bool ReadsItself() const { return false; }
  /// The verdict may change while the rows stay the same: it is asked again in every run.
  virtual bool OfTime() const { return false; }
  /// Another node whose rows it reads, by its quoted name; "" = none.
  virtual std::string Reads() const { return ""; }
};

/// A check of a node with the fields that every check has.
struct BoundCheck {
  std::string id;  ///< "features.not_null(customer_id)", or its `name:`
  std::string type;
  spec::CheckSeverity severity = spec::CheckSeverity::kError;
  double allow = 0;  ///< share of rows that may break the rule; 1 for quarantine if not said
  std::string description;
  Place place;
  std::string definition;  ///< canonical JSON: when it changes, only checks rerun
  std::unique_ptr<Check> check;

  bool SetsAside() const { return severity == spec::CheckSeverity::kQuarantine; }
};

/// What a check is made from.
struct CheckContext {
  std::string node;
  const spec::ComponentRef* ref = nullptr;
  sql::SqlParser* parser = nullptr;  ///< for expressions; null when only running a linted project
  Diagnostics* diagnostics = nullptr;
  /// Columns of another node, null when not known. While the project is loaded only.
  std::function<const data::Schema*(const std::string& node)> schema_of;
};

}  // namespace headrace::pipeline
