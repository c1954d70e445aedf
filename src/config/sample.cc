#include "config/sample.h"

#include <fmt/format.h>

#include <algorithm>

namespace headrace::config {

Result<int64_t> ParseSample(std::string_view text) {
  // Whole digits, and at most four behind the point: a millionth is the smallest share.
  constexpr size_t kMostDigits = 4;
  const Error bad =
      UserError("bad_value", fmt::format("--sample takes a share of the rows, not '{}'", text))
          .Subject(std::string(text))
          .Hint("a percentage above 0% and below 100%, at most four digits behind the point: 1%");
  if (text.size() < 2 || text.back() != '%') return bad;
  text.remove_suffix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto digits = [](std::string_view s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > 2 || part.size() > kMostDigits || !digits(whole) ||
      !digits(part) || (point != std::string_view::npos && part.empty())) {
    return bad;
  }
  int64_t millionths = 0;
  for (const char c : whole) millionths = millionths * 10 + (c - '0');
  for (size_t i = 0; i < kMostDigits; ++i) {
    millionths = millionths * 10 + (i < part.size() ? part[i] - '0' : 0);
  }
  if (millionths == 0) return bad;
  return millionths;
}

std::string SampleText(int64_t millionths) {
  std::string text = fmt::format("{}.{:04}", millionths / 10'000, millionths % 10'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + "%";
}

std::string SampleState(const std::string& target, int64_t millionths) {
  std::string share = SampleText(millionths);
  share.pop_back();
  std::replace(share.begin(), share.end(), '.', '_');
  return target + "__sample_" + share;
}

}  // namespace headrace::config
