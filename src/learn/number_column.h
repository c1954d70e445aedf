#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "learn/row_order.h"

namespace headrace::learn {

/// One feature of all rows. Values are kept as float while each is exactly a float (codes, counts,
/// flags), as double from the first one on that is not: half the memory, no value changed.
class NumberColumn {
 public:
  void Reserve(int64_t rows) { narrow_.reserve(static_cast<size_t>(rows)); }

  void Append(double value) {
    if (wide_.empty()) {
      if (value != value || (std::fabs(value) <= std::numeric_limits<float>::max() &&
                             static_cast<double>(static_cast<float>(value)) == value)) {
        narrow_.push_back(static_cast<float>(value));
        return;
      }
      Widen();
    }
    wide_.push_back(value);
  }

  int64_t size() const {
    return static_cast<int64_t>(wide_.empty() ? narrow_.size() : wide_.size());
  }
  double operator[](int64_t row) const {
    return wide_.empty() ? static_cast<double>(narrow_[static_cast<size_t>(row)])
                         : wide_[static_cast<size_t>(row)];
  }
  bool wide() const { return !wide_.empty(); }
  /// The values as they lie in memory: doubles if wide(), else floats.
  const void* data() const {
    return wide_.empty() ? static_cast<const void*>(narrow_.data()) : wide_.data();
  }

  /// f(pointer to the values as they lie in memory): loops over all of them.
  template <class F>
  auto With(const F& f) const {
    return wide() ? f(wide_.data()) : f(narrow_.data());
  }
  /// Value i becomes what value order[i] was.
  void Reorder(std::span<const uint32_t> order) {
    learn::Reorder(&narrow_, order);
    learn::Reorder(&wide_, order);
  }

 private:
  void Widen() {
    wide_.reserve(narrow_.capacity());
    wide_.assign(narrow_.begin(), narrow_.end());
    std::vector<float>().swap(narrow_);
  }
  std::vector<float> narrow_;
  std::vector<double> wide_;
};

}  // namespace headrace::learn
