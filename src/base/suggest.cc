#include "base/suggest.h"

#include <algorithm>
#include <cstdlib>

namespace headrace {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = Lower(c);
  return out;
}

struct Match {
  int distance;
  std::string word;
  bool operator<(const Match& other) const {
    return distance != other.distance ? distance < other.distance : word < other.word;
  }
};

}  // namespace

// Optimal string alignment: insert, delete, replace, swap of neighbours, one edit per place. Three
// rows of the table suffice.
int EditDistance(std::string_view a, std::string_view b, int limit) {
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
  if (std::abs(n - m) > limit) return limit + 1;
  std::vector<int> before(m + 1), above(m + 1), row(m + 1);
  for (int j = 0; j <= m; ++j) above[j] = j;
  for (int i = 1; i <= n; ++i) {
    row[0] = i;
    int best = i;
    for (int j = 1; j <= m; ++j) {
      const char x = Lower(a[i - 1]), y = Lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (x == y ? 0 : 1)});
      if (i > 1 && j > 1 && x == Lower(b[j - 2]) && Lower(a[i - 2]) == y) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
    before.swap(above);
    above.swap(row);
  }
  return std::min(above[m], limit + 1);
}

std::vector<std::string> Suggest(std::string_view word, const std::vector<std::string>& known,
                                 size_t most) {
  if (word.empty()) return {};
  const int limit = std::max<int>(1, static_cast<int>(word.size()) / 3);
  const std::string lower = Lower(word);
  std::vector<Match> matches;
  for (const std::string& candidate : known) {
    if (candidate.empty()) continue;
    const int distance = EditDistance(word, candidate, limit);
    if (distance <= limit && distance < static_cast<int>(word.size())) {
      matches.push_back({distance, candidate});
    } else if (word.size() >= 3 && Lower(candidate).starts_with(lower)) {
      matches.push_back({limit + 1, candidate});
    }
  }
  std::sort(matches.begin(), matches.end());
  std::vector<std::string> out;
  for (Match& match : matches) {
    if (out.size() == most) break;
    if (std::find(out.begin(), out.end(), match.word) == out.end()) out.push_back(match.word);
  }
  return out;
}

}  // namespace headrace
