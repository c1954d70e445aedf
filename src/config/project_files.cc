#include "config/project_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/suggest.h"
#include "yaml/node.h"

namespace headrace::config {
namespace {

constexpr int kMaxDepth = 32;
const std::vector<std::string>& Engines() {
  static const std::vector<std::string> engines = {"duckdb", "spark"};
  return engines;
}

bool IsHidden(const std::string& name) { return name.empty() || name.front() == '.'; }

class Lister {
 public:
  Lister(FileSystem& fs, ProjectFiles& files, Diagnostics& diagnostics)
      : fs_(fs), files_(files), diagnostics_(diagnostics) {}

  void Pipeline(const std::string& folder, int depth) {
    for (const Entry& entry : List(folder)) {
      if (entry.directory) {
        if (depth >= kMaxDepth) {
          Add("bad_file", entry.path, "folders are nested too deeply", "move it further up");
        } else {
          Pipeline(entry.path, depth + 1);
        }
      } else if (entry.name == "_folder.yml") {
        files_.folder_defaults[folder] = entry.path;
      } else {
        PipelineFile(entry, folder);
      }
    }
  }

  void Checks() {
    std::map<std::string, std::string> properties;
    for (const Entry& entry : List("checks")) {
      if (entry.directory) {
        Unknown(entry.path, "checks stand directly in checks/");
      } else if (entry.name.ends_with(".sql")) {
        const std::string stem = entry.name.substr(0, entry.name.size() - 4);
        if (NameIsGood(stem, entry.path)) files_.checks.push_back({stem, entry.path, ""});
      } else if (entry.name.ends_with(".yml")) {
        properties[entry.name.substr(0, entry.name.size() - 4)] = entry.path;
      } else {
        OtherFile(entry, "checks/ holds .sql files and .yml files beside them");
      }
    }
    for (CheckFiles& check : files_.checks) {
      const auto found = properties.find(check.name);
      if (found == properties.end()) continue;
      check.yml = found->second;
      properties.erase(found);
    }
    for (const auto& [stem, path] : properties) {
      Add("bad_file", path, fmt::format("there is no checks/{}.sql beside it", stem),
          "a .yml in checks/ holds the properties of the .sql of the same name");
    }
  }

  void Tests() {
    for (const Entry& entry : List("tests")) {
      if (entry.directory) continue;  // fixtures
      if (entry.name.ends_with(".yml")) {
        files_.tests.push_back(entry.path);
      } else if (entry.name.ends_with(".yaml")) {
        OtherFile(entry, "");
      }
    }
  }

 private:
  struct Entry {
    std::string name, path;
    bool directory;
  };

  /// Entries of a folder of the project, without hidden ones and links that lead elsewhere.
  std::vector<Entry> List(const std::string& folder) {
    std::vector<Entry> entries;
    const std::string absolute = JoinPath(files_.root, folder);
    if (!fs_.Exists(absolute)) return entries;
    // Also the folder itself may be a link.
    if (const auto inside = ResolveBeneath(files_.root, folder); !inside.ok()) {
      diagnostics_.Add(Error(inside.error()).At(yaml::FilePlace(folder)));
      return entries;
    }
    Result<std::vector<FileInfo>> list = fs_.List(absolute);
    if (!list.ok()) {
      diagnostics_.Add(std::move(list).error().At(yaml::FilePlace(folder)));
      return entries;
    }
    for (const FileInfo& info : *list) {
      const std::string name = BaseName(info.path);
      if (IsHidden(name) || name.ends_with('~')) continue;
      const std::string path = JoinPath(folder, name);
      if (info.symlink && !FollowLink(path)) continue;
      entries.push_back({name, path, info.directory});
    }
    return entries;
  }

  bool FollowLink(const std::string& path) {
    const Result<std::string> real = ResolveBeneath(files_.root, path);
    if (!real.ok()) {
      diagnostics_.Add(UserError("path_outside", "this link leads out of the project")
                           .At(yaml::FilePlace(path))
                           .Hint("copy the file into the project")
                           .Cause(real.error()));
      return false;
    }
    const Result<FileInfo> info = fs_.Stat(*real);
    if (!info.ok()) {
      Add("bad_file", path, "this link leads nowhere", "remove it");
      return false;
    }
    if (info->directory) {
      Add("bad_file", path, "links to folders are not followed", "move the folder here");
      return false;
    }
    return true;
  }

  void PipelineFile(const Entry& entry, const std::string& folder) {
    if (entry.name.ends_with(".yml")) {
      const std::string stem = entry.name.substr(0, entry.name.size() - 4);
      if (!NameIsGood(stem, entry.path)) return;
      if (NodeFiles* node = NodeFor(stem, folder, entry.path)) node->yml = entry.path;
      return;
    }
    if (!entry.name.ends_with(".sql")) {
      OtherFile(entry, "pipeline/ holds .sql and .yml files; data and notes go elsewhere");
      return;
    }
    std::string stem = entry.name.substr(0, entry.name.size() - 4), engine;
    if (const size_t dot = stem.rfind('.'); dot != std::string::npos) {
      engine = stem.substr(dot + 1);
      stem.resize(dot);
      const auto& engines = Engines();
      if (std::find(engines.begin(), engines.end(), engine) == engines.end()) {
        diagnostics_.Add(UserError("unknown_engine", fmt::format("'{}' is no engine", engine))
                             .At(yaml::FilePlace(entry.path))
                             .Subject(engine)
                             .Candidates(Suggest(engine, engines))
                             .Hint(fmt::format("NAME.sql, or NAME.ENGINE.sql with {}",
                                               fmt::join(engines, " or "))));
        return;
      }
    }
    if (!NameIsGood(stem, entry.path)) return;
    NodeFiles* node = NodeFor(stem, folder, entry.path);
    if (node == nullptr) return;
    (engine.empty() ? node->sql : node->engine_sql[engine]) = entry.path;
  }

  bool NameIsGood(const std::string& stem, const std::string& path) {
    Status status = CheckName(stem);
    if (status.ok()) return true;
    diagnostics_.Add(std::move(status).error().At(yaml::FilePlace(path)));
    return false;
  }

  /// The node of that name, if it is new or stands in this folder too.
  NodeFiles* NodeFor(const std::string& name, const std::string& folder, const std::string& path) {
    const auto [found, fresh] = index_.emplace(name, files_.nodes.size());
    if (fresh) {
      NodeFiles node;
      node.name = name;
      node.folder = folder;
      files_.nodes.push_back(std::move(node));
      first_path_[name] = path;
    }
    NodeFiles& node = files_.nodes[found->second];
    if (node.folder == folder) return &node;
    Add("duplicate_node", path,
        fmt::format("'{}' is the name of {} already", name, first_path_[name]),
        "names are unique in the whole project; rename one of the files");
    return nullptr;
  }

  void OtherFile(const Entry& entry, const std::string& hint) {
    if (entry.name.ends_with(".yaml")) {
      Add("bad_file", entry.path, "YAML files end in .yml",
          fmt::format("rename it to {}.yml", entry.name.substr(0, entry.name.size() - 5)));
    } else {
      Unknown(entry.path, hint);
    }
  }

  void Unknown(const std::string& path, const std::string& hint) {
    diagnostics_.Warn(UserError("unknown_file", "this file is no part of the project")
                          .At(yaml::FilePlace(path))
                          .Hint(hint));
  }

  void Add(const char* code, const std::string& path, std::string message, std::string hint) {
    diagnostics_.Add(
        UserError(code, std::move(message)).At(yaml::FilePlace(path)).Hint(std::move(hint)));
  }

  FileSystem& fs_;
  ProjectFiles& files_;
  Diagnostics& diagnostics_;
  std::map<std::string, size_t> index_;
  std::map<std::string, std::string> first_path_;
};

}  // namespace

Result<std::string> FindProject(FileSystem& fs, const std::string& start) {
  std::vector<std::string> tried;
  std::string folder = start;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  // The text of a relative path ends before the root does: the way up is that of the real path.
  if (!folder.starts_with('/') && !fs.Exists(JoinPath(folder, "headrace.yml"))) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(folder.c_str(), nullptr),
                                                           &std::free);
    if (real) folder = real.get();
  }
  while (true) {
    if (fs.Exists(JoinPath(folder, "headrace.yml"))) return folder;
    tried.push_back(folder);
    if (folder.empty() || folder == "/" || folder.find('/') == std::string::npos) break;
    folder = DirName(folder);
    if (folder.empty()) folder = "/";
  }
  return UserError("no_project", fmt::format("there is no headrace.yml in '{}'{}", start,
                                             tried.size() > 1 ? " or above" : ""))
      .Subject(start)
      .Hint(
          "go to a project's folder, name one with --project DIR, or make one with "
          "'headrace init DIR'");
}

ProjectFiles ListProject(FileSystem& fs, const std::string& root, Diagnostics& diagnostics) {
  ProjectFiles files;
  files.root = root;
  if (Result<std::string> real = ResolveBeneath(root, "."); real.ok()) files.root = *real;
  if (!fs.Exists(JoinPath(files.root, "pipeline"))) {
    diagnostics.Warn(UserError("no_nodes", "the project has no pipeline folder")
                         .At(yaml::FilePlace("pipeline"))
                         .Hint("put the nodes' .sql and .yml files there"));
  }
  Lister lister(fs, files, diagnostics);
  lister.Pipeline("pipeline", 1);
  lister.Checks();
  lister.Tests();
  std::sort(files.nodes.begin(), files.nodes.end(),
            [](const NodeFiles& a, const NodeFiles& b) { return a.name < b.name; });
  return files;
}

}  // namespace headrace::config
