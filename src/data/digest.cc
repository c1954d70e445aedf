#include "data/digest.h"

namespace headrace::data {

Digest& Digest::operator+=(const Digest& other) {
  sum += other.sum;
  rows += other.rows;
  return *this;
}

Digest& Digest::operator-=(const Digest& other) {
  sum -= other.sum;
  rows -= other.rows;
  return *this;
}

std::string SnapshotId(const Schema& schema, const Digest& digest) {
  Hasher hasher;
  hasher.Add("headrace.snapshot.1").Add(static_cast<int64_t>(schema.size()));
  for (const Column& column : schema.columns) hasher.Add(column.name).Add(column.type);
  hasher.Add(digest.rows).Add(digest.sum.Hex());
  return hasher.Finish().Hex();
}

}  // namespace headrace::data
