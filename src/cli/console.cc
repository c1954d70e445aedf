#include "cli/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/file_system.h"
#include "base/number_text.h"
#include "telemetry/progress.h"

namespace headrace::cli {

Console::Console(int out, int err, bool quiet, bool json)
    : out_(out), err_(err), quiet_(quiet), json_(json) {
  out_terminal_ = isatty(out) != 0;
  color_ = telemetry::ColorWanted(err);
  out_color_ = telemetry::ColorWanted(out);
}

int Console::columns() const { return out_terminal_ ? telemetry::TerminalColumns(out_) : 0; }

void Console::Write(int fd, std::string_view text, int* failed) {
  if (*failed != 0 || text.empty()) return;
  *failed = WriteAll(fd, text);
}

void Console::Data(std::string_view text) { Write(out_, text, &out_errno_); }

void Console::Text(std::string_view text) {
  Data(redactor_ != nullptr ? redactor_->Redact(text) : std::string(text));
}

void Console::JsonLine(const Json& object) {
  Data(DumpJson(redactor_ != nullptr ? RedactJson(*redactor_, object) : object) + "\n");
}

void Console::Note(std::string_view text) {
  Write(err_, redactor_ != nullptr ? redactor_->Redact(text) : std::string(text), &err_errno_);
}

void Console::Progress(std::string_view text) {
  if (!quiet_ && !json_) Note(text);
}

void Console::Print(const Error& error) {
  Note(Render(error, {color_}) + "\n");
  if (!json_) return;
  Json line = {{"event", "error"}};
  line.update(ErrorToJsonValue(error));
  JsonLine(line);
}

std::string Console::Bold(std::string_view text) const {
  return color_ ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}
std::string Console::OutBold(std::string_view text) const {
  return out_color_ ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

Status Console::written() const {
  if (out_errno_ == 0 || out_errno_ == EPIPE) return Ok();
  return ErrnoError(out_errno_, "cannot write to stdout");
}

FindingCounts Count(const std::vector<Error>& findings) {
  FindingCounts counts;
  for (const Error& finding : findings) {
    ++(finding.severity == Severity::kError     ? counts.errors
       : finding.severity == Severity::kWarning ? counts.warnings
                                                : counts.hints);
  }
  return counts;
}

std::string CountsLine(const FindingCounts& counts, size_t nodes) {
  std::string line =
      counts.errors == 0 ? "no errors" : Tally(static_cast<int64_t>(counts.errors), "error");
  if (counts.warnings > 0) {
    line += ", " + Tally(static_cast<int64_t>(counts.warnings), "warning");
  }
  if (counts.hints > 0) line += ", " + Tally(static_cast<int64_t>(counts.hints), "hint");
  return line + " in " + Tally(static_cast<int64_t>(nodes), "node");
}

void PrintFindings(Console& console, const std::vector<Error>& findings, bool hints) {
  for (Severity severity : {Severity::kError, Severity::kWarning, Severity::kHint}) {
    if (severity == Severity::kHint && !hints) continue;
    for (const Error& finding : findings) {
      if (finding.severity != severity) continue;
      if (console.json()) {
        Json line = {{"event", "finding"}};
        line.update(ErrorToJsonValue(finding));
        console.JsonLine(line);
      } else {
        console.Note(Render(finding, {console.color()}) + "\n");
      }
    }
  }
}

}  // namespace headrace::cli
