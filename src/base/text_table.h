#pragma once
#include <string>
#include <vector>

namespace headrace {

struct TextTableOptions {
  int max_width = 0;  ///< columns of the terminal; 0 = no limit. The widest columns are cut with …
  bool color = false;  ///< bold header
  /// A column that can't have so many characters (or all it needs) beside those before it is left
  /// out, and so are those behind it. 0: none is; all get narrower.
  int readable = 0;
};

/// A table for people: a header, aligned columns two blanks apart, no frame. A column whose cells
/// are all numbers (empty ones and "-" aside) is aligned to the right. Not thread-safe.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
  /// Missing cells are empty, surplus ones are dropped.
  void AddRow(std::vector<std::string> cells);
  size_t rows() const { return rows_.size(); }
  /// Every line ends with a line feed; no trailing blanks.
  std::string Render(const TextTableOptions& options = {}) const;
  /// How many columns Render shows with these options.
  size_t Shown(const TextTableOptions& options) const;

 private:
  int WidthOf(size_t column) const;

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace headrace
