#pragma once
// DuckDB's vectors as plain pointers. Internal: included by .cc files of src/data only.
#include <duckdb.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/types.h"

namespace headrace::data::internal {

enum class Kind : uint8_t {
  kBool,   ///< 1 byte
  kFixed,  ///< integers, dates, times: `width` bytes, compared as they are
  kFloat,
  kDouble,
  kDecimal,  ///< integer of `width` bytes
  kUuid,     ///< 16 bytes, highest bit flipped
  kText,     ///< VARCHAR, BLOB
  kList,
  kStruct,
  kMap,   ///< a list of struct(key, value)
  kNone,  ///< a type that snapshots don't keep
};

/// How values of a type lie in a vector.
struct TypePlan {
  TypeTree tree;
  Kind kind = Kind::kNone;
  int width = 0;                   ///< bytes of one value, for types of fixed size
  bool is_signed = true;           ///< kFixed
  std::vector<TypePlan> children;  ///< map: one struct(key, value)
};
TypePlan MakePlan(const TypeTree& tree);

/// The type as a tree; ENUM comes with its labels.
TypeTree TreeOf(duckdb_logical_type type);

/// A flat vector. Valid as long as the chunk.
struct VectorView {
  const TypePlan* plan = nullptr;
  const uint8_t* data = nullptr;
  const uint64_t* validity = nullptr;  ///< null: all are valid
  std::vector<VectorView> children;

  bool IsNull(idx_t row) const {
    return validity != nullptr && ((validity[row >> 6] >> (row & 63)) & 1) == 0;
  }
  template <class T>
  const T* Values() const {
    return reinterpret_cast<const T*>(data);
  }
  std::string_view Text(idx_t row) const {
    const auto& s = Values<duckdb_string_t>()[row];
    uint32_t length = s.value.inlined.length;
    return {length <= 12 ? s.value.inlined.inlined : s.value.pointer.ptr, length};
  }
};

/// The children of a nested vector may be dictionaries, which the C API can't show. FlatVector
/// holds a copy of such a vector, which is flat all the way down; of others it holds nothing.
class FlatVector {
 public:
  FlatVector(const TypePlan& plan, duckdb_vector vector, idx_t rows);
  ~FlatVector();
  FlatVector(const FlatVector&) = delete;
  FlatVector(FlatVector&& other) noexcept;
  const VectorView& view() const { return view_; }

 private:
  VectorView view_;
  duckdb_vector copy_ = nullptr;
};

}  // namespace headrace::data::internal
