#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace headrace::learn {

/// Ranks in [0, 1], equal values their mean rank. No NaN.
std::vector<double> MeanRanks(std::span<const double> values);

/// Spearman's correlation; 0 when a side is constant.
double RankCorrelation(std::span<const double> a, std::span<const double> b);

}  // namespace headrace::learn
