#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/redact.h"
#include "base/result.h"

namespace headrace::telemetry {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// "debug", "info", "warning", "error", "off".
Result<LogLevel> ParseLogLevel(std::string_view text);

struct LogOptions {
  std::string path;                  ///< the file; its folder is made; empty = no file
  LogLevel level = LogLevel::kInfo;  ///< of the file
  LogLevel stderr_level = LogLevel::kOff;
  int64_t max_bytes = 10'000'000;  ///< then headrace.log becomes headrace.log.1
};

/// A log for the engineer who looks for a fault: lines "2026-01-31T09:30:00Z info store: text".
/// Several processes may write to one file. Thread-safe; a line that can't be written is dropped,
/// a run doesn't die of its log.
class Log {
 public:
  /// `clock` and `redactor` (may be null) must outlive the log. Fails if the file can't be opened.
  static Result<std::unique_ptr<Log>> Open(LogOptions options, const Clock& clock,
                                           const Redactor* redactor);
  ~Log();
  bool Wanted(LogLevel level) const {
    return level != LogLevel::kOff && (level >= options_.level || level >= options_.stderr_level);
  }
  /// `area` is the folder that speaks, e.g. "store". Line feeds in `message` are indented.
  void Write(LogLevel level, std::string_view area, std::string_view message);

 private:
  Log(LogOptions options, const Clock& clock, const Redactor* redactor);
  Status OpenFile();
  void RotateIfFull();
  const LogOptions options_;
  const Clock& clock_;
  const Redactor* const redactor_;
  std::mutex mutex_;
  int fd_ = -1;
};

}  // namespace headrace::telemetry
