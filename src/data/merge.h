#pragma once
// Merging rows into a snapshot. Only files that hold rows which go are rewritten; the others are
// shared with the old snapshot. Small files that pile up are joined on the way.
//
//   HR_ASSIGN(MergeResult merged, Merge(*context.writer, connection, request));
//   outcome.pending = std::move(merged.pending);
//   outcome.append_to = std::move(merged.kept);
//
// The result is what a full rebuild would give: same id, same rows, same profile. Two ways to say
// which old rows go, alone or together:
//   key       a new row replaces the old one of its key, unless it is the same in all columns
//   replace   a condition: all old rows for which it holds go (a rebuilt interval)
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/snapshot.h"

namespace headrace::data {

struct MergeRequest {
  std::string node, build_id;
  Snapshot old;                  ///< with its profile
  std::vector<std::string> key;  ///< empty: rows are added
  /// One SELECT of the new rows: columns and types of `old` after StoredSchema; no key twice, none
  /// with NULL.
  std::string rows;
  Parameters parameters;  ///< of `rows`
  /// `rows` may run several times and is cheap to read (a Parquet file, a temporary table); else it
  /// runs once and its rows are held in a temporary table, which spills.
  bool repeatable = false;
  /// One SELECT of columns of the key, in its order: rows of these keys go. A key that `rows` has
  /// too is replaced, not deleted. "" = none.
  std::string deleted;
  /// SQL condition over old rows; rows for which it is true go. "" = none.
  std::string replace;
  /// As in MaterializeRequest; evaluated only when no file is kept (else the pipeline does it over
  /// both parts).
  std::vector<std::string> aggregates;
  QueryOptions query;
  /// Files hold about as many rows; smaller ones are joined when eight of a size have piled up.
  int64_t file_rows = kFileRows;
  /// For MaterializeRequest::file_rows of what is written: 0 = one file, in order.
  int64_t cut_rows = 0;
  /// Below this many rows the profile is always taken anew, see ProfileWithout.
  int64_t exact_profile_rows = 250'000;
};

struct MergeResult {
  std::optional<PendingSnapshot> pending;  ///< what was written; always set
  std::optional<Snapshot> kept;            ///< files shared with the old one: Outcome::append_to
  /// False: the old snapshot is already the result. `pending` has no rows then, `kept` is all of
  /// it, and the pipeline keeps the snapshot that is there.
  bool changed = true;
  int64_t added = 0, replaced = 0, removed = 0, unchanged = 0;  ///< rows
  int64_t files_kept = 0, files_rewritten = 0;
};

/// Errors: those of DuckConnection, "schema_mismatch" (internal: columns or types of `rows` are not
/// those of `old`), "repeated_key", "null_key" (blame data).
/// Uses temporary tables named hr_merge_… of the connection; one call at a time on it. The
/// connection must see the warehouse.
Result<MergeResult> Merge(SnapshotWriter& writer, DuckConnection& connection,
                          const MergeRequest& request);

/// The snapshot of the files of both: what the pipeline commits. `kept` may come from Merge or be a
/// whole snapshot to which `fresh` is appended. Id and totals are right; `build_id` is fresh's.
Result<Snapshot> Combine(const Snapshot& kept, Snapshot fresh);

/// Which of these files to join with `rows` new ones, by index; empty = none. Files are sorted into
/// classes of size, eight times apart; a class that is full is joined with all smaller ones. So
/// each row is rewritten at most once for each class, and files are few.
std::vector<size_t> FilesToJoin(const std::vector<SnapshotFile>& files, int64_t rows,
                                int64_t file_rows);

}  // namespace headrace::data
