#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace headrace {

/// Masks secret values in every text that leaves the engine: output, state, logs, third-party error
/// texts. Values of 6 characters or more, also URL-encoded and base64-encoded (all three byte
/// alignments), become "***". Thread-safe.
class Redactor {
 public:
  void AddSecret(std::string_view value);
  std::string Redact(std::string_view text) const;
  /// All texts of an error and its causes.
  Error Redact(Error error) const;
  bool empty() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> needles_;  // longest first
};

}  // namespace headrace
