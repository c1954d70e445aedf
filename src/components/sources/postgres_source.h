#pragma once
// `source: postgres`.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/sources/schema_change.h"
#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

struct PostgresOptions {
  std::string connection;
  std::string table, query;  ///< exactly one
  std::string cursor;
  std::vector<std::string> key;
  std::optional<spec::Duration> lookback;  ///< of a cursor that is a time; not given = 15 minutes
  std::optional<spec::Duration> reconcile;
  std::string delete_when;
  SchemaChange schema_change = SchemaChange::kAdd;
};
const spec::Spec& PostgresSourceSpec();
std::unique_ptr<pipeline::Component> MakePostgresSource(const spec::NodeSpec& node);

}  // namespace headrace::components
