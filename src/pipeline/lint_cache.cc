#include "pipeline/lint_cache.h"

#include "base/hash.h"
#include "headrace/version.h"

namespace headrace::pipeline {
namespace {

// The first line names the program that wrote the file: another version parses anew.
std::string Header() { return std::string("headrace lint cache 1 ") + HEADRACE_VERSION; }

}  // namespace

LintCache::LintCache(FileSystem& fs, std::string folder) : fs_(fs) {
  if (folder.empty()) return;
  path_ = JoinPath(folder, "lint");
  if (!fs_.Exists(path_)) return;
  auto text = fs_.Read(path_);
  if (!text.ok()) return;
  std::string_view rest = *text;
  // The last line is the digest of what stands above it.
  size_t last = rest.size() < 34 ? std::string_view::npos : rest.rfind('\n', rest.size() - 2);
  if (last == std::string_view::npos) return;
  std::string_view digest = rest.substr(last + 1, rest.size() - last - 2);
  rest = rest.substr(0, last + 1);
  if (HashBytes(rest).Hex() != digest) return;
  size_t end = rest.find('\n');
  if (rest.substr(0, end) != Header()) return;
  rest.remove_prefix(end + 1);
  while (!rest.empty()) {
    end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    size_t tab = line.find('\t');
    if (tab != std::string_view::npos) {
      entries_[std::string(line.substr(0, tab))].value = line.substr(tab + 1);
    }
    rest.remove_prefix(end + 1);
  }
}

const std::string* LintCache::Find(const std::string& key) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  found->second.used = true;
  return &found->second.value;
}

void LintCache::Put(const std::string& key, std::string value) {
  if (value.find('\n') != std::string::npos) return;
  entries_[key] = {std::move(value), true};
  changed_ = true;
}

void LintCache::Save() {
  if (path_.empty() || !changed_) return;
  std::string text = Header() + "\n";
  for (const auto& [key, entry] : entries_) {
    if (entry.used) text += key + "\t" + entry.value + "\n";
  }
  text += HashBytes(text).Hex() + "\n";
  if (!fs_.CreateDirectories(DirName(path_)).ok()) return;
  // A torn file is recognised by its digest, so it is not worth a sync.
  (void)fs_.Write(path_, text).ok();
}

}  // namespace headrace::pipeline
