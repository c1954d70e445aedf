// Rows are laid out as bytes column by column (one tight loop per column and type, so that the
// compiler and the cache like it), then each row is hashed in one call. Against hashing value by
// value and mixing the hashes this is three times faster for 20 numeric columns: XXH3 takes
// 10-30 ns for a short row, whatever its columns.
#include "data/row_hasher.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace headrace::data::internal {
namespace {

constexpr idx_t kBlock = 256;  // rows laid out at once: 20 numbers each stay in the L1/L2 cache

// Canonical bytes of one value of a fixed size.
template <class T>
struct AsIs {
  T operator()(T value) const { return value; }
};
struct OneFloat {
  uint32_t operator()(uint32_t bits) const {
    if ((bits & 0x7fffffffU) > 0x7f800000U) return 0x7fc00000U;
    return bits == 0x80000000U ? 0 : bits;
  }
};
struct OneDouble {
  uint64_t operator()(uint64_t bits) const {
    if ((bits & 0x7fffffffffffffffULL) > 0x7ff0000000000000ULL) return 0x7ff8000000000000ULL;
    return bits == 0x8000000000000000ULL ? 0 : bits;
  }
};
struct OneBool {
  uint8_t operator()(uint8_t value) const { return value != 0 ? 1 : 0; }
};
struct Wide {
  uint64_t low, high;
};
struct UuidBytes {
  Wide operator()(Wide value) const {
    uint64_t high = value.high ^ 0x8000000000000000ULL;
    return {__builtin_bswap64(high), __builtin_bswap64(value.low)};
  }
};

template <class T, class Canonical>
uint8_t* PutFixed(const VectorView& view, idx_t row, uint8_t* to, Canonical canonical) {
  bool null = view.IsNull(row);
  *to = null ? 0 : 1;
  T value{};
  if (!null) {
    std::memcpy(&value, view.data + row * sizeof(T), sizeof(T));
    value = canonical(value);
  }
  std::memcpy(to + 1, &value, sizeof(T));
  return to + 1 + sizeof(T);
}

template <class T, class Canonical>
void PutColumn(const VectorView& view, idx_t from, idx_t rows, uint8_t** cursors,
               Canonical canonical) {
  if (view.validity != nullptr) {
    for (idx_t i = 0; i < rows; ++i) {
      cursors[i] = PutFixed<T>(view, from + i, cursors[i], canonical);
    }
    return;
  }
  const uint8_t* data = view.data + from * sizeof(T);
  for (idx_t i = 0; i < rows; ++i) {
    T value;
    std::memcpy(&value, data + i * sizeof(T), sizeof(T));
    value = canonical(value);
    uint8_t* to = cursors[i];
    *to = 1;
    std::memcpy(to + 1, &value, sizeof(T));
    cursors[i] = to + 1 + sizeof(T);
  }
}

// Calls f with the right value type and canonical form for a type of fixed size.
template <class F>
auto WithFixed(const TypePlan& plan, F&& f) {
  switch (plan.kind) {
    case Kind::kBool:
      return f(uint8_t{}, OneBool{});
    case Kind::kFloat:
      return f(uint32_t{}, OneFloat{});
    case Kind::kDouble:
      return f(uint64_t{}, OneDouble{});
    case Kind::kUuid:
      return f(Wide{}, UuidBytes{});
    default:
      break;
  }
  switch (plan.width) {
    case 1:
      return f(uint8_t{}, AsIs<uint8_t>{});
    case 2:
      return f(uint16_t{}, AsIs<uint16_t>{});
    case 4:
      return f(uint32_t{}, AsIs<uint32_t>{});
    case 8:
      return f(uint64_t{}, AsIs<uint64_t>{});
    default:
      return f(Wide{}, AsIs<Wide>{});
  }
}

bool IsFixed(const TypePlan& plan) { return plan.width > 0; }

uint64_t SizeOf(const VectorView& view, idx_t row) {
  const TypePlan& plan = *view.plan;
  if (IsFixed(plan)) return 1 + static_cast<uint64_t>(plan.width);
  bool null = view.IsNull(row);
  uint64_t size = 1;
  switch (plan.kind) {
    case Kind::kText:
      return 5 + (null ? 0 : view.Text(row).size());
    case Kind::kStruct:
      if (null) return 1;
      for (const VectorView& child : view.children) size += SizeOf(child, row);
      return size;
    case Kind::kList:
    case Kind::kMap: {
      size += 4;
      if (null) return size;
      duckdb_list_entry entry = view.Values<duckdb_list_entry>()[row];
      for (uint64_t i = 0; i < entry.length; ++i) {
        size += SizeOf(view.children[0], entry.offset + i);
      }
      return size;
    }
    default:
      return size;
  }
}

void AddTextSizes(const VectorView& view, idx_t from, idx_t rows, uint64_t* sizes) {
  for (idx_t i = 0; i < rows; ++i) {
    sizes[i] += 5 + (view.IsNull(from + i) ? 0 : view.Text(from + i).size());
  }
}

uint8_t* PutValue(const VectorView& view, idx_t row, uint8_t* to);

uint8_t* PutLength(uint8_t* to, uint32_t length) {
  std::memcpy(to, &length, 4);
  return to + 4;
}

uint8_t* PutText(const VectorView& view, idx_t row, uint8_t* to) {
  if (view.IsNull(row)) {
    *to = 0;
    return PutLength(to + 1, 0);
  }
  std::string_view text = view.Text(row);
  *to = 1;
  to = PutLength(to + 1, static_cast<uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

uint8_t* PutNested(const VectorView& view, idx_t row, uint8_t* to) {
  bool null = view.IsNull(row);
  *to++ = null ? 0 : 1;
  if (view.plan->kind == Kind::kStruct) {
    if (null) return to;
    for (const VectorView& child : view.children) to = PutValue(child, row, to);
    return to;
  }
  duckdb_list_entry entry{0, 0};
  if (!null) entry = view.Values<duckdb_list_entry>()[row];
  to = PutLength(to, static_cast<uint32_t>(entry.length));
  for (uint64_t i = 0; i < entry.length; ++i) {
    to = PutValue(view.children[0], entry.offset + i, to);
  }
  return to;
}

uint8_t* PutValue(const VectorView& view, idx_t row, uint8_t* to) {
  if (view.plan->kind == Kind::kText) return PutText(view, row, to);
  if (!IsFixed(*view.plan)) return PutNested(view, row, to);
  return WithFixed(*view.plan, [&](auto type, auto canonical) {
    return PutFixed<decltype(type)>(view, row, to, canonical);
  });
}

}  // namespace

void RowHasher::Hash(const std::vector<VectorView>& columns, idx_t rows, Hash128* hashes) {
  uint64_t fixed = 0;
  bool all_fixed = true;
  for (const VectorView& column : columns) {
    if (IsFixed(*column.plan)) {
      fixed += 1 + static_cast<uint64_t>(column.plan->width);
    } else {
      all_fixed = false;
    }
  }
  starts_.resize(kBlock + 1);
  cursors_.resize(kBlock);
  for (idx_t from = 0; from < rows; from += kBlock) {
    idx_t count = std::min(kBlock, rows - from);
    starts_[0] = 0;
    if (all_fixed) {
      for (idx_t i = 0; i < count; ++i) starts_[i + 1] = starts_[i] + fixed;
    } else {
      for (idx_t i = 0; i < count; ++i) starts_[i + 1] = fixed;
      for (const VectorView& column : columns) {
        if (IsFixed(*column.plan)) continue;
        if (column.plan->kind == Kind::kText) {
          AddTextSizes(column, from, count, starts_.data() + 1);
        } else {
          for (idx_t i = 0; i < count; ++i) starts_[i + 1] += SizeOf(column, from + i);
        }
      }
      for (idx_t i = 0; i < count; ++i) starts_[i + 1] += starts_[i];
    }
    if (bytes_.size() < starts_[count]) bytes_.resize(starts_[count] + starts_[count] / 2);
    for (idx_t i = 0; i < count; ++i) cursors_[i] = bytes_.data() + starts_[i];
    for (const VectorView& column : columns) {
      if (IsFixed(*column.plan)) {
        WithFixed(*column.plan, [&](auto type, auto canonical) {
          PutColumn<decltype(type)>(column, from, count, cursors_.data(), canonical);
        });
      } else if (column.plan->kind == Kind::kText) {
        for (idx_t i = 0; i < count; ++i) cursors_[i] = PutText(column, from + i, cursors_[i]);
      } else {
        for (idx_t i = 0; i < count; ++i) cursors_[i] = PutValue(column, from + i, cursors_[i]);
      }
    }
    for (idx_t i = 0; i < count; ++i) {
      XXH128_hash_t h = XXH3_128bits(bytes_.data() + starts_[i], starts_[i + 1] - starts_[i]);
      hashes[from + i] = Hash128{h.low64, h.high64};
    }
  }
}

}  // namespace headrace::data::internal
