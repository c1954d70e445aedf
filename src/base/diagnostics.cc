#include "base/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace headrace {
namespace {

auto Order(const Error& e) {
  return std::tie(e.place.file, e.place.line, e.place.column, e.severity, e.code, e.message,
                  e.place.node);
}

}  // namespace

bool Diagnostics::HasErrors() const { return ErrorCount() > 0; }

size_t Diagnostics::ErrorCount() const {
  return std::count_if(all_.begin(), all_.end(),
                       [](const Error& e) { return e.severity == Severity::kError; });
}

void Diagnostics::Sort() {
  std::stable_sort(all_.begin(), all_.end(),
                   [](const Error& a, const Error& b) { return Order(a) < Order(b); });
  all_.erase(std::unique(all_.begin(), all_.end(),
                         [](const Error& a, const Error& b) { return Order(a) == Order(b); }),
             all_.end());
}

}  // namespace headrace
