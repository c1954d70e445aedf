// Paths as text, resolving beneath a root, globs (declared in file_system.h).
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/glob.h"

namespace headrace {
namespace {

constexpr int kMostLinks = 40;  // as Linux has it

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return parts;
}

bool IsBeneath(const std::string& path, const std::string& root) {
  return root == "/" || path == root || path.starts_with(root + "/");
}

/// The absolute path without links and "..", as realpath(3), but the end may not exist yet: links
/// are followed as long as there are any, the rest is taken as text.
Result<std::string> Canonical(const std::string& path) {
  std::string done;  // absolute, resolved; "" = the root
  std::deque<std::string> left;
  for (std::string& part : SplitPath(path)) left.push_back(std::move(part));
  int links = 0;
  while (!left.empty()) {
    const std::string part = std::move(left.front());
    left.pop_front();
    if (part == "..") {
      done = DirName(done);
      continue;
    }
    const std::string next = done + "/" + part;
    char target[PATH_MAX];
    const ssize_t size = readlink(next.c_str(), target, sizeof target);
    if (size < 0) {
      // EINVAL: not a link; ENOENT, ENOTDIR: the end of what exists.
      if (errno != EINVAL && errno != ENOENT && errno != ENOTDIR) {
        return ErrnoError(errno, fmt::format("cannot follow '{}'", next));
      }
      done = next;
      continue;
    }
    if (++links > kMostLinks) return ErrnoError(ELOOP, fmt::format("cannot follow '{}'", path));
    const std::string_view link(target, size);
    if (link.starts_with('/')) done.clear();
    const auto parts = SplitPath(link);
    left.insert(left.begin(), parts.begin(), parts.end());
  }
  return done.empty() ? "/" : done;
}

/// Whether `c` is in the set that starts behind '[' at `*i`; moves behind ']'. Without a ']' the
/// bracket stands for itself: nothing is returned.
bool MatchSet(std::string_view pattern, size_t* i, char c, bool* is_set) {
  size_t k = *i;
  const bool negated = k < pattern.size() && (pattern[k] == '!' || pattern[k] == '^');
  if (negated) ++k;
  const size_t close = pattern.find(']', k + 1);  // a ']' in front stands for itself
  *is_set = close != std::string_view::npos;
  if (!*is_set) return false;
  bool in = false;
  while (k < close) {
    if (k + 2 < close && pattern[k + 1] == '-') {
      in = in || (pattern[k] <= c && c <= pattern[k + 2]);
      k += 3;
    } else {
      in = in || pattern[k++] == c;
    }
  }
  *i = close + 1;
  return in != negated;
}

/// One step of the pattern at `*p` against the character `c`; moves `*p` behind it.
bool MatchOne(std::string_view pattern, size_t* p, char c) {
  const char wanted = pattern[(*p)++];
  if (wanted == '?') return true;
  if (wanted == '\\' && *p < pattern.size()) return pattern[(*p)++] == c;
  if (wanted != '[') return wanted == c;
  bool is_set = false;
  const bool in = MatchSet(pattern, p, c, &is_set);
  return is_set ? in : c == '[';
}

/// Matches one name. Linear in practice: only the last star is tried again.
bool MatchName(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  size_t p = 0, n = 0, star = std::string_view::npos, star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_name = n;
      continue;
    }
    if (p < pattern.size() && MatchOne(pattern, &p, name[n])) {
      ++n;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    n = ++star_name;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool IsMagic(std::string_view part) { return part.find_first_of("*?[\\") != part.npos; }

/// Whether the parts of a path from `n` on are what the parts of a pattern from `p` on stand for.
bool MatchParts(const std::vector<std::string>& pattern, size_t p,
                const std::vector<std::string>& path, size_t n) {
  if (p == pattern.size()) return n == path.size();
  if (pattern[p] == "**") {
    if (p + 1 < pattern.size() && MatchParts(pattern, p + 1, path, n)) return true;
    if (n == path.size() || path[n].starts_with('.')) return false;
    return (p + 1 == pattern.size() && n + 1 == path.size()) || MatchParts(pattern, p, path, n + 1);
  }
  return n < path.size() && MatchName(pattern[p], path[n]) &&
         MatchParts(pattern, p + 1, path, n + 1);
}

/// Walks down one folder for the parts of a pattern from `index` on.
class GlobWalk {
 public:
  GlobWalk(FileSystem& fs, std::vector<std::string> parts) : fs_(fs), parts_(std::move(parts)) {}

  Status Visit(const std::string& folder, size_t index) {
    const std::string& part = parts_[index];
    const bool last = index + 1 == parts_.size();
    if (part == "**") {
      // Also files directly here: "**" alone at the end means every file below.
      if (last) return Below(folder, index, /*files=*/true);
      HR_TRY(Visit(folder, index + 1));
      return Below(folder, index, /*files=*/false);
    }
    if (!IsMagic(part)) {
      const std::string path = JoinPath(folder, part);
      auto info = fs_.Stat(path);
      if (!info.ok()) return Missing(std::move(info).error());
      if (!last) return info->directory ? Visit(path, index + 1) : Ok();
      if (!info->directory) found_.push_back(*std::move(info));
      return Ok();
    }
    auto entries = fs_.List(folder);
    if (!entries.ok()) return Missing(std::move(entries).error());
    for (const FileInfo& entry : *entries) {
      if (!MatchName(part, BaseName(entry.path))) continue;
      if (last && !entry.directory) found_.push_back(entry);
      if (!last && entry.directory) HR_TRY(Visit(entry.path, index + 1));
    }
    return Ok();
  }

  std::vector<FileInfo> Take() && {
    std::sort(found_.begin(), found_.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
    const auto same = [](const FileInfo& a, const FileInfo& b) { return a.path == b.path; };
    found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
    return std::move(found_);
  }

 private:
  /// "**" goes into folders, not through links: those may form loops or lead elsewhere.
  Status Below(const std::string& folder, size_t index, bool files) {
    auto entries = fs_.List(folder);
    if (!entries.ok()) return Missing(std::move(entries).error());
    for (const FileInfo& entry : *entries) {
      if (BaseName(entry.path).starts_with('.')) continue;
      if (files && !entry.directory) found_.push_back(entry);
      if (entry.directory && !entry.symlink) HR_TRY(Visit(entry.path, index));
    }
    return Ok();
  }

  static Status Missing(Error error) {
    if (error.code == "not_found" || error.code == "not_a_directory") return Ok();
    return error;
  }

  FileSystem& fs_;
  const std::vector<std::string> parts_;
  std::vector<FileInfo> found_;
};

}  // namespace

std::string JoinPath(std::string_view a, std::string_view b) {
  if (a.empty() || b.starts_with('/')) return std::string(b);
  if (b.empty()) return std::string(a);
  return a.ends_with('/') ? fmt::format("{}{}", a, b) : fmt::format("{}/{}", a, b);
}

std::string DirName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

std::string BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

Result<std::string> ResolveBeneath(const std::string& root, const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(root.c_str(), nullptr),
                                                         &std::free);
  if (!real) return ErrnoError(errno, fmt::format("cannot find the folder '{}'", root));
  if (path.find('\0') != std::string::npos) {
    return UserError("bad_path", fmt::format("path '{}' holds a NUL byte", path.c_str()))
        .Subject(path.c_str());
  }
  HR_ASSIGN(std::string resolved, Canonical(JoinPath(real.get(), path)));
  if (IsBeneath(resolved, real.get())) return resolved;
  // Where it leads is worth saying only when the text does not show it: through a link.
  const bool plain =
      path.starts_with('/') || path.starts_with("..") || path.find("/../") != std::string::npos;
  const std::string where = plain ? "" : fmt::format(" (it leads to '{}')", resolved);
  return UserError("path_outside",
                   fmt::format("path '{}' lies outside of '{}'{}", path, real.get(), where))
      .Subject(path)
      .Hint("name the folder as `root:` of a connection and read through that connection");
}

bool GlobMatches(const std::string& pattern, const std::string& path) {
  if (pattern.starts_with('/') != path.starts_with('/')) return false;
  return MatchParts(SplitPath(pattern), 0, SplitPath(path), 0);
}

Result<std::vector<FileInfo>> Glob(FileSystem& fs, const std::string& pattern) {
  std::vector<std::string> parts = SplitPath(pattern);
  if (parts.empty()) return std::vector<FileInfo>();
  GlobWalk walk(fs, std::move(parts));
  HR_TRY(walk.Visit(pattern.starts_with('/') ? "/" : "", 0));
  return std::move(walk).Take();
}

}  // namespace headrace
