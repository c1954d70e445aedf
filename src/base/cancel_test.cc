#include "base/cancel.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace headrace {
namespace {

TEST(CancelToken, CopiesShareTheState) {
  CancelToken token;
  const CancelToken copy = token;
  EXPECT_TRUE(copy.Check().ok());
  token.Cancel();
  EXPECT_TRUE(copy.Cancelled());
  EXPECT_EQ(copy.Check().error().code, "cancelled");
}

TEST(CancelToken, CallbacksRunOnce) {
  CancelToken token;
  int kept_calls = 0, dropped_calls = 0, late_calls = 0;
  const auto kept = token.OnCancel([&] { ++kept_calls; });
  token.OnCancel([&] { ++dropped_calls; }).reset();
  token.Cancel();
  token.Cancel();
  const auto late = token.OnCancel([&] { ++late_calls; });
  EXPECT_EQ(kept_calls, 1);
  EXPECT_EQ(dropped_calls, 0);
  EXPECT_EQ(late_calls, 1);
}

TEST(CancelToken, ACallbackMayUnregisterItself) {
  CancelToken token;
  std::shared_ptr<void> handle;
  bool called = false;
  handle = token.OnCancel([&] {
    handle.reset();
    called = true;
  });
  token.Cancel();
  EXPECT_TRUE(called);
}

// What a callback uses may go away right after its handle: checked by the sanitizers.
TEST(CancelToken, HandlesWaitForTheirCallback) {
  for (int round = 0; round < 200; ++round) {
    CancelToken token;
    std::thread canceller([&] { token.Cancel(); });
    {
      auto used = std::make_unique<std::vector<int>>(100);
      const auto handle = token.OnCancel([&] { (*used)[50]++; });
    }
    canceller.join();
  }
}

}  // namespace
}  // namespace headrace
