#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace headrace::evaluate {

/// The class of least expected cost for one row's probabilities; of equals the first. `costs`:
/// classes × classes by actual class, then predicted. Training and scoring decide by this.
inline int32_t CheapestClass(std::span<const double> probability, std::span<const double> costs) {
  const size_t classes = probability.size();
  int32_t best = 0;
  double least = 0;
  for (size_t predicted = 0; predicted < classes; ++predicted) {
    double cost = 0;
    for (size_t actual = 0; actual < classes; ++actual) {
      cost += probability[actual] * costs[actual * classes + predicted];
    }
    if (predicted == 0 || cost < least) {
      best = static_cast<int32_t>(predicted);
      least = cost;
    }
  }
  return best;
}

}  // namespace headrace::evaluate
