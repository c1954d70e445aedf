#pragma once
// Rows read in any order are put into one that only their values decide: training is then the same
// for the same snapshot, however its files were written and by how many threads they are read.
//
// Sorting whole rows in the database holds all of them a second time (180 bytes a row of 22 columns
// beside 160 in the frame). Here only a key of 32 bytes a row is sorted, and columns are moved one
// after another.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace headrace::learn {

/// Collects one key a row and sorts rows by the keys' bytes. Not thread-safe.
class RowOrder {
 public:
  void Reserve(int64_t rows) { entries_.reserve(static_cast<size_t>(rows)); }
  void Add(std::string_view key);
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  /// Numbers of all rows (in the order of Add) by key; equal keys stay in this order. Gives the
  /// memory of the keys back. Errors: cancelled.
  Result<std::vector<uint32_t>> Sort(int threads, const CancelToken& cancel);

 private:
  /// A row order (data/snapshot.h) is the key's bytes and 17 of the row hash. Behind a number or a
  /// short text these words hold 64 bits of the hash, which tell rows of one key apart; longer keys
  /// keep their rest.
  static constexpr size_t kWords = 3, kInline = kWords * 8, kNeedless = 8;
  struct Entry {
    std::array<uint64_t, kWords> words;  // first bytes, big endian, filled up with zeros
    uint32_t row;
  };
  std::vector<Entry> entries_;
  std::vector<std::string> rest_;  // by row, from the first key on that needs it
};

/// values[i] becomes what values[order[i]] was. Empty vectors stay empty.
template <class T>
void Reorder(std::vector<T>* values, std::span<const uint32_t> order) {
  if (values->empty()) return;
  std::vector<T> moved;
  moved.reserve(order.size());
  for (const uint32_t from : order) moved.push_back(std::move((*values)[from]));
  values->swap(moved);
}

/// Numbers names by where they appear first in `codes` (negative ones name nothing). `counts` go
/// with their names; names that don't appear come last.
template <class Name>
void NumberByAppearance(std::vector<int32_t>* codes, std::vector<Name>* names,
                        std::vector<int64_t>* counts) {
  std::vector<int32_t> place(names->size(), -1);
  std::vector<uint32_t> order;
  const auto take = [&](size_t name) {
    if (place[name] >= 0) return;
    place[name] = static_cast<int32_t>(order.size());
    order.push_back(static_cast<uint32_t>(name));
  };
  for (int32_t& code : *codes) {
    if (code < 0) continue;
    take(static_cast<size_t>(code));
    code = place[static_cast<size_t>(code)];
  }
  for (size_t name = 0; name < names->size(); ++name) take(name);
  Reorder(names, order);
  if (counts != nullptr) Reorder(counts, order);
}

}  // namespace headrace::learn
