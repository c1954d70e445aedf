#include <algorithm>
#include <set>

#include "base/embedded.h"
#include "base/suggest.h"
#include "engine/engine.h"

namespace headrace::engine {
namespace {

constexpr const char* kIgnore =
    "# What Headrace keeps and can rebuild, and what must stay secret.\n"
    ".headrace/\n.env\n";

constexpr const char* kSettings =
    "project: {}\n"
    "\n"
    "# connections:\n"
    "#   crm: {type: sqlite, path: data/crm.db}\n"
    "\n"
    "targets:\n"
    "  dev:  {engine: duckdb}\n"
    "  prod: {engine: duckdb}\n";

/// A project's name from a folder's: letters, digits and _.
std::string ProjectName(const std::string& directory) {
  std::string base = BaseName(directory);
  std::string name;
  for (char c : base) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (ok) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty() || name[0] < 'a') name = "p" + name;
  return name;
}

}  // namespace

std::vector<std::string> ExampleNames() {
  std::set<std::string> names;
  for (const EmbeddedFile* file = kEmbeddedFiles; file->path != nullptr; ++file) {
    std::string path = file->path;
    size_t slash = path.find('/');
    if (slash != std::string::npos) names.insert(path.substr(0, slash));
  }
  return {names.begin(), names.end()};
}

Result<std::vector<std::string>> InitProject(FileSystem& fs, const std::string& directory,
                                             const std::string& example) {
  const auto names = ExampleNames();
  if (!example.empty() && std::find(names.begin(), names.end(), example) == names.end()) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
    return UserError("unknown_example", "there is no example '" + example + "'")
        .Subject(example)
        .Candidates(Suggest(example, names))
        .Hint("examples: " + all);
  }
  if (fs.Exists(directory)) {
    HR_ASSIGN(auto there, fs.List(directory));
    if (!there.empty()) {
      return UserError("not_empty", "'" + directory + "' is not empty")
          .Subject(directory)
          .Hint("name a new folder: headrace init" +
                (example.empty() ? std::string() : " --example " + example) + " DIR");
    }
  }
  HR_TRY(fs.CreateDirectories(directory));
  std::vector<std::string> written;
  auto write = [&](const std::string& path, std::string_view content) -> Status {
    const std::string full = JoinPath(directory, path);
    HR_TRY(fs.CreateDirectories(DirName(full)));
    HR_TRY(fs.Write(full, content));
    written.push_back(path);
    return Ok();
  };
  bool ignore = false;
  if (example.empty()) {
    std::string settings = kSettings;
    settings.replace(settings.find("{}"), 2, ProjectName(directory));
    HR_TRY(write("headrace.yml", settings));
    HR_TRY(fs.CreateDirectories(JoinPath(directory, "pipeline")));
  } else {
    const std::string prefix = example + "/";
    for (const EmbeddedFile* file = kEmbeddedFiles; file->path != nullptr; ++file) {
      std::string path = file->path;
      if (path.rfind(prefix, 0) != 0) continue;
      path = path.substr(prefix.size());
      ignore = ignore || path == ".gitignore";
      HR_TRY(write(path, {file->data, file->size}));
    }
  }
  if (!ignore) HR_TRY(write(".gitignore", kIgnore));
  std::sort(written.begin(), written.end());
  return written;
}

}  // namespace headrace::engine
