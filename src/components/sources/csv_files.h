#pragma once
// Which files a csv source has, and what became of them since they were read.
//
// A file that only grew is read from its old end: its old bytes must have the old digest, and the
// old end must be the end of a line. A file is trusted to be unchanged when size and time of change
// are, unless it had changed within two seconds before it was read: clocks of file systems are
// coarse, so it may have changed again within the same tick.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/file_system.h"
#include "base/result.h"
#include "components/sources/csv_options.h"

namespace headrace::components {

struct CsvFile {
  std::string path;   ///< absolute
  std::string shown;  ///< relative to the project, or to the root of its connection
  int64_t size = 0;
  Timestamp modified = 0;
};

/// Which files of a folder a source takes: those with one of the endings, also with .gz or .zst
/// behind it where the format may be packed.
struct FileEndings {
  std::vector<std::string> endings;
  bool packed = false;
  std::string text;  ///< ".csv, .tsv or .txt"
};
const FileEndings& CsvEndings();

/// The files of a path (file, folder, glob) beneath the root, sorted by path. Error "no_files" at
/// `place`, with near names; "path_outside".
Result<std::vector<CsvFile>> ListCsvFiles(FileSystem& fs, const std::string& files_root,
                                          const std::string& path, const Place& place,
                                          const FileEndings& endings = CsvEndings());

/// Whether a source of that `path` reads the file `target` (absolute, real), there or not.
bool ReadsFile(FileSystem& fs, const std::string& files_root, const std::string& path,
               const FileEndings& endings, const std::string& target);

/// A file as it was read.
struct CsvFileState {
  std::string path;  ///< relative to the project
  int64_t size = 0;
  Timestamp modified = 0;
  std::string digest;    ///< of its bytes
  int64_t lines = 0;     ///< line ends in it
  bool settled = false;  ///< size and time of change may be trusted
};

struct CsvCursorColumn {
  std::string name, type;  ///< type: DuckDB's name
  CsvType found = CsvType::kText;
};

/// How far a source was read: the JSON that is committed with the snapshot.
struct CsvCursor {
  std::string definition;  ///< digest of the fields that change the content
  char delimiter = ',';
  std::vector<CsvFileState> files;  ///< sorted by path
  std::vector<CsvCursorColumn> columns;
  std::string ToJson() const;
  /// nullopt: not readable (another version): read everything.
  static std::optional<CsvCursor> FromJson(const std::string& text);
};

/// What the bytes of a file are.
struct CsvContent {
  std::string digest;
  int64_t lines = 0;
  int64_t nul_line = 0;  ///< of the first NUL byte; 0 = none
  // Of the first `prefix` bytes.
  std::string prefix_digest;
  int64_t prefix_lines = 0;
  bool prefix_ends_line = false;
};
/// Reads the first `size` bytes. Error "file_changed" (retriable) when there are fewer.
Result<CsvContent> ReadCsvContent(FileSystem& fs, const CsvFile& file, int64_t prefix,
                                  const CancelToken& cancel);

/// What to read now.
struct CsvChange {
  enum class Kind { kSame, kGrown, kNew };
  struct Item {
    Kind kind = Kind::kNew;
    int64_t offset = 0;      ///< kGrown: the old size
    int64_t first_line = 1;  ///< of the new part
    CsvFileState state;      ///< digest empty when it has to be computed yet
  };
  std::vector<Item> items;  ///< one for each file
  /// Whether old rows stand behind new ones: of equal keys the last in reading order counts, so
  /// reading the new ones alone would let them win.
  bool OldBehindNew() const {
    bool new_seen = false;
    for (const Item& item : items) {
      if (new_seen && item.kind != Kind::kNew) return true;
      new_seen = new_seen || item.kind != Kind::kSame;
    }
    return false;
  }
  bool full = false;      ///< a file changed or is gone: everything must be read
  std::string changed;    ///< "customers.csv grew by 12 kB"; empty: nothing changed
  std::string unchanged;  ///< "3 files unchanged"
};
Result<CsvChange> CompareCsvFiles(FileSystem& fs, const CsvOptions& options,
                                  const std::vector<CsvFile>& files, const CsvCursor& cursor,
                                  const CancelToken& cancel);

/// The file has the same size and time of change as when it was listed; else error "file_changed",
/// retriable.
Status CheckUnchanged(FileSystem& fs, const CsvFile& file);

}  // namespace headrace::components
