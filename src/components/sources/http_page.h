#pragma once
// One page of a HTTP source: JSON text → rows of cells, and the values that lead to the next page.
//
// The text is read value by value (no tree): a page costs about twice its size. Numbers keep their
// digits until their column's type is known. A field that is an object or a list is one cell, its
// JSON text.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "components/sources/csv_types.h"

namespace headrace::components {

enum class JsonKind : uint8_t { kNull, kBool, kNumber, kString, kNested };

/// The columns seen so far, over all pages: names without regard to case, the narrowest type of
/// all values. Not thread-safe.
class HttpColumns {
 public:
  struct Column {
    std::string name;
    CsvType type = CsvType::kNone;
    bool present = false;  ///< stands in a page that was taken
  };
  /// Index; made when new.
  int Add(std::string_view name);
  int Find(std::string_view name) const;  ///< -1 when there is none
  void SetPresent(int column) { columns_[static_cast<size_t>(column)].present = true; }
  const std::vector<Column>& all() const { return columns_; }
  void See(int column, JsonKind kind, std::string_view text);

 private:
  std::vector<Column> columns_;
  std::map<std::string, int, std::less<>> by_lower_;
};

/// The type of one value.
CsvType TypeOfJson(JsonKind kind, std::string_view text);

/// The rows of one page. Cells of NULL are left out.
struct HttpPage {
  struct Cell {
    int column = 0;
    JsonKind kind = JsonKind::kNull;
    uint32_t offset = 0, length = 0;  ///< in `text`
  };
  std::string text;
  std::vector<Cell> cells;
  std::vector<uint32_t> ends;  ///< by row: where its cells end
  std::vector<int> fields;     ///< columns that stand in a row, if only as null
  /// Texts of the scalars at the wanted paths that were there and not null.
  std::map<std::string, std::string> found;

  int64_t rows() const { return static_cast<int64_t>(ends.size()); }
};

struct HttpPageShape {
  std::string records;              ///< path to the rows; "" = the top, which must be a list
  bool top_is_row = false;          ///< `records: .`: the top, also when it is an object
  std::vector<std::string> wanted;  ///< paths of scalars outside the rows
};

/// Errors: "bad_json" (broken or cut off), "not_json" (HTML or another text), "no_records" (nothing
/// at the path; candidates are paths to lists), "bad_record" (a row is null), "too_many_columns",
/// "ambiguous_fields" (two spellings of one name in a row), "too_deep". All of blame external; the
/// first three retriable. `columns` gets new names even when the page is refused later.
Result<HttpPage> ParseHttpPage(const std::string& body, const HttpPageShape& shape,
                               HttpColumns& columns);

}  // namespace headrace::components
