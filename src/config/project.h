#pragma once
// A project as read from disk: files, settings, parsed node files. SQL is read, not understood.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/file_system.h"
#include "config/project_files.h"
#include "config/settings.h"
#include "spec/node_spec.h"

namespace headrace::config {

struct SqlText {
  std::string path;  ///< relative to the project
  std::string text;  ///< valid UTF-8, without BOM
};

struct LoadedNode {
  std::string name;
  std::string path;  ///< the file that defines it: .sql, or .yml of another kind
  std::string folder;
  spec::NodeSpec spec;         ///< kind "sql" with empty properties when there is only a .sql
  std::optional<SqlText> sql;  ///< of kind sql
  std::map<std::string, SqlText> engine_sql;

  /// The text for an engine: its own if there is one. Null for kinds without SQL.
  const SqlText* SqlFor(const std::string& engine) const;
};

/// What the .yml beside a file of checks/ may say besides spec::CheckFields.
struct CheckOwner {
  std::optional<std::string> owner;
  static const spec::Spec& Describe();
};

struct LoadedCheck {
  std::string name;
  SqlText sql;
  spec::CheckFields fields;  ///< of the .yml beside it
  std::optional<std::string> owner;
  spec::FieldPlaces places;
};

struct LoadedTest {
  std::string path;
  yaml::Node yaml;  ///< parsed by whoever runs tests
};

struct Project {
  ProjectFiles files;
  Settings settings;
  std::map<std::string, LoadedNode> nodes;  ///< by name; folder defaults applied
  std::vector<LoadedCheck> checks;
  std::vector<LoadedTest> tests;
};

/// Reads the whole project (files of 1 MB at most). All faults are collected; nodes that can't be
/// understood are left out. `redactor` learns secrets that stand in the files. nullopt when
/// headrace.yml itself is missing or unreadable.
std::optional<Project> LoadProject(FileSystem& fs, const std::string& root,
                                   const spec::SpecLookup& lookup, Diagnostics& diagnostics,
                                   Redactor* redactor = nullptr);

/// A path from a project file → absolute path beneath the project (or beneath the connection's
/// `root`, when given). Error "path_outside" at `place`. The file need not exist.
Result<std::string> ResolvePath(const std::string& project_root, const std::string& path,
                                const std::string& connection_root, const Place& place);

}  // namespace headrace::config
