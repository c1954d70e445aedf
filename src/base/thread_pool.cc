#include "base/thread_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace headrace {
namespace {

/// A task must return its errors; what third-party code throws all the same must not end the
/// process.
Status RunTask(const std::function<Status(int64_t)>& task, int64_t i) {
  try {
    return task(i);
  } catch (const std::bad_alloc&) {
    return SystemError("out_of_memory", "out of memory")
        .Hint("give less work to it at once: fewer --threads, or a larger --memory");
  } catch (const std::exception& e) {
    return InternalError(fmt::format("a task threw: {}", e.what()));
  } catch (...) {
    return InternalError("a task threw something unknown");
  }
}

}  // namespace

Status ParallelFor(int threads, int64_t count, const CancelToken& cancel,
                   const std::function<Status(int64_t)>& task) {
  std::atomic<int64_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::optional<Error> first;
  int64_t first_index = count;

  const auto work = [&] {
    while (!stop && !cancel.Cancelled()) {
      const int64_t i = next.fetch_add(1);
      if (i >= count) return;
      Status status = RunTask(task, i);
      if (status.ok()) continue;
      stop = true;
      std::lock_guard lock(mutex);
      if (i < first_index) {
        first_index = i;
        first = std::move(status).error();
      }
    }
  };

  std::vector<std::thread> helpers;
  for (int64_t i = 1; i < std::min<int64_t>(threads, count); ++i) {
    try {
      helpers.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // the machine gives no more threads: fewer do the same work
    }
  }
  work();
  for (std::thread& helper : helpers) helper.join();

  if (first) return *std::move(first);
  if (next < count) return cancel.Check();
  return Ok();
}

}  // namespace headrace
