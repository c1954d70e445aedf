#pragma once
// What lint found out before: parse trees of SQL and column types, by digest of everything they
// depend on. With it a second `lint` or `run` of an unchanged project never opens DuckDB. Losing
// the file costs time, nothing else.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/file_system.h"

namespace headrace::pipeline {

/// One file of lines "key<TAB>value". Not thread-safe.
class LintCache {
 public:
  /// `folder` "" = remembers nothing. A damaged file counts as empty.
  LintCache(FileSystem& fs, std::string folder);
  /// The value kept under `key`, or nullptr. Marks it as used.
  const std::string* Find(const std::string& key);
  /// Keeps a value (one line).
  void Put(const std::string& key, std::string value);
  /// Writes what was used or put, if anything is new. Failure is no error: the next lint is slower.
  void Save();

 private:
  struct Entry {
    std::string value;
    bool used = false;
  };
  FileSystem& fs_;
  std::string path_;
  std::unordered_map<std::string, Entry> entries_;
  bool changed_ = false;
};

}  // namespace headrace::pipeline
