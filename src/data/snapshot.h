#pragma once
// A snapshot is one version of a node's table: immutable Parquet files and a manifest.
//
//   <warehouse>/tmp/<epoch>/<node>.<build>/   being written (swept when its epoch is dead)
//   <warehouse>/tables/<node>/<build>/        part-0.parquet, manifest.json
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "data/digest.h"
#include "data/duck.h"
#include "data/profile.h"

namespace headrace::data {

struct SnapshotFile {
  std::string path;  ///< relative to the warehouse
  int64_t rows = 0;
  int64_t bytes = 0;
  friend bool operator==(const SnapshotFile&, const SnapshotFile&) = default;
};

/// Plain data; what the manifest holds. Two snapshots with equal `id` hold equal rows.
struct Snapshot {
  std::string id;  ///< SnapshotId(schema, digest)
  std::string node;
  std::string build_id;
  Schema schema;
  Digest digest;
  int64_t rows = 0;
  int64_t bytes = 0;  ///< of all files
  std::vector<SnapshotFile>
      files;  ///< never empty: a table without rows has a file with the schema
  /// Files of rows that stand aside in quarantine, which have more columns; only set for whoever
  /// goes on from this snapshot and must see every row that came. Not part of the manifest.
  std::vector<SnapshotFile> aside;
  Profile profile;
};
Json ToJson(const Snapshot& snapshot);
/// Error "bad_manifest" (internal).
Result<Snapshot> SnapshotFromJson(const Json& json);

/// A share of a source's rows, the same ones in every run. Rows are chosen by a value, so that
/// tables sampled by the same values (a customer's id, whatever its type) still join; a row without
/// a value there, and every row when there is no `column`, is chosen by all that it holds.
struct RowSample {
  int64_t millionths = 1'000'000;  ///< of the values, or of the rows
  std::string column;              ///< "" = none
  friend bool operator==(const RowSample&, const RowSample&) = default;
};
/// A SQL condition over rows of this schema that is true for the rows of the sample. A larger share
/// holds all rows of a smaller one. Error "unknown_column".
Result<std::string> SampleCondition(const RowSample& sample, const Schema& schema);

/// Rows of a file of a large table: enough for fast scans, few enough that rewriting one is cheap.
constexpr int64_t kFileRows = 8 * 122880;

struct MaterializeRequest {
  std::string node;
  std::string build_id;  ///< names the folder; see base/id.h
  std::string select;    ///< one SELECT
  Parameters parameters;
  std::optional<RowSample> sample;  ///< only these of its rows are written
  /// Sorts the result by these columns, then by row hash, before it is written. A total order: with
  /// a one-thread instance equal rows give equal files. Empty + `ordered` = by row hash alone.
  bool ordered = false;
  std::vector<std::string> order_by;
  /// SQL aggregate expressions over the stored rows (checks), e.g. `count(*) FILTER (WHERE x IS
  /// NULL)`; all are evaluated in one scan.
  std::vector<std::string> aggregates;
  int64_t row_group_rows = 122880;
  /// 0: one file, its rows in the order of the query. Else a table of more rows is cut into several
  /// files of about as many, and DuckDB then writes rows in any order when it has several threads:
  /// sums of doubles over the table would depend on them.
  int64_t file_rows = 0;
  /// Ending of the folder's name while it is written: two of one build may be written side by side,
  /// of which only one is published.
  std::string stage;
  QueryOptions
      query;  ///< cancel, progress; prefix_bytes = bytes of `select` before the user's text
};

/// A snapshot that is written but not yet visible. Removes its files when it is destroyed without
/// having been published. Move-only.
class PendingSnapshot {
 public:
  PendingSnapshot(PendingSnapshot&& other) noexcept;
  PendingSnapshot& operator=(PendingSnapshot&&) = delete;
  ~PendingSnapshot();
  const Snapshot& snapshot() const { return snapshot_; }  ///< `files` as they are after Publish
  const std::vector<Value>& aggregates() const { return aggregates_; }  ///< in the order asked
  /// Where the files stand now.
  const std::string& folder() const { return folder_; }
  /// The snapshot as it can be read now: ReadSnapshotSql(pending.folder(), pending.staged()).
  Snapshot staged() const;
  /// Whether digest and profile needed a second pass over the files; only costs time.
  bool read_back() const { return read_back_; }

 private:
  friend class SnapshotWriter;
  PendingSnapshot() = default;
  FileSystem* fs_ = nullptr;
  std::string folder_;
  Snapshot snapshot_;
  std::vector<Value> aggregates_;
  bool read_back_ = false;
  bool published_ = false;
};

/// Writes snapshots of one warehouse under one epoch. Thread-safe: calls may run at the same time
/// on several connections.
class SnapshotWriter {
 public:
  /// `warehouse` is an absolute path; the file system must outlive the writer.
  SnapshotWriter(FileSystem& fs, std::string warehouse, std::string epoch);

  /// Runs the query and writes its rows, cast by StoredSchema, with digest, profile and aggregates.
  /// On an error nothing stays on disk. Errors: those of DuckConnection and StoredSchema.
  Result<PendingSnapshot> Materialize(DuckConnection& connection,
                                      const MaterializeRequest& request);

  /// Makes the files durable and moves them to tables/<node>/<build>/. Crash points
  /// snapshot.written, .synced, .renamed, .dir_synced. The caller commits to the store afterwards.
  Result<Snapshot> Publish(PendingSnapshot pending);

  const std::string& warehouse() const { return warehouse_; }

 private:
  FileSystem* fs_;
  std::string warehouse_, epoch_;
};

struct ReadOptions {
  std::vector<std::string> columns;  ///< empty = all, in stored order
  std::string where;                 ///< SQL boolean expression; empty = all rows
  /// Adds a last column of type BLOB: by its bytes rows stand by `order_by`, then by row hash, a
  /// total order. Who sorts by it need not hold whole rows twice, as a sorted query would.
  bool with_order = false;
  std::vector<std::string> order_by;
};

/// SQL text of a SELECT over a snapshot's files, to be put in parentheses after FROM or to stand
/// in a CTE.
std::string ReadSnapshotSql(const std::string& warehouse, const Snapshot& snapshot,
                            const ReadOptions& options = {});
/// The same as batches.
Result<std::unique_ptr<BatchReader>> ReadSnapshot(DuckInstance& instance,
                                                  const std::string& warehouse,
                                                  const Snapshot& snapshot,
                                                  const ReadOptions& options = {},
                                                  const StreamOptions& stream = {});

/// Aggregate expressions over an existing snapshot, in one scan. An error's place is relative to
/// the expression it stands in, whose line is `place.source_line`.
Result<std::vector<Value>> EvaluateOn(DuckConnection& connection, const std::string& warehouse,
                                      const Snapshot& snapshot,
                                      const std::vector<std::string>& aggregates,
                                      const Parameters& parameters = {},
                                      const QueryOptions& options = {});

/// Schema, digest and profile of a query's rows, without storing them. Types as StoredSchema says.
struct Observation {
  Schema schema;
  Digest digest;
  Profile profile;
};
Result<Observation> Observe(DuckConnection& connection, const std::string& select,
                            const Parameters& parameters = {}, const QueryOptions& options = {});

/// SQL expression of ReadOptions::with_order over these columns.
std::string RowOrderSql(const std::vector<std::string>& order_by,
                        const std::vector<std::string>& columns);

/// SQL expression of the row hash over these columns (UHUGEINT), as digest.h defines it.
std::string RowHashSql(const std::vector<std::string>& columns);

}  // namespace headrace::data
