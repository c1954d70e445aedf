#pragma once
#include <memory>
#include <thread>

#include "base/cancel.h"

namespace headrace::cli {

/// While it lives, the first SIGINT or SIGTERM cancels the token and says so on stderr; the second
/// one kills the process, as if nothing handled it. Signals that were ignored when it was made stay
/// ignored. One at a time per process: signal handlers are the process's.
class Interrupt {
 public:
  explicit Interrupt(CancelToken token);
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

 private:
  void Wait(CancelToken token);
  int read_ = -1, write_ = -1;
  std::thread thread_;
};

}  // namespace headrace::cli
