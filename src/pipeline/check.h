#pragma once
// A check: a rule that a node's rows must keep. All checks of a node are aggregate expressions of
// one scan over its stored rows, evaluated before the commit.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "data/types.h"
#include "data/value.h"
#include "spec/node_spec.h"
#include "sql/expression.h"

namespace headrace::pipeline {

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
  virtual std::vector<std::string> Aggregates() const = 0;
  /// Rows that break the rule, from the values of Aggregates() in their order.
  virtual int64_t FailingRows(std::span<const data::Value> values) const = 0;
  /// What is wrong, for people: "customer_id: 3 values are missing". Called when FailingRows > 0.
  virtual std::string Describe(std::span<const data::Value> values, int64_t rows) const = 0;
  /// A SQL condition that is true for exactly the rows that break the rule, for samples and
  /// quarantine; "" when no single row can be blamed by itself (unique: see SampleSql).
  virtual std::string BadRows() const = 0;
  /// SELECT of a few offending values from relation `table`, for messages; "" = use BadRows().
  virtual std::string SampleSql(const std::string& table) const {
    (void)table;
    return "";
  }
};

/// A check of a node with the fields that every check has.
struct BoundCheck {
  std::string id;  ///< "features.not_null(customer_id)", or its `name:`
  std::string type;
  spec::CheckSeverity severity = spec::CheckSeverity::kError;
  double allow = 0;  ///< share of rows that may break the rule
  std::string description;
  Place place;
  std::string definition;  ///< canonical JSON: when it changes, only checks rerun
  std::unique_ptr<Check> check;
};

/// What a check is made from.
struct CheckContext {
  std::string node;
  const spec::ComponentRef* ref = nullptr;
  sql::SqlParser* parser = nullptr;  ///< for expressions; null when only running a linted project
  Diagnostics* diagnostics = nullptr;
};

}  // namespace headrace::pipeline
