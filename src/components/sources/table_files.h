#pragma once
// What sources of files with types of their own (parquet, json) have in common: which files are
// new, merging by key, schema changes, the cursor. A format says how its files are read.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/sources/csv_files.h"
#include "components/sources/schema_change.h"
#include "data/duck.h"
#include "pipeline/component.h"

namespace headrace::components {

/// Options that every such source has.
struct TableFileOptions {
  std::string path;
  std::string connection;  ///< of type folder; "" = the project
  std::vector<std::string> key;
  bool union_by_name = false;
  SchemaChange schema_change = SchemaChange::kAdd;
};

/// A file, or the new end of one.
struct TablePart {
  CsvFile file;
  int64_t offset = 0, first_line = 1;  ///< of the new end
  std::string read_path;               ///< what DuckDB reads: the file, or a copy of its end
  data::Schema columns;                ///< of this file; set by Find
};

/// A format. Used by one build, not thread-safe.
class TableFormat {
 public:
  virtual ~TableFormat() = default;
  virtual const FileEndings& Endings() const = 0;
  /// Faults of a file that DuckDB would not see or not explain: cut off, another format.
  virtual Status Check(FileSystem& fs, const TablePart& part, const CancelToken& cancel) = 0;
  /// Columns and types of each part, as DuckDB will read them.
  virtual Status Find(data::DuckConnection& connection, std::vector<TablePart>& parts,
                      const CancelToken& cancel) = 0;
  /// SELECT of these parts, which have the same columns, in their order.
  virtual std::string Select(const std::vector<TablePart>& parts) const = 0;
  /// What a fault of DuckDB means: the file, the line, what to do.
  virtual Error Explain(FileSystem& fs, data::DuckConnection& connection, Error error,
                        const std::vector<TablePart>& parts, const CancelToken& cancel) = 0;
  /// The new end of a file may be read alone.
  virtual bool Grows() const { return false; }
  /// Whether this file, whose old part ends at byte `from`, is one whose end may be.
  virtual Result<bool> GrewByRows(FileSystem& fs, const CsvFile& file, int64_t from) const {
    (void)fs, (void)file, (void)from;
    return Grows();
  }
  /// Looks at what was read; names columns that must be read as text after all.
  virtual Result<std::vector<std::string>> Inexact(data::DuckConnection& connection,
                                                   const std::vector<TablePart>& parts,
                                                   const data::Snapshot& written) {
    (void)connection, (void)parts, (void)written;
    return std::vector<std::string>();
  }
  virtual void ReadAsText(const std::string& column) { (void)column; }
};

/// The narrowest type that holds all values of both without change; "" = there is none.
std::string JoinTypes(const std::string& a, const std::string& b);

Result<pipeline::Outcome> BuildTableFiles(const TableFileOptions& options, TableFormat& format,
                                          pipeline::BuildContext& context);
/// Columns as far as lint can know them: of the first file, or of the last run.
std::optional<data::Schema> LintTableFiles(const TableFileOptions& options, TableFormat& format,
                                           const pipeline::LintContext& context);
Result<pipeline::Probe> ProbeTableFiles(const TableFileOptions& options, const TableFormat& format,
                                        const pipeline::ProbeContext& context);

}  // namespace headrace::components
