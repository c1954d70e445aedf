#pragma once
// What stands where in a project's folder. Reads names only, never contents.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/file_system.h"
#include "base/result.h"

namespace headrace::config {

/// The files of one node. Paths are relative to the project's root, with '/'.
struct NodeFiles {
  std::string name;                               ///< file stem
  std::string sql;                                ///< "" when there is none
  std::map<std::string, std::string> engine_sql;  ///< "spark" → path of NAME.spark.sql
  std::string yml;                                ///< "" when there is none
  std::string folder;                             ///< "pipeline" or "pipeline/…"
};

struct CheckFiles {
  std::string name;
  std::string sql;
  std::string yml;  ///< "" when there is none
};

struct ProjectFiles {
  std::string root;                                    ///< real path
  std::vector<NodeFiles> nodes;                        ///< sorted by name
  std::map<std::string, std::string> folder_defaults;  ///< folder → path of its _folder.yml
  std::vector<CheckFiles> checks;                      ///< checks/*.sql
  std::vector<std::string> tests;                      ///< tests/*.yml
};

/// The nearest folder at or above `start` that holds headrace.yml. Error "no_project" lists what
/// was looked at and suggests `init` or --project.
Result<std::string> FindProject(FileSystem& fs, const std::string& start);

/// Lists pipeline/**, checks/*, tests/*. Faults (bad names, two files of one name, .yaml endings,
/// links that leave the project) and warnings (unknown files) go to `diagnostics`.
ProjectFiles ListProject(FileSystem& fs, const std::string& root, Diagnostics& diagnostics);

/// The rules of names: [a-z][a-z0-9_]{0,62}, no "__", no reserved word of SQL. Error "bad_name"
/// with what is wrong and a name that would do.
Status CheckName(std::string_view name);
bool IsReservedWord(std::string_view word);  ///< of SQL, in any case

}  // namespace headrace::config
