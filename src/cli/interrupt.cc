#include "cli/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string_view>

#include "base/file_system.h"

namespace headrace::cli {
namespace {

// A handler gets no argument, so where it writes to is the process's: the pipe of the one Interrupt
// there is. A thread reads the other end, because CancelToken may not be used in a handler.
std::atomic<int> signal_pipe{-1};

void OnSignal(int) {
  const int saved = errno;
  const char stop = 's';
  const int fd = signal_pipe.load();
  if (fd >= 0) (void)!write(fd, &stop, 1);
  errno = saved;
}

void Handle(int number) {
  struct sigaction old = {};
  sigaction(number, nullptr, &old);
  if (old.sa_handler == SIG_IGN) return;  // nohup, or a background job of a script
  struct sigaction ours = {};
  ours.sa_handler = OnSignal;
  // Reset after the first: the second kills.
  ours.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigemptyset(&ours.sa_mask);
  sigaction(number, &ours, nullptr);
}

void Unhandle(int number) {
  struct sigaction now = {};
  sigaction(number, nullptr, &now);
  if (now.sa_handler == OnSignal) signal(number, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt(CancelToken token) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;  // without it Ctrl-C kills, as ever
  read_ = ends[0];
  write_ = ends[1];
  signal_pipe = write_;
  thread_ = std::thread([this, token] { Wait(token); });
  Handle(SIGINT);
  Handle(SIGTERM);
}

void Interrupt::Wait(CancelToken token) {
  for (;;) {
    char what = 0;
    const ssize_t got = read(read_, &what, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got != 1 || what == 'q') return;
    constexpr std::string_view kText =
        "stopping; what is finished stays. Ctrl-C again stops at once\n";
    WriteAll(STDERR_FILENO, kText);
    token.Cancel();
  }
}

Interrupt::~Interrupt() {
  if (write_ < 0) return;
  Unhandle(SIGINT);
  Unhandle(SIGTERM);
  signal_pipe = -1;
  const char quit = 'q';
  (void)!write(write_, &quit, 1);
  thread_.join();
  close(write_);
  close(read_);
}

}  // namespace headrace::cli
