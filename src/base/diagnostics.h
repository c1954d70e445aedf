#pragma once
// All faults of a project in one go: checks add to a Diagnostics and go on.
#include <vector>

#include "base/error.h"

namespace headrace {

/// Collects errors, warnings and hints. Not thread-safe.
class Diagnostics {
 public:
  void Add(Error error) { all_.push_back(std::move(error)); }
  void Warn(Error error) { Add(std::move(error.As(Severity::kWarning))); }
  void Hint(Error error) { Add(std::move(error.As(Severity::kHint))); }
  bool HasErrors() const;
  size_t ErrorCount() const;
  const std::vector<Error>& all() const { return all_; }
  /// Sorts by file, line, column; equal faults are kept once.
  void Sort();

 private:
  std::vector<Error> all_;
};

}  // namespace headrace
