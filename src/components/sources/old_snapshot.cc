#include "components/sources/old_snapshot.h"

#include <nlohmann/json.hpp>

namespace headrace::components {

Result<data::Snapshot> OldSnapshot(const pipeline::BuildContext& context) {
  HR_ASSIGN(auto record,
            context.store->ReadSnapshot(context.target,
                                        {context.state->node, context.state->snapshot->build}));
  HR_ASSIGN(Json manifest, ParseJson(record.manifest, "manifest of " + context.state->node));
  HR_ASSIGN(data::Snapshot snapshot, data::SnapshotFromJson(manifest));
  if (context.quarantine && context.quarantine->rows > 0) {
    snapshot.aside = context.quarantine->files;
  }
  return snapshot;
}

std::string PendingRows(const data::PendingSnapshot& pending) {
  data::Snapshot here = pending.snapshot();
  for (data::SnapshotFile& file : here.files) file.path = BaseName(file.path);
  return "(" + data::ReadSnapshotSql(pending.folder(), here) + ")";
}

}  // namespace headrace::components
