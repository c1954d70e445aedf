#pragma once
// Row hashes as digest.h defines them. Internal to src/data.
#include <vector>

#include "base/hash.h"
#include "data/vector_view.h"

namespace headrace::data::internal {

/// Hashes rows of vectors. Keeps its buffers; one per thread.
class RowHasher {
 public:
  /// `hashes` gets one hash per row. `columns` are in the order of the row bytes.
  void Hash(const std::vector<VectorView>& columns, idx_t rows, Hash128* hashes);

 private:
  std::vector<uint8_t> bytes_;
  std::vector<uint64_t> starts_;   // of each row in bytes_, and the end
  std::vector<uint8_t*> cursors_;  // where each row's next value goes
};

}  // namespace headrace::data::internal
