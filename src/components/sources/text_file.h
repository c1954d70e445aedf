#pragma once
// The text of a file as UTF-8, whatever its compression and encoding, in pieces. DuckDB's own CSV
// reader takes a truncated archive for a short one and guesses at encodings: rows would be lost
// without a word, so what it reads is looked through here first.
#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace headrace::components {

enum class Compression { kNone, kGzip, kZstd };
/// By the ending of the name: .gz, .zst.
Compression CompressionOf(const std::string& path);

enum class TextEncoding { kUtf8, kLatin1, kUtf16 };

/// Reads from start to end. Not thread-safe.
class TextFile {
 public:
  /// `shown` names the file in errors. `offset` skips bytes of an uncompressed file.
  static Result<std::unique_ptr<TextFile>> Open(FileSystem& fs, const std::string& path,
                                                const std::string& shown, TextEncoding encoding,
                                                int64_t offset = 0);
  virtual ~TextFile() = default;
  /// Appends the next piece (some 100 kB) to `out`; false at the end, when nothing was appended.
  /// A byte order mark at the start is left out. UTF-8 is passed on as it is, not checked. Errors:
  /// "bad_archive" (truncated or damaged), "bad_encoding" (half a character of UTF-16), io errors.
  virtual Result<bool> Read(std::string& out) = 0;
};

}  // namespace headrace::components
