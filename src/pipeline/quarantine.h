#pragma once
// Quarantine: rows that break a check of `severity: quarantine` leave the node's table for the
// table NODE__quarantine, with the checks they broke, why, where they come from and since which
// run.
//
// Whatever made the rows (a source that appends, a SELECT, scores), they are split after they are
// written and before they are judged: the table holds what is clean, checks of other severities see
// that. A source that goes on from its last snapshot sees the rows set aside as part of it
// (Snapshot::aside), so a row that comes again is no new row, and a key that comes again replaces
// it. Both tables are committed in one transaction, under the fingerprint of the node.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/project.h"

namespace headrace::pipeline {

/// Name of the table: no node can have it.
std::string QuarantineOf(const std::string& node);
/// Some check of the node sets rows aside.
bool SetsAside(const Node& node);
/// The table is kept even while it is empty: a check says `severity: quarantine`.
bool KeepsQuarantine(const Node& node);

/// What a node's checks run on besides its own rows: the nodes that they read.
struct CheckScope {
  data::DuckConnection connection;
  std::string with;  ///< "WITH …" in front of a SELECT; "" for none
  data::Parameters parameters;
};
Result<CheckScope> OpenCheckScope(const BuildContext& context);

/// Rows in quarantine: all, and by the id of the check they broke.
struct AsideCounts {
  int64_t rows = 0;
  std::map<std::string, int64_t> by_check;
};

struct SplitRequest {
  std::string rows;  ///< "(SELECT …)" of the rows to split
  data::Schema schema;
  /// Quarantined rows that stay without having been looked at again: a condition over their
  /// columns; "" = none.
  std::string keep;
  bool rewrite = false;  ///< write what is left even if no row is bad
};

struct Split {
  /// What is left; absent when no row was bad: the rows are the table as they are.
  std::optional<data::PendingSnapshot> clean;
  /// The new quarantine; absent when it stays as it is.
  std::optional<data::PendingSnapshot> aside;
  AsideCounts counts;
  int64_t bad = 0;            ///< of the rows that were split
  bool beyond_allow = false;  ///< more than some check's `allow`: nothing was written
};

/// `rows_beside`: rows of the table that are not among those to split, for shares.
Result<Split> SplitRows(BuildContext& context, CheckScope& scope, const SplitRequest& request,
                        int64_t rows_beside);

}  // namespace headrace::pipeline
