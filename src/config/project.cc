#include "config/project.h"

#include <fmt/format.h>

#include "yaml/parse.h"
#include "yaml/text.h"

namespace headrace::config {
namespace {

constexpr int64_t kMaxFileBytes = 1 << 20;

class Loader {
 public:
  Loader(FileSystem& fs, const spec::SpecLookup& lookup, Diagnostics& diagnostics, Project& project,
         Redactor* redactor)
      : fs_(fs), diagnostics_(diagnostics), project_(project) {
    context_.diagnostics = &diagnostics;
    context_.lookup = &lookup;
    context_.redactor = redactor;
  }

  bool Settings() {
    const std::optional<std::string> text = Read("headrace.yml");
    if (!text) return false;
    const std::optional<yaml::Node> yaml = yaml::Parse(*text, "headrace.yml", diagnostics_);
    if (!yaml) return false;
    project_.settings = ParseSettings(*yaml, context_);
    return true;
  }

  void Folders() {
    for (const auto& [folder, path] : project_.files.folder_defaults) {
      const std::optional<yaml::Node> yaml = ReadYaml(path);
      if (!yaml) continue;
      spec::ParseContext context = context_;
      context.subject = fmt::format("folder '{}'", folder);
      folders_[folder] =
          spec::Parse(spec::FolderFields::Describe(), *yaml, context).As<spec::FolderFields>();
    }
  }

  void Node(const NodeFiles& files) {
    LoadedNode node;
    node.name = files.name;
    node.folder = files.folder;
    yaml::Node yaml;
    bool readable = true;
    if (!files.yml.empty()) {
      const auto parsed = ReadYaml(files.yml);
      readable = parsed.has_value();
      if (readable) yaml = *parsed;
    }
    const std::string kind = spec::KindOf(yaml);
    const bool has_sql = !files.sql.empty() || !files.engine_sql.empty();
    const std::string sql_path =
        files.sql.empty() && has_sql ? files.engine_sql.begin()->second : files.sql;
    if (has_sql && !kind.empty()) {
      Add("duplicate_node", *yaml.Find(kind), files.name,
          fmt::format("'{}' is the name of {} already", files.name, sql_path),
          "a .yml beside a .sql holds its properties and has no kind; rename one of them");
      return;
    }
    spec::ParseContext context = context_;
    Diagnostics found;
    context.diagnostics = &found;
    std::optional<spec::NodeSpec> parsed =
        readable ? spec::ParseNode(yaml, files.name, context) : std::nullopt;
    // Without a kind nobody knows which fields it could have.
    const bool no_kind = parsed && !has_sql && kind.empty();
    for (const Error& error : found.all()) {
      if (!no_kind || error.code != "unknown_field") diagnostics_.Add(error);
    }
    const bool texts = ReadTexts(files, node);
    if (!parsed || !texts) return;
    if (!has_sql && kind.empty()) {
      Add("bad_node", yaml, files.name, "this file has no kind, and no .sql stands beside it",
          fmt::format("start it with 'source: …', 'model: …' or another kind, or add {}.sql",
                      files.name));
      return;
    }
    node.spec = *std::move(parsed);
    node.path = has_sql ? sql_path : files.yml;
    // `sql: SELECT …` in a .yml: its text is the query.
    if (kind == "sql") node.sql = SqlText{files.yml, node.spec.subject};
    ApplyFolders(files.folder, node.spec.common);
    project_.nodes.emplace(files.name, std::move(node));
  }

  void Check(const CheckFiles& files) {
    LoadedCheck check;
    check.name = files.name;
    const auto text = ReadText(files.sql);
    if (text) check.sql = {files.sql, *text};
    if (!files.yml.empty()) {
      const auto yaml = ReadYaml(files.yml);
      if (!yaml) return;
      spec::ParseContext context = context_;
      context.subject = fmt::format("check '{}'", files.name);
      CheckOwner owner;
      check.places = spec::ParseInto(
          *yaml,
          {{&spec::CheckFields::Describe(), &check.fields}, {&CheckOwner::Describe(), &owner}}, {},
          context);
      check.owner = owner.owner;
    }
    if (text) project_.checks.push_back(std::move(check));
  }

  void Test(const std::string& path) {
    if (auto yaml = ReadYaml(path)) project_.tests.push_back({path, *std::move(yaml)});
  }

 private:
  std::optional<std::string> Read(const std::string& path) {
    const std::string absolute = JoinPath(project_.files.root, path);
    const auto report = [&](Error error) {
      diagnostics_.Add(std::move(error.At(yaml::FilePlace(path))));
      return std::nullopt;
    };
    // A link may have been put here since the folder was listed.
    Result<std::string> inside = ResolveBeneath(project_.files.root, path);
    if (!inside.ok()) return report(std::move(inside).error());
    Result<FileInfo> info = fs_.Stat(absolute);
    if (!info.ok()) return report(std::move(info).error());
    if (info->directory) return report(UserError("bad_file", "this is a folder, not a file"));
    if (info->size > kMaxFileBytes) {
      return report(UserError("too_large", fmt::format("the file has {} bytes; {} are allowed",
                                                       info->size, kMaxFileBytes)));
    }
    Result<std::string> text = fs_.Read(absolute);
    if (!text.ok()) return report(std::move(text).error());
    return *std::move(text);
  }

  std::optional<yaml::Node> ReadYaml(const std::string& path) {
    const std::optional<std::string> text = Read(path);
    return text ? yaml::Parse(*text, path, diagnostics_) : std::nullopt;
  }

  std::optional<std::string> ReadText(const std::string& path) {
    const std::optional<std::string> bytes = Read(path);
    if (!bytes) return std::nullopt;
    const auto source = yaml::ReadSource(*bytes, path, diagnostics_);
    if (source == nullptr) return std::nullopt;
    if (source->text.find_first_not_of(" \t\n") == std::string::npos) {
      diagnostics_.Add(UserError("empty_file", "the file is empty")
                           .At(yaml::FilePlace(path))
                           .Hint("write one SELECT"));
      return std::nullopt;
    }
    return source->text;
  }

  bool ReadTexts(const NodeFiles& files, LoadedNode& node) {
    bool good = true;
    if (!files.sql.empty()) {
      if (const auto text = ReadText(files.sql)) {
        node.sql = SqlText{files.sql, *text};
      } else {
        good = false;
      }
    }
    for (const auto& [engine, path] : files.engine_sql) {
      if (const auto text = ReadText(path)) {
        node.engine_sql[engine] = SqlText{path, *text};
      } else {
        good = false;
      }
    }
    return good;
  }

  /// The nearest folder first, up to pipeline/.
  void ApplyFolders(std::string folder, spec::CommonFields& common) const {
    while (!folder.empty()) {
      const auto found = folders_.find(folder);
      if (found != folders_.end()) spec::ApplyDefaults(found->second, common);
      folder = DirName(folder);
    }
    if (!common.deterministic && project_.settings.deterministic) common.deterministic = true;
  }

  void Add(const char* code, const yaml::Node& at, const std::string& node, std::string message,
           std::string hint) {
    Place place = yaml::PlaceOf(at);
    place.node = node;
    diagnostics_.Add(
        UserError(code, std::move(message)).At(std::move(place)).Hint(std::move(hint)));
  }

  FileSystem& fs_;
  Diagnostics& diagnostics_;
  Project& project_;
  spec::ParseContext context_;
  std::map<std::string, spec::FolderFields> folders_;
};

}  // namespace

const spec::Spec& CheckOwner::Describe() {
  static const spec::Spec spec{
      "",
      "check_owner",
      "",
      {spec::Field("owner", &CheckOwner::owner, "Who answers for the check.")
           .Affects(spec::Affects::kNothing)}};
  return spec;
}

const SqlText* LoadedNode::SqlFor(const std::string& engine) const {
  const auto own = engine_sql.find(engine);
  if (own != engine_sql.end()) return &own->second;
  return sql ? &*sql : nullptr;
}

std::optional<Project> LoadProject(FileSystem& fs, const std::string& root,
                                   const spec::SpecLookup& lookup, Diagnostics& diagnostics,
                                   Redactor* redactor) {
  Project project;
  project.files = ListProject(fs, root, diagnostics);
  Loader loader(fs, lookup, diagnostics, project, redactor);
  const bool usable = loader.Settings();
  loader.Folders();
  for (const NodeFiles& files : project.files.nodes) loader.Node(files);
  for (const CheckFiles& files : project.files.checks) loader.Check(files);
  for (const std::string& path : project.files.tests) loader.Test(path);
  if (!usable) return std::nullopt;
  return project;
}

Result<std::string> ResolvePath(const std::string& project_root, const std::string& path,
                                const std::string& connection_root, const Place& place) {
  const auto checked = [&](const std::string& root) -> Result<std::string> {
    Result<std::string> resolved = ResolveBeneath(root, path);
    if (resolved.ok()) return resolved;
    return std::move(resolved).error().At(place);
  };
  if (connection_root.empty()) return checked(project_root);
  const bool absolute = connection_root.starts_with('/');
  return checked(absolute ? connection_root : JoinPath(project_root, connection_root));
}

}  // namespace headrace::config
