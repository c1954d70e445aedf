#pragma once
// Which nodes a command means: dbt's selection syntax.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/project.h"

namespace headrace::pipeline {

/// Answers of the store that some selectors need; empty functions = error "needs a run before".
struct SelectFacts {
  std::function<bool(const Node&)> modified;         ///< state:modified
  std::function<bool(const Node&)> failed_last_run;  ///< result:failed
};

/// `+node`, `node+`, `2+node`, `node+1`, `@`-free; `tag:x`, `kind:model`, `path:pipeline/x` or
/// `pipeline/x/`, `*` and globs on names, `state:modified`, `result:failed`; several arguments =
/// union, commas inside one = intersection; `exclude` alike. Empty `select` = all nodes. One flag
/// per node index. Errors "unknown_node" with candidates, "bad_selector".
Result<std::vector<bool>> SelectNodes(const Project& project,
                                      const std::vector<std::string>& select,
                                      const std::vector<std::string>& exclude,
                                      const SelectFacts& facts = {});

}  // namespace headrace::pipeline
