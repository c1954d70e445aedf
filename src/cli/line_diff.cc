// The longest common subsequence of lines by the usual table: texts of cases are short.
#include "cli/line_diff.h"

#include <algorithm>
#include <vector>

namespace headrace::cli {
namespace {

constexpr size_t kMostLines = 400;
constexpr size_t kAround = 2;

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size() && lines.size() < kMostLines;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// All lines with their marks.
std::vector<std::string> Marked(const std::vector<std::string>& a,
                                const std::vector<std::string>& b) {
  const size_t width = b.size() + 1;
  std::vector<uint16_t> common((a.size() + 1) * width);  // of the tails from (i, j) on
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      common[i * width + j] =
          a[i] == b[j] ? static_cast<uint16_t>(common[(i + 1) * width + j + 1] + 1)
                       : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::vector<std::string> out;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      out.push_back("  " + a[i++]);
      ++j;
    } else if (j == b.size() ||
               (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out.push_back("- " + a[i++]);
    } else {
      out.push_back("+ " + b[j++]);
    }
  }
  return out;
}

}  // namespace

std::string LineDiff(std::string_view expected, std::string_view actual) {
  const auto lines = Marked(Lines(expected), Lines(actual));
  std::vector<bool> shown(lines.size(), false);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i][0] == ' ') continue;
    const size_t first = i > kAround ? i - kAround : 0;
    for (size_t k = first; k < std::min(lines.size(), i + kAround + 1); ++k) shown[k] = true;
  }
  std::string out;
  bool gap = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (shown[i]) {
      if (gap) out += "  …\n";
      out += lines[i] + "\n";
    }
    gap = !shown[i];
  }
  return out;
}

}  // namespace headrace::cli
