#include "learn/number_ranks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluate/deterministic_math.h"

namespace headrace::learn {

std::vector<double> MeanRanks(std::span<const double> values) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return values[a] != values[b] ? values[a] < values[b] : a < b;
  });
  std::vector<double> ranks(values.size(), 0.0);
  const double last = std::max<double>(1, static_cast<double>(values.size()) - 1);
  for (size_t first = 0; first < order.size();) {
    size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    const double mean = 0.5 * static_cast<double>(first + end - 1) / last;
    for (; first < end; ++first) ranks[order[first]] = mean;
  }
  return ranks;
}

double RankCorrelation(std::span<const double> a, std::span<const double> b) {
  const std::vector<double> x = MeanRanks(a), y = MeanRanks(b);
  evaluate::CompensatedSum xy, xx, yy;
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = x[i] - 0.5, v = y[i] - 0.5;
    xy.Add(u * v);
    xx.Add(u * u);
    yy.Add(v * v);
  }
  const double scale = std::sqrt(xx.Value() * yy.Value());
  return scale > 0 ? xy.Value() / scale : 0;
}

}  // namespace headrace::learn
