#pragma once
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace headrace {

/// Masks secret values in every text that leaves the engine: output, state, logs, third-party error
/// texts. Values of 6 characters or more become "***", also where they stand URL-encoded,
/// JSON-escaped or within something base64-encoded (standard and URL alphabet). Thread-safe.
class Redactor {
 public:
  void AddSecret(std::string_view value);
  std::string Redact(std::string_view text) const;
  /// All texts of an error and its causes.
  Error Redact(Error error) const;
  bool empty() const;

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::string> secrets_;  // longest first
  std::vector<std::string> cores_;    // parts of their base64 forms that depend on nothing else
};

}  // namespace headrace
