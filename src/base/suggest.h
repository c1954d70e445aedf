#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// Damerau-Levenshtein distance without regard to ASCII case, cut off at `limit` + 1.
int EditDistance(std::string_view a, std::string_view b, int limit);

/// The words of `known` that `word` may have meant, best first, at most `most`; empty when nothing
/// is near (distance above a third of the length, at least 1; a prefix of 3+ letters counts too).
std::vector<std::string> Suggest(std::string_view word, const std::vector<std::string>& known,
                                 size_t most = 3);

}  // namespace headrace
