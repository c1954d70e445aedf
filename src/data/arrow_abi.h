#pragma once
// The Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html): plain C
// structs that are the boundary between modules, and owners for them.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "data/types.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
extern "C" {
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}
#endif  // ARROW_C_STREAM_INTERFACE

namespace headrace::data {

/// Owns one of the C structs; calls its release function. Move-only, not thread-safe.
template <class T>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T raw) : raw_(raw) {}  ///< takes over
  Owned(Owned&& other) noexcept : raw_(other.raw_) { other.raw_.release = nullptr; }
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) {
      Reset();
      raw_ = other.raw_;
      other.raw_.release = nullptr;
    }
    return *this;
  }
  ~Owned() { Reset(); }

  T* get() { return &raw_; }
  const T* get() const { return &raw_; }
  T* operator->() { return &raw_; }
  const T* operator->() const { return &raw_; }
  explicit operator bool() const { return raw_.release != nullptr; }
  /// Gives the struct away; the caller must release it.
  T Take() {
    T out = raw_;
    raw_.release = nullptr;
    return out;
  }
  void Reset() {
    if (raw_.release != nullptr) raw_.release(&raw_);
    raw_.release = nullptr;
  }

 private:
  T raw_{};
};
using OwnedArrowSchema = Owned<ArrowSchema>;
using OwnedArrowArray = Owned<ArrowArray>;
using OwnedArrowStream = Owned<ArrowArrayStream>;

/// Some rows as columns. Layout by type (the only one used inside Headrace):
///   BOOLEAN bits (b); TINYINT … UBIGINT (c s i l C S I L); FLOAT f, DOUBLE g; DECIMAL(p,s) 128
///   bits (d:p,s); VARCHAR u (32-bit offsets); BLOB z; DATE days (tdD); TIME µs (ttu); TIMESTAMP µs
///   (tsu:), with time zone (tsu:UTC), _NS (tsn:); INTERVAL (tin); UUID its text (u); LIST +l;
///   STRUCT +s; MAP +m.
/// `offset` of the outer struct array is always 0. Move-only; const use is thread-safe.
struct Batch {
  OwnedArrowArray array;  ///< struct array, one child per column
  int64_t rows() const { return array->length; }
  const ArrowArray& column(int index) const { return *array->children[index]; }
};

/// Rows in batches. Not thread-safe: one caller of Next at a time.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  virtual const Schema& schema() const = 0;
  /// The next batch (never empty), nullopt at the end. After an error the reader is finished.
  virtual Result<std::optional<Batch>> Next() = 0;
  /// Rows in all, when known beforehand; else -1. For progress.
  virtual int64_t ExpectedRows() const { return -1; }
};

/// A struct schema ("+s") with one child per column, of the formats above. Error "bad_type" for
/// types without a format (see Batch).
Result<OwnedArrowSchema> MakeArrowSchema(const Schema& schema);

/// Wraps a reader as an Arrow stream for other libraries; errors arrive through get_last_error.
OwnedArrowStream ExportStream(std::unique_ptr<BatchReader> reader);

}  // namespace headrace::data
