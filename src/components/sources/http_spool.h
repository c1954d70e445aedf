#pragma once
// Rows of a HTTP source between download and table. Their types are known only when all pages came,
// and asking twice is what an API likes least. Beyond some megabytes they stand in a file that has
// no name: it goes with the process.
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "components/sources/http_page.h"
#include "data/arrow_abi.h"

namespace headrace::components {

/// Filled once, then read as often as needed, by one reader at a time. Not thread-safe.
class HttpSpool {
 public:
  explicit HttpSpool(std::string folder) : folder_(std::move(folder)) {}
  ~HttpSpool();
  HttpSpool(const HttpSpool&) = delete;

  struct Extra {  ///< a cell that each row of a page gets unless it has that column
    int column = 0;
    JsonKind kind = JsonKind::kString;
    std::string text;
  };
  /// Errors of the disk: "no_space", "io_error".
  Status Add(const HttpPage& page, const std::vector<Extra>& extras);
  int64_t rows() const { return rows_; }

 private:
  friend class HttpSpoolReader;
  Status Flush();

  const std::string folder_;
  int file_ = -1;
  int64_t written_ = 0, rows_ = 0;
  std::string buffer_;  // behind what is in the file
};

/// A column to read: the index in HttpColumns (-1: NULL in all rows) and what its values become.
struct HttpTarget {
  std::string name;
  int column = -1;
  CsvType type = CsvType::kText;
};
/// A value that does not fit sets `conflict` and ends the read with an error. Both must outlive
/// the reader.
std::unique_ptr<data::BatchReader> ReadSpool(const HttpSpool& spool,
                                             std::vector<HttpTarget> targets, CancelToken cancel,
                                             bool& conflict);

}  // namespace headrace::components
