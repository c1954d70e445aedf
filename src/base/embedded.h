#pragma once

#include <cstddef>

namespace headrace {

/// A file of examples/ that the build put into the library.
struct EmbeddedFile {
  const char* path;  ///< below examples/, for instance "churn/pipeline/features.sql"
  const char* data;  ///< `size` bytes and a 0 behind them
  std::size_t size;
};

/// Sorted by path; one more entry, with a null path, ends it.
extern const EmbeddedFile kEmbeddedFiles[];
extern const std::size_t kEmbeddedFileCount;

}  // namespace headrace
