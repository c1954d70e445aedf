// Running a program to its end. The child is started with posix_spawn, which is safe in a process
// with threads, in a process group of its own, so that a time-out ends its children too. Then one
// loop waits with poll(2) for everything that may happen: output on stdout or stderr, the end of
// the child (pidfd), the caller's cancel (eventfd) and the clock.
//
// The child is reaped only after its group was killed: until then its number can't be given to
// another process. What a program leaves behind in its group is killed with it; without that, a
// grandchild that holds stdout open would keep us waiting.
#include "base/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/file_system.h"

namespace headrace {
namespace {

constexpr int64_t kGraceNanos = 2'000'000'000;  // between SIGTERM and SIGKILL

/// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Pipe {
  Fd read, write;
};

/// Above 2, so that putting pipes in the places of 0 to 2 in the child can't overwrite one.
Fd AboveStandard(int fd) {
  if (fd < 0 || fd > 2) return Fd(fd);
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  close(fd);
  return Fd(moved);
}

Result<Pipe> NewPipe() {
  int fds[2] = {-1, -1};
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoError(errno, "cannot make a pipe");
  Pipe pipe{AboveStandard(fds[0]), AboveStandard(fds[1])};
  if (!pipe.read.open() || !pipe.write.open()) return ErrnoError(EMFILE, "cannot make a pipe");
  return pipe;
}

/// The child's stdin: a file in memory that holds all of it before the child starts. Through a pipe
/// it would get half of its input, or none, when this process is killed in between.
Result<Fd> InputFile(std::string_view input) {
  Fd file = AboveStandard(memfd_create("headrace-input", MFD_CLOEXEC));
  if (!file.open()) return ErrnoError(errno, "cannot hold the input of a program");
  if (const int e = WriteAll(file.get(), input); e != 0) {
    return ErrnoError(e, "cannot hold the input of a program");
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) {
    return ErrnoError(errno, "cannot hold the input of a program");
  }
  return file;
}

void SetNonBlocking(const Fd& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

bool IsProgram(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

/// The file to run: as given if it has a slash, else the first of the child's PATH (ours if it has
/// none). Relative folders in PATH are left out: what runs must not depend on where we stand.
Result<std::string> FindProgram(const SubprocessOptions& options) {
  if (options.command.empty() || options.command[0].empty()) {
    return UserError("program_not_found", "the command is empty")
        .Hint("write the program and its arguments as a list: [program, argument]");
  }
  const std::string& program = options.command[0];
  if (program.find('/') != std::string::npos) return program;
  const auto own = options.env.find("PATH");
  const char* ours = std::getenv("PATH");
  const std::string path = own != options.env.end() ? own->second : ours != nullptr ? ours : "";
  std::string_view left = path;
  while (!left.empty()) {
    const size_t colon = left.find(':');
    const std::string file = JoinPath(left.substr(0, colon), program);
    if (file.starts_with('/') && IsProgram(file)) return file;
    left.remove_prefix(colon == std::string_view::npos ? left.size() : colon + 1);
  }
  return UserError("program_not_found", fmt::format("there is no program '{}' in PATH", program))
      .Subject(program)
      .Hint(fmt::format("write its whole path, or install it; PATH is {}", path));
}

/// Error of starting `file` in `directory`.
Error StartError(int error_number, const std::string& file, const std::string& directory) {
  const std::string what = fmt::format("cannot start '{}'", file);
  if (!directory.empty() && !RealFileSystem().Exists(directory)) {
    return ErrnoError(ENOENT, fmt::format("cannot start '{}' in '{}'", file, directory));
  }
  if (error_number == ENOENT || error_number == ENOTDIR) {
    const std::string seen = file.starts_with('/') ? file : JoinPath(directory, file);
    Error error = UserError("program_not_found", fmt::format("there is no program '{}'", file));
    error.Subject(file);
    if (RealFileSystem().Exists(seen)) {
      error.message =
          fmt::format("the program that '{}' names in its first line (#!) is missing", file);
    }
    return error;
  }
  if (error_number == EACCES || error_number == EPERM) {
    return UserError("permission_denied", what + ": it may not be executed")
        .Subject(file)
        .Hint(fmt::format("chmod +x {}", file));
  }
  if (error_number == ENOEXEC) {
    return UserError("not_executable", what + ": it is no program")
        .Subject(file)
        .Hint("a script needs a first line such as #!/bin/sh");
  }
  return ErrnoError(error_number, what);
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> out;
  for (std::string& text : *texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// posix_spawn with everything a child of ours gets. Returns errno.
int Spawn(const SubprocessOptions& options, const std::string& file, const std::array<int, 3>& fds,
          pid_t* pid) {
  std::vector<std::string> args = options.command, env;
  for (const auto& [name, value] : options.env) env.push_back(name + "=" + value);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, fds[i], i);
  // Our own descriptors close themselves, those of libraries perhaps not.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!options.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());
  }

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);  // SIGPIPE: ours is ignored

  const int error_number = posix_spawn(pid, file.c_str(), &actions, &attributes,
                                       Pointers(&args).data(), Pointers(&env).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error_number;
}

/// The running child and the three streams.
class Child {
 public:
  Child(pid_t pid, const SubprocessOptions& options, Fd out, Fd err, Fd cancelled)
      : pid_(pid),
        options_(options),
        out_{std::move(out), std::move(err)},
        cancelled_(std::move(cancelled)),
        pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
    for (const Fd* fd : {&out_[0], &out_[1]}) SetNonBlocking(*fd);
  }

  /// Returns when the child has ended. `*was_cancelled`: because the caller wanted it.
  SubprocessResult Wait(bool* was_cancelled) {
    const int64_t now = SystemClock().MonotonicNanos();
    constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 4;
    const int64_t timeout = std::clamp<int64_t>(options_.timeout_micros, 0, kLongest / 1000) * 1000;
    int64_t deadline = now > kLongest - timeout ? kLongest : now + timeout;
    int signal = SIGTERM;  // the next one to send at the deadline
    while (!Ended()) {
      const int64_t left = deadline - SystemClock().MonotonicNanos();
      if (left <= 0 || (cancelled_now_ && signal == SIGTERM)) {
        if (!cancelled_now_) result_.timed_out = true;
        kill(-pid_, signal);
        deadline = SystemClock().MonotonicNanos() + kGraceNanos;
        signal = SIGKILL;
        continue;
      }
      Poll(left);
    }
    *was_cancelled = cancelled_now_;
    Finish();
    return std::move(result_);
  }

 private:
  /// Whether the child has ended; leaves it for Finish to reap.
  bool Ended() const {
    siginfo_t info = {};
    return waitid(P_PID, pid_, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
  }

  void Poll(int64_t nanos) {
    std::array<pollfd, 4> fds = {{{out_[0].get(), POLLIN, 0},
                                  {out_[1].get(), POLLIN, 0},
                                  {cancelled_now_ ? -1 : cancelled_.get(), POLLIN, 0},
                                  {pidfd_.get(), POLLIN, 0}}};
    int64_t millis = std::min<int64_t>(nanos / 1'000'000 + 1, 3'600'000);
    if (!pidfd_.open()) millis = std::min<int64_t>(millis, 10);  // an old kernel: look often
    if (poll(fds.data(), fds.size(), static_cast<int>(millis)) <= 0) return;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents != 0) ReadOutput(i);
    }
    if (fds[2].revents != 0) cancelled_now_ = true;
  }

  /// Takes what is there; false when nothing is there now, or never will be.
  bool ReadOutput(int i) {
    char buffer[1 << 16];
    const ssize_t n = read(out_[i].get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
      out_[i].Close();
      return false;
    }
    std::string& text = i == 0 ? result_.output : result_.error_output;
    const int64_t room = options_.max_output_bytes - static_cast<int64_t>(text.size());
    text.append(buffer, std::clamp<int64_t>(room, 0, n));
    if (n > room) result_.truncated = true;
    return true;
  }

  void Finish() {
    kill(-pid_, SIGKILL);  // what it left behind in its group
    for (int i = 0; i < 2; ++i) {
      // Bounded: a process that left the group may go on writing.
      for (int round = 0; round < 16 && out_[i].open() && ReadOutput(i); ++round) {
      }
    }
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    result_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  const pid_t pid_;
  const SubprocessOptions& options_;
  std::array<Fd, 2> out_;
  Fd cancelled_, pidfd_;
  bool cancelled_now_ = false;
  SubprocessResult result_;
};

}  // namespace

Result<SubprocessResult> RunSubprocess(const SubprocessOptions& options,
                                       const CancelToken& cancel) {
  HR_TRY(cancel.Check());
  HR_ASSIGN(const std::string file, FindProgram(options));
  HR_ASSIGN(Fd in, InputFile(options.input));
  HR_ASSIGN(Pipe out, NewPipe());
  HR_ASSIGN(Pipe err, NewPipe());
  Fd cancelled(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancelled.open()) return ErrnoError(errno, "cannot make an eventfd");

  pid_t pid = -1;
  const std::array<int, 3> child_ends = {in.get(), out.write.get(), err.write.get()};
  if (const int e = Spawn(options, file, child_ends, &pid)) {
    return StartError(e, file, options.directory);
  }
  in.Close();
  out.write.Close();
  err.write.Close();

  const int wake = cancelled.get();
  Child child(pid, options, std::move(out.read), std::move(err.read), std::move(cancelled));
  // Declared behind the child: unregistered before the eventfd is closed.
  const auto handle = cancel.OnCancel([wake] {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake, &one, sizeof one);
  });
  bool was_cancelled = false;
  SubprocessResult result = child.Wait(&was_cancelled);
  if (was_cancelled) return cancel.Check().error();
  return result;
}

}  // namespace headrace
