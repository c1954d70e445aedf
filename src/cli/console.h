#pragma once
// The two streams of a command: data on stdout, what people read meanwhile on stderr.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/redact.h"

namespace headrace::cli {

/// Not thread-safe. A closed pipe makes a stream silent; any other failed write of stdout is
/// remembered and makes the command fail.
class Console {
 public:
  /// Descriptors are not owned.
  Console(int out, int err, bool quiet, bool json);

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }
  int out() const { return out_; }
  int err() const { return err_; }
  bool out_is_terminal() const { return out_terminal_; }
  int columns() const;                           ///< of stdout's terminal; 0 = it is none
  bool color() const { return color_; }          ///< of stderr
  bool out_color() const { return out_color_; }  ///< of stdout

  /// Everything but Data is masked with it from now on. Not owned; null = nothing is masked.
  void SetRedactor(const Redactor* redactor) { redactor_ = redactor; }

  void Data(std::string_view text);      ///< stdout, as it is: rows of a query
  void Text(std::string_view text);      ///< stdout, masked: what a command shows of a project
  void JsonLine(const Json& object);     ///< stdout, masked, one line
  void Note(std::string_view text);      ///< stderr, masked
  void Progress(std::string_view text);  ///< the same, but not with --quiet or --json
  void Print(const Error& error);        ///< stderr; with --json also {"event":"error",…}
  std::string Bold(std::string_view text) const;     ///< for stderr
  std::string OutBold(std::string_view text) const;  ///< for stdout

  /// Whether everything that was meant for stdout arrived (or nobody listened any more).
  Status written() const;
  bool out_closed() const { return out_errno_ != 0; }

 private:
  void Write(int fd, std::string_view text, int* failed);
  const int out_, err_;
  const bool quiet_, json_;
  bool out_terminal_ = false, color_ = false, out_color_ = false;
  const Redactor* redactor_ = nullptr;
  int out_errno_ = 0, err_errno_ = 0;
};

/// How many findings of each severity.
struct FindingCounts {
  size_t errors = 0, warnings = 0, hints = 0;
};
FindingCounts Count(const std::vector<Error>& findings);

/// "3 errors, 1 warning in 12 nodes"; "no errors in 1 node".
std::string CountsLine(const FindingCounts& counts, size_t nodes);

/// Errors, then warnings, then (if wanted) hints, each rendered on stderr or as a line of JSON on
/// stdout.
void PrintFindings(Console& console, const std::vector<Error>& findings, bool hints);

}  // namespace headrace::cli
