#pragma once
// `reuse_from:` of a target: it is the other target plus what was changed.
//
// A table is borrowed when the other target has it as this project defines it now: a source of the
// same definition, as it was read there; any other table whose fingerprint, computed over the
// inputs that are borrowed too, is the one it was built under. So after a change exactly the
// changed nodes and those below them are built here, everything else is read where it is. Models,
// sinks and actions are never borrowed: champions, progress and sends are per target.
//
// Borrowed snapshots never enter this target's own state: each run looks again. While they are read
// they are pinned in the other target, so its runs can't sweep them.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pipeline/project.h"
#include "store/store.h"

namespace headrace::pipeline {

/// What one target reads of another. Movable; thread-safe once made.
struct Borrowed {
  std::string target;     ///< it comes from; "" = this target borrows nothing
  std::string warehouse;  ///< of that target, absolute
  /// Every table the other target has; the files of their snapshots are absolute paths.
  std::map<std::string, store::NodeState> there;
  std::set<std::string> nodes;      ///< those of `there` that are as defined now
  std::unique_ptr<store::Pin> pin;  ///< on `nodes`; null when none was asked for

  bool Has(const std::string& node) const { return nodes.count(node) > 0; }
  /// Why a node in it is not built, for people.
  std::string Reason() const { return "as in '" + target + "', whose rows are read"; }
};

/// `store` null = nothing to borrow. `warehouse` is the other target's, absolute; `pin` for runs
/// and queries.
Result<Borrowed> FindBorrowed(const Project& project, store::Store* store,
                              const std::string& warehouse, Timestamp run_time, bool pin);

}  // namespace headrace::pipeline
