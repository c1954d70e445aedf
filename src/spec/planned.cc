#include "spec/planned.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace headrace::spec {

bool IsPlanned(std::string_view kind, std::string_view type) {
  using Pair = std::pair<std::string_view, std::string_view>;
  static constexpr Pair kPlanned[] = {
      {"source", "mysql"},     {"model", "forecast"}, {"model", "anomaly"},
      {"model", "clustering"}, {"model", "external"}, {"connection", "mysql"},
      {"connection", "http"},
  };
  return std::find(std::begin(kPlanned), std::end(kPlanned), Pair(kind, type)) !=
         std::end(kPlanned);
}

}  // namespace headrace::spec
