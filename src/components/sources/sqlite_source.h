#pragma once
// `source: sqlite` and the connection of that type.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/sources/schema_change.h"
#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

/// Fields of a connection of type sqlite.
struct SqliteConnection {
  std::string path;
  spec::Duration wait;  ///< for a program that writes; not given = 5 s
};
const spec::Spec& SqliteConnectionSpec();

/// Fields of `source: sqlite`.
struct SqliteOptions {
  std::string connection;
  std::string table, query;  ///< exactly one
  std::string cursor;
  std::vector<std::string> key;
  std::optional<spec::Duration> lookback;  ///< of a cursor that is a time
  SchemaChange schema_change = SchemaChange::kAdd;
};
const spec::Spec& SqliteSourceSpec();
std::unique_ptr<pipeline::Component> MakeSqliteSource(const spec::NodeSpec& node);

}  // namespace headrace::components
