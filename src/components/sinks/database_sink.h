#pragma once
// What writing to a database has in common, whatever the database.
//
// Rows are staged first, which takes long and touches nothing that others see. Then one transaction
// of the target takes a lock, asks whether this run still holds its lease, exchanges the rows and
// notes the snapshot in a table of its own (headrace_sinks). So:
//   killed before that commit   the target is as it was; the next run stages again
//   killed behind it            the note is there; the next run finds it and writes nothing
//   a sleeper that wakes up     waits for the lock, then learns that its lease is lost
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

enum class SinkMode {
  kReplace,  ///< the table holds the node's rows and no others
  kUpsert,   ///< rows of a key are changed or added
  kAppend,   ///< rows are added once for each snapshot
};
const spec::Options& SpecOptions(SinkMode*);

struct DatabaseSinkOptions {
  std::string from;
  std::string connection;
  std::string table;
  SinkMode mode = SinkMode::kReplace;
  std::vector<std::string> key;
  bool remove = false;  ///< `delete: true`
};
/// The fields of a sink of that type of database.
spec::Spec DatabaseSinkSpec(const std::string& type, const std::string& database);

/// Name of the column that says which snapshot an appended row came from.
inline constexpr const char* kSnapshotColumn = "_snapshot";
/// Name of the table in which a target keeps what was written.
inline constexpr const char* kProgressTable = "headrace_sinks";

/// What is to be written.
struct SinkJob {
  const DatabaseSinkOptions* options = nullptr;
  std::string sink;        ///< project/target/node
  std::string snapshot;    ///< what the rows are
  std::string definition;  ///< table, mode, key
  data::Schema schema;     ///< of the rows
  CancelToken cancel;
  /// The rows, each column as `items` says ("" = as it is); `items` has one entry per column.
  std::function<Result<std::unique_ptr<data::BatchReader>>(const std::vector<std::string>& items)>
      read;
  std::function<Status()> check_claim;
};

struct SinkCounts {
  int64_t added = 0, changed = 0, removed = 0;
};

/// A table of a database. Not thread-safe.
class SinkTable {
 public:
  virtual ~SinkTable() = default;
  /// Connects; makes the table of progress when it is missing.
  virtual Status Open() = 0;
  virtual std::string Shown() const = 0;  ///< "connection 'crm'"
  /// Snapshot and definition that stand there for the sink; append: whether this snapshot does.
  virtual Result<bool> Written(const SinkJob& job) = 0;
  /// Names of the table's columns; nullopt when there is no table.
  virtual Result<std::optional<std::vector<std::string>>> Columns() = 0;
  virtual Status Create(const SinkJob& job) = 0;
  /// The column's type in a new table.
  virtual std::string TypeOf(const std::string& type) const = 0;
  /// `columns`: of the target, in the order of the rows.
  virtual Result<int64_t> Stage(const SinkJob& job, const std::vector<std::string>& columns) = 0;
  virtual Result<SinkCounts> Exchange(const SinkJob& job,
                                      const std::vector<std::string>& columns) = 0;
  virtual std::vector<Error> Notes() const { return {}; }
};

/// A sink that writes through such a table.
using MakeSinkTable = std::function<Result<std::unique_ptr<SinkTable>>(
    const DatabaseSinkOptions& options, const pipeline::BuildContext& context)>;
using CheckSinkConnection = std::function<Status(
    const DatabaseSinkOptions& options, const pipeline::Project& project, const spec::NodeSpec&)>;
std::unique_ptr<pipeline::Component> MakeDatabaseSink(const spec::NodeSpec& node,
                                                      MakeSinkTable make,
                                                      CheckSinkConnection check);

}  // namespace headrace::components
