#pragma once
// Identity of a table's content.
//
// A snapshot id is a digest of the schema and of all rows regardless of their order. It must not
// depend on threads, chunks, files or row groups, and the digest of two parts together must follow
// from those of the parts, so rows are hashed one by one and their hashes added modulo 2^128.
// (Adding, not XOR: two equal rows must not cancel out.)
//
// Row bytes, version 1. A row is the concatenation of its values in the order of the columns:
//   value     = 0x00, then as many zero bytes as the type has fixed bytes     (NULL)
//             | 0x01, payload
//   payload   boolean 1 byte 0/1; integers, decimals (unscaled; 2, 4, 8 or 16 bytes for up to 4, 9,
//             18, 38 digits), DATE (days, 4), TIME and TIMESTAMP (µs, or ns for _NS, 8): little
//             endian, two's complement, in their own width
//             FLOAT, DOUBLE: IEEE 754 little endian; -0.0 as 0.0, every NaN as 7fc00000 or
//             7ff8000000000000
//             UUID: 16 bytes in the order of its text
//             VARCHAR, BLOB: length as 4 bytes, then the bytes (fixed bytes of a NULL: the 4)
//             STRUCT: the values of its fields (a NULL has no payload at all)
//             LIST, MAP: count as 4 bytes, then the values; a map's entries are key, value in
//             stored order (fixed bytes of a NULL: the 4)
// Row hash = XXH3-128 of the row bytes, seed 0. Rows digest = sum of the row hashes modulo 2^128.
// Id = XXH3-128 over the labelled parts "headrace.snapshot.1", each column's name and type, the
// number of rows and the digest.
#include <cstdint>
#include <string>

#include "base/hash.h"
#include "data/types.h"

namespace headrace::data {

/// Digest of a bag of rows. Additive.
struct Digest {
  Hash128 sum;
  int64_t rows = 0;
  Digest& operator+=(const Digest& other);
  Digest& operator-=(const Digest& other);  ///< takes rows away that are in it
  friend bool operator==(const Digest&, const Digest&) = default;
};

/// 32 hex digits. Nullability is no part of it.
std::string SnapshotId(const Schema& schema, const Digest& digest);

}  // namespace headrace::data
