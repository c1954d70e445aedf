#include "telemetry/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/file_system.h"
#include "base/suggest.h"
#include "base/text_width.h"

namespace headrace::telemetry {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warning", "error", "off"};

std::string Line(Timestamp now, LogLevel level, std::string_view area, std::string_view message) {
  std::string line =
      fmt::format("{} {} {}: ", FormatTimestamp(now), kLevels[static_cast<size_t>(level)], area);
  for (char c : Printable(message, /*keep_lines=*/true)) {
    line += c;
    if (c == '\n') line += "  ";
  }
  return line + "\n";
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view text) {
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (text == kLevels[i]) return static_cast<LogLevel>(i);
  }
  return UserError("bad_log_level", fmt::format("'{}' is not a log level", text))
      .Subject(std::string(text))
      .Candidates(Suggest(text, {kLevels.begin(), kLevels.end()}))
      .Hint("levels are debug, info, warning, error, off");
}

Log::Log(LogOptions options, const Clock& clock, const Redactor* redactor)
    : options_(std::move(options)), clock_(clock), redactor_(redactor) {}

Log::~Log() {
  if (fd_ >= 0) close(fd_);
}

Result<std::unique_ptr<Log>> Log::Open(LogOptions options, const Clock& clock,
                                       const Redactor* redactor) {
  if (options.path.empty()) options.level = LogLevel::kOff;
  std::unique_ptr<Log> log(new Log(std::move(options), clock, redactor));
  if (log->options_.level == LogLevel::kOff) return log;
  const std::string folder = DirName(log->options_.path);
  if (!folder.empty()) HR_TRY(RealFileSystem().CreateDirectories(folder));
  HR_TRY(log->OpenFile());
  return log;
}

Status Log::OpenFile() {
  const int fd = open(options_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) {
    return ErrnoError(errno, fmt::format("cannot write the log '{}'", options_.path));
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  return Ok();
}

// Several processes may find the file full at once. The one that gets the lock renames it; the
// others see that the path is another file by now and only open that.
void Log::RotateIfFull() {
  struct stat ours = {}, there = {};
  if (fstat(fd_, &ours) != 0 || ours.st_size < options_.max_bytes) return;
  if (flock(fd_, LOCK_EX) != 0) return;
  const bool current = stat(options_.path.c_str(), &there) == 0 && there.st_ino == ours.st_ino &&
                       there.st_dev == ours.st_dev;
  if (current) std::rename(options_.path.c_str(), (options_.path + ".1").c_str());
  if (!OpenFile().ok()) flock(fd_, LOCK_UN);  // opening closes the old file, which unlocks it
}

void Log::Write(LogLevel level, std::string_view area, std::string_view message) {
  if (!Wanted(level)) return;
  std::string line = Line(clock_.Now(), level, area, message);
  if (redactor_ != nullptr) line = redactor_->Redact(line);
  std::lock_guard lock(mutex_);
  if (level >= options_.stderr_level) WriteAll(STDERR_FILENO, line);
  if (level < options_.level || fd_ < 0) return;
  RotateIfFull();
  WriteAll(fd_, line);
}

}  // namespace headrace::telemetry
