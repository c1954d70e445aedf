#pragma once
// The snapshot that a source's new rows are added to, or merged with.
#include <string>

#include "data/snapshot.h"
#include "pipeline/component.h"

namespace headrace::components {

/// The node's current snapshot, whole. `context.state` must have one. Read by ReadSnapshotSql it
/// has the rows in quarantine too: what came once is known, and a key that comes again replaces
/// them.
Result<data::Snapshot> OldSnapshot(const pipeline::BuildContext& context);

/// What to write after FROM to read a snapshot that is not published yet.
std::string PendingRows(const data::PendingSnapshot& pending);

}  // namespace headrace::components
