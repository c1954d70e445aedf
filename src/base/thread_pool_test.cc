#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace headrace {
namespace {

TEST(ParallelFor, RunsEveryTaskOnce) {
  for (int threads : {-1, 1, 2, 8}) {
    std::vector<int> slots(1000);
    ASSERT_TRUE(ParallelFor(threads, 1000, CancelToken(), [&](int64_t i) {
                  slots[i] += 1;
                  return Ok();
                }).ok());
    EXPECT_EQ(std::accumulate(slots.begin(), slots.end(), 0), 1000);
  }
  EXPECT_TRUE(ParallelFor(4, 0, CancelToken(), [](int64_t) { return Ok(); }).ok());
}

TEST(ParallelFor, ReturnsTheFirstErrorInOrder) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> started{0};
    const Status status = ParallelFor(4, 1000, CancelToken(), [&](int64_t i) -> Status {
      ++started;
      if (i >= 10) return DataError("x", std::to_string(i));
      return Ok();
    });
    EXPECT_EQ(status.error().message, "10");
    EXPECT_LT(started, 1000);
  }
}

TEST(ParallelFor, StopsOnCancel) {
  CancelToken cancel;
  std::atomic<int> started{0};
  const Status status = ParallelFor(2, 1000, cancel, [&](int64_t) {
    if (++started == 10) cancel.Cancel();
    return Ok();
  });
  EXPECT_EQ(status.error().code, "cancelled");
  EXPECT_LT(started, 1000);
}

TEST(ParallelFor, CatchesWhatTasksThrow) {
  const auto run = [](auto task) { return ParallelFor(2, 1, CancelToken(), task).error(); };
  EXPECT_EQ(run([](int64_t) -> Status { throw std::runtime_error("oops"); }).message,
            "a task threw: oops");
  EXPECT_EQ(run([](int64_t) -> Status { throw std::bad_alloc(); }).code, "out_of_memory");
  EXPECT_EQ(run([](int64_t) -> Status { throw 1; }).code, "internal");
}

}  // namespace
}  // namespace headrace
