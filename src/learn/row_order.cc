#include "learn/row_order.h"

#include <algorithm>
#include <cstring>

#include "base/thread_pool.h"

namespace headrace::learn {
void RowOrder::Add(std::string_view key) {
  Entry entry{{}, static_cast<uint32_t>(entries_.size())};
  std::array<uint8_t, kInline> bytes{};
  std::memcpy(bytes.data(), key.data(), std::min(key.size(), kInline));
  for (size_t b = 0; b < kInline; ++b) entry.words[b / 8] = entry.words[b / 8] << 8 | bytes[b];
  if (!rest_.empty() || key.size() > kInline + kNeedless) {
    rest_.resize(entries_.size());
    rest_.emplace_back(key.size() > kInline ? key.substr(kInline) : std::string_view());
  }
  entries_.push_back(entry);
}

Result<std::vector<uint32_t>> RowOrder::Sort(int threads, const CancelToken& cancel) {
  const auto before = [this](const Entry& a, const Entry& b) {
    if (a.words != b.words) return a.words < b.words;
    if (!rest_.empty() && rest_[a.row] != rest_[b.row]) return rest_[a.row] < rest_[b.row];
    return a.row < b.row;
  };
  rest_.resize(rest_.empty() ? 0 : entries_.size());
  if (!std::is_sorted(entries_.begin(), entries_.end(), before)) {
    const auto at = [&](int64_t part, int64_t parts) {
      return entries_.begin() + static_cast<std::ptrdiff_t>(size() * part / parts);
    };
    const int64_t parts = std::clamp(threads, 1, 16);
    HR_TRY(ParallelFor(threads, parts, cancel, [&](int64_t part) -> Status {
      std::sort(at(part, parts), at(part + 1, parts), before);
      return Ok();
    }));
    for (int64_t part = 1; part < parts; ++part) {
      std::inplace_merge(entries_.begin(), at(part, parts), at(part + 1, parts), before);
    }
  }
  std::vector<uint32_t> order;
  order.reserve(entries_.size());
  for (const Entry& entry : entries_) order.push_back(entry.row);
  std::vector<Entry>().swap(entries_);
  std::vector<std::string>().swap(rest_);
  return order;
}

}  // namespace headrace::learn
