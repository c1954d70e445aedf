#include "base/text_table.h"

#include <algorithm>

#include "base/text_width.h"

namespace headrace {
namespace {

constexpr int kGap = 2;        // blanks between columns
constexpr int kNarrowest = 4;  // no column is cut below this

/// "12", "-1,234.5", "0.93", "12 %", "1e-7": digits with their company.
bool LooksNumeric(const std::string& cell) {
  if (cell.empty() || cell == "-") return true;
  bool digit = false;
  for (size_t i = 0; i < cell.size(); ++i) {
    const char c = cell[i];
    if (c >= '0' && c <= '9') {
      digit = true;
    } else if (std::string_view("+-.,% e").find(c) == std::string_view::npos) {
      return false;
    } else if (c == '-' && digit && cell[i - 1] != 'e') {
      return false;  // a date
    }
  }
  return digit;
}

/// Takes columns off the widest until the table fits, or nothing can be taken any more.
void Shrink(std::vector<int>* widths, int max_width) {
  int total = kGap * (static_cast<int>(widths->size()) - 1);
  for (int width : *widths) total += width;
  while (total > max_width) {
    auto widest = std::max_element(widths->begin(), widths->end());
    if (*widest <= kNarrowest) return;
    --*widest;
    --total;
  }
}

std::string Line(const std::vector<std::string>& cells, const std::vector<int>& widths,
                 const std::vector<bool>& right) {
  std::string line;
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string cell = CutToWidth(cells[i], widths[i]);
    const std::string pad(widths[i] - TextWidth(cell), ' ');
    if (i > 0) line.append(kGap, ' ');
    line += right[i] ? pad + cell : cell + pad;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace

void TextTable::AddRow(std::vector<std::string> cells) {
  cells.resize(header_.size());
  for (std::string& cell : cells) cell = Printable(cell, /*keep_lines=*/false);
  rows_.push_back(std::move(cells));
}

int TextTable::WidthOf(size_t column) const {
  int width = TextWidth(Printable(header_[column], /*keep_lines=*/false));
  for (const auto& row : rows_) width = std::max(width, TextWidth(row[column]));
  return width;
}

size_t TextTable::Shown(const TextTableOptions& options) const {
  if (options.max_width <= 0 || options.readable <= 0) return header_.size();
  int total = 0;
  for (size_t i = 0; i < header_.size(); ++i) {
    total += std::min(options.readable, WidthOf(i)) + (i > 0 ? kGap : 0);
    if (total > options.max_width) return std::max<size_t>(i, 1);
  }
  return header_.size();
}

std::string TextTable::Render(const TextTableOptions& options) const {
  if (header_.empty()) return "";
  std::vector<int> widths;
  std::vector<bool> right;
  std::vector<std::string> header;
  const size_t shown = Shown(options);
  for (size_t i = 0; i < shown; ++i) {
    header.push_back(Printable(header_[i], /*keep_lines=*/false));
    const int width = WidthOf(i);
    bool numeric = false, all_numeric = true;
    for (const auto& row : rows_) {
      all_numeric = all_numeric && LooksNumeric(row[i]);
      numeric = numeric || (!row[i].empty() && row[i] != "-");
    }
    widths.push_back(width);
    right.push_back(numeric && all_numeric);
  }
  if (options.max_width > 0) Shrink(&widths, options.max_width);

  std::string out = Line(header, widths, right);
  if (options.color) out = "\x1b[1m" + out + "\x1b[0m";
  out += '\n';
  for (const auto& row : rows_) out += Line(row, widths, right) + '\n';
  return out;
}

}  // namespace headrace
