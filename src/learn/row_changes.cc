#include "learn/row_changes.h"

#include <algorithm>
#include <utility>

namespace headrace::learn {

Result<RowChanges> CountChanges(data::BatchReader& rows, const FrameOptions& options,
                                const model::SeenRows& seen) {
  FrameOptions read = options;
  read.scorers = {nullptr};
  read.seen = {&seen};
  HR_ASSIGN(const Frame frame, ReadFrame(rows, read));
  const EarlierRows& known = frame.earlier[0];
  std::vector<std::pair<uint64_t, uint64_t>> now;  // identity, content
  now.reserve(known.id.size());
  for (size_t i = 0; i < known.id.size(); ++i) now.emplace_back(known.id[i], known.content[i]);
  std::sort(now.begin(), now.end());
  RowChanges out;
  out.rows = frame.rows();
  out.trained = static_cast<int64_t>(seen.rows.size());
  if (known.id.empty()) {  // columns it knew are gone: nothing is as it was
    out.added = out.rows;
    return out;
  }
  for (size_t first = 0; first < now.size();) {
    const uint64_t id = now[first].first;
    const int64_t at = seen.Find(id);
    bool same = false;
    size_t end = first;
    for (; end < now.size() && now[end].first == id; ++end) {
      same = same || (at >= 0 && seen.rows[static_cast<size_t>(at)].content == now[end].second);
    }
    if (at < 0) {
      ++out.added;
    } else if (!same) {
      ++out.changed;
    }
    first = end;
  }
  return out;
}

}  // namespace headrace::learn
