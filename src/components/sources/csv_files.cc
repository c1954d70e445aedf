#include "components/sources/csv_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/budget.h"
#include "base/glob.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/number_text.h"
#include "base/suggest.h"
#include "config/project.h"

namespace headrace::components {
namespace {

// Fits a core's cache: the bytes are gone through several times. Part of what a digest is.
constexpr int64_t kChunk = 256 << 10;
constexpr int kCursorVersion = 2;

bool HasEnding(std::string_view name, const FileEndings& endings) {
  if (name.starts_with('.')) return false;
  if (endings.packed) {
    for (std::string_view packed : {".gz", ".zst"}) {
      if (name.ends_with(packed)) name.remove_suffix(packed.size());
    }
  }
  return std::any_of(endings.endings.begin(), endings.endings.end(),
                     [&](const std::string& ending) { return name.ends_with(ending); });
}

bool IsGlob(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

/// The part of a glob before its first wildcard, up to a slash.
std::string FixedFolder(const std::string& pattern) {
  return DirName(pattern.substr(0, pattern.find_first_of("*?[")));
}

std::string Shown(const std::string& root, const std::string& path) {
  const std::string prefix = root.ends_with('/') ? root : root + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

/// Names near the one that is not there.
std::vector<std::string> NearNames(FileSystem& fs, const std::string& folder,
                                   const std::string& path) {
  auto entries = fs.List(folder);
  if (!entries.ok()) return {};
  std::vector<std::string> names, near;
  for (const FileInfo& entry : *entries) names.push_back(BaseName(entry.path));
  for (const std::string& name : Suggest(BaseName(path), names)) {
    near.push_back(DirName(path).empty() ? name : JoinPath(DirName(path), name));
  }
  return near;
}

Error NoFiles(FileSystem& fs, const std::string& root, const std::string& path, const Place& place,
              std::string message, const FileEndings& endings, bool missing = false) {
  Error error = UserError("no_files", std::move(message));
  error.At(place).Subject(path);
  const std::string folder = JoinPath(root, DirName(path));
  if (missing) error.Candidates(NearNames(fs, folder, path));
  if (error.candidates.empty()) {
    error.Hint(
        "paths start at the folder of headrace.yml; `path` takes a file, a folder or a "
        "glob such as data/*" +
        endings.endings.front());
  }
  return error;
}

}  // namespace

const FileEndings& CsvEndings() {
  static const FileEndings endings{{".csv", ".tsv", ".txt"}, true, ".csv, .tsv or .txt"};
  return endings;
}

bool ReadsFile(FileSystem& fs, const std::string& files_root, const std::string& path,
               const FileEndings& endings, const std::string& target) {
  if (IsGlob(path) && !fs.Exists(JoinPath(files_root, path))) {
    const std::string folder = FixedFolder(path);
    auto real = config::ResolvePath(files_root, folder.empty() ? "." : folder, "", {});
    const std::string rest = folder.empty() ? path : path.substr(folder.size() + 1);
    return real.ok() && GlobMatches(JoinPath(*real, rest), target);
  }
  auto real = config::ResolvePath(files_root, path, "", {});
  if (!real.ok()) return false;
  if (*real == target) return true;
  auto info = fs.Stat(*real);
  return info.ok() && info->directory && DirName(target) == *real &&
         HasEnding(BaseName(target), endings);
}

Result<std::vector<CsvFile>> ListCsvFiles(FileSystem& fs, const std::string& files_root,
                                          const std::string& path, const Place& place,
                                          const FileEndings& endings) {
  HR_ASSIGN(std::string root, config::ResolvePath(files_root, ".", "", place));
  std::vector<FileInfo> found;
  // A name may hold brackets: a file of just that name comes before the glob.
  const bool glob = IsGlob(path) && !fs.Exists(JoinPath(root, path));
  if (glob) {
    const std::string folder = FixedFolder(path);
    HR_ASSIGN(std::string real,
              config::ResolvePath(root, folder.empty() ? "." : folder, "", place));
    const std::string rest = folder.empty() ? path : path.substr(folder.size() + 1);
    HR_ASSIGN(auto matches, headrace::Glob(fs, JoinPath(real, rest)));
    for (FileInfo& match : matches) {
      if (!match.directory) found.push_back(std::move(match));
    }
    if (found.empty()) {
      return NoFiles(fs, root, path, place, fmt::format("no file matches '{}'", path), endings);
    }
  } else {
    HR_ASSIGN(std::string real, config::ResolvePath(root, path, "", place));
    auto info = fs.Stat(real);
    if (!info.ok()) {
      if (info.error().code != "not_found") return Error(info.error()).At(place);
      return NoFiles(fs, root, path, place, fmt::format("there is no file '{}'", path), endings,
                     true);
    }
    if (info->directory) {
      HR_ASSIGN(auto entries, fs.List(real));
      for (FileInfo& entry : entries) {
        if (!entry.directory && HasEnding(BaseName(entry.path), endings)) {
          found.push_back(std::move(entry));
        }
      }
      if (found.empty()) {
        return NoFiles(fs, root, path, place,
                       fmt::format("the folder '{}' holds no {} file", path, endings.text),
                       endings);
      }
    } else {
      info->path = real;
      found.push_back(std::move(*info));
    }
  }
  std::vector<CsvFile> files;
  for (const FileInfo& info : found) {
    const std::string shown = Shown(root, info.path);
    // Follows links and refuses those that lead out of the root.
    HR_ASSIGN(std::string real, config::ResolvePath(root, shown, "", place));
    HR_ASSIGN(FileInfo target, fs.Stat(real));
    if (target.directory) continue;
    files.push_back({real, shown, target.size, target.modified});
  }
  std::sort(files.begin(), files.end(),
            [](const CsvFile& a, const CsvFile& b) { return a.shown < b.shown; });
  return files;
}

std::string CsvCursor::ToJson() const {
  Json json;
  json["version"] = kCursorVersion;
  json["definition"] = definition;
  json["delimiter"] = std::string(1, delimiter);
  json["files"] = Json::array();
  for (const CsvFileState& file : files) {
    json["files"].push_back({{"path", file.path},
                             {"size", file.size},
                             {"modified", file.modified},
                             {"digest", file.digest},
                             {"lines", file.lines},
                             {"settled", file.settled}});
  }
  json["columns"] = Json::array();
  for (const CsvCursorColumn& column : columns) {
    json["columns"].push_back(
        {{"name", column.name}, {"type", column.type}, {"found", static_cast<int>(column.found)}});
  }
  return DumpJson(json);
}

std::optional<CsvCursor> CsvCursor::FromJson(const std::string& text) {
  auto parsed = ParseJson(text, "cursor");
  if (!parsed.ok()) return std::nullopt;
  try {
    const Json& json = *parsed;
    if (json.at("version").get<int>() != kCursorVersion) return std::nullopt;
    CsvCursor cursor;
    cursor.definition = json.at("definition").get<std::string>();
    cursor.delimiter = json.at("delimiter").get<std::string>().at(0);
    for (const Json& file : json.at("files")) {
      cursor.files.push_back({file.at("path").get<std::string>(), file.at("size").get<int64_t>(),
                              file.at("modified").get<int64_t>(),
                              file.at("digest").get<std::string>(), file.at("lines").get<int64_t>(),
                              file.at("settled").get<bool>()});
    }
    for (const Json& column : json.at("columns")) {
      const int found = column.at("found").get<int>();
      if (found < 0 || found > static_cast<int>(CsvType::kText)) return std::nullopt;
      cursor.columns.push_back({column.at("name").get<std::string>(),
                                column.at("type").get<std::string>(), static_cast<CsvType>(found)});
    }
    return cursor;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

namespace {
int64_t CountLines(std::string_view text) {
  int64_t lines = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {  // memchr is several times as fast as std::count
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (at == nullptr) break;
    ++at;
    ++lines;
  }
  return lines;
}
}  // namespace

Result<CsvContent> ReadCsvContent(FileSystem& fs, const CsvFile& file, int64_t prefix,
                                  const CancelToken& cancel) {
  // Digests of chunks of fixed size, digested: the bytes need not be in memory at once, and the
  // digest of a prefix comes out of the same pass.
  CsvContent content;
  Hasher whole, begin;
  for (int64_t offset = 0; offset < file.size; offset += kChunk) {
    HR_TRY(cancel.Check());
    const int64_t want = std::min(kChunk, file.size - offset);
    HR_ASSIGN(std::string chunk, fs.ReadRange(file.path, offset, want));
    if (static_cast<int64_t>(chunk.size()) != want) {
      return DataError("file_changed",
                       fmt::format("{} became shorter while it was read", file.shown))
          .At({.file = file.shown})
          .Hint("write files under another name and rename them when they are complete")
          .Retriable();
    }
    const std::string_view view = chunk;
    whole.Add(HashBytes(view).Hex());
    if (content.nul_line == 0) {
      const size_t nul = view.find('\0');
      if (nul != std::string_view::npos) {
        content.nul_line =
            content.lines + 1 +
            std::count(view.begin(), view.begin() + static_cast<ptrdiff_t>(nul), '\n');
      }
    }
    content.lines += CountLines(view);
    if (offset < prefix) {
      const std::string_view part = view.substr(0, static_cast<size_t>(prefix - offset));
      begin.Add(HashBytes(part).Hex());
      content.prefix_lines += CountLines(part);
      if (offset + static_cast<int64_t>(part.size()) == prefix) {
        content.prefix_ends_line = part.ends_with('\n');
      }
    }
  }
  content.digest = whole.Finish().Hex();
  content.prefix_digest = begin.Finish().Hex();
  return content;
}

Result<CsvChange> CompareCsvFiles(FileSystem& fs, const CsvOptions& options,
                                  const std::vector<CsvFile>& files, const CsvCursor& cursor,
                                  const CancelToken& cancel) {
  CsvChange change;
  std::vector<std::string> said;
  int64_t fresh = 0;
  std::string fresh_name;
  size_t known = 0;
  for (const CsvFile& file : files) {
    for (; known < cursor.files.size() && cursor.files[known].path < file.shown; ++known) {
      change.full = true;
      said.push_back(BaseName(cursor.files[known].path) + " is gone");
    }
    CsvChange::Item item;
    item.state = {file.shown, file.size, file.modified, "", 0, false};
    if (known == cursor.files.size() || cursor.files[known].path != file.shown) {
      ++fresh;
      fresh_name = BaseName(file.shown);
      change.items.push_back(std::move(item));
      continue;
    }
    const CsvFileState& old = cursor.files[known++];
    const bool same_stat = old.size == file.size && old.modified == file.modified;
    if (same_stat && old.settled) {
      item.kind = CsvChange::Kind::kSame;
      item.state = old;
      change.items.push_back(std::move(item));
      continue;
    }
    const bool may_grow = file.size > old.size && CompressionOf(file.path) == Compression::kNone &&
                          options.encoding != TextEncoding::kUtf16;
    if (file.size == old.size || may_grow) {
      HR_ASSIGN(CsvContent content, ReadCsvContent(fs, file, old.size, cancel));
      item.state.digest = content.digest;
      item.state.lines = content.lines;
      if (file.size == old.size && content.digest == old.digest) {
        item.kind = CsvChange::Kind::kSame;
        change.items.push_back(std::move(item));
        continue;
      }
      if (may_grow && content.prefix_digest == old.digest && content.prefix_ends_line) {
        item.kind = CsvChange::Kind::kGrown;
        item.offset = old.size;
        item.first_line = content.prefix_lines + 1;
        said.push_back(
            fmt::format("{} grew by {}", BaseName(file.shown), FormatBytes(file.size - old.size)));
        change.items.push_back(std::move(item));
        continue;
      }
    }
    change.full = true;
    said.push_back(BaseName(file.shown) + " changed");
    change.items.push_back(std::move(item));
  }
  for (; known < cursor.files.size(); ++known) {
    change.full = true;
    said.push_back(BaseName(cursor.files[known].path) + " is gone");
  }
  if (fresh == 1) said.push_back(fresh_name + " is new");
  if (fresh > 1) said.push_back(fmt::format("{} new files", fresh));
  constexpr size_t kMost = 3;
  for (size_t n = 0; n < said.size() && n < kMost; ++n) {
    change.changed += (n == 0 ? "" : ", ") + said[n];
  }
  if (said.size() > kMost) {
    change.changed += fmt::format(" and {} more", said.size() - kMost);
  }
  if (said.empty()) {
    change.unchanged = Counted(static_cast<int64_t>(files.size()), "file") + " unchanged";
  }
  return change;
}

Status CheckUnchanged(FileSystem& fs, const CsvFile& file) {
  auto now = fs.Stat(file.path);
  if (now.ok() && now->size == file.size && now->modified == file.modified) return Ok();
  return DataError("file_changed", fmt::format("{} {} while it was read", file.shown,
                                               now.ok() ? "changed" : "disappeared"))
      .At({.file = file.shown})
      .Hint("run again; write files under another name and rename them when they are complete")
      .Retriable();
}

}  // namespace headrace::components
